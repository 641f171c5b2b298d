#!/usr/bin/env python3
"""What a newcomer meets in the first hour: codes explained, proposals made, warnings chosen, words completed, the gain shown."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))
HOTPATH = ROOT / "examples/hotpath.irplan"
LLAMA = ROOT / "examples/models/llama.irplan"
CONFIG = ROOT / "examples/configs/llama-3.2-1b.json"


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def irplan(self, *args, code=0):
        p = limited.run([BIN / "irplan", *args], capture_output=True, text=True, cwd=self.folder,
                        env={**os.environ, "NO_COLOR": "", "PATH": f"{BIN}:{os.environ['PATH']}"})
        self.assertEqual(p.returncode, code, f"irplan {args}\n{p.stdout[:500]}\n{p.stderr[:2000]}")
        return p.stdout, p.stderr


class Codes(Case):
    def test_every_code_is_explained(self):
        codes = re.findall(r"IRPLAN_DIAGNOSTIC\((\w+), \w+, (\w+)", (ROOT / "core/include/irplan/diagnostics.def").read_text())
        self.assertGreater(len(codes), 150)
        for code, severity in codes[::9] + codes[-1:]:
            out = self.irplan("explain", code)[0]
            self.assertTrue(out.startswith(f"{severity.lower()}[{code}]: "), out)
            self.assertNotRegex(out, r"\{\d\}")
            self.assertGreater(len(out.splitlines()), 2)
        self.assertIn("linear(x, w)", self.irplan("explain", "E0301")[0])
        self.irplan("explain", "E9999", code=1)

    def test_words_that_are_meant_as_codes(self):
        whole = self.irplan("explain", "E0301")[0]
        for word in ("e0301", "error[E0301]"):
            self.assertEqual(self.irplan("explain", word)[0], whole)
        self.assertIn("warning[W0205]", self.irplan("explain", "w0205")[0])
        told = json.loads(self.irplan("explain", "e0301", "--format", "json")[0])
        self.assertEqual((told["code"], told["severity"]), ("E0301", "error"))
        self.assertIn(told["means"], whole)
        for word, said in (("E9999", "no diagnostic has the code E9999; the nearest is E06"), ("E301", "the nearest is E0301"),
                           ("E03", "those that begin so are E0301, E0302"), ("w99", "the nearest is W0"), ("W020", "W0201, W0202")):
            self.assertIn(said, self.irplan("explain", word, code=1)[1])
        self.assertIn("did you mean `irplan explain e0301`?", self.irplan("e0301", code=2)[1])
        self.file("E03", "irplan 1\ninput x: f16[1, 8]\nout = output(relu(x))\n")  # a file of that name is a file
        self.assertIn("memory", self.irplan("explain", "E03")[0])

    def test_warnings_are_chosen(self):
        program = self.file("unread.irplan", "input x: f16[1, 8]\nlost = silu(x)\nout = output(relu(x))\n")
        self.assertIn("W0203", self.irplan("check", program)[1])
        self.assertEqual(self.irplan("check", program, "--allow", "W0203")[1], "")
        self.assertIn("error[W0203]", self.irplan("plan", program, "-o", "p.json", "--deny", "W0203", code=1)[1])
        self.irplan("check", program, "--deny", "W0204")
        self.assertIn("W0203", self.irplan("check", program, "--allow", "W023", code=2)[1])
        self.assertEqual(self.irplan("check", program, "--allow", "w0203")[1], "")  # as `irplan explain w0203` takes it
        self.assertIn("error[W0203]", self.irplan("check", program, "--deny", "w0203", code=1)[1])

    def test_a_config_is_named_by_its_folder(self):
        program = self.file("a.irplan", "let n = config.n\ninput x: f16[1, n]\nout = output(relu(x))\n")
        (self.folder / "model").mkdir()
        config = self.file("model/config.json", '{"n": 8}')
        for command in (["check"], ["plan", "-o", "p.json"], ["explain"], ["link", "encode"]):
            self.irplan(*command, program, "--config", self.folder / "model")
        self.irplan("new", "b.irplan", "--config", self.folder / "model", code=1)  # no example serves it: it was read
        said = self.irplan("plan", program, "--config", self.folder / "model", "-o", config, code=2)[1]
        self.assertIn("read as --config", said)
        self.assertEqual(config.read_text(), '{"n": 8}')

    def test_what_is_no_program(self):
        config = self.file("config.json", '{"hidden_size": 8}')
        for command in ("plan", "check"):
            self.assertIn("is JSON and no program: a config goes with one, as --config", self.irplan(command, config, code=1)[1])
        self.assertIn("did you mean `irplan-run`?", self.irplan("run", code=2)[1])

    def test_proposals_are_made(self):
        text = ("input x: float16[1, 8]\nfor i in range(2) with x { x = silu(x) }\ny = softmax(x, dim=-1)\nz = sillu(y)\nout = output(z)\n")
        program = self.file("draft.irplan", text)
        self.assertIn("changes made", self.irplan("check", "--fix", program)[1])
        self.assertEqual(program.read_text(), text.replace("float16", "f16").replace("range(2)", "2").replace("dim=", "axis=")
                         .replace("sillu", "silu"))
        self.assertEqual(self.irplan("check", "--fix", program)[1], "")
        self.irplan("check", "--fix", "-", code=1)

    def test_dtypes_by_other_names(self):
        for word, ours in (("float16", "f16"), ("half", "f16"), ("torch.bfloat16", "bf16"), ("double", "f32"), ("uint32", "i32"), ("e4m3", "f8e4m3")):
            program = self.file("d.irplan", f"input x: {word}[1, 8]\nw = param {word}[8] from \"w\"\nout = output(view(x, shape=[8]))\ny = output(w)\n")
            err = self.irplan("check", program, code=1)[1]
            self.assertEqual(err.count("error["), 2, err)
            self.assertIn(f"the dtype is `{ours}` here", err)
            self.irplan("check", "--fix", program)
            self.assertIn(f"input x: {ours}[1, 8]\nw = param {ours}[8]", program.read_text())


class Completion(Case):
    def ask(self, *words):
        self.file("c.bash", self.irplan("completion", "bash")[0])
        quoted = " ".join(f"'{w}'" for w in ("irplan", *words))
        script = f"source c.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _irplan; echo \"${{COMPREPLY[@]}}\""
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=self.folder,
                              env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"})
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_names(self):
        self.assertEqual(self.ask("ops", "atten"), ["attention"])
        self.assertEqual(self.ask("plan", "--retype", "sta"), ["state"])
        self.assertEqual(self.ask("plan", "--retype", "state", "=", "f8"), ["f8e4m3", "f8e5m2"])
        self.assertEqual(self.ask("check", "--allow", "W050"), ["W0501", "W0502"])
        self.assertEqual(self.ask("explain", str(LLAMA), "--phase", "d"), ["decode"])
        self.irplan("plan", HOTPATH, "-o", "plan.json")
        self.assertEqual(self.ask("explain", "plan.json", "--phase", ""), ["main"])
        for shell in ("zsh", "fish"):
            script = self.irplan("completion", shell)[0]
            for word in ("completion phases", "state=f8e4m3", "attention", "llama-3-8b", "rtx4090", "W0205", "E0301"):
                self.assertIn(word, script, shell)


class Numbers(Case):
    NARROWED = ("dim B in 1..64\ndim S in 1..512\nphase prefill { B in 1..4, S in 1..512 }\nphase decode { B in 1..8, S = 1 }\n"
                "input x: f16[B, S, 64]\nout = output(rmsnorm(x, eps=1e-5))\n")

    def test_keys_of_other_versions(self):
        for config, read, there in (({"rope_theta": 3.0}, "config.rope_parameters.rope_theta", "config.rope_theta"),
                                    ({"rope_parameters": {"rope_theta": 3.0}}, "config.rope_theta", "config.rope_parameters.rope_theta"),
                                    ({"hidden_size": 8}, "config.text_config.hidden_size", "config.hidden_size"),
                                    ({"text_config": {"hidden_size": 8}}, "config.hidden_size", "config.text_config.hidden_size"),
                                    ({"rope_scaling": {"factor": 2.0}}, "config.rope_parameters.factor", "config.rope_scaling")):
            self.file("config.json", json.dumps(config))
            program = self.file("p.irplan", f"let n = {read}\ninput x: f16[1, 8]\nout = output(relu(x))\n")
            self.assertIn(f"the config has it as `{there}`", self.irplan("check", program, "--config", "config.json", code=1)[1], read)
        # a record of few keys says which it has
        self.file("config.json", json.dumps({"rope": {"base": 3.0, "kind": "linear"}}))
        self.assertIn("its keys: base, kind", self.irplan("check", self.file("p.irplan", "let n = config.rope.factor\n"), "--config", "config.json", code=1)[1])

    def test_phases_that_narrow_a_dim(self):
        program = self.file("p.irplan", self.NARROWED)
        plan = json.loads(self.irplan("plan", program)[0])
        self.assertEqual({d["name"]: d["value"] for d in plan["dims"]}, {"B": 8, "S": 512})
        text = self.irplan("explain", program)[0]
        self.assertRegex(text, r"inputs +256\.0 KiB\n +256\.0 KiB +x ")
        self.assertIn("rows      2048 of x a step", text)
        self.assertNotIn("tokens", text)
        self.assertIn("E0265", self.irplan("check", program, "--dim", "B=16", code=1)[1])
        self.assertIn("tokens    ", self.irplan("explain", LLAMA, "--config", CONFIG, "--dim", "B=1", "--dim", "S=16")[0])

    def test_what_is_gained(self):
        # y is made long before it is read: run late, it does not lie beside what is large in between
        program = self.file("order.irplan", "input x: f32[1024]\ninput b: f32[64, 1024]\ny = b + 1.0\nz = b + 2.0\ns = sum(z, axis=0) + x\n"
                            "t = sum(y, axis=0) + s\nout = output(t)\n")
        text = self.irplan("explain", program)[0]
        found = re.search(r"as written ([\d.]+ \w+), as run ([\d.]+ \w+); without reuse ", text)
        self.assertTrue(found, text)
        self.assertNotEqual(found[1], found[2])
        told = json.loads(self.irplan("explain", program, "--format=json")[0])["arena"]
        kept = json.loads(self.irplan("plan", program, "--keep-order")[0])["memory_plan"]
        self.assertEqual(told["as_written"], kept["peak_bytes"])
        self.assertLess(told["as_run"], told["as_written"])
        self.assertLessEqual(told["as_written"], told["without_reuse"])
        self.assertIn("as written ", self.irplan("explain", program, "--compare")[0])
        self.assertIn("  without reuse ", self.irplan("explain", program, "--compare")[0])
        self.irplan("plan", program, "-o", "plan.json")
        self.assertIn(found[0], self.irplan("explain", "plan.json")[0])  # the plan tells it, too
        plan = json.loads((self.folder / "plan.json").read_text())
        self.assertEqual(plan["memory_plan"]["as_written_bytes"], kept["as_written_bytes"])
        self.assertEqual(kept["as_written_bytes"], kept["peak_bytes"])
        self.assertEqual(max(p["as_written_bytes"] for p in plan["phases"]), kept["peak_bytes"])
        for record in [plan["memory_plan"], *plan["phases"]]:
            del record["as_written_bytes"]
        (self.folder / "old.json").write_text(json.dumps(plan))
        self.assertNotIn("as written", self.irplan("explain", "old.json")[0])

    def test_times_have_units_that_fit(self):
        text = self.irplan("explain", LLAMA, "--config", CONFIG, "--dim", "B=1", "--dim", "S=16")[0]
        self.assertRegex(text, r"at least [\d.]+ (s|ms|µs)\n")
        self.assertRegex(self.irplan("explain", HOTPATH, "--dim", "S=2", "--dim", "D=64")[0], r"at least [\d.e-]+ µs\n")
        self.assertIn("a letter: a buffer", text)

    def test_the_picture_of_the_readme_is_what_its_command_draws(self):
        self.irplan("explain", LLAMA, "--config", ROOT / "examples/configs/llama-3-8b.json", "--dim", "B=8", "--dim", "S=512", "--svg", "memory.svg")
        self.assertEqual((self.folder / "memory.svg").read_text(), (ROOT / "examples/llama-memory.svg").read_text(), "draw it anew")
        self.assertIn("across: steps in execution order", (self.folder / "memory.svg").read_text())  # the key

    def test_plans_differ_by_classes_of_layers(self):
        for name, options in (("a.json", []), ("b.json", ["--retype", "state=f8e4m3"])):
            self.irplan("plan", LLAMA, "--config", CONFIG, *options, "-o", name)
        lines = self.irplan("diff", "a.json", "b.json")[0].splitlines()
        self.assertLess(len(lines), 40)
        self.assertTrue(any("model.layers.*.k" in line and "(16 alike)" in line for line in lines), lines)
        self.assertGreater(len(json.loads(self.irplan("diff", "a.json", "b.json", "--format=json")[0])), 40)


if __name__ == "__main__":
    unittest.main()
