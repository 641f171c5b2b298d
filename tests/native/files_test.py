#!/usr/bin/env python3
"""Files of both commands: an output is no input, whatever ends a command leaves nothing half-written, and what a file says steers no terminal."""
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from run_test import BIN, HOTPATH, npy, safetensors

IRPLAN, RUNNER = BIN / "irplan", BIN / "irplan-run"
CONFIG = '{"model_type": "x", "hidden_size": 4}'
PROGRAM = "let D = 4\ndim S in 1..8\ninput x: f32[S, D]\nw = param f32[D]\na = output(x * w)\nb = output(x + w)\n"


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def run_as(self, command, *args, code=0, names=(), **how):
        how = {"capture_output": True, "timeout": 120, "cwd": self.folder, **how}
        p = subprocess.run([command, *map(str, args)], **how)
        out, err = (p.stdout or b"").decode(), (p.stderr or b"").decode()
        self.assertEqual(p.returncode, code, f"{command.name} {' '.join(map(str, args))}\n{out[:500]}\n{err[:2000]}")
        for name in names:
            self.assertIn(name, err)
        return out, err

    def irplan(self, *args, **how):
        return self.run_as(IRPLAN, *args, **how)

    def runner(self, *args, **how):
        return self.run_as(RUNNER, *args, **how)

    def file(self, name, data):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def files(self):
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}


