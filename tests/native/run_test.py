#!/usr/bin/env python3
"""The command irplan-run from outside: numbers, weights, tokens, exit codes, and what it must not leave behind."""
import json
import math
import os
import pty
import re
import shutil
import signal
import struct
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
HOTPATH = ROOT / "examples/hotpath.irplan"
LLAMA = ROOT / "examples/models/llama.irplan"
GOLDEN = ROOT / "tests/data/goldens/llama"
TYPES = {"<f4": "f", "<f2": "e", "<i4": "i", "<i8": "q", "|u1": "B"}
STORED = {"F64": "d", "F32": "f", "F16": "e", "I32": "i", "BF16": "H", "U8": "B", "U64": "Q"}


def npy(shape, values, descr="<f4"):
    extents = "(" + "".join(f"{n}, " for n in shape).strip() + ")" if len(shape) < 2 else "(" + ", ".join(map(str, shape)) + ")"
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {extents}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack(f"<{len(values)}{TYPES[descr]}", *values)


def read_npy(path):
    data = Path(path).read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00" and len(data[:10]) == 10
    n, = struct.unpack("<H", data[8:10])
    assert (n + 10) % 64 == 0
    head = eval(data[10:10 + n], {"__builtins__": {}})  # numpy's own literal, of a file that the test made
    count = math.prod(head["shape"])
    return head["shape"], list(struct.unpack(f"<{count}{TYPES[head['descr']]}", data[10 + n:])), head["descr"]


