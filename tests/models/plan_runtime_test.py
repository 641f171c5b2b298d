#!/usr/bin/env python3
"""examples/plan_runtime.py, which was written from core/plan.md alone, runs plans as irplan-run does, in an arena of their size."""
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

try:
    import numpy as np
    from family import read_safetensors
except ImportError as missing:  # numpy
    print(f"skipped: {missing}")
    sys.exit(77)

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))
LLAMA = ROOT / "tests/data/goldens/llama"
sys.path.insert(0, str(ROOT / "examples"))
from plan_runtime import Runtime  # noqa: E402

# A window of 5 and steps of 3: a ring of 7 rows, which 24 tokens go round three times.
RING = """let C = 64
dim B in 1..2
dim S in 1..3
dim P[B] in 0..C - 1
input tokens: i32[B, S]
h = embed(tokens, param f32[32, 16] from "e")
q = rope(view(linear(h, param f32[32, 16] from "q"), shape=[B, S, 4, 8]), base=10000, at=P)
k = rope(view(linear(h, param f32[16, 16] from "k"), shape=[B, S, 2, 8]), base=10000, at=P)
v = view(linear(h, param f32[16, 16] from "v"), shape=[B, S, 2, 8])
keys = append(state f32[B, C, 2, 8] from "kc", k, at=P)
values = append(state f32[B, C, 2, 8] from "vc", v, at=P)
a = view(attention(q, keys, values, window=5), shape=[B, S, 32])
logits = output(linear(a, param f32[32, 32] from "o"))
"""


class PlanRuntime(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)

    def run_command(self, name, *arguments):
        p = limited.run([BIN / name, *arguments], capture_output=True, text=True)
        self.assertEqual(p.returncode, 0, p.stderr[:1000])

    def plan(self, *arguments):
        path = self.folder / "plan.json"
        self.run_command("irplan", "plan", *arguments, "--target", "cuda", "-o", path)
        return path, json.loads(path.read_text())

    def close(self, got, wanted, tolerance):
        self.assertEqual(got.shape, wanted.shape)
        self.assertLessEqual(np.abs(got - wanted).max(), tolerance * np.abs(wanted).max())

    def in_steps(self, runtime, tokens, sizes, phase=lambda size: "main"):
        at, parts = 0, []
        for size in sizes:
            parts.append(runtime.step(phase(size), {"S": size, "P": at}, tokens=tokens[:, at:at + size])["logits"])
            at += size
        return np.concatenate(parts, 1)

    def test_hotpath(self):
        path, plan = self.plan(ROOT / "examples/hotpath.irplan", "--dim", "S=8", "--dim", "D=64")
        rng = np.random.default_rng(1)
        x, w = rng.standard_normal((1, 8, 64)).astype("f2"), rng.standard_normal(64).astype("f2")
        np.save(self.folder / "x.npy", x)
        head = json.dumps({"w": {"dtype": "F16", "shape": [64], "data_offsets": [0, 128]}}).encode()
        (self.folder / "w.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + w.tobytes())
        self.run_command("irplan-run", path, "--backend", "reference", "--weights", self.folder / "w.safetensors", "--input",
                         f"x=@{self.folder / 'x.npy'}", "--output", f"out=@{self.folder / 'out.npy'}")
        runtime = Runtime(plan, {"w": w}, {"S": 8, "D": 64})
        self.assertEqual(runtime.arena.size, plan["memory_plan"]["peak_bytes"])
        self.close(runtime.step("main", {}, x=x)["out"], np.load(self.folder / "out.npy").astype("f4"), 1e-3)

    def test_a_whole_llama(self):
        tokens, logits = np.load(LLAMA / "tokens.npy"), np.load(LLAMA / "logits.npy")
        weights = read_safetensors(LLAMA / "model.safetensors")
        program = [ROOT / "examples/models/llama.irplan", "--config", LLAMA / "config.json", "--dim", "B=2", "--dim", "S=48"]
        plan = self.plan(*program, "--let", "every=true")[1]
        runtime = Runtime(plan, weights, {"B": 2, "S": 48, "P": 0})
        self.assertEqual(runtime.arena.size, plan["memory_plan"]["peak_bytes"])
        self.close(runtime.step("prefill", {"S": 48, "P": 0}, tokens=tokens)["logits"], logits, 2e-5)
        # A prompt of 40, then token by token, from a cache of zeros.
        plan = self.plan(*program)[1]
        runtime = Runtime(plan, weights, {"B": 2, "S": 48, "P": 0})
        got = self.in_steps(runtime, tokens, [40] + [1] * 8, lambda size: "decode" if size == 1 else "prefill")
        self.close(got, logits[:, 39:], 2e-5)

    def test_a_ring_that_wraps(self):
        program = self.folder / "ring.irplan"
        program.write_text(RING)
        path, plan = self.plan(program, "--dim", "B=2", "--dim", "S=3")
        self.assertEqual({v["shape"][1] for v in plan["values"] if v.get("layout") == "ring"}, {"7"})
        rng = np.random.default_rng(2)
        weights = {v["source"]: rng.standard_normal([int(n) for n in v["shape"]]).astype("f4") for v in plan["values"]
                   if v["kind"] == "param"}
        head, data = {}, b""
        for name, array in weights.items():
            head[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [len(data), len(data) + array.nbytes]}
            data += array.tobytes()
        text = json.dumps(head).encode()
        (self.folder / "r.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
        tokens = rng.integers(0, 32, (2, 24)).astype("i4")
        np.save(self.folder / "tokens.npy", tokens)
        self.run_command("irplan-run", path, "--backend", "reference", "--weights", self.folder / "r.safetensors", "--tokens",
                         f"@{self.folder / 'tokens.npy'}", "--chunks", ",".join("3" * 8), "--output", f"logits=@{self.folder / 'l.npy'}")
        runtime = Runtime(plan, weights, {"B": 2, "S": 3, "P": 61})
        self.assertEqual(runtime.arena.size, plan["memory_plan"]["peak_bytes"])
        self.close(self.in_steps(runtime, tokens, [3] * 8), np.load(self.folder / "l.npy"), 2e-5)

    def test_it_is_short_and_refuses_by_name(self):
        self.assertLessEqual(len((ROOT / "examples/plan_runtime.py").read_text().splitlines()), 100)
        plan = self.plan(ROOT / "examples/hotpath.irplan", "--dim", "S=8", "--dim", "D=64")[1]
        plan["ops"][2]["op"] = "gelu"
        with self.assertRaisesRegex(NotImplementedError, "gelu of s"):
            Runtime(plan, {"w": np.ones(64, "f2")}, {"S": 8, "D": 64}).step("main", {}, x=np.ones((1, 8, 64), "f2"))


if __name__ == "__main__":
    unittest.main()
