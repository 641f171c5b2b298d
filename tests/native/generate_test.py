#!/usr/bin/env python3
"""Sampling, streaming and ends of sequences, of --generate and of --requests: against a sampler in Python, and each alone against all together."""
import json
import math
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from run_test import GOLDEN, LLAMA, RUNNER, Case, npy, read_npy

PROMPT = [3, 1, 4, 1, 5]


def split_mix(seed, i):
    whole = 1 << 64
    x = (seed + (i + 1) * 0x9E3779B97F4A7C15) % whole
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % whole
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % whole
    return x ^ (x >> 31)


def sampled(logits, i, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, seed=0):
    """Token number i, as sampler.h says it is chosen."""
    order = sorted(range(len(logits)), key=lambda id: (-logits[id], id))[:top_k or len(logits)]
    weight = {id: math.exp((logits[id] - logits[order[0]]) / temperature) for id in order}
    whole, kept, sum_of_kept = sum(weight.values()), [], 0
    for id in order:
        if kept and sum_of_kept >= top_p * whole:
            break
        kept.append(id)
        sum_of_kept += weight[id]
    kept = sorted(id for id in kept if weight[id] >= min_p)
    drawn, at = split_mix(seed, i) / 2**64 * sum(weight[id] for id in kept), 0
    for id in kept:
        at += weight[id]
        if at > drawn:
            return id
    return kept[-1]


def words(**how):
    return [w for name, value in how.items() for w in ("--" + name.replace("_", "-"), value)]


class Sampling(Case):
    def setUp(self):
        super().setUp()
        self.base = [LLAMA, "--weights", GOLDEN]

    def generate(self, *args, tokens=PROMPT, count=6, **how):
        out, err = self.run_plan(*self.base, "--tokens", ",".join(map(str, tokens)), "--generate", count, *words(**how), *args)
        self.assertRegex(out, r"\A\d+(,\d+)*\n\Z")
        return [int(id) for id in out.split(",")], err

    def test_ids_are_those_of_a_sampler_in_python(self):
        for how in ({"temperature": 0.7, "seed": 5}, {"top_k": 9, "top_p": 0.8, "seed": 123456789012}, {"temperature": 1.6, "min_p": 0.3, "seed": 2},
                    {"temperature": 1.2, "top_k": 40, "top_p": 0.9, "min_p": 0.05}):
            ids, _ = self.generate(count=4, **how)
            for i in range(4):
                so_far = ",".join(map(str, PROMPT + ids[:i]))
                self.run_plan(*self.base, "--tokens", so_far, "--chunks", len(PROMPT) + i, "--output", "logits=@l.npy")
                self.assertEqual(ids[i], sampled(read_npy(self.folder / "l.npy")[1][-128:], i, **how), (how, i))

    def test_what_takes_the_largest(self):
        greedy, _ = self.generate()
        for how in ({"temperature": 0, "seed": 9}, {"top_k": 1}, {"temperature": 3, "top_p": 1e-6}, {"min_p": 1}, {"seed": 4}):
            self.assertEqual(self.generate(**how)[0], greedy, how)
        self.assertNotEqual(self.generate(temperature=1.5, seed=1)[0], self.generate(temperature=1.5, seed=2)[0])

    def test_a_row_draws_by_its_own_seed(self):
        prompts = [PROMPT, PROMPT, [9, 2, 6, 5, 3]]
        path = self.file("prompts.npy", npy([3, 5], sum(prompts, []), "<i4"))
        out, _ = self.run_plan(*self.base, "--tokens", f"@{path}", "--generate", 6, *words(temperature=1, seed=30))
        for row, line in enumerate(out.splitlines()):
            self.assertEqual([int(id) for id in line.split(",")], self.generate(tokens=prompts[row], temperature=1, seed=30 + row)[0])
        lines, _ = self.run_plan(*self.base, "--tokens", f"@{path}", "--generate", 6, "--stream", *words(temperature=1, seed=30))
        told = [json.loads(line) for line in lines.splitlines()]
        self.assertEqual([t["row"] for t in told], [0, 1, 2] * 6)
        for row, line in enumerate(out.splitlines()):
            self.assertEqual([str(t["token"]) for t in told if t["row"] == row], line.split(","))

    def test_ends(self):
        greedy, err = self.generate()
        self.assertRegex(err, r"5 tokens read, first new one after \S+ \ws?; then \S+ tokens a second, \S+ \ws? a step, \S+ GB/s of weights and states read\n\Z")
        self.assertEqual(self.generate("--eos", f"127,{greedy[2]}")[0], greedy[:3])
        _, err = self.generate(count=1)
        self.assertRegex(err, r"first new one after \S+ \ws?\n\Z")

    def test_bad_words(self):
        for name, value, takes in (("temperature", -1, "a number from 0"), ("temperature", "hot", "a number from 0"), ("temperature", "nan", "a number"),
                                   ("top_k", -1, "a whole number from 0"), ("top_k", 2.5, "a whole number"), ("top_p", 0, "above 0 and up to 1"),
                                   ("top_p", 1.5, "above 0 and up to 1"), ("min_p", -0.1, "from 0 to 1"), ("seed", -1, "a whole number from 0 to 2^53"),
                                   ("eos", "1,x", "token ids")):
            option = "--" + name.replace("_", "-")
            self.run_plan(*self.base, "--tokens", "1", "--generate", 1, option, value, code=2, names=[option, takes, str(value)])
        for args in (["--temperature", 1], ["--seed", 1], ["--stream"]):
            self.run_plan(*self.base, "--tokens", "1", *args, code=2, names=[args[0], "--generate"])

    def test_logits_that_are_no_numbers(self):
        self.file("bad.irplan", "dim B in 1..2\ndim S in 1..8\ndim P[B] in 0..7\ninput tokens: i32[B, S]\nh = embed(tokens, param f32[8, 32] from \"w\")\n"
                  "k = append(state f32[B, 16, 32] from \"k\", h, at=P)\nlogits = output(exp(h * 1000.0) + slice(k, axis=1, start=0, len=1))\n")
        self.run_plan("bad.irplan", "--weights", "random:1", "--tokens", "1,2", "--generate", 2, code=1, names=["row 0", "logits hold +inf"])


