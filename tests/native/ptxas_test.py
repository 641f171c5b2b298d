"""Registers and spills of every CUDA kernel, as ptxas reported them when the build compiled it for its devices, and its 16-byte
loads and stores, as they stand in SASS.

A kernel that spills, or takes more registers than the cap listed here, runs with fewer warps than it was made for; one that
moves fewer bytes at a time than it was made for reaches a fraction of the memory's speed. The tables are where that is
decided. Skipped (exit 77) where the build has no CUDA kernels; SASS is not looked at without nvdisasm, which CUDA's toolkit has,
and PyPI's nvidia-cuda-nvdisasm (on PATH, in IRPLAN_NVDISASM, or importable).
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
BIN = pathlib.Path(os.environ.get("IRPLAN_BIN", ROOT / "build" / "bin"))
REGISTERS = BIN.parent / "native" / "cuda" / "generated" / "cuda" / "registers.inc"  # which the build writes
ARCH = "arch=compute_90a,code=sm_90a"

LISTED = "sm_90a"  # whose registers the caps are; other devices' are shown beside them, and nothing spills on any
# Most registers a thread, by kernel. 65536 of them on a multiprocessor: 64 let 1024 threads run, 32 all 2048.
CAPS = {
    "append_rows": 64,
    "attention_join": 64,
    "attention_queries": 80,
    "best_join": 48,
    "best_lines": 48,
    "best_parts": 48,
    "binary_dense": 40,
    "binary_strided": 48,
    "copy_bytes": 32,
    "copy_strided": 48,
    "dequant_strided": 48,
    "embed_rows": 40,
    "expert_rows": 64,
    "gated_rows": 48,
    "gated_strided": 48,
    "norm_dense": 64,
    "norm_strided": 48,
    "positions_kernel": 48,
    "product_few": 64,
    "product_few_dense": 128,
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

# Kernels that move 16 bytes at a time: the fewest such loads and stores in their code, and whether no store may be narrower.
WIDE = {
    "unary_dense": (1, 1, False),
    "binary_dense": (2, 1, False),
    "gated_rows": (2, 1, True),
    "norm_dense": (6, 4, True),
    "copy_bytes": (1, 1, False),
    "product_few_dense": (2, 0, False),
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


def nvdisasm():
    """The disassembler's path, or None"""
    found = os.environ.get("IRPLAN_NVDISASM") or shutil.which("nvdisasm")
    if found:
        return found
    for folder in map(pathlib.Path, sys.path):
        for place in sorted(folder.glob("nvidia/*/bin/nvdisasm")):
            return str(place)
    return None


