#!/usr/bin/env python3
"""What irplan-run tells of time: shapes and sums of its reports, and what it refuses. No figure is held to a clock."""
import json
import os
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from run_test import GOLDEN, HOTPATH, LLAMA, RUNNER, Case


class Reports(Case):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        before = os.environ.get("XDG_CACHE_HOME")
        os.environ["XDG_CACHE_HOME"] = str(self.cache)
        self.addCleanup(lambda: os.environ.pop("XDG_CACHE_HOME") if before is None else os.environ.update(XDG_CACHE_HOME=before))
        self.model = [LLAMA, "--weights", GOLDEN]
        self.decode = [*self.model, "--bench", "--phase", "decode", "--dim", "B=2", "--dim", "P=7,30", "--warm-up", 0, "--duration", 0]

    def json(self, name):
        return json.loads((self.folder / name).read_text())

    def test_a_measurement(self):
        out, err = self.run_plan(*self.decode, "--iterations", 12, "--export-times", "times.json")
        for line in (r"decode at B=2, S=1, P=30 on cpu, .*", r"runs      12 in \S+ \w+, after 0 µs of warm-up",
                     r"time      min \S+ \w+, median \S+ \w+, mean \S+ \w+, P90 \S+ \w+, P95 \S+ \w+, P99 \S+ \w+", r"tokens    \S+ a second, 2 a step",
                     r"memory    \S+ GB/s: \S+ kB of weights, \S+ kB of states and \S+ kB else a step", r"compute   \S+ GFLOP/s",
                     r"host      \S+ \w+ a step without its kernels"):
            self.assertRegex(out, rf"(?m)^{line}$")
        self.assertIn("`irplan-run --calibrate` measures it", err)
        times = self.json("times.json")
        samples = sorted(times["samples_ms"])
        self.assertEqual((len(samples), samples[0], samples[-1]), (12, times["ms"]["min"], times["ms"]["p99"]))
        self.assertAlmostEqual(times["ms"]["median"], (samples[5] + samples[6]) / 2)
        self.assertAlmostEqual(times["tokens_a_second"] * times["ms"]["median"], 2000, places=3)
        # The weights once, of the table two rows; the caches of two sequences with 8 and 31 positions, 3 layers of 2 x 2 x 16 f32.
        config = json.loads((GOLDEN / "config.json").read_text())
        layers, heads, width = config["num_hidden_layers"], config["num_key_value_heads"], config["head_dim"]
        self.assertEqual(times["bytes"]["state"], (8 + 31) * layers * 2 * heads * width * 4)
        stored = int(re.search(r"memory: weights (\d+)", err)[1])
        table = config["vocab_size"] * config["hidden_size"] * 4
        self.assertLess(abs(times["bytes"]["weights"] - (stored - table)), 4096)
        self.assertAlmostEqual(times["bytes_a_second"] * times["ms"]["median"] / 1e3, times["bytes"]["all"], delta=1)
        _, err = self.run_plan(*self.decode, "--iterations", 3)
        self.assertIn("note: too few iterations: 3", err)

    def test_a_program_without_tokens(self):
        out, _ = self.run_plan(HOTPATH, "--weights", "random:1", "--dim", "S=2", "--dim", "D=64", "--bench", "--warm-up", 0, "--duration", 0)
        self.assertNotIn("tokens", out)
        self.assertRegex(out, r"(?m)^runs      10 in ")
        self.run_plan(HOTPATH, "--weights", "random:1", "--dim", "S=2", "--bench", code=1, names=["no size is given for D"])

    def test_profiles(self):
        for args, steps, times in (([*self.model, "--tokens", "1,2,3", "--generate", 4], 4, 1), ([*self.decode, "--profile"], 10, 10)):
            _, err = self.run_plan(*args, "--export-profile", "profile.json", "--export-trace", "trace.json")
            for section in ("operator", "kernel", "layer", "slowest ops"):
                self.assertRegex(err, rf"(?m)^{section} +ops +ms +GB/s +GFLOP/s$")
            profile, trace = self.json("profile.json"), self.json("trace.json")
            self.assertEqual((profile["version"], profile["steps"]), (1, steps))
            for key in ("by_operator", "by_kernel", "by_layer", "ops"):
                self.assertAlmostEqual(sum(row["ms"] for row in profile[key]), profile["ms"], places=6)
                self.assertAlmostEqual(sum(row["share"] for row in profile[key]), 1, places=6)
            self.assertEqual({row["calls"] for row in profile["ops"]} - {1, 3, 10}, set())
            layers = {row["name"]: row["ops"] for row in profile["by_layer"]}
            self.assertEqual(layers["model.layers.*.mlp.up_proj"], 3 if "--bench" in args else 6)  # of one phase, or two
            spans = [e for e in trace["traceEvents"] if e["ph"] == "X"]
            self.assertEqual(sum(e["cat"] == "step" for e in spans), steps)
            self.assertEqual(sum(e["cat"] == "op" for e in spans), sum(row["calls"] for row in profile["ops"]))
            self.assertTrue(all(e["dur"] > 0 and e["ts"] >= 0 for e in spans))
            self.assertTrue(profile["doubts"])  # ops of microseconds
            for doubt in profile["doubts"]:
                self.assertIn("note: " + doubt, err)

    def test_what_does_not_go_together(self):
        for args, names in (([*self.model, "--tokens", "1", "--bench"], ["--bench goes with one step"]), ([*self.model, "--warm-up", 5], ["go with --bench"]),
                            ([*self.decode[:4], "--iterations", 0], ["--iterations takes"]), ([*self.decode[:4], "--duration", "long"], ["in seconds"]),
                            ([*self.decode[:4], "--warm-up", -1], ["in milliseconds"]), ([*self.decode, "--output", "logits=@l.npy"], ["--bench measures"]),
                            ([*self.model, "--export-times", "t.json"], ["--export-times goes with --bench"]), ([*self.model, "--perf"], ["--perf goes with --selftest"]),
                            ([*self.model, "--requests", "-", "--profile"], ["--profile goes with"]),
                            ([*self.decode, "--export-trace", "a.json", "--export-profile", "a.json"], ["a.json"])):
            self.run_plan(*args, code=2, names=names)
        self.run_plan(*self.decode, "--export-times", "no/such/t.json", code=1, names=["no/such/t.json"])
        self.assertEqual(self.files(), [])

    def test_what_a_machine_can_do(self):
        self.run_plan("--calibrate", names=["kept in " + str(self.cache / "irplan/machine.json")])
        path = self.cache / "irplan/machine.json"
        known = json.loads(path.read_text())
        self.assertEqual(len(known["read_bytes_a_second_by_threads"]), min(os.cpu_count(), 64))
        self.assertTrue(all(known[key] > 0 for key in ("fma_f32_flops", "product_bf16_flops", "loop_seconds")))
        out, _ = self.run_plan(*self.decode)
        for line in (r"memory    \S+ GB/s, \S+% of \S+: ", r"compute   \S+ GFLOP/s, \S+% of ", r"roofline  \S+ \w+ a step at least, \S+% of the median$"):
            self.assertRegex(out, rf"(?m)^{line}")
        out, _ = self.run_plan("--selftest", "--perf", "--backend", "cpu")
        self.assertRegex(out, r"(?m)^3 passed, 0 failed$")
        for kernel in (r"cpu_linear_v\d+", r"cpu_attention_v\d+", "cpu_positions_v1"):
            self.assertRegex(out, rf"(?m)^{kernel} +\d+\.\d+ +\d+\.\d+ +\d+\.\d%$")
        for text, why in (("{}", "is not what --calibrate writes"), (json.dumps({**known, "processor": "another"}), "is of another machine, another")):
            path.write_text(text)
            self.run_plan(*self.decode, names=[why])


if __name__ == "__main__":
    if not RUNNER.is_file():
        print(f"no {RUNNER}")
        sys.exit(77)
    unittest.main()