class Requests(Case):
    def setUp(self):
        super().setUp()
        self.base = [LLAMA, "--weights", GOLDEN]

    def serve(self, lines, *args, code=0, names=()):
        self.file("r.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        return self.run_plan(*self.base, "--requests", "r.jsonl", *args, code=code, names=names)[0]

    def test_a_request_draws_what_it_draws_alone(self):
        hows = [{}, {"temperature": 0.9, "seed": 4}, {"top_k": 7, "seed": 5}, {"top_p": 0.7, "min_p": 0.1, "temperature": 1.3, "seed": 6}, {"temperature": 0}]
        lines = [{"req_id": str(i), "arrival_us": 0, "tokens": PROMPT[i:] + PROMPT, "max_new_tokens": 6, **how} for i, how in enumerate(hows)]
        usual = {"temperature": 1.1, "seed": 77}
        answers = {a["req_id"]: a["tokens"] for a in map(json.loads, self.serve(lines, *words(**usual)).splitlines())}
        for line, how in zip(lines, hows):
            alone, _ = self.run_plan(*self.base, "--tokens", ",".join(map(str, line["tokens"])), "--generate", 6, *words(**{**usual, **how}))
            self.assertEqual(answers[line["req_id"]], [int(id) for id in alone.split(",")], how)

    def test_stop_eos_and_stream(self):
        line = {"req_id": "a", "arrival_us": 0, "tokens": PROMPT, "max_new_tokens": 6}
        whole = json.loads(self.serve([line]))["tokens"]
        for ends, count in (({"stop": whole[2]}, 3), ({"stop": [whole[4], whole[3]]}, 4), ({"stop": [[whole[2], whole[1]], [whole[1], whole[2]]]}, 3),
                            ({"eos": whole[0]}, 1), ({"eos": [127, whole[1]]}, 2), ({"eos": []}, 6), ({"stop": [], "eos": None}, 4)):
            answer = json.loads(self.serve([{**line, **ends}], "--eos", whole[3]))["tokens"]
            self.assertEqual(answer, whole[:min(count, 6 if "eos" in ends and ends["eos"] is not None else 4)], ends)
        told = [json.loads(text) for text in self.serve([line], "--stream").splitlines()]
        self.assertEqual(told, [{"req_id": "a", "token": id} for id in whole] + [{"req_id": "a", "tokens": whole}])

    def test_bad_words(self):
        line = {"req_id": "a", "arrival_us": 0, "tokens": [1], "max_new_tokens": 1}
        for bad, takes in (({"temperature": -1}, "temperature takes a number from 0"), ({"temperature": "1"}, "temperature takes"), ({"top_k": 0.5}, "top_k takes a whole"),
                           ({"top_p": 0}, "top_p takes"), ({"min_p": 1.1}, "min_p takes"), ({"seed": -4}, "seed takes"), ({"eos": "x"}, "eos takes"),
                           ({"eos": [[1]]}, "eos takes"), ({"stop": ["x"]}, "stop takes"), ({"stop": [[]]}, "stop takes")):
            self.serve([line, {**line, "req_id": "b", **bad}], code=1, names=["r.jsonl:2: " + takes, "not " + json.dumps(list(bad.values())[0])[:3]])


if __name__ == "__main__":
    if not RUNNER.is_file():
        print(f"no {RUNNER}")
        sys.exit(77)
    unittest.main()
