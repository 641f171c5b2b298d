"""./dev bench cpu: steps of a decoder of Llama-3.2-1B's shape, and of a very small one, by irplan's CPU backend and by other systems,
one after another in turns, each in a process of its own with random weights of its own.

Other systems are measured where the Python that runs this can import them; --install makes a virtual environment for them from PyPI
first (llama-cpp-python is built from source there: some minutes). What is not there is skipped by name."""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from asked import answer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BENCH = Path(os.environ["IRPLAN_BIN"]) / "irplan-bench"
ONE_B = dict(hidden=2048, ffn=8192, layers=16, heads=32, kv_heads=8, head=64, vocabulary=128256)
MICRO = dict(hidden=64, ffn=256, layers=2, heads=4, kv_heads=2, head=16, vocabulary=256)
PACKAGES = {"llama.cpp": ("llama_cpp", ["llama-cpp-python", "gguf"]), "torch": ("torch", ["torch"])}

# name, the model, dtype of its weights, what is asked of irplan besides, sizes, peers, at least this often the fastest peer
WORKS = [
    ("decode bf16", ONE_B, "bf16", {}, dict(steps=16), ["llama.cpp", "torch"], 1.0),
    ("decode bf16, 1 thread", ONE_B, "bf16", {}, dict(steps=12, threads=1), ["llama.cpp"], 1.1),
    ("decode q8_0", ONE_B, "q8_0", {}, dict(steps=24), ["llama.cpp"], 1.05),
    ("decode q4_0", ONE_B, "q4_0", {}, dict(steps=24), ["llama.cpp"], 1.2),
    ("prefill 512 bf16", ONE_B, "bf16", {}, dict(context=0, steps=2, length=512), ["llama.cpp", "torch"], 1.05),
    ("prefill 512 q8_0", ONE_B, "q8_0", {}, dict(context=0, steps=2, length=512), ["llama.cpp"], 1.0),
    ("prefill 512 q8_0 x i8", ONE_B, "q8_0", {"activations": "i8"}, dict(context=0, steps=2, length=512), ["llama.cpp"], 2.5),
    ("decode q8_0 x i8", ONE_B, "q8_0", {"activations": "i8"}, dict(steps=24), ["llama.cpp"], 1.05),
    ("decode q4_0 x i8", ONE_B, "q4_0", {"activations": "i8"}, dict(steps=24), ["llama.cpp"], 1.2),
    ("decode bf16, batch 8", ONE_B, "bf16", {}, dict(steps=8, batch=8), ["llama.cpp", "torch"], 1.1),
    ("micro decode f32", MICRO, "f32", {}, dict(steps=2000, threads=1), ["llama.cpp", "torch"], 2.0),
]


def config(m, dtype):
    return {"model_type": "llama", "hidden_size": m["hidden"], "num_attention_heads": m["heads"], "num_key_value_heads": m["kv_heads"],
            "head_dim": m["head"], "intermediate_size": m["ffn"], "vocab_size": m["vocabulary"], "num_hidden_layers": m["layers"],
            "rms_norm_eps": 1e-5, "dtype": "float32" if dtype == "f32" else "bfloat16", "max_position_embeddings": 8192,
            "rope_theta": 500000.0, "tie_word_embeddings": True, "hidden_act": "silu"}


def ours(m, dtype, asked, sizes, folder, timeout):
    path = Path(folder) / f"{m['hidden']}-{dtype}.json"
    path.write_text(json.dumps(config(m, dtype)))
    words = [f"{key}={value}" for key, value in sizes.items()]
    if dtype in ("q8_0", "q4_0"):
        words.append(f"retype=weights={dtype}")
    words += [f"retype={what}={to}" for what, to in asked.items()]
    return answer([BENCH, "cpu", f"config={path}", f"program={ROOT / 'examples/models/llama.irplan'}", *words], timeout)


def cost(dtype, further, folder, timeout):
    m = {**MICRO, "hidden": 512, "ffn": 1536, "layers": 4, "heads": 8, "head": 64, "kv_heads": 4, "vocabulary": 4096}
    return ours(m, dtype, {}, {"context": 256, "error": further}, folder, timeout)