class Conflicts(Case):
    """An output that is an input is refused before anything is read, and so are two outputs to one file."""

    def setUp(self):
        super().setUp()
        self.file("a.irplan", PROGRAM)
        self.file("config.json", CONFIG)
        self.file("x.npy", npy([2, 4], [1.0] * 8))
        self.file("ids.npy", npy([1, 2], [1, 2], "<i4"))
        self.file("w.safetensors", safetensors({"w": ("F32", [4], [1.0] * 4)}))
        self.file("dir/model.safetensors", safetensors({"w": ("F32", [4], [1.0] * 4)}))
        self.file("q.jsonl", '{"req_id": "a", "tokens": [1], "arrival_us": 0, "max_new_tokens": 1}\n')
        self.file("t.csv", "id,lower,upper,size\nb,0,1,4\n")
        self.irplan("plan", "a.irplan", "-o", "a.json")
        os.symlink("a.irplan", self.folder / "link.irplan")
        os.symlink("sub/../config.json", self.folder / "link.json")
        os.symlink(self.folder / "w.safetensors", self.folder / "blob")
        os.symlink("../w.safetensors", self.folder / "dir/other.safetensors")
        os.symlink("new", self.folder / "to-new")
        (self.folder / "sub").mkdir()
        os.link(self.folder / "a.irplan", self.folder / "hard.irplan")
        os.link(self.folder / "x.npy", self.folder / "hard.npy")
        os.symlink(".", self.folder / "here")

    def refused(self, command, *args, names=(), **how):
        before = self.files()
        self.run_as(command, *args, code=2, names=names, **how)
        self.assertEqual(self.files(), before)

    def test_irplan(self):
        for to in ("a.irplan", "./a.irplan", self.folder / "a.irplan", "here/a.irplan", "sub/../a.irplan", "link.irplan", "hard.irplan"):
            self.refused(IRPLAN, "plan", "a.irplan", "-o", to, names=["--output would write over", str(to), "the input"])
        self.refused(IRPLAN, "a.irplan", "-o", "a.irplan", names=["a.irplan"])
        self.refused(IRPLAN, "-i", "a.irplan", "-o", "a.irplan", names=["a.irplan"])
        self.refused(IRPLAN, "plan", "link.irplan", "-o", "hard.irplan", names=["hard.irplan", "link.irplan"])
        for to in ("config.json", "link.json"):
            self.refused(IRPLAN, "plan", "a.irplan", "--config", "config.json", "-o", to, names=["--config"])
            self.refused(IRPLAN, "explain", "a.irplan", "-c", "config.json", "--svg", to, names=["--svg", "--config"])
        for command in (["explain"], ["explain", "--compare"]):
            for option in ("-o", "--svg"):
                self.refused(IRPLAN, *command, "a.json", option, "a.json", names=["a.json"])
        self.refused(IRPLAN, "pack", "t.csv", "-o", "t.csv", names=["t.csv"])
        self.refused(IRPLAN, "fmt", "a.irplan", "-o", "link.irplan", names=["link.irplan"])
        self.refused(IRPLAN, "plan", "--explain", "--dump-after=shape", "a.irplan", "-o", "a.irplan", names=["a.irplan"])

    def test_run(self):
        once = ["a.json", "--weights", "w.safetensors", "--input", "x=@x.npy"]
        for to in ("a.json", "w.safetensors", "blob", "x.npy", "hard.npy"):
            self.refused(RUNNER, *once, "--output", f"a=@{to}", names=["--output would write over", to])
        self.refused(RUNNER, "a.irplan", "-c", "config.json", "--output", "a=@config.json", names=["--config"])
        self.refused(RUNNER, *once, "--expect", "a=@want.npy", "--output", "a=@want.npy", names=["--expect"])
        self.refused(RUNNER, *once, "--expect", "a=@w.safetensors:w", "--output", "a=@blob", names=["w.safetensors"])
        self.refused(RUNNER, "a.json", "--tokens", "@ids.npy", "--output", "a=@ids.npy", names=["--tokens"])
        self.refused(RUNNER, "a.json", "--weights", "dir", "--input", "x=@x.npy", "--output", "a=@dir/model.safetensors", names=["--weights"])
        self.refused(RUNNER, "a.json", "--weights", "dir", "--input", "x=@x.npy", "--output", "a=@w.safetensors", names=["dir/other.safetensors"])
        for to in ("a.json", "q.jsonl", "w.safetensors"):
            self.refused(RUNNER, "a.json", "--weights", "w.safetensors", "--requests", "q.jsonl", "--trace", to, names=["--trace", to])

    def test_standard_streams(self):
        for command, args in ((IRPLAN, ["plan", "-"]), (IRPLAN, ["fmt", "-"]), (RUNNER, ["-"])):
            with open(self.folder / "a.irplan") as program:
                output = ["--output", "a=@a.irplan"] if command == RUNNER else ["-o", "a.irplan"]
                self.refused(command, *args, *output, stdin=program, names=["standard input"])
        with open(self.folder / "a.irplan", "a") as out:  # >> a.irplan
            self.refused(IRPLAN, "plan", "a.irplan", capture_output=False, stdout=out, stderr=subprocess.PIPE, names=["standard output"])

    def test_two_outputs_to_one_file(self):
        once = ["a.json", "--weights", "w.safetensors", "--input", "x=@x.npy"]
        for first, second in (("y.npy", "y.npy"), ("y.npy", "./y.npy"), ("new", "to-new"), ("sub/y", "here/sub/y")):
            self.refused(RUNNER, *once, "--output", f"a=@{first}", "--output", f"b=@{second}", names=["both write"])
        self.refused(IRPLAN, "explain", "a.json", "--svg", "new", "-o", "to-new", names=["--svg and --output both write"])
        self.refused(IRPLAN, "explain", "a.json", "--svg", "-", "-o", "-", names=["both write standard output"])
        with open(self.folder / "said", "w") as out:
            self.refused(IRPLAN, "pack", "t.csv", "-o", "said", capture_output=False, stdout=out, stderr=subprocess.PIPE, names=["said"])

    def test_what_is_no_conflict(self):
        once = ["a.json", "--weights", "w.safetensors", "--input", "x=@x.npy"]
        self.runner(*once, "--output", "a=@a.npy", "--output", "b=@b.npy")
        self.runner(*once, "--output", "a=@/dev/null", "--output", "b=@/dev/null")
        self.runner("a.json", "--weights", "dir", "--input", "x=@x.npy", "--output", "a=@dir/a.npy")
        self.runner("a.json", "--weights", "random:1", "--input", "x=const:1", "--dim", "S=2", "--output", "a=@random:1")
        self.irplan("explain", "a.irplan", "--svg", "a.svg", "-o", "a.txt")
        self.irplan("plan", "a.irplan", "-o", "-")
        self.irplan("plan", "a.irplan", "-o", "to-new")
        self.irplan("fmt", "a.irplan")
        (self.folder / "copy.irplan").write_text(PROGRAM)
        self.irplan("plan", "a.irplan", "-o", "copy.irplan")  # another file of the same bytes


