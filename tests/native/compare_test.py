#!/usr/bin/env python3
"""`irplan explain --compare`: what it prints, its JSON, sizes as told, and what it refuses."""
import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
IRPLAN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin")) / "irplan"
LLAMA = [ROOT / "examples/models/llama.irplan", "--config", ROOT / "examples/configs/llama-3.2-1b.json"]
RULES = ["no-reuse", "upper-bound-pool", "upper-bound-shared", "greedy-by-size", "traced-pattern", "equal-sizes", "allocation-tree"]
# Wide, narrow, wide: the first and the last may share, and nothing needs to be held for a size that does not come.
CHAIN = """dim S in 1..1000
input x: f32[S, 64]
wide = param f32[256, 64]
narrow = param f32[64, 256]
middle = param f32[192, 64]
back = param f32[64, 192]
a = linear(x, wide)
b = linear(a, narrow)
c = linear(b, middle)
y = output(linear(c, back))
"""


class Compare(unittest.TestCase):
    def irplan(self, *args, stdin=None, code=0):
        p = limited.run([IRPLAN, "explain", *args], input=stdin, capture_output=True, text=True)
        self.assertEqual(p.returncode, code, p.stdout[:500] + p.stderr[:2000])
        return p.stdout if code == 0 else p.stderr

    def test_a_chain_whose_answers_are_known(self):
        report = json.loads(self.irplan("-", "--compare", "--sizes", "S=1,10,100,1000", "--format=json", stdin=CHAIN))
        self.assertEqual([r["name"] for r in report["rules"]], RULES)
        self.assertTrue(all(len(r["source"]) > 15 for r in report["rules"]))
        (sweep,) = report["phases"][0]["sweeps"]
        self.assertEqual([column["dims"]["S"] for column in sweep["sizes"]], [1, 10, 100, 1000])
        for column in sweep["sizes"]:
            row = 4 * column["dims"]["S"]  # bytes of a column of f32
            rules = {name: r["bytes"] for name, r in column["rules"].items()}
            self.assertEqual(column["lower_bound_bytes"], (256 + 64) * row)
            self.assertEqual(column["plan"], {"bytes": (256 + 64) * row, "ratio": 1.0})
            self.assertEqual(rules["no-reuse"], (256 + 64 + 192 + 64) * row)
            self.assertEqual(rules["upper-bound-pool"], (256 + 64) * 4000)    # c takes the place of a, y that of b
            self.assertEqual(rules["upper-bound-shared"], (256 + 64) * 4000)
            self.assertEqual(rules["greedy-by-size"], (256 + 64) * row)
            self.assertEqual(rules["traced-pattern"], (256 + 64) * row)
            self.assertEqual(rules["equal-sizes"], (256 + 64 + 192) * row)    # b and y alone are equal
            self.assertEqual(rules["allocation-tree"], (256 + 64) * row)
            self.assertAlmostEqual(column["rules"]["equal-sizes"]["ratio"], 512 / 320)

    def test_every_phase_of_a_model_at_four_sizes_or_more(self):
        report = json.loads(self.irplan(*LLAMA, "--compare", "--format=json"))
        self.assertEqual([p["name"] for p in report["phases"]], ["prefill", "decode"])
        for phase in report["phases"]:
            self.assertGreaterEqual(len(phase["sweeps"][0]["sizes"]), 4)
            for sweep in phase["sweeps"]:
                for column in sweep["sizes"]:
                    self.assertEqual(column["plan"]["ratio"], 1.0)
                    for name, rule in column["rules"].items():
                        self.assertGreaterEqual(rule["ratio"], 1.0, name)
        plan = json.loads(subprocess.run([IRPLAN, *map(str, LLAMA), "-o", "-"], capture_output=True).stdout)
        at_value = [c for p in report["phases"] for s in p["sweeps"] for c in s["sizes"]
                    if c["dims"] == {d["name"]: d["value"] for d in plan["dims"]}]
        self.assertIn(plan["memory_plan"]["peak_bytes"], [c["plan"]["bytes"] for c in at_value])

    def test_the_text_says_what_is_compared_and_from_where(self):
        out = self.irplan(*LLAMA, "--compare", "--phase", "prefill")
        self.assertIn("only the placement differs", out)
        for word in ("TVM Relax", "ExecuTorch", "TFLite", "ONNX Runtime", "IREE", "Inductor", "lower bound", "this plan", "memory_planning.py"):
            self.assertIn(word, out)
        self.assertNotIn("phase decode", out)
        self.assertLessEqual(max(map(len, out.splitlines()[6:22])), 130)

    def test_dims_without_an_upper_bound_have_no_answer_there(self):
        out = self.irplan("-", "--compare", stdin=CHAIN.replace("dim S in 1..1000\n", ""))
        self.assertRegex(out, r"shared objects \(ExecuTorch\) +-")
        self.assertRegex(out, r"pool \(TVM Relax\) +\d")

    def test_sizes_as_told_and_what_is_refused(self):
        out = self.irplan(*LLAMA, "--compare", "--sizes", "S=1,64", "--sizes", "B=2,4")
        self.assertIn("B = 2, S = 1", out)
        self.assertIn("B = 4, S = 64", out)
        told = lambda *sizes, code: self.irplan("-", "--compare", *(w for s in sizes for w in ("--sizes", s)), stdin=CHAIN, code=code)
        self.assertIn("there are S", told("T=1", code=1))
        self.assertIn("no phase allows", told("S=5000", code=1))
        for wrong in ("S", "S=", "S=1,", "S=-1", "S=1,x", "S=99999999999999999999"):
            self.assertIn("DIM=N,N", told(wrong, code=2))
        self.assertIn("2 sizes", told("S=1,2", "S=1", code=2))

    def test_a_plan_gives_the_same_as_its_program(self):
        plan = subprocess.run([IRPLAN, "plan", "-", "-o", "-"], input=CHAIN, capture_output=True, text=True).stdout
        written = re.compile("as written .*?, as run .*?; ")  # what only a program tells
        self.assertEqual(self.irplan("-", "--compare", stdin=plan),
                         written.sub("", self.irplan("-", "--compare", stdin=CHAIN)))


if __name__ == "__main__":
    unittest.main()
