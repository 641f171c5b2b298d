#!/usr/bin/env python3
"""Files of both commands: an output is no input, whatever ends a command leaves nothing half-written, and what a file says steers no terminal."""
import os
import shutil
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


if __name__ == "__main__":
    if not RUNNER.is_file():
        print(f"no {RUNNER}")
        sys.exit(77)
    unittest.main()