def moves(disassembler, cubin):
    """{mangled name: (16-byte loads, 16-byte stores, other stores)} of global memory in a cubin's kernels"""
    done = subprocess.run([disassembler, "-c", str(cubin)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"WRONG {disassembler} cannot read {cubin.name}: {done.stderr.strip()[-300:]}")
    found, name = {}, None
    for line in done.stdout.splitlines():
        if match := re.match(r"\s*\.text\.(\S+):", line):
            name = match[1]
            found[name] = [0, 0, 0]
        elif name and (match := re.search(r"\b(LDG|STG)\.E(\S*)", line)):
            wide = ".128" in match[2]
            if match[1] == "LDG":
                found[name][0] += wide
            else:
                found[name][1 if wide else 2] += 1
    return found


def narrow(name, loads, stores, others):
    wanted = WIDE.get(plain(name))
    if not wanted:
        return
    if loads < wanted[0] or stores < wanted[1]:
        yield f"{name}: {loads} loads and {stores} stores of 16 bytes, and at least {wanted[0]} and {wanted[1]} are meant"
    if wanted[2] and others:
        yield f"{name}: {others} stores of fewer than 16 bytes"


def compile_cubin(compiler, source, folder):
    """What went wrong, or nothing"""
    command = [compiler, "-std=c++17", f"-gencode={ARCH}", "-cubin"]
    for include in ("native", "core/include", "core/src"):
        command += ["-I", str(ROOT / include)]
    command += [str(source), "-o", str(folder / (source.stem + ".cubin"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"{source.name} does not compile:\n{done.stderr[-3000:]}" if done.returncode else ""


def sass_faults(compiler, disassembler):
    """Of one device: how wide memory is moved is the source's, and the same on all."""
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(2) as pool:
        folder, found = pathlib.Path(name), set()
        jobs = [pool.submit(compile_cubin, compiler, source, folder) for source in sorted(KERNELS.glob("*.cu"))]
        yield from filter(None, (job.result() for job in jobs))
        for cubin in sorted(folder.glob("*.cubin")):
            for kernel, counts in moves(disassembler, cubin).items():
                found.add(plain(kernel))
                yield from narrow(kernel, *counts)
        yield from (f"{kernel}: meant to move 16 bytes at a time, and not in the SASS" for kernel in sorted(set(WIDE) - found))


def plain(mangled):
    """The function's own name: of _ZN6irplan4cuda10norm_denseIfE… it is norm_dense."""
    names, at = [], 3
    while match := re.match(r"\d+", mangled[at:]):
        start = at + match.end()
        names.append(mangled[start : start + int(match[0])])
        at = start + int(match[0])
    return names[-1] if names else mangled


def register_faults(rows):
    """Of (kernel, device, registers, spilled bytes)"""
    for name, device, registers, spilled in rows:
        cap = CAPS.get(name)
        if spilled:
            yield f"{name}: {spilled} bytes of spills on {device}"
        if device != LISTED:
            continue
        if cap is None:
            yield f"{name}: not in the table of this test; it takes {registers} registers"
        elif registers > cap:
            yield f"{name}: {registers} registers on {device}, and at most {cap} are meant"
    for device in sorted({row[1] for row in rows}):
        there = {row[0] for row in rows if row[1] == device}
        yield from (f"{name}: in the table of this test, and no such kernel on {device}" for name in sorted(set(CAPS) - there))


def sources_agree():
    """A kernel's launch bounds are held by the shim, and what --list-kernels names is there; looked at without nvcc as well."""
    for path in sorted([*KERNELS.glob("*.cuh"), *KERNELS.glob("*.cu")]):
        text = path.read_text()
        for found in re.finditer(r"__launch_bounds__\(((?:[^(),]|\([^()]*\))+)(?:,(?:[^()]|\([^()]*\))*)?\)\s+(\w+)\(", text):
            body = text[text.index("{\n", found.end()) + 2 :].lstrip()
            if not body.startswith(f"IRPLAN_BLOCK({found[1]});"):
                yield f"{path.name}: {found[2]} does not begin with IRPLAN_BLOCK({found[1]}), as its launch bounds are"
    launched = set(re.findall(r"\w+_\w+", " ".join(re.findall(r'"(\w+(?: \w+)*)"', (KERNELS.parent / "launch.cpp").read_text()))))
    for name in sorted(set(CAPS) - launched):
        yield f"{name}: launch.cpp says of no operator that it launches it"


def main():
    if wrong := list(sources_agree()):
        print("\n".join(f"WRONG {line}" for line in wrong))
        return 1
    if not REGISTERS.is_file():
        print(f"skipped: the build in {BIN.parent} has no CUDA kernels; their registers and spills are not known here")
        return 77
    rows = [
        (name, device, int(registers), int(spilled))
        for name, device, registers, spilled in re.findall(r'{"(\w+)", "(\w+)", (\d+), (\d+)}', REGISTERS.read_text())
    ]
    for name, device, registers, spilled in rows:
        print(f"{registers:4} registers {spilled:3} spilled  {device:7} {name}")
    wrong = list(register_faults(rows)) if any(row[1] == LISTED for row in rows) else [f"{REGISTERS}: no kernel for {LISTED}"]
    compiler, disassembler = nvcc(), nvdisasm()
    if not compiler or not knows_arch(compiler) or not disassembler:
        why = "nvdisasm is not installed (PyPI: nvidia-cuda-nvdisasm)" if compiler else "nvcc is not found"
        if compiler and not knows_arch(compiler):
            why = f"{compiler} knows no sm_90a"
        print(f"skipped: {why}; 16-byte loads and stores are not looked at")
    else:
        wrong.extend(sass_faults(compiler, disassembler))
        print("16-byte loads and stores are looked at")
    for line in wrong:
        print("WRONG", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