def python_with_peers(folder):
    venv = Path(folder) / "venv"
    python = venv / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    for peer, (_, packages) in PACKAGES.items():
        done = subprocess.run([python, "-m", "pip", "install", "-q", *packages], capture_output=True, text=True)
        if done.returncode:
            print(f"{peer}: {' '.join(packages)} does not install here: {done.stderr.strip().splitlines()[-1][:120]}")
    return python


def here(python, peer):
    return subprocess.run([python, "-c", f"import {PACKAGES[peer][0]}"], capture_output=True).returncode == 0


def main():
    parser = argparse.ArgumentParser(prog="./dev bench cpu")
    parser.add_argument("works", nargs="*", help="parts of the names of what is measured; all by default")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each system (default: 2)")
    parser.add_argument("--install", action="store_true", help="install the other systems from PyPI into --folder first")
    parser.add_argument("--folder", help="where models and the virtual environment are kept (default: a temporary folder)")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for one turn of one system")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        python = python_with_peers(folder) if options.install else sys.executable
        there = {peer: here(python, peer) for peer in PACKAGES}
        bandwidth = answer([BENCH, "cpu", "bandwidth=1"], 60)
        print(f"{datetime.date.today()}, {platform.processor() or platform.machine()}, {bandwidth.get('machine', '')}")
        print(f"reads {bandwidth.get('gb_s', 0):.1f} GB/s on {bandwidth.get('threads', 0)} threads; the least of each: median of its steps")
        for peer, found in there.items():
            if not found:
                print(f"{peer}: skipped, {sys.executable if not options.install else python} has no {PACKAGES[peer][0]}")
        missed = 0
        for work in WORKS:
            if not options.works or any(part in work[0] for part in options.works):
                missed += not compare(*work, python, there, folder, options, bandwidth.get("gb_s"))
        print("what declared roundings cost against the plan without them (random weights of 4 layers, 256 tokens): rms of the logits, "
              "same most likely token")
        for weights in ("bf16", "q8_0", "q4_0"):
            for further in ("activations=i8", "state=q8_0", "state=q4_0"):
                a = cost(weights, further, folder, options.timeout)
                print(f"weights {weights:5} {further:16} " + (f"not measured: {a['why']}" if "why" in a else
                      f"rms {a['rms']:.4f}  top-1 {a['top1']:.1%} of {a['positions']}"), flush=True)
        return missed


def compare(name, m, dtype, asked, sizes, peers, least, python, there, folder, options, gb_s):
    sizes = {"threads": 2, "batch": 1, "context": 128, "length": 1, **sizes}
    job = json.dumps({**m, "dtype": dtype, "folder": str(folder), **sizes})
    found = {}
    for _ in range(options.rounds):
        for who in ["irplan", *(peer for peer in peers if there[peer])]:
            a = (ours(m, dtype, asked, sizes, folder, options.timeout) if who == "irplan"
                 else answer([python, HERE / "cpu_peers.py", who, job], options.timeout))
            if "why" in a:
                print(f"{name:24} {who:10} not measured: {a['why']}")
                found.setdefault(who, None)
                continue
            best = found.get(who)
            median = statistics.median(a["us"])
            if not best or median < best["median"]:
                found[who] = {**a, "median": median}
    mine = found.get("irplan")
    if not mine:
        return False
    tokens = sizes["batch"] * sizes["length"]
    for who, a in found.items():
        if not a:
            continue
        text = f"{name:24} {who:10} {a['median'] / 1e3:10.3f} ms a step  {tokens / a['median'] * 1e6:9.1f} tokens/s"
        if who == "irplan":
            if sizes["length"] == 1 and m is ONE_B and gb_s and sizes["threads"] > 1:
                rate = a["weight_bytes"] / a["median"] / 1e3
                text += f"  {rate:5.1f} GB/s of weights, {rate / gb_s:4.0%} of what the machine reads"
            text += f"  (load {a['load_s']:.1f} s, {a['peak_mib']:.0f} MiB at most)"
        else:
            text += f"  irplan is {a['median'] / mine['median']:.2f} times as fast  ({a['version']})"
        print(text, flush=True)
    others = [a["median"] for who, a in found.items() if a and who != "irplan"]
    if not others:
        return True
    ratio = min(others) / mine["median"]
    print(f"{name:24} {'':10} {ratio:.2f} times the fastest of them; wanted {least:.2f}: {'reached' if ratio >= least else 'MISSED'}",
          flush=True)
    return ratio >= least


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
