#!/usr/bin/env python3
"""The command irplan from outside: exit codes, streams, files, limits, and what it prints."""
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
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
IRPLAN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin")) / "irplan"
HOTPATH = ROOT / "examples/hotpath.irplan"
LLAMA = ROOT / "examples/models/llama.irplan"
PROGRAM = IRPLAN.read_bytes()
# Of a machine, and of a build with sanitizers, or without optimisation as `./dev coverage` makes it.
SLOWNESS = limited.SLOWER * (20 if b"__asan_init" in PROGRAM else 4 if b"__llvm_profile" in PROGRAM else 1)
COMMANDS = "plan check fit fmt explain diff ops kernels passes pack new link lsp completion man".split()


def spent():
    """Processor seconds of all commands so far: what else a machine does is not counted."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def irplan(self, *args, stdin=None, cwd=None, code=0):
        p = limited.run([IRPLAN, *args], input=stdin, capture_output=True, cwd=cwd or self.folder, seconds=120,
                        env={**os.environ, "NO_COLOR": ""})
        out, err = p.stdout.decode(), p.stderr.decode()
        self.assertNotIn("a fault of its own", err)  # what is thrown comes to no edge
        self.assertEqual(p.returncode, code, f"irplan {' '.join(map(str, args))}\n{out[:500]}\n{err[:2000]}")
        return out, err

    def file(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def files(self):
        return sorted(p.name for p in self.folder.iterdir())


class Usage(Case):
    def test_help_of_everything_has_usage_and_examples(self):
        out, err = self.irplan("--help")
        self.assertIn("Usage: irplan", out)
        self.assertEqual(err, "")
        for name in COMMANDS:
            self.assertIn(f"\n  {name} ", out)
            for form in ([name, "--help"], ["help", name], [name, "-h"]):
                text, err = self.irplan(*form)
                self.assertRegex(text, rf"\AUsage: irplan {name}")
                self.assertIn("Examples:\n", text)
                self.assertEqual(err, "")

    def test_version(self):
        self.assertRegex(self.irplan("--version")[0], r"\Airplan \d+\.\d+\.\d+\n\Z")

    def test_nothing_at_all_shows_how_it_is_used(self):
        out, err = self.irplan(code=2)
        self.assertEqual(out, "")
        self.assertIn("Usage:", err)

    def test_wrong_usage_is_2_and_names_what_is_wrong(self):
        for args, word in ((["--no-such-option"], "--no-such-option"), (["plan"], "FILE"), (["plan", HOTPATH, "--dim"], "DIM=N"),
                           (["plan", HOTPATH, "--dim", "S=many"], "many"), (["plan", HOTPATH, "--dim", "S"], "DIM=N"),
                           (["plan", HOTPATH, "--dim", "S=99999999999999999999"], "64 bits"), (["plan", HOTPATH, "--let", "=3"], "=3"),
                           (["plan", HOTPATH, "--let", "C=1", "--let", "C=2"], "--let C is given twice"),
                           (["plan", HOTPATH, "--dim", "S=1", "--dim", "S=2"], "--dim S is given twice"),
                           (["plan", HOTPATH, "--format=yaml"], "yaml"), (["plan", HOTPATH, "--explain=yes"], "--explain"),
                           (["plan", HOTPATH, HOTPATH], "hotpath.irplan"), (["plan", HOTPATH, "-o", "a", "-o", "b"], "twice"),
                           (["plan", HOTPATH, "--dump-after=shapes"], "`shape`"), (["plna"], "`plan`"),
                           (["completion", "csh"], "csh"), (["completion", "bahs"], "`bash`"), (["help", "plna"], "`plan`"),
                           (["plan", HOTPATH, "--strength=exat"], "`exact`"), (["check", HOTPATH, "--format=jsn"], "`json`"),
                           (["plan", HOTPATH, "--retype", "state=f16", "--retype", "state=f8e4m3"], "--retype state is given twice"), (["fmt", "a", "b", "-o", "c"], "--output")):
            out, err = self.irplan(*args, code=2)
            self.assertEqual(out, "", args)
            self.assertIn(word, err, args)
        self.assertIn("--target cuda:sm_90`", self.irplan("plan", HOTPATH, "--target=cuda:sm90", code=1)[1])
        self.assertIn("`reshape` is `view` here: view(x, shape=…)", self.irplan("ops", "reshape", code=1)[1])
        self.assertIn("--deny-warnings", self.irplan("plan", HOTPATH, "--deny-warning", code=2)[1])

    def test_options_in_every_spelling(self):
        plans = {self.irplan(*args, "-o", "-")[0] for args in (
            ["plan", HOTPATH, "--dim", "S=64"], ["plan", "--dim=S=64", HOTPATH], [HOTPATH, "-dS=64"], [HOTPATH, "-d", "S=64"],
            ["--input", HOTPATH, "--dim", "S=6_4"], ["--dim=S=64", "plan"][:1] + [HOTPATH])}
        self.assertEqual(len(plans), 1)


class Plans(Case):
    def test_the_known_form_writes_the_plan(self):
        out, err = self.irplan("--input", HOTPATH, "--output", "plan.json")
        plan = json.loads((self.folder / "plan.json").read_text())
        self.assertEqual([(o["id"], o["op"], o["kernel"]) for o in plan["ops"]],
                         [("n", "rmsnorm", "cuda_rmsnorm_v1"), ("r", "rope", "cuda_rope_v1"), ("s", "silu", "cuda_silu_v1")])
        self.assertEqual((plan["memory_plan"]["peak_bytes"], plan["memory_plan"]["reuse_buffers"]), (33554432, True))
        self.assertEqual(out, "")
        self.assertIn("warning[W0301]", err)
        self.assertEqual(self.files(), ["plan.json"])

    def test_without_o_the_plan_is_the_result(self):
        self.assertEqual(json.loads(self.irplan(HOTPATH)[0])["version"], "0.1.0")

    def test_stdin_and_stdout(self):
        out, _ = self.irplan("plan", "-", "-o", "-", stdin=HOTPATH.read_bytes())
        self.assertEqual(json.loads(out)["source"]["file"], "stdin.irplan")

    def test_a_failed_compile_leaves_the_old_plan_and_nothing_else(self):
        kept, bad = self.file("kept.json", "kept"), self.file("bad.irplan", "x = nothing\nout = output(x)\n")
        out, err = self.irplan("plan", bad, "-o", kept, code=1)
        self.assertEqual((out, kept.read_text(), self.files()), ("", "kept", ["bad.irplan", "kept.json"]))
        self.assertRegex(err, r"error\[E0201\][\s\S]*bad\.irplan:1:5")

    def test_writing_keeps_mode_and_links(self):
        real = self.file("real.json", "old")
        real.chmod(0o640)
        (self.folder / "link.json").symlink_to("real.json")
        self.irplan("plan", HOTPATH, "-o", "link.json")
        self.assertTrue((self.folder / "link.json").is_symlink())
        self.assertEqual(real.stat().st_mode & 0o777, 0o640)
        self.assertIn("ops", json.loads(real.read_text()))

    def test_devices_take_the_bytes(self):
        self.irplan("plan", HOTPATH, "-o", "/dev/null")
        self.assertTrue(Path("/dev/null").is_char_device())
        _, err = self.irplan("plan", HOTPATH, "-o", "/dev/full", code=1)
        self.assertIn("/dev/full", err)

    def test_files_that_cannot_be_read_or_written_are_named(self):
        for args, name in ((["plan", "absent.irplan"], "absent.irplan"), (["plan", "."], "."), (["check", "absent"], "absent"),
                           (["plan", HOTPATH, "-o", "no/such/p.json"], "no/such/p.json"), (["plan", HOTPATH, "-o", "."], "."),
                           (["plan", LLAMA, "--config", "absent.json"], "absent.json"), (["fmt", "gone.irplan"], "gone.irplan"),
                           (["explain", "gone.json"], "gone.json"), (["pack", "gone.csv"], "gone.csv")):
            out, err = self.irplan(*args, code=1)
            self.assertEqual(out, "")
            self.assertIn(name, err)
        self.assertEqual(self.files(), [])

    def test_a_space_before_a_unit(self):
        err = self.irplan("check", self.file("s.irplan", "budget memory <= 20 GiB\ninput x: f16[4]\nout = output(exp(x))\n"), code=1)[1]
        self.assertIn("write `20GiB`", err)

    def test_template_and_config_are_one_choice(self):
        self.assertIn("--template", self.irplan("new", "n.irplan", "--template=mlp", "--config", "c.json", code=2)[1])

    def test_sizes_of_nothing_are_refused_by_name(self):
        self.assertIn("`--dim Q`", self.irplan("plan", HOTPATH, "--dim", "Q=3", code=1)[1])
        self.assertIn("`--let zz`", self.irplan("plan", HOTPATH, "--let", "zz=3", code=1)[1])
        config = ROOT / "examples/configs/llama-3.2-1b.json"
        self.assertRegex(self.irplan("check", LLAMA, "--config", config, "--let", "C=foo", code=1)[1],
                         r"--> command line:1:9\n  \|\n1 \| --let C=foo\n")

    def test_limits_are_diagnostics_and_fast(self):
        big = self.file("big.irplan", b"a" * 50_000_000)
        start = spent()
        _, err = self.irplan("plan", big, code=1)
        self.assertLess(spent() - start, 1 * SLOWNESS)
        self.assertRegex(err, r"error\[E0106\]: the source has 50000000 bytes[\s\S]*big\.irplan")
        _, err = self.irplan("plan", self.file("words.irplan", b"a;" * 1_200_000), code=1)
        self.assertRegex(err, r"error\[E0109\][\s\S]*words\.irplan")

    def test_nothing_in_a_text_takes_long_or_crashes(self):
        many, end = 100_000, "input x: f32[2, 8]\nout = output(silu(x))\n"
        for text, code in (
                (random.Random(1).randbytes(50_000_000), "E0106"), (random.Random(1).randbytes(4_000_000), "E0107"),
                (b"let a = 1\0\n", "E0107"), (b"# \xff\xfe\n", "E0107"), (b"a;" * 1_200_000, "E0109"),
                ("if true {\n" * many, "E0108"), ("let a = " + "[" * many + "]" * many, "E0108"), ("let a = " + "(" * many, "E0108"),
                ("let a = " + "{a: " * many, "E0108"), ('let a = "' + '{"' * many + '"}' * many + '"\n', "E0108"),
                ("let a = " + "1 + " * 900_000 + "1\n", "E0108"), ("let c = {}\nlet a = c" + ".a" * 900_000, "E0108"),
                ("let a = " + "9" * 1_000_000, "E0104"), ('"\n' * 900_000, "E0102"), ("let a = [" + "1, " * 500_000 + "1]\n", "E0269"),
                ("let a = {" + ", ".join(f"a{i}: 1" for i in range(many)) + "}\n", "E0269"),
                ("".join(f"dim D{i} in 1..9\n" for i in range(many)) + end, "E0270"),
                ("".join(f"input x{i}: f32[S{i}, 4]\n" for i in range(many // 2)) + "out = output(x1)\n", "E0270"),
                ("input x: f32[S, T]\nlet a0 = min(S, T)\n" + "".join(
                    f"let a{i + 1} = min(a{i}, max(a{i} + S, T)) + a{i}\n" for i in range(600)) + "out = output(x)\n", "E0271"),
                ("input x: f32[4]\n" + "".join(f"o{i} = output(silu(x))\n" for i in range(many // 2)), "E0501"),
                ("fn f0(a) { return a + 1 }\n" + "".join(f"fn f{i + 1}(a) {{ return f{i}(f{i}(a)) }}\n" for i in range(60)) +
                 "let n = f60(1)\n" + end, "E0222"),
                ("let a0 = [1]\n" + "".join(f"let a{i + 1} = [a{i}]\n" for i in range(many)), "E0108"),
                ("let a0 = {a: 1}\n" + "".join(f"let a{i + 1} = {{a: a{i}}}\n" for i in range(many)), "E0108"),
                ("let a0 = [1]\n" + "".join(f"let a{i + 1} = [a{i}, a{i}]\n" for i in range(60)) + "require a60 == a60\n" + end, "E0222"),
                ("let l = [" + "1, " * 4000 + "1]\nfor i in 100000 { require !has(l, 7) }\n" + end, "E0222"),
                ("for i in 1000000000 { }\n" + end, "E0236"), ("for i in 100000 { for j in 100000 { let a = i } }\n" + end, "E0222")):
            path = self.file("bad.irplan", text)
            start = spent()
            _, err = self.irplan("check", path, code=1)
            self.assertLess(spent() - start, 1 * SLOWNESS)
            self.assertIn(f"error[{code}]", err, text[:60])
            if code != "E0102":
                self.assertEqual(err.count("\nerror[") + err.startswith("error["), 1, text[:60])

    def test_many_mistakes_and_names_take_no_longer(self):
        many = 50_000
        for text, code in (("".join(f"y{i} = silu(zz{i})\n" for i in range(many)), "E0201"), ("for i in 2 { " * many, "E0204"),
                           ("".join(f"let aaaaaaaa{i} = {i}\n" for i in range(many)) +
                            "".join(f"let b{i} = aaaaaaab{i}\n" for i in range(many)), "E0201"),
                           ("input x: f32[4]\n" + ", ".join(f"y{i}" for i in range(many)) + " = split(x, sizes=[1, 3])\n", "E0233"),
                           ("input x: f32[4]\ny = concat(" + ", ".join(["x"] * many) + ", z)\n", "E0201")):
            start = spent()
            _, err = self.irplan("check", self.file("bad.irplan", text), code=1)
            self.assertLess(spent() - start, 1 * SLOWNESS)
            self.assertIn(f"error[{code}]", err, text[:60])

    def test_layout_of_a_large_text_is_linear(self):
        plain = self.file("plain.irplan", "".join(f"let a{i} = {i}\n" for i in range(100_000)) + "# the only remark\n")
        start = spent()
        self.irplan("fmt", "--check", plain)
        self.assertLess(spent() - start, 4 * SLOWNESS)

    def test_dumps_and_reports_are_results(self):
        out, _ = self.irplan("plan", HOTPATH, "--dump-after=shape", "--dump-after", "emit")
        self.assertIn("# after shape\n", out)
        self.assertIn("# after emit\n{", out)
        out, _ = self.irplan("plan", HOTPATH, "--explain", "-o", "p.json")
        self.assertIn("peak", out)
        self.assertEqual(self.files(), ["p.json"])

    def test_warnings_can_be_denied(self):
        out, err = self.irplan("plan", HOTPATH, "--deny-warnings", code=1)
        self.assertEqual(out, "")
        self.assertIn("error[W0301]", err)

    def test_colour_only_where_it_is_wanted(self):
        self.assertNotIn("\x1b", self.irplan("check", HOTPATH)[1])
        self.assertIn("\x1b", self.irplan("check", HOTPATH, "--color=always")[1])
        self.assertIn("\x1b", self.irplan("check", HOTPATH, "--color", "always")[1])


class Texts(Case):
    def test_check_as_json(self):
        bad = self.file("bad.irplan", "x = nothing\ny = neither\nout = output(x)\n")
        found = json.loads(self.irplan("check", bad, "--format=json", code=1)[0])
        self.assertEqual([(d["code"], d["line"], d["column"]) for d in found], [("E0201", 1, 5), ("E0201", 2, 5)])
        self.assertEqual(json.loads(self.irplan("check", self.file("good.irplan", "input x: f32[4]\nout = output(x)\n"), "--format=json")[0]), [])

    def test_json_holds_what_the_terminal_shows(self):
        seen = set()
        for path in sorted((ROOT / "tests/golden").glob("bad-*.irplan")):
            text = path.read_text()
            given = text.partition("#--- config\n")[2].partition("#---")[0].replace("# ", "").replace("#", "")
            args = ["--config", self.file("config.json", given)] if given else []
            if "--target" in text.split("\n")[0] or "--d" in text.split("\n")[0] or "--retype" in text.split("\n")[0]:
                continue
            shown = self.irplan("check", path, *args, code=1)[1]
            listed = json.loads(self.irplan("check", path, *args, "--format=json", code=1)[0])
            self.assertEqual([f"{d['severity']}[{d['code']}]: {d['message']}" for d in listed],
                             re.findall(r"^(?:error|warning)\[.*", shown, re.M), path)
            for d in listed:
                seen.add((d["code"], d["message"]))
                self.assertIn(f"{path.name}:{d['line']}:{d['column']}\n", shown)
                for note in d["notes"]:
                    self.assertIn(f"= {note}\n", shown)
                for fix in d["fixes"]:
                    self.assertIn(f"= help: {fix['message']}\n", shown)
                for label in d["labels"]:
                    self.assertIn(label["message"], shown)
        self.assertGreater(len(seen), 120)

    def test_check_of_several_files_looks_at_all(self):
        _, err = self.irplan("check", self.file("a.irplan", "x = one\n"), HOTPATH, self.file("b.irplan", "x = two\n"), code=1)
        self.assertIn("a.irplan:1:5", err)
        self.assertIn("b.irplan:1:5", err)

    def test_fmt(self):
        ugly = "input x:f32[ 4 ]   # four\n\n\n\nout=output( silu(x) )\n"
        out, err = self.irplan("fmt", "-", stdin=ugly.encode())
        self.assertEqual(err, "")
        self.assertIn("# four", out)
        self.assertEqual(self.irplan("fmt", "-", stdin=out.encode())[0], out)
        path = self.file("u.irplan", ugly)
        self.assertEqual(self.irplan("fmt", "--check", path, code=3)[0], f"{path}\n")
        self.assertEqual(path.read_text(), ugly)
        self.irplan("fmt", path)
        self.assertEqual(path.read_text(), out)
        self.assertEqual(self.irplan("fmt", "--check", path)[0], "")
        broken = self.file("broken.irplan", "let a = \n")
        self.assertIn("error[E01", self.irplan("fmt", broken, code=1)[1])
        self.assertEqual(broken.read_text(), "let a = \n")

    def test_the_examples_are_laid_out_and_short(self):
        programs = sorted((ROOT / "examples").rglob("*.irplan"))
        self.assertGreaterEqual(len(programs), 7)
        self.assertEqual(self.irplan("fmt", "--check", *programs)[0], "")
        for path in programs:
            lines = path.read_text().splitlines()
            self.assertLessEqual(len(lines), 84, path)
            self.assertLessEqual(max(map(len, lines)), 130, path)

    def test_new(self):
        for kind in ("smallest", "mlp", "decoder"):
            self.irplan("new", f"{kind}.irplan", "--template", kind)
            text = (self.folder / f"{kind}.irplan").read_bytes()
            self.irplan("plan", f"{kind}.irplan", "-o", f"{kind}.json")
            self.assertEqual(self.irplan("fmt", "-", stdin=text)[0].encode(), text)
        self.assertIn("not overwritten", self.irplan("new", "mlp.irplan", code=1)[1])

    def test_new_for_a_config(self):
        config = ROOT / "examples/configs/llama-3.2-1b.json"
        out, _ = self.irplan("new", "m.irplan", "--config", config)
        self.assertIn("example llama", out)
        self.irplan("plan", "m.irplan", "--config", config, "-o", "m.json")

    def test_new_finds_the_example_of_every_config(self):
        served = {"command": "cohere", "deepseek": "deepseek_v3", "gemma": "gemma", "gpt-oss": "moe", "gpt2": "gpt2", "llama": "llama", "mistral": "llama",
                  "mixtral": "moe", "phi": "phi3", "qwen3-0.6b": "llama", "qwen3-30b": "moe"}
        configs = sorted((ROOT / "examples/configs").glob("*.json"))
        self.assertGreaterEqual(len(configs), len(served))
        for config in configs:
            name = next(example for begin, example in served.items() if config.name.startswith(begin))
            made = json.loads(self.irplan("new", f"{config.name}.irplan", "--config", config, "--format=json")[0])
            self.assertEqual((made["example"], made["fits"], made["errors"]), (name, True, []), config.name)
            text = (ROOT / f"examples/models/{name}.irplan").read_text()
            self.assertEqual((self.folder / f"{config.name}.irplan").read_text(), text)
            for program in sorted((ROOT / "examples/models").glob("*.irplan")):  # any other refuses it, and says no more than that
                if program.stem != name:
                    _, err = self.irplan("check", program, "--config", config, code=1)
                    self.assertRegex(err, r"\Aerror\[E0232\]: a requirement does not hold: only ", (program, config))
                    self.assertIn(f'model_type` is "{json.loads(config.read_text())["model_type"]}"', err)
                    self.assertNotIn("E0215", err)

    def test_new_for_an_architecture_nobody_knows(self):
        known = json.loads((ROOT / "examples/configs/llama-3.2-1b.json").read_text())
        for changes, nearest in (({"model_type": "frob", "residual_multiplier": 0.22, "frob": {"depth": 3, "list": [1, 2]}}, "llama"),
                                 ({"model_type": "frob", "num_local_experts": 8, "num_experts_per_tok": 2, "frob": {"depth": 3, "list": [1, 2]},
                                   "residual_multiplier": 1, "sliding_window": 128}, "moe")):
            config = self.file("config.json", json.dumps({**known, **changes}))
            (self.folder / "m.irplan").unlink(missing_ok=True)
            out, err = self.irplan("new", "m.irplan", "--config", config)
            self.assertIn(f"after the example {nearest};", out)
            self.assertIn("warning: no example serves", err)
            self.assertIn('\n  `model_type` is "frob", which no example names\n', err)
            for key in ("residual_multiplier", "frob.depth", "frob.list"):
                self.assertIn(f"\n  {key}\n", err)
            text = (self.folder / "m.irplan").read_text()
            self.assertRegex(text, rf"\Airplan 1\n# The nearest of the examples, {nearest}: .*\n# Keys of the config that it does not read: .*frob\.depth")
            # What it serves still stands there, so that another model is not planned as if it were this one.
            self.assertIn('"frob"', self.irplan("plan", "m.irplan", "--config", config, "-o", "m.json", code=1)[1])
            self.file("m.irplan", re.sub(r"(?m)^require .*model_type.*\n", "", text))
            self.irplan("plan", "m.irplan", "--config", config, "-o", "m.json")
            self.irplan("fmt", "--check", "m.irplan")

    def test_new_for_a_config_of_a_known_architecture_that_asks_for_more(self):
        known = json.loads((ROOT / "examples/configs/llama-3.2-1b.json").read_text())
        config = self.file("config.json", json.dumps({**known, "hidden_act": "gelu"}))
        _, err = self.irplan("new", "m.irplan", "--config", config)
        self.assertRegex(err, r"the nearest is llama, which reads (\d+) of its \1 keys:\n  a requirement does not hold: only silu\n")
        text = (self.folder / "m.irplan").read_text()
        self.assertTrue(text.startswith("irplan 1\n# The nearest of the examples, llama: it serves other configs of this architecture.\n"))
        self.assertIn("only Llama", text)  # what the program serves still stands there

    def test_new_for_a_config_of_no_model_is_refused(self):
        for text, words in (("{}", ["no `model_type`", "looks for model_type, hidden_size"]),
                            ('{"model_type": "frob", "torch_dtype": "bfloat16"}', ["`model_type` is \"frob\"", "looks for hidden_size"])):
            out, err = self.irplan("new", "m.irplan", "--config", self.file("config.json", text), code=1)
            self.assertEqual((out, self.files()), ("", ["config.json"]))
            for word in ["no example reads any key of it", *words]:
                self.assertIn(word, err)

    def test_configs_that_are_too_much(self):
        for text, why in (("[1]", "not a JSON object"), ("{", "big.json:1:2"), ('{"a": ' * 70 + "1" + "}" * 70, "nested deeper than 64"),
                          ('{"a": [' + "0," * 300_000 + "0]}", "more than 262144 values"), ('{"' + "a" * 17_000_000 + '": 1}', "16 MiB"),
                          ("{" + ",".join(f'"a{i}": 1' for i in range(300_000)) + "}", "more than 262144 values")):
            start = spent()
            _, err = self.irplan("check", LLAMA, "--config", self.file("big.json", text), code=1)
            self.assertLess(spent() - start, 1 * SLOWNESS)
            self.assertIn(why, err)
        many = self.file("many.json", "{" + ",".join(f'"a{i}": {i}' for i in range(260_000)) + ',"b": 1, "b": 2, "b": 3}')
        program = self.file("m.irplan", 'require config.a777 == 777 && config.b == 3\ninput x: f32[config.a9]\nout = output(silu(x))\n')
        start = spent()
        self.irplan("check", program, "--config", many)
        self.assertLess(spent() - start, 3 * SLOWNESS)

    def test_ops_and_passes(self):
        listed = json.loads(self.irplan("ops", "--format=json")[0])
        names = [row["name"] for row in listed]
        self.assertLessEqual({"linear", "attention", "append", "rope", "route", "expert"}, set(names))
        self.assertTrue(all(row["doc"] and row["signature"] for row in listed))
        self.assertIn("attributes", self.irplan("ops", "rope")[0])
        self.assertIn("`attention`", self.irplan("ops", "atention", code=1)[1])
        passes = json.loads(self.irplan("passes", "--format=json")[0])
        self.assertEqual(passes[0]["name"], "elaborate")
        for row in passes:  # every name is one that --dump-after takes
            self.assertIn(f"# after {row['name']}", self.irplan("plan", HOTPATH, f"--dump-after={row['name']}", "-o", "/dev/null")[0])

    def test_completion_and_manual(self):
        script = self.irplan("completion", "bash")[0]
        self.file("c.bash", script)
        ask = "source c.bash; COMP_WORDS=(irplan plan --de); COMP_CWORD=2; _irplan; echo \"${COMPREPLY[@]}\""
        found = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual((found.stdout, found.stderr), ("--deny-warnings --deny\n", ""))
        for shell in ("zsh", "fish"):
            self.assertIn("--deny-warnings" if shell == "zsh" else "-l deny-warnings", self.irplan("completion", shell)[0])
        page = self.irplan("man")[0]
        self.assertTrue(page.startswith(".TH IRPLAN 1"))
        self.assertEqual(re.findall(r"^\.SS irplan (\w+)", page, re.M), COMMANDS)


class Packing(Case):
    """a and b live together, then b and c, then all but b are gone: c fits where a was."""

    def setUp(self):
        super().setUp()
        self.file("b.csv", "id,lower,upper,size\na,0,2,40\nb,1,4,24\nc,2,5,40\nd,4,6,8\n")

    def test_offsets_of_a_table(self):
        out, _ = self.irplan("pack", "b.csv", "-o", "placed.csv")
        self.assertIn("height 64\nbound 64\nproven", out)
        rows = [line.split(",") for line in (self.folder / "placed.csv").read_text().splitlines()]
        self.assertEqual(rows[0], ["id", "lower", "upper", "size", "offset"])
        placed = [tuple(map(int, r[1:])) for r in rows[1:]]
        for i, (begin, end, size, at) in enumerate(placed):
            self.assertLessEqual(at + size, 64)
            for begin2, end2, size2, at2 in placed[:i]:
                self.assertTrue(end <= begin2 or end2 <= begin or at + size <= at2 or at2 + size2 <= at)
        for strength in ("portfolio", "limited", "exact"):
            report = json.loads(self.irplan("pack", "b.csv", "--strength", strength, "--format=json")[0])
            self.assertEqual((report["height"], report["bound"], report["proven"]), (64, 64, True))

    def test_a_capacity_that_cannot_be_met_names_what_prevents_it(self):
        self.irplan("pack", "b.csv", "--capacity", "64")
        _, err = self.irplan("pack", "b.csv", "--capacity", "63", code=3)
        for word in ("63", "2 buffers", "24 bytes", "40 bytes"):
            self.assertIn(word, err)
        # any two of these three fit into 3 together with the rest; all five do not, though no step needs more than 3
        self.file("tight.csv", "id,lower,upper,size\na,0,2,2\nb,0,4,1\nc,2,6,2\nd,4,8,1\ne,6,8,2\n")
        report = json.loads(self.irplan("pack", "tight.csv", "--format=json")[0])
        self.assertEqual(report["bound"], 3)
        self.assertEqual(report["strength"], "portfolio" if report["height"] == 3 else "exact")

    def test_an_interrupted_search_gives_the_best_so_far(self):
        # 400 buffers whose sizes leave a gap that no search closes or refutes in a test's time
        rows = (f"{i},{i},{i + 20 + i * 7 % 31},{1000 + i * i % 977}" for i in range(400))
        self.file("hard.csv", "id,lower,upper,size\n" + "\n".join(rows) + "\n")
        p = subprocess.Popen([IRPLAN, "pack", "hard.csv", "--strength=exact", "-o", "out.csv"], cwd=self.folder,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        limited.wait_for(lambda: limited.spent(p) > 1)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=limited.WATCH)
        self.assertEqual(p.returncode, 130, err)
        self.assertIn(b"height", out)
        self.assertIn(b"interrupted", err)
        self.assertEqual(len((self.folder / "out.csv").read_text().splitlines()), 401)

    def test_an_interrupted_plan_is_whole_and_has_the_best_so_far(self):
        # the same gap in a program: temporaries of uneven widths, each read once, some steps later
        body, ends, count = ["input x: f16[128, 64]", "s0 = sum(x, axis=-1)"], {}, 0
        for i in range(160):
            if i < 120:
                body += [f"w{i} = param f16[{100 + i * i % 97}, 64]", f"v{i} = linear(x, w{i})"]
                ends.setdefault(i + 10 + i * 7 % 31, []).append(i)
            for j in ends.pop(i, []):
                body.append(f"s{count + 1} = s{count} + sum(v{j}, axis=-1)")
                count += 1
        self.file("hard.irplan", "\n".join(body + [f"y = output(s{count})"]) + "\n")
        for command in (["plan", "-o", "out.json"], ["plan", "--explain"], ["explain"]):
            p = subprocess.Popen([IRPLAN, command[0], "hard.irplan", "--keep-order", "--strength=exact", *command[1:]],
                                 cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            limited.wait_for(lambda: limited.spent(p) > 1)
            p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=limited.WATCH)
            self.assertEqual(p.returncode, 130, err)
            self.assertIn(b"interrupted", err)
            if "-o" in command:
                memory = json.loads((self.folder / "out.json").read_text())["memory_plan"]
                self.assertGreater(memory["range"]["worst_ratio"], 1)
                self.assertIn(f"{memory['peak_bytes']} bytes, lower bound {memory['lower_bound_bytes']}; the plan has it",
                              err.decode())
            elif command[0] == "plan":
                self.assertEqual(out, b"")
                self.assertIn(b"no plan was written", err)
            else:
                self.assertIn(b"not met", out)
        self.assertEqual({p.name for p in self.folder.iterdir()} & {"out.json"}, {"out.json"})

    def test_a_plan_takes_a_strength_and_an_order(self):
        self.file("two.irplan", "dim S in 1..4096\ninput x: f16[S, 64]\nw1 = param f16[1024, 64]\nw2 = param f16[64, 1024]\n"
                  "a = linear(x, w1)\nb = linear(x, w1)\nc = linear(a, w2)\nd = linear(b, w2)\ny = output(add(c, d))\n")
        def ops(*options):
            plan = json.loads(self.irplan("plan", "two.irplan", *options)[0])
            self.assertEqual(plan["memory_plan"]["strength"], "portfolio")  # at the bound: nothing is searched for
            return [op["id"] for op in plan["ops"]]
        self.assertEqual(ops()[:2], ["a", "c"])
        self.assertEqual(ops("--keep-order")[:2], ["a", "b"])
        for strength in ("portfolio", "limited", "exact"):
            self.assertEqual(ops("--strength", strength), ops())
        self.assertIn("--strength", self.irplan("plan", "two.irplan", "--strength", "brute", code=2)[1])
        self.assertIn("program order", self.irplan("plan", "two.irplan", "--dump-after=schedule")[0])

    def test_what_is_too_large_for_the_exact_search_is_told(self):
        drawn = [i * 2654435761 % 2**32 >> 8 for i in range(13200)]
        many = [f"b{i},{at % 2000},{at % 2000 + 1 + life % 40},{1 + size % 4093}"
                for i, (at, life, size) in enumerate(zip(drawn[::3], drawn[1::3], drawn[2::3]))]
        table = self.file("many.csv", "id,lower,upper,size\n" + "\n".join(many) + "\n")
        out, err = self.irplan("pack", table, "--strength=exact")
        self.assertIn("not proven", out)
        self.assertIn("4400 buffers whose lifetimes are connected were only searched under a limit", err)
        for strength in ("portfolio", "limited"):
            self.assertEqual(self.irplan("pack", table, "--strength", strength)[1], "")

    def test_what_is_no_table(self):
        for text, name in (("", "line 1"), ("a,b\n", "id"), ("id,lower,upper,size\na,1,2\n", "line 2"), ("id,lower,upper,size\na,1,2,x\n", "size"),
                           ("id,lower,upper,size\na,1,2,-5\n", "size"), ("id,lower,upper,size\na,0,1,9223372036854775807\n", "line 2"),
                           ("id,lower,upper,size\na,1,2,3\na,2,3,4\n", "`a`"),
                           ("id,lower,upper,size\na,2,1,3\n", "alive from 2 to 1"), ("\0\1\2", "line 1")):
            self.assertIn(name, self.irplan("pack", self.file("bad.csv", text), code=1)[1])
        self.assertIn("gone.csv", self.irplan("pack", "gone.csv", code=1)[1])
        self.irplan("pack", self.file("bom.csv", "\ufeffid,lower,upper,size\na,0,1,3\n"))
        alone = self.file("alone.csv", "id,lower,upper,size\na,0,1,3\nb,1,2,99\n")
        self.assertIn("one buffer exceeds it by itself:\n  b: 99 bytes", self.irplan("pack", alone, "--capacity", "9", code=3)[1])
        self.assertIn("--capacity", self.irplan("pack", "b.csv", "--capacity", "lots", code=2)[1])
        self.assertIn("--strength", self.irplan("pack", "b.csv", "--strength", "brute", code=2)[1])


class Reports(Case):
    def test_explain_says_where_the_bytes_go(self):
        out, _ = self.irplan("explain", HOTPATH, "--dim", "S=2048")
        self.assertIn("hotpath.irplan for cuda sm_90", out)
        self.assertRegex(out, r"arena +16\.0 MiB")
        self.assertIn("optimal", out)
        self.assertRegex(out, r"peak +16\.0 MiB = 2\*D\*S, at n \(rmsnorm, line 4\)")
        self.assertIn("memory-bound", out)
        self.assertEqual(len(re.findall(r"^ +[\d.]* ?(?:MiB|0)? │a+$", out, re.M)), 14, out)

    def test_explain_answers_budgets_both_ways(self):
        text = LLAMA.read_text().replace("budget B * S <= 8192", "budget memory <= 24GiB")
        model = (self.file("l.irplan", text), "--config", ROOT / "examples/configs/llama-3-8b.json")
        out, _ = self.irplan("explain", *model)
        self.assertRegex(out, r"memory <= 24GiB +narrows the sizes; uses 24\.00 GiB of 24\.00 GiB\n    B <= 9 fits with S = 68, and no placement")
        self.assertRegex(out, r"at most   B +7 +8 +9\n +with  S +2048 +1897 +68\n")
        self.assertIn("128.0 KiB for each token that a sequence may keep; 9 sequences of 8192", out)
        self.assertRegex(out, r"tokens    \d+ a step: 72\.0 KiB of arena each")
        self.assertRegex(out, r"ways to lower it at these sizes \(add --dim B=9 --dim S=68 to keep the other sizes fixed\)\n( +--(retype|let|dim) \S+ +[\d.]+ GiB  \(.* less\)  .*\n){4,}")
        report = json.loads(self.irplan("explain", *model, "--format=json")[0])
        self.assertEqual(report["phases"][0]["tokens"]["state_bytes_each"], 131072)
        self.assertEqual(report["budgets"][0]["frontier"][0]["dims"], ["B", "S"])
        # Every change, taken at its word: as much memory as was said, at the same sizes.
        sizes = {d: report["phases"][0]["dims"][d] for d in "BS"}
        for change in report["lighter"]:
            dims = dict(sizes)
            option, value = change["change"].split(" ")
            if option == "--dim":
                dims[value[0]] = int(value[2:])
            words = [w for d, n in dims.items() for w in ("--dim", f"{d}={n}")]
            words += [] if option == "--dim" else [option, value]
            memory = json.loads(self.irplan("explain", *model, *words, "--format=json")[0])["memory"]
            self.assertEqual(sum(memory.values()), change["bytes"], change)
            self.assertLess(change["bytes"], sum(report["memory"].values()))

    def test_what_would_make_a_budget_fit_is_in_the_diagnostics(self):
        text = LLAMA.read_text().replace("budget B * S <= 8192", "budget memory <= 24GiB")
        config = ("--config", ROOT / "examples/configs/llama-3-8b.json")
        out, _ = self.irplan("check", self.file("l.irplan", text), *config, "--format=json")
        (missed,) = [d for d in json.loads(out) if d["code"] == "W0401"]
        fixes = {f["message"]: f["edits"] for f in missed["fixes"]}
        self.assertEqual([e["text"] for e in fixes["`budget B <= 7` fits, with 22.94 GiB"]], ["budget B <= 7\n"])
        self.assertTrue(any("--retype state=f8e4m3" in message for message in fixes), fixes)
        fixed = text.replace("budget memory", "budget B <= 7\nbudget memory")
        self.assertEqual(json.loads(self.irplan("check", self.file("f.irplan", fixed), *config, "--format=json")[0]), [])
        over = text.replace("budget memory", "budget B <= 8\nbudget memory")
        self.assertEqual(len(json.loads(self.irplan("check", self.file("o.irplan", over), *config, "--format=json")[0])), 1)

    def test_retype_is_read_and_refused(self):
        model = (LLAMA, "--config", ROOT / "examples/configs/llama-3-8b.json")
        self.irplan("plan", *model, "-r", "state=f8e4m3", "--retype", "weights=q8_0", "-o", "r.json")
        plan = json.loads((self.folder / "r.json").read_text())
        self.assertEqual({v["dtype"] for v in plan["values"] if v["kind"] == "state"}, {"f8e4m3"})
        self.assertIn("q8_0", {v["dtype"] for v in plan["values"] if v["kind"] == "param"})
        self.assertNotIn("q8_0", {v["dtype"] for v in plan["values"] if v["kind"] == "temp"})
        self.assertIn("WHAT=DTYPE", self.irplan("plan", *model, "--retype", "state", code=2)[1])
        self.assertIn("did you mean `--retype state=f8e4m3`?", self.irplan("plan", *model, "--retype", "state=f8e4m", code=1)[1])

    def test_explain_of_a_model_collapses_its_layers(self):
        out, _ = self.irplan("explain", LLAMA, "--config", ROOT / "examples/configs/llama-3.2-1b.json")
        self.assertIn("phase prefill", out)
        self.assertIn("phase decode", out)
        self.assertRegex(out, r"i\.1 and \d+ more like it \(x\d+\):")
        self.assertRegex(out, r"i\.\d+, as i\.1 but for:\n.*h~2 +add ")  # the last layer, whose sum no norm follows
        for peak in re.findall(r"  peak .*\n(?:    = .*\n(?:      \S.*\n)*)?", out):
            self.assertNotIn("...", peak)  # formulas are whole
        self.assertLess(out.count("\n"), 400)
        decode, _ = self.irplan("explain", LLAMA, "--config", ROOT / "examples/configs/llama-3.2-1b.json", "--phase", "decode")
        self.assertNotIn("phase prefill:", decode)
        self.assertIn("there are prefill, decode", self.irplan("explain", LLAMA, "--config", ROOT / "examples/configs/llama-3.2-1b.json",
                                                              "--phase", "main", code=1)[1])

    def test_explain_reads_plans_and_writes_json(self):
        self.irplan("plan", HOTPATH, "-o", "p.json")
        report = self.irplan("explain", "p.json")[0]
        elsewhere = "  run `irplan explain` on the .irplan file to see what a shorter cache saves\n"
        self.assertIn(elsewhere, report)
        self.assertEqual(report.replace(elsewhere, ""), self.irplan("explain", HOTPATH)[0])
        report = json.loads(self.irplan("explain", "p.json", "--format=json")[0])
        self.assertEqual(report["phases"][0]["peak_bytes"], 33554432)
        self.assertEqual(report["phases"][0]["at_peak"][0]["formula"], "2*D*S")
        self.assertIn("p.json", self.irplan("explain", self.file("p.json", '{"version": '), code=1)[1])

    def test_a_plan_is_made_already(self):
        self.irplan("plan", HOTPATH, "-o", "p.json")
        for words in (["--dim", "S=4"], ["--let", "D=8"], ["--target", "cpu"], ["--keep-order"], ["--retype", "state=f8e4m3"],
                      ["--strength", "exact"], ["--config", "gone.json"], ["--deny-warnings"]):
            err = self.irplan("explain", "p.json", *words, code=2)[1]
            self.assertEqual(err, f"error: {words[0]} goes with a program; p.json is a plan, which is made already\n")
        self.assertIn("--compare", self.irplan("explain", "p.json", "--sizes", "S=1", code=2)[1])

    def test_a_plan_that_is_not_true_is_refused(self):
        self.irplan("plan", HOTPATH, "-o", "p.json")
        self.file("q.json", (self.folder / "p.json").read_text().replace('"peak_bytes": 33554432', '"peak_bytes": 32'))
        for words in (["explain", "q.json"], ["diff", "p.json", "q.json"]):
            out, err = self.irplan(*words, code=1)
            self.assertEqual(out, "")
            self.assertTrue(err.startswith("error: q.json: the plan contradicts itself: "), err)

    def test_what_differs_between_two_plans(self):
        small = ("--dim", "S=16")
        self.irplan("plan", HOTPATH, "-o", "a.json")
        self.irplan("plan", HOTPATH, *small, "-o", "b.json")
        self.assertEqual(self.irplan("diff", "a.json", "a.json", "--exit-code")[0], "the plans mean the same\n")
        out, _ = self.irplan("diff", "a.json", "b.json")
        self.assertRegex(out, r"(?m)^memory_plan\n  ~ peak_bytes: 33554432 -> 131072 \(-31\.9 MiB\)$")
        self.assertIn("  ~ S  value: 4096 -> 16", out)
        self.irplan("diff", "a.json", "b.json", "--exit-code", code=3)
        changes = json.loads(self.irplan("diff", "a.json", "b.json", "--format=json")[0])
        self.assertIn({"part": "dims", "name": "S", "field": "value", "before": "4096", "after": "16"}, changes)
        self.assertIn("gone.json", self.irplan("diff", "a.json", "gone.json", code=1)[1])
        self.assertIn("junk.json", self.irplan("diff", "a.json", self.file("junk.json", "{"), code=1)[1])

    def test_keys_of_the_config_that_nothing_read(self):
        config = self.file("c.json", '{"hidden_size": 8, "hiden_act": "gelu"}')
        program = self.file("c.irplan", "input x: f32[config.hidden_size]\nout = output(silu(x))\n")
        self.assertIn("hiden_act", self.irplan("explain", program, "--config", config)[0])

    def test_the_picture(self):
        out, err = self.irplan("explain", HOTPATH, "--svg", "m.svg")
        self.assertEqual(out, "")
        self.assertTrue(err.endswith("wrote m.svg, phase main\n"), err)
        root = ElementTree.parse(self.folder / "m.svg").getroot()
        boxes = [e for e in root.iter("{http://www.w3.org/2000/svg}rect")]
        self.assertEqual(len(boxes), 2)  # the buffer, and its fill in the key
        self.assertEqual(boxes[0].get("fill"), boxes[1].get("fill"))
        lines = [e.get("class") for e in root.iter("{http://www.w3.org/2000/svg}line")]
        self.assertEqual((lines.count("write"), lines.count("bound"), lines.count("room")), (2, 1, 0))  # rope and silu, in place

    def test_the_picture_of_a_budget(self):
        program = self.file("b.irplan", "dim S in 1..8192\nbudget memory <= 24MiB\ninput x: f16[1, S, 1024]\na = exp(x)\nout = output(a + x)\n")
        self.irplan("explain", program, "--svg", "b.svg")
        svg = (self.folder / "b.svg").read_text()
        self.assertIn("memory &lt;= 24MiB leaves 12.0 MiB", svg)
        self.assertIn('class="room"', svg)
        self.assertIn("lower bound 12.0 MiB, met", svg)

    def test_the_picture_names_each_limit_where_it_can_be_read(self):
        def marks(*budgets):
            program = self.file("limits.irplan", HOTPATH.read_text() + "".join(f"budget arena <= {b}\n" for b in budgets))
            self.irplan("explain", program, "--dim", "S=2048", "--dim", "D=4096", "--svg", "l.svg")
            root = ElementTree.parse(self.folder / "l.svg").getroot()
            texts = [e for e in root.iter("{http://www.w3.org/2000/svg}text") if e.get("class") == "mark"]
            return [(e.text, float(e.get("x")), float(e.get("y"))) for e in texts]
        # 16 MiB of arena: lines a few pixels apart
        close = marks("16_900_000", "17_000_000", "17_100_000")
        self.assertEqual(len(close), 4)
        for i, (text, x, y) in enumerate(close):
            for other, x2, y2 in close[:i]:  # right aligned; no letter is narrower than 4 px
                apart = abs(y - y2) >= 10 or x + 4 * len(other) <= x2 or x2 + 4 * len(text) <= x
                self.assertTrue(apart, (text, other))
        self.assertEqual([m[0] for m in marks("1GiB")], ["lower bound", "↑ arena <= 1GiB at 1.00 GiB"])

    def test_every_buffer_at_the_peak_has_a_row_of_the_map(self):
        self.file("thin.irplan", "dim S in 1..64\ninput x: f16[S, 64]\nw = param f16[16, 64]\nwide = param f16[8192, 64]\n"
                  "a = linear(x, w)\nb = linear(x, w)\nc = linear(x, wide)\nd = sum(c, axis=-1)\n"
                  "y = output(linear(x, w) + a * b)\nz = output(d)\n")
        out, _ = self.irplan("explain", "thin.irplan", "--keep-order", "--color", "never")
        letters = re.findall(r"^    (\w) +[\d.]+ \w+  at ", out, re.M)
        self.assertGreater(len(letters), 2)
        drawn = "".join(line.split("│")[1] for line in out.splitlines() if "│" in line)
        self.assertEqual(set(letters) - set(drawn), set())


class Quiet(Case):
    def test_it_starts_at_once(self):
        seconds = []
        for _ in range(10):
            start = spent()
            self.irplan("--version")
            seconds.append(spent() - start)
        self.assertLess(min(seconds), 0.05 * SLOWNESS)


def main():
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    if not IRPLAN.is_file():
        print(f"no {IRPLAN}")
        sys.exit(77)
    sys.exit(main())
