#!/usr/bin/env python3
"""Requests that share steps: random arrivals, slots and chunks give every request what it gets alone, to the id."""
import json
import random
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from run_test import IRPLAN, LLAMA, ROOT, RUNNER, Case

GOLDENS = ROOT / "tests/data/goldens"


class Company(Case):
    def plan(self, family, *words, program=None):
        if program is None:
            program = self.folder / "model.irplan"
            if not program.exists():
                subprocess.run([IRPLAN, "new", program, "--config", GOLDENS / family / "config.json"], check=True, capture_output=True)
        subprocess.run([IRPLAN, "plan", program, "--config", GOLDENS / family / "config.json", "--target", "cpu", "-o", self.folder / "plan.json",
                        *words], check=True, capture_output=True)
        self.base = ["plan.json", "--weights", GOLDENS / family]

    def serve(self, requests, *args):
        self.file("r.jsonl", "".join(json.dumps(r) + "\n" for r in requests))
        out, err = self.run_plan(*self.base, "--requests", "r.jsonl", "--trace", "trace.jsonl", *args)
        self.trace = [json.loads(line) for line in (self.folder / "trace.jsonl").read_text().splitlines()]
        return {a["req_id"]: a["tokens"] for a in map(json.loads, out.splitlines())}, err

    def requests(self, draw, count, longest=40):
        out = []
        for i in range(count):
            request = {"req_id": f"r{i}", "arrival_us": draw.randrange(3000), "tokens": [draw.randrange(100) for _ in range(draw.randrange(1, longest))],
                       "max_new_tokens": draw.randrange(1, 9)}
            if draw.random() < 0.7:  # the last bit of a logit tells in what is drawn
                request |= {"temperature": draw.choice([0.7, 1.5]), "seed": draw.randrange(1000)}
            out.append(request)
        return sorted(out, key=lambda r: r["arrival_us"])

    def alone(self, request):
        how = [w for name in ("temperature", "seed") if name in request for w in ("--" + name, request[name])]
        out, _ = self.run_plan(*self.base, "--tokens", ",".join(map(str, request["tokens"])), "--generate", request["max_new_tokens"], *how)
        return [int(id) for id in out.split(",")]

    def steps(self):
        """Of each step that gave tokens, who was in it."""
        out = {}
        for e in self.trace:
            if e["event"] == "decode":
                out.setdefault(e["batch_id"], []).append(e["req_id"])
        return out

    def check(self, seed, count, *choices):
        draw = random.Random(seed)
        requests = self.requests(draw, count)
        expected = {r["req_id"]: self.alone(r) for r in requests}
        for words in choices:
            answers, _ = self.serve(requests, *words)
            self.assertEqual(answers, expected, words)
        return requests

    def test_a_key_that_nothing_reads_is_told_once(self):
        self.plan("llama")
        requests = [{"req_id": f"r{i}", "arrival_us": 0, "tokens": [1, 2], "max_new_tokens": 2, "temprature": 0.7, "user": "u"} for i in range(3)]
        _, err = self.serve(requests)
        self.assertEqual(err.count("nothing reads `temprature` of a request; did you mean `temperature`?"), 1, err)
        self.assertEqual(err.count("nothing reads `user` of a request"), 1, err)

    def test_a_model_with_caches(self):
        self.plan("llama")
        for seed in range(3):
            self.check(seed, 14, [], ["--slots", 5], ["--slots", 3, "--chunks", 7], ["--slots", 14, "--chunks", 1], ["--slots", 1], ["--chunks", 16])

    def test_a_model_with_rings(self):
        self.plan("gemma2")
        self.check(7, 8, [], ["--slots", 3, "--chunks", 5], ["--chunks", 2])

    def test_steps_in_which_each_has_its_own_count(self):
        text = LLAMA.read_text()
        program = self.file("own.irplan", text.replace("dim S in 1..chunk ", "dim S[B] in 1..chunk ", 1))
        self.assertNotEqual(program.read_text(), text)
        self.plan("llama", "--let", "every=true", program=program)
        self.check(11, 14, [], ["--slots", 6, "--chunks", 5], ["--slots", 14, "--chunks", 2])
        # A prompt of three and one that decodes are one step.
        answers, _ = self.serve([{"req_id": "a", "arrival_us": 0, "tokens": [5], "max_new_tokens": 9},
                                 {"req_id": "b", "arrival_us": 1, "tokens": [7, 8, 9], "max_new_tokens": 3}])
        self.assertEqual([len(answers[k]) for k in "ab"], [9, 3])
        first = next(e["batch_id"] for e in self.trace if e["event"] == "decode" and e["req_id"] == "b")
        self.assertEqual(sorted(self.steps()[first]), ["a", "b"])

    def test_the_reference_runs_those_that_lie_side_by_side(self):
        self.plan("llama")
        self.base += ["--backend", "reference"]
        self.check(5, 5, ["--slots", 3])

    def test_who_leaves_does_not_part_the_others(self):
        self.plan("llama")
        self.serve([{"req_id": name, "arrival_us": 0, "tokens": [1, 2, 3], "max_new_tokens": count} for name, count in (("a", 9), ("b", 2), ("c", 9))])
        together = list(self.steps().values())
        self.assertEqual(together[0], ["a", "b", "c"])  # prompts of one length are read together
        self.assertEqual(together[2:], [["a", "c"]] * 7)  # b lay between them

    def test_prompts_do_not_keep_others_from_decoding(self):
        self.plan("llama")
        self.serve([{"req_id": "a", "arrival_us": 0, "tokens": [1], "max_new_tokens": 30},
                    {"req_id": "long", "arrival_us": 1, "tokens": [4] * 120, "max_new_tokens": 2}], "--chunks", 10)
        order = [e["req_id"] for e in self.trace if e["event"] == "decode"]
        self.assertGreater(order.index("long"), 10)  # twelve steps of its prompt, each between two of a

    def test_a_budget_holds_with_prompts_together(self):
        self.plan("llama")
        requests = [{"req_id": str(i), "arrival_us": 0, "tokens": [i + 1] * 12, "max_new_tokens": 3} for i in range(6)]
        expected, err = self.serve(requests)
        whole = [int(n) for n in re.search(r"weights (\d+) \+ state (\d+) \+ inputs (\d+) \+ arena (\d+)", err).groups()]
        # Room for all states, and for steps of half the prompts.
        limit = sum(whole[:3]) + whole[3] // 2
        self.plan("llama", "--budget", f"memory <= {limit}B")
        answers, err = self.serve(requests)
        self.assertEqual(answers, expected)
        self.assertIn("slots: 6,", err)
        self.assertLessEqual(int(re.search(r"allocated (\d+)", err)[1]), limit)


if __name__ == "__main__":
    if not RUNNER.is_file():
        print(f"no {RUNNER}")
        sys.exit(77)
    unittest.main()
