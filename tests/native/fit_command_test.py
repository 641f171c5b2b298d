#!/usr/bin/env python3
"""irplan fit and --budget from outside: what is read, what is told, exit codes, and the same numbers as a plan has."""
import json
import os
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))
CONFIG = ROOT / "examples/configs/llama-3.2-1b.json"
LLAMA = ROOT / "examples/models/llama.irplan"
TINY = ROOT / "tests/data/goldens/llama"
GiB = 1 << 30


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def run_command(self, program, *args, code=0, names=(), stdin=None):
        p = limited.run([BIN / program, *args], capture_output=True, text=True, cwd=self.folder, input=stdin)
        self.assertEqual(p.returncode, code, f"{args}\n{p.stdout[:1500]}\n{p.stderr[:1500]}")
        for name in names:
            self.assertIn(name, p.stdout + p.stderr)
        return p.stdout

    def fit(self, *args, **how):
        return json.loads(self.run_command("irplan", "fit", *args, "--format", "json", **how))


class Fit(Case):
    def test_a_config_a_folder_a_name_and_standard_input(self):
        (self.folder / "config.json").write_text(CONFIG.read_text())
        answers = [self.fit(*words, "--memory", "24GiB", stdin=CONFIG.read_text() if words == ["-"] else None)
                   for words in ([CONFIG], [self.folder], ["config.json"], ["llama-3.2-1b"], ["-"])]
        for answer in answers:
            self.assertEqual({**answer, "config": "", "commands": []}, {**answers[0], "config": "", "commands": []})

    def test_exit_codes_and_text(self):
        told = self.run_command("irplan", "fit", CONFIG, "--memory", "24GiB", names=["fits into 24.00 GiB", "batch", "context"])
        self.assertRegex(told, r"weights +\S+ GiB +\d+ B")
        told = self.run_command("irplan", "fit", CONFIG, "--memory", "2GiB", code=3, names=["does not fit", "what would make it fit"])
        self.assertIn("--retype weights=q8_0", told)
        told = self.run_command("irplan", "fit", CONFIG)
        self.assertNotIn(" fit", told.split("next")[0])
        self.run_command("irplan", "fit", CONFIG, "--budget", "state <= 1MiB", code=3, names=["over the budget state <= 1MiB"])

    def test_the_commands_make_the_plan_with_these_numbers(self):
        shutil.copy(CONFIG, self.folder / "config.json")
        for words in (["--batch", "3"], ["--context", "3000"], ["--context", "128K", "--batch", "7", "--retype", "state=f8e4m3"]):
            answer = self.fit("config.json", *words)
            for command in answer["commands"]:
                name, *args = command.replace("'", "").split()
                if (self.folder / "llama.irplan").exists() and args[0] == "new":
                    continue
                self.run_command(name, *args)
            segments = json.loads((self.folder / "plan.json").read_text())["memory_plan"]["segments"]
            self.assertEqual({k: answer["bytes"][k] for k in segments}, segments)

    def test_irplan_run_allocates_these_numbers(self):
        answer = self.fit(TINY / "config.json", "--batch", "3", "--context", "64", "--target", "cpu")
        step = max(answer["steps"], key=lambda s: s["dims"]["S"])
        tokens = step["dims"]["S"] + step["dims"]["P"]
        self.assertEqual(tokens, 64)
        np = __import__("numpy")
        np.save(self.folder / "ids.npy", np.ones((3, tokens), dtype=np.int32))
        p = limited.run([BIN / "irplan-run", LLAMA, "--let", "C=64", "--backend", "cpu", "--weights", TINY, "--tokens", "@ids.npy",
                         "--output", "logits=@l.npy"], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(p.returncode, 0, p.stderr)
        told = re.search(r"weights (\d+) \+ state (\d+) \+ inputs (\d+) \+ arena (\d+) bytes; predicted (\d+), allocated (\d+)", p.stderr)
        self.assertEqual([int(n) for n in told.groups()],
                         [answer["bytes"][k] for k in ("weights", "state", "inputs", "arena", "total", "total")])

    def test_known_gpus(self):
        answer = self.fit("llama-3-8b", "--gpu", "RTX 4090")
        self.assertTrue(23 * GiB < answer["memory"] < 24 * GiB)
        self.assertIn("driver and context", answer["assumptions"][0])
        self.run_command("irplan", "fit", CONFIG, "--gpu", "h201", code=2, names=["did you mean `h200`", "--memory"])
        self.run_command("irplan", "fit", CONFIG, "--gpu", "4090", code=2, names=["did you mean `rtx4090`"])
        self.run_command("irplan", "fit", CONFIG, "--gpu", "h200", "--memory", "1GiB", code=2)

    def test_what_is_wrong_is_told(self):
        for words, code, name in ((["gone.json"], 1, "examples are"), (["llama-3-8"], 1, "did you mean `llama-3-8b`"),
                                  ([CONFIG, "--memory", "lots"], 2, "24GiB"), ([CONFIG, "--memory", "0"], 2, "24GiB"),
                                  ([CONFIG, "--memory", "24"], 2, "did you mean `24GiB`"), ([CONFIG, "--memory", "23.5gb"], 2, "did you mean `23.5GiB`"),
                                  ([CONFIG, "--memory", "512m"], 2, "did you mean `512MiB`"), ([CONFIG, "--memory", "nan"], 2, "not `nan`"),
                                  ([CONFIG, "--context", "many"], 2, "8192 or 32K"), ([CONFIG, "--batch", "0"], 2, "a number of sequences, at least 1"),
                                  ([CONFIG, "--context", "0"], 2, "a number of tokens"), ([CONFIG, "--step", "-1"], 2, "a number of tokens"),
                                  ([CONFIG, "--batch", "9000"], 1, "8192"), ([CONFIG, "--let", "nothing=1"], 1, "nothing"),
                                  ([CONFIG, "--budget", "state <="], 1, "--budget"), ([CONFIG, "--retype", "state=f9"], 1, "f9")):
            with self.subTest(words):
                self.run_command("irplan", "fit", *words, code=code, names=[name])
        for nothing in ("0", "0GiB", "0.0"):  # none of these would be taken either
            p = limited.run([BIN / "irplan", "fit", CONFIG, "--memory", nothing], capture_output=True, text=True)
            self.assertNotIn("did you mean", p.stderr)
        (self.folder / "config.json").write_text("{]")
        self.run_command("irplan", "fit", "config.json", code=1, names=["line 1"])
        (self.folder / "config.json").write_text('{"model_type": "unheard", "hidden_size": 8}')
        self.run_command("irplan", "fit", "config.json", code=1, names=["no example serves"])

    def test_more_sequences_than_the_example_admits_are_noted(self):
        shutil.copy(CONFIG, self.folder / "config.json")
        few = self.fit("config.json", "--batch", "64", "--context", "1024")
        self.assertEqual(few["notes"], [])
        many = self.fit("config.json", "--batch", "100", "--context", "1024")
        self.assertIn("admits up to 64 sequences: for a batch of 100 write `dim B in 1..100`", many["notes"][0])
        for command in many["commands"]:  # they make the plan, with the range written so
            p = limited.run(["sh", "-c", f"PATH={BIN}:$PATH; {command}"], capture_output=True, text=True, cwd=self.folder)
            self.assertEqual(p.returncode, 0, p.stderr)
        segments = json.loads((self.folder / "plan.json").read_text())["memory_plan"]["segments"]
        self.assertEqual({k: many["bytes"][k] for k in segments}, segments)

        # where only the frontier goes beyond, the largest of its batches is named, and no range that is there already
        wide = self.fit("config.json", "--batch", "16", "--context", "8192", "--memory", "10GiB")
        self.assertTrue(wide["max_batch"] <= 64 < wide["frontier"][-1]["batch"], wide["frontier"])
        most = wide["frontier"][-1]["batch"]
        self.assertIn(f"for a batch of {most} write `dim B in 1..{most}`", wide["notes"][0])

    def test_beyond_the_config_one_verdict(self):
        beyond = self.fit(CONFIG, "--context", "256K", "--memory", "80GiB")
        self.assertIn("131072", beyond["notes"][-1])
        self.assertTrue(beyond["fits"] and beyond["beyond_published_context"])
        self.assertEqual(beyond["max_context"], 256 * 1024)  # what fits is at least what was asked for and fits
        told = self.run_command("irplan", "fit", CONFIG, "--context", "256K", "--memory", "80GiB")
        self.assertIn("the model is made for 131072 tokens", told.splitlines()[0])
        self.assertIn("at most 262144 tokens with 1 sequence, as asked; the config's limit is 131072", told)
        within = self.fit(CONFIG, "--context", "128K", "--memory", "80GiB")
        self.assertFalse(within["beyond_published_context"])
        short = self.fit(CONFIG, "--context", "4M", "--memory", "16GiB", code=3)
        self.assertTrue(131072 < short["max_context"] < 4 << 20, short["max_context"])

    def longrope(self):
        config = json.loads((ROOT / "examples/configs/phi-3-mini-4k.json").read_text())
        half = config["hidden_size"] // config["num_attention_heads"] // 2
        config |= {"max_position_embeddings": 131072, "original_max_position_embeddings": 4096,
                   "rope_scaling": {"type": "longrope", "short_factor": [1.0] * half, "long_factor": [4.0] * half}}
        (self.folder / "config.json").write_text(json.dumps(config))
        return lambda *words: [n for n in self.fit("config.json", *words)["notes"] if "factor" in n]

    def test_long_factors_are_told_of_the_context_that_is_asked(self):
        notes = self.longrope()
        for context in ("1000", "4096"):
            self.assertEqual(notes("--context", context), [])
        self.assertEqual(notes(), [])  # the example's own length: 4096
        for context in (4097, 8192, 131072):
            (note,) = notes("--context", str(context))
            self.assertIn(f"a context of {context} tokens", note)
            self.assertIn("--context 4096", note)
            self.assertNotIn("length", note)
        # as the compiler has it
        for length, told in (("4096", False), ("4097", True)):
            p = limited.run([BIN / "irplan", "check", ROOT / "examples/models/phi3.irplan", "--config", "config.json", "--let", f"C={length}"],
                            capture_output=True, text=True, cwd=self.folder)
            self.assertEqual("W0207" in p.stderr, told, p.stderr)

    def test_fit_and_new_name_the_same_nearest(self):
        for name in ("llama-3-8b", "mixtral-8x7b", "gpt2", "command-r7b", "gemma-3-1b", "deepseek-v3", "phi-3-mini-4k"):
            config = json.loads((ROOT / f"examples/configs/{name}.json").read_text())
            (self.folder / "config.json").write_text(json.dumps({**config, "model_type": "unheard"}))
            p = limited.run([BIN / "irplan", "fit", "config.json"], capture_output=True, text=True, cwd=self.folder)
            self.assertEqual(p.returncode, 1)
            q = limited.run([BIN / "irplan", "new", "-", "--config", "config.json"], capture_output=True, text=True, cwd=self.folder)
            nearest = re.search(r"the nearest is (\w+)", p.stderr)[1]
            self.assertEqual(nearest, re.search(r"the nearest is (\w+)", q.stderr)[1], name)

    def quantised(self, name, **record):
        config = json.loads((ROOT / f"examples/configs/{name}.json").read_text())
        text = json.dumps({**config, "quantization_config": record})
        (self.folder / "config.json").write_text(text[:-1] + ', "time_step_limit": [0.0, Infinity], "spare": NaN}')
        return self.fit("config.json")

    def test_quantised_checkpoints_are_counted_in_few_bits(self):
        for name in ("llama-3-8b", "mixtral-8x7b", "qwen3-30b-a3b", "gpt-oss-20b", "deepseek-v3", "gemma-3-1b", "phi-3-mini-4k", "command-r7b", "gpt2"):
            with self.subTest(name):
                plain = self.fit(name)["bytes"]["weights"]
                told = self.quantised(name, quant_method="awq", bits=4, group_size=128, version="gemm")
                (dtype,) = re.findall(r"counted as (\w+)$", told["assumptions"][0])
                self.assertGreater(told["weights_by_dtype"][dtype], 0.95 * told["bytes"]["weights"], told["weights_by_dtype"])
                self.assertLess(told["bytes"]["weights"], 0.29 * plain)  # of 16 bits, or 32
                eight = self.quantised(name, quant_method="compressed-tensors", bits=8)
                self.assertGreater(eight["weights_by_dtype"]["q8_0"], 0.95 * eight["bytes"]["weights"], eight["weights_by_dtype"])

    def test_mxfp4_is_offered_where_the_example_reads_it(self):
        offered = [c for c in self.fit("gpt-oss-20b", "--memory", "16GiB", code=3)["changes"] if "mxfp4" in c["change"]]
        self.assertEqual([c["fits"] for c in offered], [True])
        told = self.quantised("gpt-oss-20b", quant_method="mxfp4")
        self.assertEqual(told["bytes"]["total"], offered[0]["bytes"])
        self.assertEqual([c for c in self.fit("mixtral-8x7b", "--memory", "16GiB", code=3)["changes"] if "mxfp4" in c["change"]], [])


class Budget(Case):
    def plan(self, *budgets, code=0, names=(), command="plan"):
        words = [w for b in budgets for w in ("--budget", b)]
        out = self.run_command("irplan", command, LLAMA, "--config", CONFIG, *words, *(["-o", "p.json"] if command == "plan" else []),
                               code=code, names=names)
        return json.loads((self.folder / "p.json").read_text()) if command == "plan" and code == 0 else out

    def test_it_narrows_as_the_programs_own_do(self):
        program = self.folder / "own.irplan"
        program.write_text(LLAMA.read_text() + "budget memory <= 24GiB\n")
        self.run_command("irplan", "plan", program, "--config", CONFIG, "-o", "own.json")
        own = json.loads((self.folder / "own.json").read_text())
        made = self.plan("memory <= 24GiB")
        for b in made["budget"] + own["budget"]:
            b.pop("line"), b.pop("changes", None)
        self.assertEqual(made["budget"], own["budget"])
        self.assertEqual(made["memory_plan"], own["memory_plan"])
        self.assertEqual(made["source"]["sha256"], self.plan()["source"]["sha256"])

    def test_several_of_bytes_and_dims(self):
        made = self.plan("B * S <= 1024", "decode.arena <= 64MiB", "state <= 10GiB")
        self.assertEqual([b["line"] for b in made["budget"] if b["expr"] != "B * S <= 8192"], [0, 0, 0])
        self.assertIn({"expr": "B*S <= 1024", "line": 0, "budget": True}, made["guards"])

    def test_what_it_says_names_the_option(self):
        for command in ("check", "explain"):
            self.plan("memory <= 8GiB", command=command, names=["memory <= 8GiB", "--> command line:1"])
        self.plan("memory <= 1GiB", code=1, names=["E0401", "command line", "memory <= 1GiB"])
        self.plan("memory <= ", code=1, names=["command line"])
        self.plan("memry <= 1GiB", code=1, names=["memory", "command line"])
        self.plan("B <= 4", "B <= 0", code=1, names=["E0401"])

    def test_of_two_that_are_as_long_each_is_answered(self):
        self.plan("state <= 9GiB", "arena <= 1MiB", code=0, names=["state <= 9GiB", "arena <= 1MiB"], command="check")

    def test_explain_names_it(self):
        self.assertIn("--budget memory <= 24GiB", self.plan("memory <= 24GiB", command="explain"))
        self.plan()
        self.run_command("irplan", "explain", "p.json", "--budget", "B <= 2", code=2, names=["--budget"])

    def test_the_runner_keeps_it(self):
        words = ["--weights", TINY, "--tokens", "1,2,3"]
        self.run_command("irplan-run", LLAMA, *words, "--budget", "memory <= 1GiB")
        self.run_command("irplan-run", LLAMA, *words, "--budget", "arena <= 1B", code=1, names=["arena <= 1B"])
        self.run_command("irplan", "plan", LLAMA, "--config", TINY / "config.json", "-o", "t.json")
        self.run_command("irplan-run", "t.json", *words, "--budget", "memory <= 1GiB", code=2, names=["--budget"])


if __name__ == "__main__":
    if not (BIN / "irplan-run").is_file():
        print(f"no {BIN}/irplan-run: skipped")
        sys.exit(77)
    unittest.main()
