#!/usr/bin/env python3
"""Files of both commands: an output is no input, whatever ends a command leaves nothing half-written, and what a file says steers no terminal."""
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited
from run_test import BIN, LLAMA, ROOT, npy, safetensors

IRPLAN, RUNNER = BIN / "irplan", BIN / "irplan-run"
CONFIGS = ROOT / "examples/configs"
SANITIZED = b"__asan_init" in IRPLAN.read_bytes() if IRPLAN.is_file() else False
CONFIG = '{"model_type": "x", "hidden_size": 4}'
PROGRAM = "let D = 4\ndim S in 1..8\ninput x: f32[S, D]\nw = param f32[D]\na = output(x * w)\nb = output(x + w)\n"


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def run_as(self, command, *args, code=0, names=(), **how):
        how = {"capture_output": True, "cwd": self.folder, **how}
        p = limited.run([command, *args], **how)
        out, err = (p.stdout or b"").decode(), (p.stderr or b"").decode()
        self.assertNotIn("a fault of its own", err)  # what is thrown comes to no edge
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


class Endings(Case):
    """Whatever ends a command: nothing half-written is left, an older file is as it was, and the exit code tells."""

    ENDS = ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129))

    def setUp(self):
        super().setUp()
        self.file("a.irplan", PROGRAM)
        self.file("x.npy", npy([2, 4], [1.0] * 8))
        self.once = [RUNNER, "a.irplan", "--weights", "random:1", "--input", "x=@x.npy"]

    def start(self, *args, **how):
        return subprocess.Popen(list(map(str, args)), cwd=self.folder, stderr=subprocess.PIPE, **how)

    def ended(self, process):
        process.communicate()
        return process.returncode

    def new_files(self):
        return [name for name in os.listdir(self.folder) if name.endswith(".new")]

    def sleeps(self, process):
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"

    def test_while_it_reads(self):
        self.file("m.irplan", Serving.PROGRAM)
        serve = [RUNNER, "m.irplan", "--weights", "random:1", "--requests", "-"]
        for end, code in self.ENDS:
            for command in ([IRPLAN, "plan", "-", "-o", "p.json"], [IRPLAN, "pack", "-"], [RUNNER, "-"], serve):
                with self.subTest(command=command, end=end):
                    p = self.start(*command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
                    limited.wait_for(lambda: self.sleeps(p))
                    p.send_signal(end)
                    self.assertEqual(self.ended(p), code)
        self.assertEqual(sorted(self.files()), ["a.irplan", "m.irplan", "x.npy"])

    def test_while_it_writes(self):
        os.mkfifo(self.folder / "pipe")
        self.file("y.npy", "old")
        for end, code in self.ENDS:
            with self.subTest(end):  # one output is complete, the other waits for a reader
                p = self.start(*self.once, "--output", "a=@y.npy", "--output", "b=@pipe")
                limited.wait_for(self.new_files)
                p.send_signal(end)
                self.assertEqual(self.ended(p), code)
                self.assertEqual(sorted(os.listdir(self.folder)), ["a.irplan", "pipe", "x.npy", "y.npy"])
                self.assertEqual((self.folder / "y.npy").read_text(), "old")
                p = self.start(IRPLAN, "plan", "a.irplan", "-o", "pipe")
                limited.wait_for(lambda: self.sleeps(p))
                p.send_signal(end)
                self.assertEqual(self.ended(p), code)

    def test_at_any_moment(self):
        whole = self.irplan("plan", LLAMA, "-c", CONFIGS / "llama-3-8b.json")[0].encode()
        random.seed(7)
        for i in range(24):
            self.file("p.json", "old")
            end, code = self.ENDS[i % 3]
            p = self.start(IRPLAN, "plan", LLAMA, "-c", CONFIGS / "llama-3-8b.json", "-o", "p.json")
            time.sleep(random.uniform(0, 0.12))
            p.send_signal(end)
            self.assertIn(self.ended(p), (0, code, -end))  # before the first line of main it is the system's own end
            self.assertIn((self.folder / "p.json").read_bytes(), (b"old", whole))
            self.assertEqual(sorted(self.files()), ["a.irplan", "p.json", "x.npy"])

    def test_a_signal_that_is_ignored_stays_so(self):
        for command in ([IRPLAN, "plan", "-"], [RUNNER, "-", "--weights", "random:1", "--input", "x=@x.npy"]):
            p = self.start(*command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
            limited.wait_for(lambda: self.sleeps(p))
            p.send_signal(signal.SIGHUP)
            p.communicate(PROGRAM.encode())
            self.assertEqual(p.returncode, 0)

    def test_a_disk_that_is_full(self):
        def no_more():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        self.file("p.json", "old")
        self.irplan("plan", "a.irplan", "-o", "p.json", code=1, names=["cannot write p.json: File too large"], preexec_fn=no_more)
        self.irplan("explain", "a.irplan", "--svg", "a.svg", code=1, names=["a.svg"], preexec_fn=no_more)
        self.irplan("new", "b.irplan", code=1, names=["b.irplan"], preexec_fn=no_more)
        self.run_as(*self.once, "--output", "a=@a.npy", "--output", "b=@p.json", code=1, names=["cannot write a.npy: File too large"], preexec_fn=no_more)
        self.assertEqual(self.files()["p.json"], b"old")
        self.assertEqual(sorted(self.files()), ["a.irplan", "p.json", "x.npy"])
        self.irplan("plan", "a.irplan", "-o", "/dev/full", code=1, names=["cannot write /dev/full: No space left"])
        self.run_as(*self.once, "--output", "a=@/dev/full", "--output", "b=@b.npy", code=1, names=["/dev/full"])
        self.assertEqual(sorted(self.files()), ["a.irplan", "p.json", "x.npy"])
        with open("/dev/full", "w") as full:
            for command in ([IRPLAN, "plan", "a.irplan"], [IRPLAN, "explain", "a.irplan"], [IRPLAN, "--help"], [IRPLAN, "ops"], self.once, [RUNNER, "--help"],
                            [*self.once[:2], "--weights", "random:1", "--tokens", "1"][:0] or self.once):
                self.run_as(*command, code=1, capture_output=False, stdout=full, stderr=subprocess.PIPE, names=["cannot write standard output: No space left"])

    def test_a_folder_that_is_read_only(self):
        for command in (IRPLAN, RUNNER):  # somebody without rights needs a copy that can be reached
            shutil.copy(command, self.folder)
        self.file("sealed/p.json", "old")
        os.chmod(self.folder, 0o755)
        os.chmod(self.folder / "sealed", 0o555)
        how = {"preexec_fn": lambda: os.geteuid() or os.setuid(65534)}
        self.run_as(self.folder / "irplan", "plan", "a.irplan", "-o", "sealed/p.json", code=1, names=["cannot write sealed/p.json: Permission denied"], **how)
        self.run_as(self.folder / "irplan", "new", "sealed/b.irplan", code=1, names=["sealed/b.irplan: Permission denied"], **how)
        self.run_as(self.folder / "irplan-run", *self.once[1:], "--output", "a=@sealed/y.npy", code=1, names=["sealed/y.npy: Permission denied"], **how)
        self.assertEqual(os.listdir(self.folder / "sealed"), ["p.json"])

    def test_streams_that_are_closed(self):
        def closed():
            for stream in (0, 1, 2):
                os.close(stream)
        for command, code in (([IRPLAN, "plan", "a.irplan", "-o", "p.json"], 0), ([IRPLAN, "plan", "a.irplan"], 1), ([IRPLAN, "plan", "-", "-o", "q.json"], 1),
                              ([*self.once, "--output", "a=@a.npy"], 0), (self.once, 1)):
            self.run_as(*command, code=code, capture_output=False, preexec_fn=closed)
        self.assertEqual(sorted(self.files()), ["a.irplan", "a.npy", "p.json", "x.npy"])
        self.assertEqual(self.files()["p.json"], self.irplan("plan", "a.irplan")[0].encode())

    def test_a_reader_that_leaves(self):
        for command in ([IRPLAN, "plan", LLAMA, "-c", CONFIGS / "llama-3-8b.json"], [IRPLAN, "plan", LLAMA, "-c", CONFIGS / "llama-3-8b.json", "-o", "/dev/stdout"]):
            p = self.start(*command, stdout=subprocess.PIPE)
            p.stdout.read(100)
            p.stdout.close()
            self.assertEqual(p.wait(), -signal.SIGPIPE)
            p.stderr.close()
        self.assertEqual(sorted(self.files()), ["a.irplan", "x.npy"])

    def test_pipes(self):
        plan = self.irplan("plan", "a.irplan", "--target=cpu")[0].encode()
        for name in ("in", "out"):
            os.mkfifo(self.folder / name)

        def feed(data):
            threading.Thread(target=lambda: (self.folder / "in").write_bytes(data), daemon=True).start()
        feed(PROGRAM.encode())
        p = self.start(IRPLAN, "plan", "in", "--target=cpu", "-o", "out")
        written = json.loads((self.folder / "out").read_bytes())
        self.assertEqual(self.ended(p), 0)
        self.assertEqual(written["outputs"], json.loads(plan)["outputs"])
        feed(npy([2, 4], [1.0] * 8))
        self.run_as(*self.once[:-1], "x=@in")
        feed(safetensors({"w": ("F32", [4], [1.0] * 4)}))
        self.run_as(RUNNER, "a.irplan", "--weights", "in", "--input", "x=@x.npy")
        feed(plan)
        self.run_as(RUNNER, "in", "--weights", "random:1", "--input", "x=@x.npy")
        for path in ("-", "/dev/stdin"):  # a plan is known by its text
            for text in (plan, PROGRAM.encode()):
                self.run_as(RUNNER, path, "--weights", "random:1", "--input", "x=@x.npy", input=text)
        self.run_as(RUNNER, "-", "--let", "D=4", "--weights", "random:1", code=2, names=["--let goes with a program; standard input is a plan"], input=plan)

    def test_many_runs_in_one_folder(self):
        plan = [IRPLAN, "plan", LLAMA, "-c", CONFIGS / "llama-3-8b.json", "-o", "p.json"]
        whole = self.irplan(*plan[1:-2])[0].encode()
        running = [self.start(*plan) for _ in range(4)] + [self.start(*self.once, "--output", "a=@y.npy") for _ in range(4)]
        running += [self.start(IRPLAN, "new", "n.irplan", stdout=subprocess.DEVNULL) for _ in range(4)]
        codes = [self.ended(p) for p in running]
        self.assertEqual(codes[:8], [0] * 8)
        self.assertEqual(sorted(codes[8:]), [0, 1, 1, 1])  # one of them made it, the others left it alone
        files = self.files()
        self.assertEqual(files["p.json"], whole)
        self.assertEqual(sorted(files), ["a.irplan", "n.irplan", "p.json", "x.npy", "y.npy"])

    def test_names_that_are_long_or_odd(self):
        odd = ["n" * 255, "n" * 249 + ".irplan"[:6], "ä" * 127, "a b\"'$(x)", "line\nbreak", "\x1b[31mred", b"not\xffutf8", ".hidden", "-dash", "--", "..x"]
        for name in odd:
            name = name if isinstance(name, bytes) else name.encode()
            path = os.path.join(os.fsencode(self.folder), name)
            with self.subTest(name):
                subprocess.run([IRPLAN, "plan", "a.irplan", "-o" + os.fsdecode(name)] if name[:1] != b"-" else [IRPLAN, "plan", "a.irplan", "--output=" + os.fsdecode(name)],
                               cwd=self.folder, check=True, capture_output=True)
                self.assertEqual(os.listdir(os.fsencode(self.folder)).count(name), 1)
                subprocess.run([IRPLAN, "explain", "--", os.fsdecode(name)], cwd=self.folder, check=True, capture_output=True)
                os.unlink(path)
        self.irplan("plan", "a.irplan", "-o", "n" * 256, code=1, names=["File name too long"])
        self.irplan("plan", "a.irplan", "-o", "absent/p.json", code=1, names=["cannot write absent/p.json: No such file or directory"])
        self.irplan("plan", "--", "-dash.irplan", code=1, names=["cannot read -dash.irplan"])
        self.file("-dash.irplan", PROGRAM)
        self.irplan("plan", "--", "-dash.irplan")
        self.run_as(RUNNER, "--weights", "random:1", "--input", "x=@x.npy", "--", "-dash.irplan")
        self.assertEqual(sorted(self.files()), ["-dash.irplan", "a.irplan", "x.npy"])

    def test_links(self):
        os.symlink("sub/real.json", self.folder / "link.json")
        (self.folder / "sub").mkdir()
        self.irplan("plan", "a.irplan", "-o", "link.json")
        self.assertTrue((self.folder / "link.json").is_symlink())
        self.assertTrue((self.folder / "sub/real.json").is_file())
        os.chmod(self.folder / "sub/real.json", 0o600)
        self.irplan("plan", "a.irplan", "-o", "link.json")
        self.assertEqual((self.folder / "sub/real.json").stat().st_mode & 0o777, 0o600)
        os.symlink("ring", self.folder / "ring")
        self.irplan("plan", "a.irplan", "-o", "ring", code=1, names=["cannot write ring: Too many levels of symbolic links"])
        self.irplan("plan", "a.irplan", "-o", "sub", code=1, names=["cannot write sub: Is a directory"])
        os.symlink("real.json", self.folder / "sub/new.irplan")
        self.irplan("new", "sub/new.irplan", code=1, names=["already exists"])

    @unittest.skipIf(SANITIZED, "a sanitizer's own memory is beyond any limit")
    def test_memory_that_is_missing(self):
        self.file("q.jsonl", '{"req_id": "a"}\n' * 1000000)
        for command in ([IRPLAN, "plan", ROOT / "examples/models/deepseek_v3.irplan", "-c", CONFIGS / "deepseek-v3.json", "-o", "p.json"],
                        [RUNNER, "a.irplan", "--weights", "random:1", "--requests", "q.jsonl"]):
            told = 0
            for limit in range(16, 64, 4):  # MiB
                p = subprocess.run(list(map(str, command)), cwd=self.folder, capture_output=True,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit << 20, limit << 20)))
                if p.returncode == 127:  # the system could not load the program
                    continue
                self.assertIn(p.returncode, (0, 1), p.stderr)
                self.assertNotIn(b"fault of its own", p.stderr)
                told += bool(re.search(rb"out of memory: [\d.]+ \w+ more are needed, with [\d.]+ MiB in use; this process may use [\d.]+ MiB", p.stderr))
            self.assertGreater(told, 0)
        self.assertEqual([name for name in os.listdir(self.folder) if name.endswith(".new")], [])