def safetensors(tensors, header=None):
    """{name: (dtype, shape, numbers)} as a file"""
    head, at, parts = {}, 0, []
    for name, (dtype, shape, numbers) in tensors.items():
        part = struct.pack(f"<{len(numbers)}{STORED[dtype]}", *numbers)
        head[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(part)]}
        at += len(part)
        parts.append(part)
    text = json.dumps(head if header is None else header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def half(x):
    return struct.unpack("<e", struct.pack("<e", x))[0]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def run_plan(self, *args, code=0, names=()):
        p = limited.run([RUNNER, *args], capture_output=True, cwd=self.folder)
        out, err = p.stdout.decode(), p.stderr.decode()
        self.assertNotIn("a fault of its own", err)  # what is thrown comes to no edge
        self.assertEqual(p.returncode, code, f"irplan-run {' '.join(map(str, args))}\n{out[:500]}\n{err[:2000]}")
        for name in names:
            self.assertIn(name, err)
        return out, err

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def files(self):
        return sorted(p.name for p in self.folder.iterdir())


class Usage(Case):
    def test_help_and_version(self):
        out, err = self.run_plan("--help")
        self.assertIn("Usage: irplan-run", out)
        self.assertIn("Examples:", out)
        columns = {len(re.match(r"  (?:-\w, |    )--\S+(?: \S+)? +", line)[0]) for line in out.splitlines() if re.match(r"  (?:-\w,|   ) ?--", line)}
        self.assertEqual(len(columns), 1, out)  # texts stand under each other, whatever a name is spelt with
        self.assertEqual(err, "")
        self.assertRegex(self.run_plan("--version")[0], r"\Airplan-run \d+\.\d+\.\d+\n\Z")

    def test_wrong_usage(self):
        for args, names in ((["--no-such-option"], ["--no-such-option"]), ([], ["FILE"]), (["--weight", "f", "x.json"], ["--weights"]),
                            (["x.json", "--dim", "S=many"], ["--dim", "S=many"]), (["x.json", "--output", "y=y.npy"], ["--output"]),
                            (["x.json", "--chunks", "1"], ["--chunks goes with --tokens"]),
                            (["x.json", "--generate", "1"], ["--generate goes with --tokens"]), (["x.json", "--tokens", "1", "--eos", "1"], ["--eos goes with --generate"]), (["x.json", "y.json"], ["y.json"]),
                            (["x.json", "--tol", "-1"], ["--tol"]), (["x.json", "--states", "ones"], ["--states takes zeros or unset", "`ones`"]),
                            (["x.json", "--states", "zeros", "--bench"], ["--states goes with one step"]), (["x.json", "--dim", "3"], ["DIM=N", "`3`"]),
                            (["x.json", "--let", "X=1", "--let", "X=2"], ["--let X is given twice"]),
                            (["x.json", "--dim", "S=1", "-dS=2"], ["--dim S is given twice"]),
                            (["--completion", "bahs"], ["`bash`"]), (["x.json", "--tol", "1", "--tol", "2"], ["--tol is given twice"]), (["x.json", "--weights"], ["--weights"])):
            out, _ = self.run_plan(*args, code=2, names=names)
            self.assertEqual(out, "")

    def test_backends_and_kernels_are_listed_and_tested(self):
        out, _ = self.run_plan("--list-backends")
        self.assertEqual([line.split()[0] for line in out.splitlines()], ["cuda", "cpu", "reference"])
        out, _ = self.run_plan("--list-kernels")
        here = {name for name, built in (("cpu", True), ("cuda", "no CUDA kernels" not in self.run_plan("--list-backends")[0])) if built}
        self.assertEqual({line.split("_")[0] for line in out.splitlines()}, here)
        self.assertRegex(out, r"(?m)^cpu_linear_v2 +\S")
        for line in out.splitlines():  # of every CUDA kernel what it takes
            self.assertEqual(line.startswith("cuda_"), re.search(r"; \w+ \d+.* registers$", line) is not None, line)
        for backend in ("cpu", "reference"):
            out, _ = self.run_plan("--selftest", "--backend", backend)
            self.assertRegex(out, r"(?m)^3 passed, 0 failed$")
        self.run_plan("--selftest", "--backend", "abacus", code=1, names=["abacus"])

    def test_what_is_not_there(self):
        self.run_plan("absent.json", code=1, names=["absent.json"])
        self.run_plan("absent.irplan", code=1, names=["absent.irplan"])
        self.run_plan(HOTPATH, "--backend", "abacus", code=1, names=["abacus", "reference"])
        self.run_plan(HOTPATH, "--backend", "refrence", code=1, names=["did you mean `reference`?"])
        self.run_plan(HOTPATH, "--phase", "mian", code=1, names=["it has main; did you mean `main`?"])
        self.run_plan(HOTPATH, "--tokens", "1", code=1, names=["no input `tokens`", "--input: x"])


class Hotpath(Case):
    """The smallest program against arithmetic in Python: rmsnorm, rope on 64 of 80, silu; every op rounded once to f16."""

    def setUp(self):
        super().setUp()
        self.x = [half(math.sin(0.37 * i) * 2) for i in range(3 * 80)]
        self.w = [half(1 + 0.3 * math.cos(i)) for i in range(80)]
        self.file("x.npy", npy([1, 3, 80], self.x, "<f2"))
        self.file("w.safetensors", safetensors({"w": ("F16", [80], self.w)}))
        want = []
        for s in range(3):
            row = self.x[s * 80:(s + 1) * 80]
            scale = 1 / math.sqrt(sum(v * v for v in row) / 80 + 1e-5)
            n = [half(v * scale * u) for v, u in zip(row, self.w)]
            r = list(n)
            for i in range(32):
                angle = s * 10000.0 ** (-i / 32)
                c, t = math.cos(angle), math.sin(angle)
                r[i], r[i + 32] = half(n[i] * c - n[i + 32] * t), half(n[i + 32] * c + n[i] * t)
            want += [v / (1 + math.exp(-v)) for v in r]
        self.want = want
        self.file("want.npy", npy([1, 3, 80], want))
        self.base = [HOTPATH, "--weights", "w.safetensors", "--input", "x=@x.npy"]

    def test_numbers_of_every_backend(self):
        for backend in ("reference", "cpu"):
            _, err = self.run_plan(*self.base, "--backend", backend, "--output", "out=@y.npy", "--expect", "out=@want.npy", "--tol", "1e-3")
            self.assertRegex(err, r"predicted (\d+), allocated \1\b")
            shape, got, descr = read_npy(self.folder / "y.npy")
            self.assertEqual((shape, descr), ((1, 3, 80), "<f2"))
            self.assertLess(max(abs(a - b) for a, b in zip(got, self.want)), 2e-3)

    def test_a_wrong_expectation_is_3_and_names_the_place(self):
        wrong = list(self.want)
        wrong[80 + 7] += 1
        self.file("wrong.npy", npy([1, 3, 80], wrong))
        self.run_plan(*self.base, "--expect", "out=@wrong.npy", code=3, names=["out", "[0, 1, 7]"])
        self.file("shape.npy", npy([3, 80], wrong))
        self.run_plan(*self.base, "--expect", "out=@shape.npy", code=3, names=["out", "[3, 80]"])

    def test_without_outputs_a_summary_is_printed(self):
        self.assertRegex(self.run_plan(*self.base)[0], r"\Aout f16\[1, 3, 80\]  least ")

    def test_plan_and_program_give_the_same(self):
        p = subprocess.run([IRPLAN, "plan", HOTPATH, "--target", "cpu", "-o", self.folder / "p.json"], capture_output=True)
        self.assertEqual(p.returncode, 0)
        self.run_plan(*self.base, "--output", "out=@a.npy", "--backend", "cpu")
        self.run_plan("p.json", *self.base[1:], "--output", "out=@b.npy", "--backend", "cpu", "--strict")
        self.assertEqual((self.folder / "a.npy").read_bytes(), (self.folder / "b.npy").read_bytes())

    def test_a_plan_for_another_backend(self):
        p = subprocess.run([IRPLAN, "plan", HOTPATH, "-o", self.folder / "p.json"], capture_output=True)
        self.assertEqual(p.returncode, 0)
        self.run_plan("p.json", *self.base[1:], "--backend", "cpu", names=["the plan is for cuda"])
        self.run_plan("p.json", *self.base[1:], "--backend", "cpu", "--strict", code=1, names=["--strict"])

    def test_a_kernel_from_the_future_is_refused_by_name(self):
        subprocess.run([IRPLAN, "plan", HOTPATH, "--target", "cpu", "-o", self.folder / "p.json"], check=True, capture_output=True)
        text = (self.folder / "p.json").read_text()
        self.file("new.json", text.replace("cpu_silu_v1", "cpu_silu_v77"))
        self.run_plan("new.json", *self.base[1:], "--backend", "cpu", code=1, names=["cpu_silu_v77", "ops s"])

    def test_memory_is_held_against_the_plan_before_anything_is_loaded(self):
        _, err = self.run_plan(HOTPATH, "--weights", "random:1", "--input", "x=random:1", "--dim", "S=1000000000", "--dim", "D=4096",
                               "--backend", "cpu", code=1, names=["out of memory", "bytes are needed (weights 8192 + ", "are there on"])
        self.assertNotIn("loading weights", err)

    def test_bad_inputs(self):
        rank = self.file("rank.npy", npy([3, 80], self.x, "<f2"))
        ints = self.file("ints.npy", npy([1, 1, 80], range(80), "<i4"))
        cut = self.file("cut.npy", (self.folder / "x.npy").read_bytes()[:-9])
        junk = self.file("junk.npy", b"PK" * 99)
        weights = self.base[:3]
        for args, names in (([*weights, "--input", f"x=@{rank}"], ["x", "[3, 80]"]), ([*weights, "--input", f"x=@{ints}"], ["x", "I32"]),
                            (weights, ["x"]), ([*self.base, "--input", "zz=const:0"], ["zz"]), ([*self.base, "--dim", "S=6"], ["S"]),
                            ([*weights, "--dim", "D=32", "--dim", "S=1", "--input", "x=random:1"], ["D", "32"]),
                            ([*weights, "--input", f"x=@{cut}"], ["cut.npy"]), ([*weights, "--input", f"x=@{junk}"], ["junk.npy"]),
                            ([*self.base, "--dim", "Q=1"], ["Q"]), ([*self.base, "--output", "zz=@none.npy"], ["zz"]),
                            ([*self.base, "--output", "out=@no/such/none.npy"], ["none.npy"]), ([*weights, "--input", "x=what"], ["what"]),
                            ([HOTPATH, "--input", "x=@x.npy"], ["--weights"]), ([*self.base, "--phase", "evening"], ["evening"])):
            before = self.files()
            self.run_plan(*args, code=1, names=names)
            self.assertEqual(self.files(), before)

    def test_an_interrupt_leaves_nothing(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            p = subprocess.Popen([RUNNER, HOTPATH, "--backend", "reference", "--weights", "random:1", "--dim", "S=60000", "--dim", "D=4096",
                                  "--input", "x=random:2", "--output", "out=@y.npy"], cwd=self.folder, stderr=subprocess.DEVNULL)
            limited.wait_for(lambda: limited.spent(p) > 0.3 or p.poll() is not None)
            self.assertIsNone(p.poll(), "the run is too short to be interrupted")
            p.send_signal(number)
            self.assertEqual(p.wait(limited.WATCH), code)
            self.assertEqual(self.files(), ["w.safetensors", "want.npy", "x.npy"])


class Weights(Case):
    def refuses(self, data, names=(), text="w.safetensors"):
        path = self.file("w.safetensors", data)
        self.run_plan(HOTPATH, "--weights", path, "--dim", "S=1", "--dim", "D=64", "--input", "x=random:1", "--output", "out=@y.npy",
                      code=1, names=[*names, text])
        self.assertEqual(self.files(), ["w.safetensors"])

    def test_damaged_files(self):
        good = safetensors({"w": ("F16", [64], [1.0] * 64)})
        entry = {"dtype": "F16", "shape": [64], "data_offsets": [0, 128]}
        body = struct.pack("<64e", *[1.0] * 64)
        with_header = lambda header: safetensors({}, header) + body
        for data in (good[:len(good) // 2], good[:-1], good[:20], b"", b"PK" * 3, os.urandom(512), good + b"x", struct.pack("<Q", 1 << 60) + good[8:],
                     struct.pack("<Q", 5) + b"[1,2]" + body, struct.pack("<Q", 1000) + b"[" * 1000, with_header({"w": 7}),
                     with_header({"w": {**entry, "shape": [1 << 62, 1 << 62]}}), with_header({"w": {**entry, "shape": [-64]}}),
                     with_header({"w": {**entry, "shape": [65]}}), with_header({"w": {**entry, "data_offsets": [0, 1 << 40]}}),
                     with_header({"w": {**entry, "data_offsets": [128, 0]}}), with_header({"w": {**entry, "dtype": "F99"}}),
                     with_header({"w": {"shape": [64], "data_offsets": [0, 128]}}), with_header({"w": entry, "v": entry}),
                     with_header({"w": {**entry, "data_offsets": [8, 136]}})):
            self.refuses(data)

    def test_tensors_that_do_not_fit(self):
        ones = [1.0] * 64
        self.refuses(safetensors({"v": ("F16", [64], ones)}), ["lacks w"])
        self.refuses(safetensors({"w": ("F16", [63], ones[1:])}), ["F16[63]", "f16[64]"])
        self.refuses(safetensors({"w": ("I32", [64], [1] * 64)}), ["I32[64]", "f16[64]"])
        self.refuses(safetensors({"a.w": ("F16", [64], ones), "b.w": ("F16", [64], ones)}), ["a.w", "b.w"])
        self.refuses(safetensors({"w": ("F32", [64], [*ones[:9], math.nan, *ones[10:]])}), ["w at element 9 is NaN"], "")
        self.refuses(safetensors({"w": ("BF16", [64], [0x3f80] * 5 + [0x7f80] + [0x3f80] * 58)}), ["w at element 5 is infinite"], "")
        self.refuses(safetensors({"w": ("F32", [64], [1e6] + ones[1:])}), ["w at element 0", "f16"], "")

    def test_what_fits(self):
        run = lambda data, *more: self.run_plan(HOTPATH, "--weights", self.file("w.safetensors", data), "--dim", "S=2", "--dim", "D=64",
                                                "--input", "x=random:1", *more)
        numbers = [half(math.cos(i)) for i in range(64)]
        run(safetensors({"w": ("F16", [64], numbers)}), "--output", "out=@a.npy")
        for data in (safetensors({"w": ("F32", [8, 8], numbers)}), safetensors({"model.w": ("F16", [64], numbers)})):
            run(data, "--output", "out=@b.npy")
            self.assertEqual((self.folder / "a.npy").read_bytes(), (self.folder / "b.npy").read_bytes())
        _, err = run(safetensors({"w": ("F16", [64], numbers), "extra": ("F32", [2], [1, 2])}))
        self.assertIn("1 tensor of the weights is read by nothing: extra", err)
        self.assertNotIn("loading", err)
        many = {"w": ("F16", [64], numbers), **{f"extra{i:02}": ("F32", [1], [i]) for i in range(30)}}
        _, err = run(safetensors(many))
        self.assertIn("30 tensors of the weights are read by nothing: extra00, extra01", err)
        self.assertIn("24 more", err)
        self.assertNotIn("extra20", err)
        _, err = run(safetensors(many), "-v")
        self.assertIn("extra29", err)

    def test_all_that_is_wrong_is_told_at_once(self):
        self.file("many.irplan", "input x: f32[S, 32]\n" + "".join(f"w{i:02} = param f32[32, 64]\n" for i in range(30)) +
                  "".join(f"y{i:02} = output(matmul(x, w{i:02}))\n" for i in range(30)))
        def refuses(tensors, *names):
            path = self.file("w.safetensors", safetensors(tensors))
            return self.run_plan("many.irplan", "--weights", path, "--dim", "S=1", "--input", "x=random:1", code=1, names=names)[1]
        numbers = [0.5] * 2048
        err = refuses({"w00": ("F32", [32, 64], numbers)}, "lacks w01 (f32[32, 64]), w02", "w20", "9 more")
        self.assertNotIn("w21", err)
        refuses({"w00": ("F32", [3], [0] * 3), "w01": ("I32", [32, 64], [1] * 2048), **{f"w{i:02}": ("F32", [32, 64], numbers) for i in range(3, 30)}},
                "w00 is F32[3], expected f32[32, 64]", "w01 is I32[32, 64], expected f32[32, 64]", "lacks w02 (f32[32, 64])")
        err = refuses({f"w{i:02}": ("F32", [1], [0]) for i in range(30)}, "w19 is F32[1]", "10 more that do not fit")
        self.assertNotIn("w20", err)

    def test_stacks(self):
        self.file("stack.irplan", 'input x: f32[S, 32]\nw = param f32[3, 32, 64] from "e.{*}.w"\ns = param f32[3] from "s"\n'
                  "y = output(matmul(x, view(w, shape=[32, 192])))\nz = output(s)\n")
        part = ("F32", [32, 64], [0.5] * 2048)
        for tensors, names in (({"e.0.w": part, "s": ("F32", [3], [1] * 3), "t": part}, ["lacks e.1.w (f32[32, 64]), e.2.w (f32[32, 64])"]),
                               ({"e.0.w": part, "s": ("F32", [3], [1] * 3)}, ["e.{*}.w is 3 tensors", "2 in all"]),
                               ({"e.0.w": part, "e.1.w": ("F32", [2], [1] * 2), "e.2.w": part}, ["e.1.w is F32[2]", "f32[32, 64]", "lacks s"])):
            path = self.file("w.safetensors", safetensors(tensors))
            self.run_plan("stack.irplan", "--weights", path, "--dim", "S=1", "--input", "x=random:1", code=1, names=names)

    def test_numbers_that_a_dtype_cannot_hold(self):
        def refuses(dtype, stored, value, *names):
            self.file("one.irplan", f"input x: f32[S, 256]\nw = param {dtype}[16, 256]\ny = output(linear(x, {'dequant(w, to=f32)' if dtype[:2] == 'f8' else 'w'}, to=f32))\n")
            path = self.file("w.safetensors", safetensors({"w": (stored, [16, 256], [1] * 773 + [value] + [1] * 3322)}))
            self.run_plan("one.irplan", "--weights", path, "--dim", "S=1", "--input", "x=random:1", code=1,
                          names=["w.safetensors: w at element 773 is", f"(at [3, 5] of {stored}[16, 256])", *names])
        for dtype, stored, value, text in (("f32", "F64", 1e300, "1e+300"), ("bf16", "F32", 3.4e38, "3.4e+38"), ("f8e4m3", "F32", 500, "500"),
                                           ("q8_0", "F32", 1e7, "1e+07"), ("q4_0", "F32", 6e5, "600000"), ("i4g128", "F32", 6e5, "600000"),
                                           ("q8_0", "F64", 1e300, "1e+300"), ("mxfp4", "F64", 1e300, "1e+300")):
            refuses(dtype, stored, value, text, f"beyond what {dtype} can hold")
        for dtype in ("f32", "q8_0", "mxfp4", "f16"):
            refuses(dtype, "F32", math.nan, "is NaN")
            refuses(dtype, "F32", -math.inf, "is infinite")
        self.file("int.irplan", "w = param i64[4]\ny = output(w)\n")
        path = self.file("w.safetensors", safetensors({"w": ("U64", [4], [1, 2, 1 << 63, 3])}))
        self.run_plan("int.irplan", "--weights", path, code=1, names=["w at element 2 is 9223372036854775808", "i64"])

    def test_quantising_tells_what_it_costs(self):
        self.file("q.irplan", "input x: f32[S, 256]\na = param q8_0[16, 256]\nb = param q4_0[16, 256]\nc = param f32[16, 256]\n"
                  "ya = output(linear(x, a))\nyb = output(linear(x, b))\nyc = output(linear(x, c))\n")
        numbers = [math.sin(i * i) for i in range(4096)]
        path = self.file("w.safetensors", safetensors({n: ("F32", [16, 256], numbers) for n in "abc"}))
        base = ["q.irplan", "--weights", path, "--dim", "S=1", "--input", "x=random:1"]
        _, err = self.run_plan(*base, names=["quantised 2 weights", "in b"])
        self.assertNotIn("quantised a", err)
        _, err = self.run_plan(*base, "-v", names=["quantised a from F32 to q8_0", "quantised b from F32 to q4_0"])
        error = {n: float(re.search(rf"quantised {n} .*error (\S+) of", err)[1]) for n in "ab"}
        # The error of rounding to steps of s is s / sqrt(12); a block's largest number takes 127 steps, or 8.
        for name, steps in (("a", 127), ("b", 8)):
            square = lost = 0
            for i in range(0, 4096, 32):
                block = numbers[i:i + 32]
                most = max(block, key=abs)
                d = half(abs(most) / 127 if name == "a" else most / -8)
                low, high = (-127, 127) if name == "a" else (-8, 7)
                for v in block:
                    square += v * v
                    lost += (v - d * min(high, max(low, round(v / d)))) ** 2
            self.assertAlmostEqual(error[name], math.sqrt(lost / square), delta=0.01 * error[name])
            self.assertLess(error[name], 2 / steps)
        both = float(re.search(r"error is (\S+) of the rms over all", err)[1])
        self.assertAlmostEqual(both, math.sqrt((error["a"] ** 2 + error["b"] ** 2) / 2), delta=0.01 * both)

    def test_extents_in_another_order_are_told(self):
        self.file("m.irplan", "input x: f32[S, 32]\nw = param f32[32, 64]\ny = output(matmul(x, w))\n")
        numbers = [0.01 * i for i in range(2048)]
        for shape, told in (([64, 32], True), ([32, 64], False), ([2048], False), ([32, 1, 64], False), ([4, 8, 64], False)):
            path = self.file("w.safetensors", safetensors({"w": ("F32", shape, numbers)}))
            _, err = self.run_plan("m.irplan", "--weights", path, "--dim", "S=1", "--input", "x=random:1")
            self.assertEqual("w is F32[64, 32], and loads row by row as f32[32, 64]" in err, told, err)

    def slow(self):
        """A program and 256 MiB of weights in holes of a file, which take one core a second or more to quantise."""
        rows = 16384
        self.file("slow.irplan", f"input x: f32[S, 4096]\nw = param mxfp4[{rows}, 4096]\ny = output(linear(x, w))\n")
        path = self.file("w.safetensors", safetensors({}, {"w": {"dtype": "F32", "shape": [rows, 4096], "data_offsets": [0, rows * 4096 * 4]}}))
        head = path.stat().st_size
        os.truncate(path, head + rows * 4096 * 4)
        core = str(min(os.sched_getaffinity(0)))
        return path, ["taskset", "-c", core, str(RUNNER), "slow.irplan", "--weights", str(path), "--dim", "S=1", "--input", "x=random:1", "--output", "y=@y.npy"]

    def while_loading(self, change):
        """Runs it, and changes the file once loading has begun: the exit code and what it told."""
        path, command = self.slow()
        p = subprocess.Popen([*command, "-v"], cwd=self.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        err = b""
        while b"loading weights" not in err:
            line = p.stderr.readline()
            self.assertTrue(line, err)
            err += line
        change(path)
        err += p.communicate(timeout=limited.WATCH)[1]
        return p.returncode, err.decode()

    def test_a_file_that_changes_while_it_is_read(self):
        def overwrite(path):
            with path.open("r+b") as file:
                file.write(b"\xff")
        for change, name in ((lambda path: os.truncate(path, 4096), "can no longer be read: it was cut"),
                             (overwrite, "changed while it was read")):
            code, err = self.while_loading(change)
            self.assertEqual(code, 1, err)
            self.assertIn(name, err)
            self.assertIn("w.safetensors", err)
            self.assertEqual(self.files(), ["slow.irplan", "w.safetensors"])

    def test_a_file_that_is_replaced_stays_what_it_was(self):
        code, err = self.while_loading(lambda path: os.replace(self.file("other", b"junk"), path))
        self.assertEqual(code, 0, err)

    def test_progress(self):
        _, command = self.slow()
        p = limited.run([*command, "-v"], cwd=self.folder, capture_output=True)
        lines = [l for l in p.stderr.decode().split("\n") if l.startswith("loading weights: ")]
        done = [float(re.search(r"weights: (\S+) of 34.0 MiB", l)[1]) for l in lines]
        self.assertGreater(len(lines), 1)
        self.assertEqual(done, sorted(done))
        ours, theirs = pty.openpty()
        p = subprocess.Popen(command, cwd=self.folder, stderr=theirs, stdout=subprocess.DEVNULL)
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # how Linux tells that the other end is closed
            pass
        os.close(ours)
        self.assertEqual(p.wait(limited.WATCH), 0, shown)
        self.assertIn(b"\rloading weights: ", shown)

    def test_a_folder(self):
        ones = [1.0] * 64
        folder = self.folder / "d"
        folder.mkdir()
        base = [HOTPATH, "--weights", folder, "--dim", "S=1", "--dim", "D=64", "--input", "x=random:1"]
        self.run_plan(*base, code=1, names=["model.safetensors"])
        (folder / "pytorch_model.bin").write_bytes(b"PK")
        self.run_plan(*base, code=1, names=["pytorch_model.bin", "only safetensors"])
        (folder / "other.safetensors").write_bytes(safetensors({"w": ("F16", [64], ones)}))
        self.run_plan(*base, code=1, names=["other.safetensors: name one of them"])
        (folder / "model.safetensors").write_bytes(safetensors({"w": ("F16", [64], ones)}))
        self.run_plan(*base)
        index = folder / "model.safetensors.index.json"
        os.mkfifo(folder / "pipe")
        (folder / "zero").symlink_to("/dev/zero")
        for shard, code, names in (("a.safetensors", 0, []), ("../w", 1, ["../w"]), ("gone.safetensors", 1, ["gone.safetensors"]),
                                   ("pipe", 1, ["names pipe, which is a pipe or a device"]), ("zero", 1, ["names zero, which is"])):
            (folder / "a.safetensors").write_bytes(safetensors({"w": ("F16", [64], ones)}))
            index.write_text(json.dumps({"weight_map": {"w": shard}}))
            self.run_plan(*base, code=code, names=names)
        for text in ("", "[]", "{}", '{"weight_map": {"w": 1}}', "[" * 10000):
            index.write_text(text)
            self.run_plan(*base, code=1, names=["index.json"])

    def test_random_weights_are_the_same_each_time(self):
        run = lambda seed, name: self.run_plan(HOTPATH, "--weights", f"random:{seed}", "--dim", "S=2", "--dim", "D=64", "--input",
                                               "x=random:1", "--output", f"out=@{name}")
        for seed, name in ((1, "a.npy"), (1, "b.npy"), (2, "c.npy")):
            run(seed, name)
        a, b, c = ((self.folder / n).read_bytes() for n in ("a.npy", "b.npy", "c.npy"))
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)


class Llama(Case):
    """A tiny Llama against its reference: all chunkings, both backends, greedy."""

    def setUp(self):
        super().setUp()
        self.base = [LLAMA, "--config", GOLDEN / "config.json", "--weights", GOLDEN / "model.safetensors"]
        self.ids = read_npy(GOLDEN / "tokens.npy")[1]

    def test_logits_in_any_steps(self):
        for backend, chunks in (("cpu", None), ("cpu", "16,16,16"), ("cpu", "1,15,2,7,1,11,3,8"), ("cpu", ",".join(["1"] * 48)),
                                ("reference", None), ("reference", "17,30,1")):
            self.run_plan(*self.base, "--let", "every=true", "--backend", backend, "--tokens", f"@{GOLDEN}/tokens.npy",
                          *(["--chunks", chunks] if chunks else []), "--output", "logits=@all.npy", "--expect",
                          f"logits=@{GOLDEN}/logits.npy", "--tol", "2e-5")
            self.assertEqual(read_npy(self.folder / "all.npy")[0], (2, 48, 128))

    def test_greedy_prints_the_ids_alone(self):
        shape, want, _ = read_npy(GOLDEN / "greedy.npy")
        for row in range(2):
            out, _ = self.run_plan(*self.base, "--tokens", ",".join(map(str, self.ids[row * 48:row * 48 + 17])), "--generate", shape[1])
            self.assertEqual(out, ",".join(map(str, want[row * shape[1]:(row + 1) * shape[1]])) + "\n")
        prompt = self.file("prompt.npy", npy([2, 17], self.ids[:17] + self.ids[48:65], "<i4"))
        out, _ = self.run_plan(*self.base, "--tokens", f"@{prompt}", "--generate", 5)
        self.assertEqual(out, "".join(",".join(map(str, want[r * shape[1]:r * shape[1] + 5])) + "\n" for r in range(2)))

    def test_greedy_ends_at_eos(self):
        shape, want, _ = read_npy(GOLDEN / "greedy.npy")
        end = want[3]
        out, _ = self.run_plan(*self.base, "--tokens", ",".join(map(str, self.ids[:17])), "--generate", shape[1], "--eos", end)
        self.assertEqual(out, ",".join(map(str, want[:want.index(end) + 1])) + "\n")

    def test_another_dtype_of_states_and_weights(self):
        run = lambda backend, *retypes, tolerance: self.run_plan(
            *self.base, "--let", "every=true", "--backend", backend, "--tokens", f"@{GOLDEN}/tokens.npy", "--expect",
            f"logits=@{GOLDEN}/logits.npy", "--tol", tolerance, *[w for r in retypes for w in ("--retype", r)], "-v")
        for backend in ("cpu", "reference"):
            # Fewer bits tell in the logits, and in the bytes; what is computed in between is as it was.
            for retypes, tolerance, state in ((["state=f16"], "3e-3", 2), (["state=f8e4m3"], "0.2", 1), (["state=f16", "weights=f16"], "1e-2", 2)):
                _, plain = run(backend, tolerance=tolerance)
                _, err = run(backend, *retypes, tolerance=tolerance)
                bytes_of = lambda text: int(re.search(r"state (\d+)", text)[1])
                self.assertEqual(bytes_of(err) * 4, bytes_of(plain) * state)
        self.run_plan(*self.base, "--retype", "state=f8", "--tokens", "1", code=1, names=["f8e4m3", "f8` is not a dtype"])
        self.run_plan(*self.base, "--retype", "state", "--tokens", "1", code=2, names=["--retype"])

    def test_folders_serve_as_weights_and_as_config(self):
        ask = ["--tokens", "1,2,3", "--generate", "3"]
        plain, _ = self.run_plan(LLAMA, "--config", GOLDEN / "config.json", "--weights", GOLDEN / "model.safetensors", *ask)
        self.assertRegex(plain, r"^\d+,\d+,\d+\n$")
        for words in (["--weights", GOLDEN], ["--weights", GOLDEN, "--config", GOLDEN], ["--weights", GOLDEN / "model.safetensors", "--config", GOLDEN]):
            self.assertEqual(self.run_plan(LLAMA, *words, *ask)[0], plain, words)
        empty = self.folder / "empty"
        empty.mkdir()
        self.run_plan(LLAMA, "--weights", GOLDEN, "--config", empty, *ask, code=1, names=["empty/config.json"])
        self.run_plan(LLAMA, "--weights", GOLDEN / "model.safetensors", *ask, code=1, names=["E0205", "--config config.json"])
        # the config of the folder gives way to one that is named
        other = json.loads((GOLDEN / "config.json").read_text())
        self.file("other.json", json.dumps({**other, "model_type": "frob"}))
        self.run_plan(LLAMA, "--weights", GOLDEN, "--config", "other.json", *ask, code=1, names=["frob"])

    def test_warnings_of_a_program_are_told_as_plan_tells_them(self):
        config = json.loads((GOLDEN / "config.json").read_text())
        self.file("config.json", json.dumps({**config, "clip_qkv": 6.0}))
        words = [LLAMA, "--config", "config.json", "--weights", GOLDEN / "model.safetensors", "--tokens", "1,2,3", "--generate", "1"]
        plain, told = self.run_plan(*words, names=["warning[W0205]", "config.clip_qkv"])
        p = limited.run([RUNNER.parent / "irplan", "plan", LLAMA, "--config", "config.json", "--target", "cpu", "-o", "plan.json"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertTrue(told.startswith(p.stderr), told)
        quiet, left = self.run_plan(*words, "--allow", "W0205")
        timeless = lambda text: re.sub(r"first new one after .*", "", text)
        self.assertEqual((quiet, timeless(told[len(p.stderr):])), (plain, timeless(left)))
        for deny in (["--deny", "W0205"], ["--deny-warnings"]):
            self.assertEqual(self.run_plan(*words, *deny, code=1, names=["error[W0205]"])[0], "")
        self.run_plan(*words, "--allow", "W9999", code=2, names=["--allow takes W0201"])
        # a plan has had its warnings when it was made
        of_plan = ["plan.json", *words[3:]]
        self.assertNotIn("W0205", self.run_plan(*of_plan)[1])
        self.run_plan(*of_plan, "--deny", "W0205", code=2, names=["--deny goes with a program"])

    def test_an_expectation_ends_with_a_verdict(self):
        words = [LLAMA, "--weights", GOLDEN, "--tokens", f"@{GOLDEN / 'tokens.npy'}", "--let", "every=true"]
        _, err = self.run_plan(*words, "--expect", f"logits=@{GOLDEN / 'logits.npy'}")
        self.assertRegex(err.splitlines()[-1], r"^logits: as expected: max\|a - b\| = \S+, \S+ of max\|b\|, within --tol 0.001; "
                                               r"top-1 agrees in 96 of 96 rows$")
        _, err = self.run_plan(*words, "--expect", f"logits=@{GOLDEN / 'logits.npy'}", "--tol", "0", code=3)
        self.assertRegex(err.splitlines()[-1], r"^error: logits: not as expected: max\|a - b\| = \S+ is above 0 .*; top-1 agrees in 96 of 96 rows$")
        logits = bytearray((GOLDEN / "logits.npy").read_bytes())
        at = len(logits) - 4 * 128 * (2 * 48 - 3) + 4 * 5  # row 3, token 5
        logits[at:at + 4] = struct.pack("<f", 100)
        self.file("bad.npy", bytes(logits))
        _, err = self.run_plan(*words, "--expect", "logits=@bad.npy", code=3, names=["at [0, 3, 5]", "expected 100;", "top-1 agrees in 95 of 96 rows"])
        self.run_plan(*words, "--expect", "logit=@bad.npy", code=1, names=["logit"])
        # where every position is expected of the last one's logits
        _, err = self.run_plan(*words[:-2], "--expect", f"logits=@{GOLDEN / 'logits.npy'}", code=3, names=["`--let every=true`"])
        self.file("other.npy", npy([2, 48, 127], [0.0] * (2 * 48 * 127)))
        self.assertNotIn("every", self.run_plan(*words[:-2], "--expect", "logits=@other.npy", code=3)[1])

    def test_tokens_that_cannot_be(self):
        for args, code, names in ((["--tokens", "1,100000"], 1, ["100000"]), (["--tokens", "1,-1"], 1, ["-1"]),
                                  (["--tokens", "1,2,3", "--generate", "100000"], 1, ["100000" [:3]]), (["--tokens", "a,b"], 2, ["a,b"]),
                                  (["--tokens", "1,2,3", "--chunks", "1,1"], 1, ["--chunks"]), (["--tokens", "@gone.npy"], 1, ["gone.npy"]),
                                  (["--tokens", ",".join(["1"] * 400)], 1, ["tokens"])):
            self.run_plan(*self.base, *args, "--output", "logits=@none.npy", code=code, names=names)
            self.assertEqual(self.files(), [])

    def test_a_profile_names_operators(self):
        _, err = self.run_plan(*self.base, "--tokens", "1,2,3", "--profile")
        for word in ("linear", "attention", "GB/s", "slowest ops"):
            self.assertIn(word, err)


class Requests(Case):
    """Many requests at once give what each gives alone; the trace holds every one of them, in time."""

    def setUp(self):
        super().setUp()
        subprocess.run([IRPLAN, "plan", LLAMA, "--config", GOLDEN / "config.json", "-o", self.folder / "plan.json"],
                       check=True, capture_output=True)
        self.base = ["plan.json", "--weights", GOLDEN]

    def serve(self, requests, *args, code=0, names=()):
        self.file("requests.jsonl", "".join(json.dumps(r) + "\n" for r in requests))
        out, err = self.run_plan(*self.base, "--requests", "requests.jsonl", "--trace", "trace.jsonl", *args, code=code, names=names)
        answers = {a["req_id"]: a["tokens"] for a in map(json.loads, out.splitlines())}
        return answers, [json.loads(line) for line in (self.folder / "trace.jsonl").read_text().splitlines()], err

    def test_every_request_gets_what_it_gets_alone(self):
        requests = [{"req_id": f"r{i}", "arrival_us": 300 * i, "tokens": [(7 * i + 3 * k) % 128 for k in range(1 + 5 * i % 37)],
                     "max_new_tokens": 1 + i % 6} for i in range(12)]
        answers, trace, _ = self.serve(requests)
        self.assertEqual(set(answers), {r["req_id"] for r in requests})
        for r in requests:
            alone, _ = self.run_plan(*self.base, "--tokens", ",".join(map(str, r["tokens"])), "--generate", r["max_new_tokens"])
            self.assertEqual(answers[r["req_id"]], [int(t) for t in alone.split(",")], r["req_id"])
        times = [e["ts_us"] for e in trace]
        self.assertEqual(times, sorted(set(times)))
        batches = {}
        for r in requests:
            mine = [e for e in trace if e["req_id"] == r["req_id"]]
            self.assertEqual([e["event"] for e in mine],
                             ["enqueue", "schedule"] + ["decode"] * r["max_new_tokens"] + ["complete"])
            self.assertGreaterEqual(mine[0]["ts_us"], r["arrival_us"])
            self.assertEqual([e["step"] for e in mine if e["event"] == "decode"], list(range(r["max_new_tokens"])))
            self.assertEqual(mine[-1]["total_tokens"], len(r["tokens"]) + r["max_new_tokens"])
            self.assertGreater(mine[1]["kv_alloc_bytes"], 0)
            for e in mine:
                batches.setdefault(e.get("batch_id"), set()).add(e["req_id"])
        self.assertTrue(any(len(b) > 1 for b in batches.values()), "nothing was decoded together")

    def test_a_budget_over_bytes_is_kept_outside_of_serving_too(self):
        for budget, fits in (("state <= 786432B", False), ("decode.state <= 786432B", True), ("state + arena < 99MiB", True)):
            program = self.file("tight.irplan", LLAMA.read_text() + f"\nbudget {budget}\n")
            subprocess.run([IRPLAN, "plan", program, "--config", GOLDEN / "config.json", "-o", self.folder / "tight.json"], check=True,
                           capture_output=True)
            self.run_plan("tight.json", "--weights", GOLDEN / "model.safetensors", "--phase", "prefill", "--dim", "B=3", "--dim", "S=2",
                          "--dim", "P=0", "--input", "tokens=const:1", "--output", "logits=@l.npy", code=0 if fits else 1,
                          names=[] if fits else ["over the budget `state <= 786432B`: 1179648 of 786432 bytes"])

    def test_a_trace_is_a_table(self):
        """What reads it as rows of scalars (a data frame, a replay for training a scheduler) finds the plan's and the summary's numbers."""
        COLUMNS = {"enqueue": {"tokens_requested"}, "schedule": {"batch_id", "kv_alloc_bytes"}, "decode": {"batch_id", "step", "latency_us"},
                   "complete": {"total_tokens", "latency_us"}, "reject": {"reason"}}
        requests = [{"req_id": f"r{i}", "arrival_us": 50 * i, "tokens": [i + 1] * (3 + i), "max_new_tokens": 3} for i in range(5)]
        requests.append({"req_id": "bad", "arrival_us": 120, "tokens": [5000], "max_new_tokens": 1})
        answers, trace, err = self.serve(requests, code=3)
        for e in trace:
            self.assertEqual(set(e), {"ts_us", "event", "req_id"} | COLUMNS[e["event"]], e)
            self.assertTrue(all(type(e[k]) is (str if k in ("event", "req_id", "reason") else int) for k in e), e)
        of = lambda kind: [e for e in trace if e["event"] == kind]
        arrivals = {r["req_id"]: r for r in requests}
        self.assertEqual([(e["ts_us"], e["tokens_requested"]) for e in of("enqueue") if e["req_id"] == "r4"], [(200, 3)])
        self.assertEqual({e["req_id"]: e["total_tokens"] for e in of("complete")},
                         {name: len(arrivals[name]["tokens"]) + len(answers[name]) for name in answers})
        for e in of("complete"):
            # ts_us is moved on by a microsecond where another event has it
            self.assertIn(e["ts_us"] - arrivals[e["req_id"]]["arrival_us"] - e["latency_us"], range(len(trace)))
        # what runs together is one step, and took one time
        steps = {}
        for e in of("decode"):
            steps.setdefault(e["batch_id"], set()).add(e["latency_us"])
        self.assertTrue(all(len(times) == 1 for times in steps.values()), steps)
        plan = json.loads((self.folder / "plan.json").read_text())
        each = next(p["tokens"]["state_bytes_each"] for p in plan["phases"] if p["name"] == "decode")
        longest = max(len(r["tokens"]) + r["max_new_tokens"] for r in requests)
        slot = int(re.search(r"each of (\d+) tokens and (\d+) bytes of state", err)[2])
        self.assertEqual({e["kv_alloc_bytes"] for e in of("schedule")}, {slot})
        self.assertGreaterEqual(slot, each * longest)
        self.assertIn(f"tokens: {sum(len(arrivals[n]['tokens']) for n in answers)} read, {len(of('decode'))} generated", err)
        self.assertIn(f"served {len(of('complete'))} requests, rejected {len(of('reject'))}", err)

    def test_what_cannot_be_served_is_rejected_and_the_rest_goes_on(self):
        answers, trace, _ = self.serve([{"req_id": "long", "arrival_us": 0, "tokens": [1] * 300, "max_new_tokens": 2},
                                        {"req_id": "none", "arrival_us": 1, "tokens": [], "max_new_tokens": 2},
                                        {"req_id": "word", "arrival_us": 2, "tokens": [128], "max_new_tokens": 2},
                                        {"req_id": "good", "arrival_us": 3, "tokens": [1, 2], "max_new_tokens": 2}], code=3,
                                       names=["rejected 3"])
        self.assertEqual(set(answers), {"good"})
        reasons = {e["req_id"]: e["reason"] for e in trace if e["event"] == "reject"}
        self.assertEqual(set(reasons), {"long", "none", "word"})
        self.assertRegex(reasons["long"], r"300 tokens of prompt and 2 new ones, which keep 301 tokens in the cache; the plan holds up to \d+ of a sequence")
        self.assertIn("128", reasons["word"])

    def test_a_budget_holds(self):
        # Two sequences of 256 positions, as each spelling says.
        for budget in ("state <= 786432B", "786433B > state", "decode.state <= 786432B"):
            with self.subTest(budget):
                self.check_two_at_once(budget)

    def check_two_at_once(self, budget):
        self.file("tight.irplan", LLAMA.read_text() + f"\nbudget {budget}\n")
        subprocess.run([IRPLAN, "plan", self.folder / "tight.irplan", "--config", GOLDEN / "config.json", "-o", self.folder / "plan.json"],
                       check=True, capture_output=True)
        requests = [{"req_id": str(i), "arrival_us": 0, "tokens": [i + 1, 5], "max_new_tokens": 5} for i in range(5)]
        answers, trace, _ = self.serve(requests)
        self.assertEqual(len(answers), 5)
        self.assertEqual(self.most_at_once(trace), 2)

    def most_at_once(self, trace):
        running, most = set(), 0
        for e in trace:
            if e["event"] == "schedule":
                running.add(e["req_id"])
            if e["event"] == "complete":
                running.discard(e["req_id"])
            most = max(most, len(running))
        return most

    def test_slots_and_chunks_are_chosen(self):
        requests = [{"req_id": str(i), "arrival_us": 0, "tokens": [i + 1] * 40, "max_new_tokens": 5} for i in range(6)]
        every, trace, err = self.serve(requests)
        self.assertEqual(self.most_at_once(trace), 6)
        self.assertIn("slots: 6,", err)
        for words, most in ((["--slots", "2"], 2), (["--slots", "3", "--chunks", "7"], 3), (["--chunks", "1"], 6)):
            answers, trace, err = self.serve(requests, *words)
            self.assertEqual(answers, every)
            self.assertEqual(self.most_at_once(trace), most)
        self.assertIn("in steps of up to 1\n", err)
        self.run_plan(*self.base, "--requests", "requests.jsonl", "--slots", "4000", code=1, names=["--slots 4000", "the plan holds"])
        for most in (2**62, 2**63 - 1):
            self.run_plan(*self.base, "--requests", "requests.jsonl", "--slots", str(most), code=1, names=[f"--slots {most}", "at most 1048576 requests"])
        self.run_plan(*self.base, "--tokens", "1,2", "--chunks", f"{2**63 - 1},1", code=1, names=["they sum to more than 2^63"])
        self.run_plan(*self.base, "--tokens", "1,2", "--chunks", str(2**63 - 1), code=1, names=[f"they sum to {2**63 - 1}, but there are 2 tokens"])
        self.run_plan(*self.base, "--requests", "requests.jsonl", "--chunks", "4,4", code=2, names=["--chunks takes one size"])
        self.run_plan(*self.base, "--tokens", "1,2", "--slots", "4", code=2, names=["--slots goes with --requests"])

    def test_shorter_steps_make_room_for_more_slots(self):
        requests = [{"req_id": str(i), "arrival_us": 0, "tokens": [i + 1] * 100, "max_new_tokens": 5} for i in range(6)]
        _, _, err = self.serve(requests)
        whole = [int(n) for n in re.search(r"weights (\d+) \+ state (\d+) \+ inputs (\d+) \+ arena (\d+)", err).groups()]
        # Room for all six states, with a tenth of the arena that steps of 100 tokens take.
        limit = sum(whole[:3]) + whole[3] // 10
        subprocess.run([IRPLAN, "plan", LLAMA, "--config", GOLDEN / "config.json", "--budget", f"memory <= {limit}B", "-o",
                        self.folder / "plan.json"], check=True, capture_output=True)
        _, trace, err = self.serve(requests)
        self.assertEqual(self.most_at_once(trace), 6)
        self.assertLess(int(re.search(r"in steps of up to (\d+)", err)[1]), 100)
        _, trace, _ = self.serve(requests, "--chunks", "100")
        self.assertLess(self.most_at_once(trace), 6)

    def test_the_end_tells_what_happened(self):
        requests = [{"req_id": str(i), "arrival_us": 0, "tokens": [i + 1] * 3, "max_new_tokens": 4} for i in range(5)]
        err = self.serve(requests)[2]
        self.assertRegex(err, r"served 5 requests, rejected 0, in [\d.]+ (s|ms|µs) of steps\n"
                              r"tokens: 15 read, 20 generated, [\d.]+ a second of steps; at most 5 requests at once\n"
                              r"time to first token: p50 \S+ (µs|ms|s), p90 \S+ (µs|ms|s), p99 \S+ (µs|ms|s)\n"
                              r"decode step: p50 ")

    def test_a_process_drives_it(self):
        """Answers come while standard input is open; what is sent later is served later; what is wrong is answered."""
        p = subprocess.Popen([RUNNER, *map(str, self.base), "--requests", "-", "--slots", "2", "--trace", "trace.jsonl"], cwd=self.folder,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limited.limit(60))
        def ask(*requests):
            p.stdin.write("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in requests).encode())
            p.stdin.flush()
        def answers(count):
            return {a.get("req_id", a.get("line")): a for a in (json.loads(p.stdout.readline()) for _ in range(count))}
        first = {"req_id": "a", "tokens": [1, 2, 3], "max_new_tokens": 4}
        ask(first)
        alone, _ = self.run_plan(*self.base, "--tokens", "1,2,3", "--generate", "4")
        self.assertEqual(answers(1)["a"]["tokens"], [int(t) for t in alone.split(",")])
        ask({**first, "req_id": "b"}, {**first, "req_id": "c"}, {**first, "req_id": "d"}, {**first, "req_id": "e", "tokens": [4000]},
            "no request\n", {"req_id": "f", "tokens": [1]})
        told = answers(6)
        for name in "bcd":
            self.assertEqual(told[name]["tokens"], [int(t) for t in alone.split(",")])
        self.assertIn("4000", told["e"]["error"])
        self.assertIn("object", told[6]["error"])
        self.assertIn("max_new_tokens", told["f"]["error"])
        ask({**first, "req_id": "a"})  # a name may come again once it is answered
        self.assertIn("tokens", answers(1)["a"])
        p.stdin.close()
        self.assertEqual(p.stdout.read(), b"")
        err = p.stderr.read().decode()
        self.assertEqual(p.wait(limited.WATCH), 1, err)
        p.stdout.close(), p.stderr.close()
        self.assertIn("served 5 requests, rejected 1, malformed lines 2, in ", err)
        self.assertIn("standard input:6: is not a JSON object", err)
        trace = [json.loads(line) for line in (self.folder / "trace.jsonl").read_text().splitlines()]
        self.assertEqual(self.most_at_once(trace), 2)
        times = [e["ts_us"] for e in trace]
        self.assertEqual(times, sorted(set(times)))

    def test_lines_that_are_no_requests(self):
        good = {"req_id": "a", "arrival_us": 0, "tokens": [1], "max_new_tokens": 1}
        for bad, name in (("[]", "object"), ("{", "object"), (json.dumps({**good, "tokens": "x"}), "tokens"), (json.dumps({**good, "req_id": 7}), "req_id"),
                          (json.dumps({**good, "arrival_us": -1}), "arrival_us"), (json.dumps({**good, "max_new_tokens": 0.5}), "max_new_tokens"),
                          (json.dumps(good), "twice")):
            self.file("requests.jsonl", json.dumps(good) + "\n" + bad + "\n")
            self.run_plan(*self.base, "--requests", "requests.jsonl", code=1, names=["requests.jsonl:2", name])
        self.run_plan(*self.base, "--requests", "gone.jsonl", code=1, names=["gone.jsonl"])


if __name__ == "__main__":
    if not RUNNER.is_file():
        print(f"no {RUNNER}")
        sys.exit(77)
    unittest.main()
