"""./dev bench cpu: steps of a decoder of Llama-3.2-1B's shape, and of a very small one, by irplan's CPU backend and by other systems,
one after another in turns, each in a process of its own with random weights of its own.

Other systems are measured where the Python that runs this can import them, or the virtual environment in --folder; --install makes it
from PyPI first (llama-cpp-python is built from source there: some minutes). What is not there is skipped by name. At the end stands a
table of all that is wanted, and whether it was met: a machine that is busy with other work meets little, for all systems alike."""
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
PACKAGES = {"llama.cpp": ("llama_cpp", ["llama-cpp-python", "gguf"]), "torch": ("torch", ["torch"]),
            "onnxruntime": ("onnxruntime", ["onnx", "onnxruntime"])}
MIB = 1 << 20

# name, the model, dtype of its weights, what is asked of irplan besides, sizes, what is wanted: of a peer, how often as fast as it;
# "bandwidth", the share of what the machine reads; "ms", at most so many; "batch 1", tokens a second by those of decode bf16
PROMPT = dict(context=0, steps=2, length=512)
WORKS = [
    ("decode bf16", ONE_B, "bf16", {}, dict(steps=16), {"llama.cpp": 1.0, "torch": 1.3, "bandwidth": 0.95}),
    ("decode bf16, 1 thread", ONE_B, "bf16", {}, dict(steps=12, threads=1), {"llama.cpp": 1.1}),
    ("decode q8_0", ONE_B, "q8_0", {}, dict(steps=24), {"llama.cpp": 1.05, "onnxruntime": 1.05, "bandwidth": 0.95}),
    ("decode q8_0 x i8", ONE_B, "q8_0", {"activations": "i8"}, dict(steps=24),
     {"llama.cpp": 1.05, "onnxruntime": 1.05, "bandwidth": 0.95}),
    ("decode q4_0", ONE_B, "q4_0", {}, dict(steps=24), {"llama.cpp": 1.2, "onnxruntime": 1.2, "bandwidth": 0.95}),
    ("decode q4_0 x i8", ONE_B, "q4_0", {"activations": "i8"}, dict(steps=24), {"llama.cpp": 1.2, "onnxruntime": 1.2, "bandwidth": 0.95}),
    ("prefill 512 bf16", ONE_B, "bf16", {}, PROMPT, {"llama.cpp": 1.05, "torch": 1.05}),
    ("prefill 512 q8_0", ONE_B, "q8_0", {}, PROMPT, {"llama.cpp": 1.0}),
    ("prefill 512 q8_0 x i8", ONE_B, "q8_0", {"activations": "i8"}, PROMPT, {"llama.cpp": 2.5, "onnxruntime": 1.0, "ms": 1750}),
    ("decode bf16, batch 8", ONE_B, "bf16", {}, dict(steps=8, batch=8), {"llama.cpp": 1.1, "batch 1": 6.0}),
    ("micro decode f32", MICRO, "f32", {}, dict(steps=400, threads=1), {"onnxruntime": 2.0, "llama.cpp": 2.0, "ms": 0.030}),
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


def python_with_peers(folder, install):
    venv = Path(folder) / "venv"
    python = venv / "bin/python"
    if not install:
        return python if python.exists() else sys.executable
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    for peer, (_, packages) in PACKAGES.items():
        done = subprocess.run([python, "-m", "pip", "install", "-q", *packages], capture_output=True, text=True)
        if done.returncode:
            print(f"{peer}: {' '.join(packages)} does not install here: {done.stderr.strip().splitlines()[-1][:120]}")
    return python


def here(python, peer):
    return subprocess.run([python, "-c", f"import {PACKAGES[peer][0]}"], capture_output=True).returncode == 0


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.python = python_with_peers(folder, options.install)
        self.there = {peer: peer not in options.without and here(self.python, peer) for peer in PACKAGES}
        self.read = answer([BENCH, "cpu", "bandwidth=1"], 60)
        self.rows = []  # of the table: work, against, ours, theirs, what it is, what is wanted, whether met
        self.tokens_a_second = {}

    def head(self):
        print(f"{datetime.date.today()}, {platform.processor() or platform.machine()}, {self.read.get('machine', '')}")
        print(f"reads {self.read.get('gb_s', 0):.1f} GB/s on {self.read.get('threads', 0)} threads; of each system the best turn's median "
              "step", flush=True)
        for peer, found in self.there.items():
            if not found:
                why = "--without" if peer in self.options.without else f"{self.python} has no {PACKAGES[peer][0]}"
                print(f"{peer}: skipped, {why}", flush=True)

    def turns(self, name, m, dtype, asked, sizes, peers):
        job = json.dumps({**m, "dtype": dtype, "folder": str(self.folder), **sizes})
        found = {}
        for _ in range(self.options.rounds):
            for who in ["irplan", *peers]:
                if found.get(who, True) is None:
                    continue  # once is enough
                a = (ours(m, dtype, asked, sizes, self.folder, self.options.timeout) if who == "irplan"
                     else answer([self.python, HERE / "cpu_peers.py", who, job], self.options.timeout))
                if "why" in a:
                    print(f"{name:24} {who:12} not measured: {a['why']}", flush=True)
                    found[who] = None
                    continue
                median = statistics.median(a["us"])
                if who not in found or median < found[who]["median"]:
                    found[who] = {**a, "median": median}
        return found

    def measure(self, name, m, dtype, asked, sizes, wanted):
        sizes = {"threads": 2, "batch": 1, "context": 128, "length": 1, **sizes}
        found = self.turns(name, m, dtype, asked, sizes, [peer for peer in PACKAGES if peer in wanted and self.there[peer]])
        mine = found.get("irplan")
        if not mine:
            self.rows.append((name, "irplan", "not measured", "", "", "", False))
            return
        tokens = sizes["batch"] * sizes["length"]
        self.tokens_a_second[name] = tokens / mine["median"] * 1e6
        for who, a in found.items():
            if a:
                print(f"{name:24} {who:12} {a['median'] / 1e3:10.3f} ms a step  {tokens / a['median'] * 1e6:9.1f} tokens/s"
                      + (f"  (load {a['load_s']:.1f} s, {a['peak_mib']:.0f} MiB at most)" if who == "irplan" else f"  ({a['version']})"),
                      flush=True)
        ms = f"{mine['median'] / 1e3:.3f} ms"
        for against, least in wanted.items():
            if against == "bandwidth":
                rate, most = mine["weight_bytes"] / mine["median"] / 1e3, self.read.get("gb_s") or 0
                self.rows.append((name, "what memory reads", f"{rate:.1f} GB/s", f"{most:.1f} GB/s", f"{rate / most if most else 0:.0%}",
                                  f">= {least:.0%}", most > 0 and rate / most >= least))
            elif against == "ms":
                self.rows.append((name, "-", ms, "", "", f"<= {least} ms", mine["median"] / 1e3 <= least))
            elif against == "batch 1":
                one = self.tokens_a_second.get("decode bf16")
                ratio = self.tokens_a_second[name] / one if one else 0
                self.rows.append((name, "tokens/s of batch 1", f"{self.tokens_a_second[name]:.1f}", f"{one:.1f}" if one else "not measured",
                                  f"{ratio:.2f}", f">= {least}", ratio >= least))
            elif a := found.get(against):
                ratio = a["median"] / mine["median"]
                self.rows.append((name, against, ms, f"{a['median'] / 1e3:.3f} ms", f"{ratio:.2f}", f">= {least}", ratio >= least))
            else:
                self.rows.append((name, against, ms, "not measured", "", f">= {least}", None))
        if m is ONE_B:
            beside = mine["peak_mib"] - mine["allocated_bytes"] / MIB
            self.rows.append((name, "MiB beside the plan's", f"{beside:.0f}", "", "", "<= 64", beside <= 64))

    # Tokens of a small model, one after another: none takes much longer than those around it. Of several runs each token's least:
    # what the system does besides (its clock ticks every few milliseconds) falls on others each time.
    def steadiness(self):
        name, runs = "steadiness, 4096 tokens", []
        for _ in range(5):
            a = ours(MICRO, "f32", {}, dict(threads=1, context=0, steps=4096, length=1), self.folder, self.options.timeout)
            if "why" in a:
                print(f"{name}: not measured: {a['why']}")
                return
            runs.append(a["us"])
        us, around = [min(times) for times in zip(*runs)], 16
        medians = [statistics.median(us[max(0, i - around):i + around + 1]) for i in range(len(us))]
        slow = sum(t > 1.3 * median for t, median in zip(us, medians))
        self.rows.append((name, "1.3 times neighbours", f"{slow} above", "", f"{medians[16]:.0f}..{medians[-16]:.0f} us", "0", slow == 0))

    def table(self):
        print(f"\n{'work':24} {'against':22} {'irplan':>12} {'peer':>14} {'ratio':>10} {'wanted':>10}  met")
        for work, against, mine, theirs, ratio, wanted, met in self.rows:
            print(f"{work:24} {against:22} {mine:>12} {theirs:>14} {ratio:>10} {wanted:>10}  {'-' if met is None else 'yes' if met else 'NO'}")
        return sum(row[-1] is False for row in self.rows)

    def costs(self):
        print("\nwhat declared roundings cost against the plan without them (random weights of 4 layers, 256 tokens): rms of the logits, "
              "same most likely token")
        for weights in ("bf16", "q8_0", "q4_0"):
            for further in ("activations=i8", "state=q8_0", "state=q4_0"):
                a = cost(weights, further, self.folder, self.options.timeout)
                print(f"weights {weights:5} {further:16} " + (f"not measured: {a['why']}" if "why" in a else
                      f"rms {a['rms']:.4f}  top-1 {a['top1']:.1%} of {a['positions']}"), flush=True)


def main():
    names = [work[0] for work in WORKS] + ["steadiness", "costs"]
    parser = argparse.ArgumentParser(prog="./dev bench cpu")
    parser.add_argument("works", nargs="*", help=f"parts of the names of what is measured; all by default: {'; '.join(names)}")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each system (default: 2)")
    parser.add_argument("--install", action="store_true", help="install the other systems from PyPI into --folder first")
    parser.add_argument("--without", action="append", default=[], choices=PACKAGES, help="leave out a system; may be given again")
    parser.add_argument("--folder", help="where models and the virtual environment are kept (default: a temporary folder)")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for one turn of one system")
    options = parser.parse_args()
    asked = lambda name: not options.works or any(part in name for part in options.works)
    if not any(map(asked, names)):
        parser.error(f"no work is called like that: {'; '.join(names)}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(options, folder)
        bench.head()
        for work in WORKS:
            if asked(work[0]):
                bench.measure(*work)
        if asked("steadiness"):
            bench.steadiness()
        missed = bench.table()
        if asked("costs"):
            bench.costs()
        return missed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