class Terminal(Case):
    """What a file says steers no terminal and turns no text around."""

    STEERS = "\x1b]0;t\x07\x1b[2J\x7f\u009b31m\u202e\u2028\u0085"

    def printable(self, command, *args, code=1, **how):
        p = subprocess.run([command, *map(str, args)], cwd=self.folder, capture_output=True, **how)
        self.assertEqual(p.returncode, code, p.stderr)
        text = (p.stdout + p.stderr).decode()  # it is UTF-8
        self.assertEqual([c for c in text if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 or c in "\u202e\u2028"], [], text)
        self.assertIn("?", text)
        return text

    def test_files_of_strangers(self):
        s = self.STEERS
        self.file("a.irplan", PROGRAM)
        self.file("x.npy", npy([2, 4], [1.0] * 8))
        run = [RUNNER, "a.irplan", "--input", "x=@x.npy", "--weights", "w.safetensors"]
        for header, code in (({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}, "n" + s: {"dtype": "F32", "shape": [0], "data_offsets": [16, 16]}}, 0),
                             ({"n" + s: {"dtype": "F32"}}, 1), ({"w": {"dtype": s, "shape": [4], "data_offsets": [0, 16]}}, 1)):
            self.file("w.safetensors", safetensors({"w": ("F32", [4], [1.0] * 4)}, header))
            self.printable(*run, code=code)
        self.file("dir/model.safetensors.index.json", json.dumps({"weight_map": {"w": s + "/"}}))
        self.printable(*run[:-1], "dir")
        self.file("t.csv", f"id,lower,upper,size\nb{s},0,1,4\nb{s},0,1,4\n")
        self.printable(IRPLAN, "pack", "t.csv")
        self.file("t.csv", f"id,lower,upper,size\nb{s},0,1,4\n")
        self.printable(IRPLAN, "pack", "t.csv", "--capacity", "1", code=3)
        self.file("c.json", json.dumps({"model_type": "llama" + s, "hidden_size": 4, "k" + s: 1}))
        self.printable(IRPLAN, "new", "-", "--config", "c.json", code=0)
        self.file("b.irplan", PROGRAM.replace("4", "config.hidden_size", 1))
        self.printable(IRPLAN, "explain", "b.irplan", "--config", "c.json", code=0)
        self.file("b.irplan", PROGRAM + f'require D == 5, "{s}"\n')
        self.printable(IRPLAN, "plan", "b.irplan")
        self.file("b.irplan", s.encode() + b"\xff\xc3(\xed\xa0\x80")
        self.printable(IRPLAN, "check", "b.irplan")
        plan = json.loads(self.irplan("plan", "a.irplan", "--target=cpu")[0])
        for field in ("target", "producer"):
            self.file("p.json", json.dumps({**plan, field: s}))
            for command in ([IRPLAN, "explain", "p.json"], [IRPLAN, "diff", "p.json", "p.json"], [RUNNER, "p.json"]):
                self.assertNotIn(b"\x1b", (lambda p: p.stdout + p.stderr)(subprocess.run(command, cwd=self.folder, capture_output=True)))

    def test_names_of_files_and_requests(self):
        self.printable(IRPLAN, "plan", "absent" + self.STEERS)
        self.printable(RUNNER, "absent" + self.STEERS)
        self.file("m.irplan", Serving.PROGRAM)
        self.file("w.safetensors", safetensors({"wte": ("F32", [8, 4], [1.0] * 32)}))
        self.file("q.jsonl", json.dumps({"req_id": "r" + self.STEERS, "arrival_us": 0, "tokens": [], "max_new_tokens": 1}) + "\n")
        self.printable(RUNNER, "m.irplan", "--weights", "w.safetensors", "--requests", "q.jsonl", code=3)


if __name__ == "__main__":
    if not RUNNER.is_file():
        print(f"no {RUNNER}")
        sys.exit(77)
    unittest.main()
