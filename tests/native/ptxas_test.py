"""Registers and spills of every CUDA kernel, as ptxas reports them.

A kernel that spills, or takes more registers than the cap listed here, runs with fewer warps than it was made for; the table
is where that is decided. Skipped (exit 77) where nvcc is not installed.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNELS = ROOT / "native" / "cuda" / "kernels"
ARCH = "arch=compute_90a,code=sm_90a"

# Most registers a thread, by kernel. 65536 of them on a multiprocessor: 64 let 1024 threads run, 32 all 2048.
CAPS = {
    "append_rows": 64,
    "attention_join": 64,
    "attention_queries": 80,
    "best_lines": 48,
    "binary_dense": 40,
    "binary_strided": 48,
    "copy_bytes": 32,
    "copy_strided": 48,
    "dequant_strided": 48,
    "embed_rows": 40,
    "expert_rows": 64,
    "gated_rows": 48,
    "gated_strided": 48,
    "norm_dense": 72,
    "norm_strided": 48,
    "positions_kernel": 48,
    "product_few": 112,
    "product_few_dense": 72,
    "product_tiles": 96,
    "quantise_strided": 48,
    "rope_rows": 56,
    "route_rows": 48,
    "softmax_lines": 40,
    "sum_lines": 48,
    "topk_lines": 48,
    "unary_dense": 40,
    "unary_strided": 48,
}

# Bytes of spills that are known and do not matter, by mangled name: kernels for rare dtypes.
SPILLS = {
    "attention_queriesINS0_7AnyType": 64,
    "expert_rows": 32,
    "norm_strided": 64,
}


def nvcc():
    found = os.environ.get("CUDACXX") or shutil.which("nvcc")
    if not found and pathlib.Path("/usr/local/cuda/bin/nvcc").exists():
        found = "/usr/local/cuda/bin/nvcc"
    return found


def knows_arch(compiler):
    """nvcc 11 has no sm_90a"""
    told = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    release = re.search(r"release (\d+)", told)
    return not release or int(release[1]) >= 12


def report(compiler, source, folder):
    """[(mangled name, registers, spilled bytes)] of one file, and what went wrong."""
    command = [compiler, "-std=c++17", f"-gencode={ARCH}", "-cubin", "-Xptxas", "-v"]
    for include in ("native", "core/include", "core/src"):
        command += ["-I", str(ROOT / include)]
    command += [str(source), "-o", str(folder / (source.stem + ".cubin"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return [], f"{source.name} does not compile:\n{done.stderr[-3000:]}"
    kernels, name, spilled = [], None, 0
    for line in done.stderr.splitlines():
        if match := re.search(r"Compiling entry function '(\S+)'", line):
            name, spilled = match[1], 0
        elif match := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spilled = max(int(match[1]), int(match[2]))
        elif (match := re.search(r"Used (\d+) registers", line)) and name:
            kernels.append((name, int(match[1]), spilled))
            name = None
    return kernels, "" if kernels else f"{source.name}: ptxas reported no kernel"


def plain(mangled):
    """The function's own name: of _ZN6irplan4cuda10norm_denseIfE… it is norm_dense."""
    names, at = [], 3
    while match := re.match(r"\d+", mangled[at:]):
        start = at + match.end()
        names.append(mangled[start : start + int(match[0])])
        at = start + int(match[0])
    return names[-1] if names else mangled


def faults(name, registers, spilled):
    cap = CAPS.get(plain(name))
    if cap is None:
        yield f"{name}: not in the table of this test; it takes {registers} registers"
    elif registers > cap:
        yield f"{name}: {registers} registers, and at most {cap} are meant"
    allowed = max([size for part, size in SPILLS.items() if part in name], default=0)
    if spilled > allowed:
        yield f"{name}: {spilled} bytes of spills"


def main():
    compiler = nvcc()
    if not compiler:
        print("skipped: nvcc is not installed; registers and spills of the CUDA kernels are not known here")
        return 77
    if not knows_arch(compiler):
        print(f"skipped: {compiler} knows no sm_90a; registers and spills of the CUDA kernels are not known here")
        return 77
    wrong, seen = [], set()
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(report, compiler, source, pathlib.Path(folder)) for source in sorted(KERNELS.glob("*.cu"))]
        for job in jobs:
            kernels, why = job.result()
            if why:
                wrong.append(why)
            for name, registers, spilled in kernels:
                seen.add(plain(name))
                print(f"{registers:4} registers {spilled:3} spilled  {name}")
                wrong.extend(faults(name, registers, spilled))
    wrong.extend(f"{name}: in the table of this test, and no such kernel" for name in sorted(set(CAPS) - seen))
    for line in wrong:
        print("WRONG", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
