#!/usr/bin/env python3
"""Damaged plans: irplan-run refuses each with exit code 1 and a message that names what was damaged, and never crashes."""
import copy
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))
IRPLAN, RUNNER = BIN / "irplan", BIN / "irplan-run"
SEED, ROUNDS = 20, 12
LIMIT_S = 5


def arena(doc):
    return [b for b in doc["buffers"] if b["segment"] == "arena"]


# Each damages one thing and says which words a message may name: the record, or the key.
def wrong_phase_total(doc, rng):
    p = rng.choice(doc["phases"])
    key = rng.choice(["flops", "bytes"])
    p[key] = "7" if p[key] != "7" else "8"
    return [p["name"]]


def wrong_cost(doc, rng):
    op = rng.choice(doc["ops"])
    op[rng.choice(["flops", "bytes"])] = "123456789"
    return [op["id"]]


def wrong_total(doc, rng):
    key = rng.choice(["lower_bound_bytes", "no_reuse_bytes", "peak_bytes"])
    doc["memory_plan"][key] += rng.choice([1, 4096])
    return [key, *(p["name"] for p in doc["phases"])]


def wrong_segment_total(doc, rng):
    key = rng.choice(["weights", "inputs", "arena"])
    doc["memory_plan"]["segments"][key] += doc["target"]["align"]
    return [f"segments.{key}"]


def foreign_segment(doc, rng):
    b = rng.choice(doc["buffers"])
    b["segment"] = "inputs" if b["segment"] != "inputs" else "weights"
    return [b["id"], *(v["id"] for v in doc["values"] if v["buffer"] == b["id"])]


def lost_source(doc, rng):
    v = rng.choice([v for v in doc["values"] if v["kind"] == "param"])
    del v["source"]
    return [v["id"]]


def moved_window(doc, rng):
    written = {o for op in doc["ops"] for o in op["out"]}
    v = rng.choice([v for v in doc["values"] if v["id"] in written and v["kind"] == "temp"])
    v["offset"] = rng.choice(["1", "4096", "-2"])
    return [v["id"], v["buffer"], *(op["id"] for op in doc["ops"] if v["id"] in op["in"] + op["out"])]


def lost_operand(doc, rng):
    op = rng.choice([op for op in doc["ops"] if op["in"]])
    op["in"][0] = ""
    return [op["id"]]


def unknown_attribute(doc, rng):
    op = rng.choice(doc["ops"])
    op["attrs"]["path"] = "/etc/passwd"
    return [op["id"]]


def kernel_of_another_op(doc, rng):
    op = rng.choice([op for op in doc["ops"] if op["op"] != "softmax"])
    op["kernel"] = f"{doc['target']['name']}_softmax_v1"
    return [op["id"]]


def buffer_above_itself(doc, rng):
    b = rng.choice(arena(doc))
    b["above"].append(b["id"])
    return [b["id"]]


def value_outside_of_range(doc, rng):
    d = rng.choice(doc["dims"])
    d["max"] = d["value"] - 1
    return [d["name"]]


def crooked_alignment(doc, rng):
    doc["target"]["align"] = rng.choice([0, 3, 255, 1 << 21])
    return ["align"]


def missing_phase(doc, rng):
    out = rng.choice(doc["outputs"])
    out["phase"] = "nowhere"
    return [out["name"]]


def overflowing_size(doc, rng):
    v = rng.choice(doc["values"])
    v["shape"] = ["9223372036854775807"] * rng.choice([1, 2, 16])
    return [v["id"], *(op["id"] for op in doc["ops"] if v["id"] in op["in"] + op["out"])]


CLASSES = [wrong_phase_total, wrong_cost, wrong_total, wrong_segment_total, foreign_segment, lost_source, moved_window, lost_operand, unknown_attribute,
           kernel_of_another_op, buffer_above_itself, value_outside_of_range, crooked_alignment, missing_phase, overflowing_size]


@unittest.skipUnless(RUNNER.is_file() and IRPLAN.is_file(), "no irplan-run")
class Refusal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.plans = {}
        for name, arguments in {"hotpath": ["examples/hotpath.irplan", "--dim", "S=8", "--dim", "D=64"],
                                "llama": ["examples/models/llama.irplan", "--config", "tests/data/goldens/llama/config.json"]}.items():
            path = cls.folder / f"{name}.json"
            limited.run([IRPLAN, "plan", *arguments, "--target", "cpu", "-o", path], cwd=ROOT, check=True, capture_output=True)
            cls.plans[name] = path.read_text()

    def run_plan(self, text, *more):
        path = self.folder / "damaged.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        p = limited.run([RUNNER, path, "--weights", "random:1", *more], capture_output=True, seconds=LIMIT_S)
        return p.returncode, p.stderr.decode("utf-8", "replace")

    def refused(self, text, words, what):
        code, err = self.run_plan(text)
        self.assertEqual(code, 1, f"{what}: exit {code}\n{err[:400]}")
        self.assertNotIn("Sanitizer", err, what)
        self.assertTrue(any(w in err for w in words), f"{what}: none of {words[:6]} in {err[:400]}")

    def test_the_undamaged_plan_runs(self):
        code, err = self.run_plan(self.plans["hotpath"], "--input", "x=random:7", "--dim", "S=8", "--dim", "D=64")
        self.assertEqual(code, 0, err)

    def test_every_damage_is_refused_by_name(self):
        rng = random.Random(SEED)
        for name, good in self.plans.items():
            for damage in CLASSES:
                for i in range(ROUNDS if name == "llama" else 3):
                    doc = copy.deepcopy(json.loads(good))
                    words = damage(doc, rng)
                    self.refused(json.dumps(doc), words, f"{name}: {damage.__name__} {i}")

    def test_hostile_text(self):
        good = self.plans["hotpath"]
        for text in ("", "null", "[]", "{}", good[:len(good) // 2], good + "x", "[" * 100000, '{"a":' * 100000, b"\xff\xfe" * 1000, b"\x00",
                     good.replace('"value": ', '"value": 1e999, "x": ', 1), good.replace('"min": 1', '"min": NaN', 1),
                     good.replace('"line": ', '"line": 9007199254740992, "x": ', 1), '{"version": "' + "9" * 100000 + '"}'):
            self.refused(text, ["damaged.json"], repr(text[:40]))

    def test_nothing_is_echoed_at_length(self):
        doc = json.loads(self.plans["hotpath"])
        doc["ops"][0]["kernel"] = "x" * 100000
        code, err = self.run_plan(json.dumps(doc))
        self.assertEqual(code, 1)
        self.assertLess(len(err), 2000)


if __name__ == "__main__":
    sys.exit(unittest.main())