class Serving(Case):
    """Answers and the trace of --requests are there as soon as they are made, whatever ends the run."""

    # Token 5 alone makes NaN: the square of its row is infinite.
    PROGRAM = """dim B in 1..4
dim S in 1..8
dim P[B] in 0..63
phase prefill { S in 1..8 }
phase decode { S = 1 }
input tokens: i32[B, S]
wte = param f32[8, 4]
h = embed(tokens, wte)
k = append(state f32[B, 64, 1, 4] from "k", view(h, shape=[B, S, 1, 4]), at=P)
a = view(attention(view(h, shape=[B, S, 1, 4]), k, k), shape=[B, S, 4])
x = h * h
last = slice(a + (x - x), axis=1, start=S - 1, len=1)
logits = output(linear(last, wte))
"""

    def setUp(self):
        super().setUp()
        self.file("m.irplan", self.PROGRAM)
        rows = [[0.1 * (i + 1)] * 4 for i in range(8)]
        rows[5] = [3e30] * 4
        rows[7] = [9e2] * 4  # every text goes on with it
        rows = [[-v for v in row] if i == 5 else row for i, row in enumerate(rows)]
        self.file("w.safetensors", safetensors({"wte": ("F32", [8, 4], [v for row in rows for v in row])}))
        self.irplan("plan", "m.irplan", "--target=cpu", "-o", "m.json")
        self.base = ["m.json", "--weights", "w.safetensors", "--requests", "q.jsonl"]

    def requests(self, count, new=4, tokens=(1, 2)):
        rows = [{"req_id": f"r{i}", "arrival_us": i, "tokens": list(tokens), "max_new_tokens": new} for i in range(count)]
        self.file("q.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
        return rows

    def trace(self):
        text = (self.folder / "t.jsonl").read_text()
        self.assertTrue(text.endswith("\n"), text[-200:])
        rows = [json.loads(line) for line in text.splitlines()]
        times = [row["ts_us"] for row in rows]
        self.assertEqual(times, sorted(set(times)))
        return rows

    def ended(self):
        return [row["req_id"] for row in self.trace() if row["event"] == "complete"]

    def test_whatever_ends_it(self):
        self.requests(3000)
        for end, code in ((signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)):
            with self.subTest(end), subprocess.Popen([RUNNER, *self.base, "--trace", "t.jsonl"], cwd=self.folder, stdout=subprocess.PIPE,
                                                     stderr=subprocess.DEVNULL) as p:
                first = json.loads(p.stdout.readline())
                p.send_signal(end)
                answers = [first] + [json.loads(line) for line in p.stdout.read().splitlines() if line.endswith(b"}")]
                self.assertEqual(p.wait(), code)
                self.assertLess(len(answers), 3000)
                self.assertLessEqual({a["req_id"] for a in answers}, set(self.ended()))
                self.assertEqual(sorted(self.files()), ["m.irplan", "m.json", "q.jsonl", "t.jsonl", "w.safetensors"])

    def test_a_request_that_fails_ends_alone(self):
        rows = self.requests(6)
        rows[2]["tokens"] = [1, 5]
        self.file("q.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
        out, err = self.runner(*self.base, "--trace", "t.jsonl", code=1, names=['request "r2": its logits hold NaN', "served 5 requests", "failed 1"])
        answers = {a["req_id"]: a["tokens"] for a in map(json.loads, out.splitlines())}
        self.assertEqual(sorted(answers), ["r0", "r1", "r3", "r4", "r5"])
        self.assertEqual(set(map(tuple, answers.values())), {(7, 7, 7, 7)})
        self.assertEqual([(r["req_id"], r["reason"]) for r in self.trace() if r["event"] == "reject"], [("r2", "its logits hold NaN after 2 tokens")])

    def test_a_full_disk(self):
        self.requests(6)
        out, err = self.runner(*self.base, "--trace", "/dev/full", code=1, names=["/dev/full", "No space left", "served 6 requests"])
        self.assertEqual(len(out.splitlines()), 6)
        self.assertEqual(err.count("No space left"), 1)
        with open("/dev/full", "w") as full:
            self.runner(*self.base, "--trace", "t.jsonl", code=1, capture_output=False, stdout=full, stderr=subprocess.PIPE, names=["standard output", "unanswered 6"])
        self.assertEqual(self.ended(), ["r0"])

    def test_a_file_that_may_not_grow_ends_with_a_whole_line(self):
        self.requests(40)
        limit = 10000
        out, err = self.runner(*self.base, "--trace", "t.jsonl", code=1, names=["t.jsonl", "served 40 requests"],
                               preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))))
        self.assertEqual(len(out.splitlines()), 40)
        self.assertLess(limit - (self.folder / "t.jsonl").stat().st_size, 2000)
        self.trace()

    def test_a_reader_that_leaves(self):
        self.requests(3000)
        with subprocess.Popen([RUNNER, *self.base, "--trace", "t.jsonl"], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
            p.stdout.readline()
            p.stdout.close()
            self.assertEqual(p.wait(), -signal.SIGPIPE)
        self.trace()

    def test_an_older_trace_is_replaced_and_its_reader_keeps_it(self):
        self.requests(2)
        self.file("t.jsonl", "old\n")
        os.chmod(self.folder / "t.jsonl", 0o640)
        with open(self.folder / "t.jsonl") as reader:
            self.runner(*self.base, "--trace", "t.jsonl")
            self.assertEqual(reader.read(), "old\n")
        self.assertEqual(self.ended(), ["r0", "r1"])
        self.assertEqual((self.folder / "t.jsonl").stat().st_mode & 0o777, 0o640)


if __name__ == "__main__":
    if not RUNNER.is_file():
        print(f"no {RUNNER}")
        sys.exit(77)
    unittest.main()
