#!/usr/bin/env python3
"""examples/chat.py: texts in and out of irplan-run, with a small tokenizer that is trained here, and a tiny Llama.

Skipped (exit 77) where PyPI's tokenizers or jinja2 is missing.
"""
import json
import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from run_test import GOLDEN, LLAMA, ROOT, RUNNER, Case, limited

CHAT = ROOT / "examples/chat.py"
TEXT = ["the quick brown fox jumps over the lazy dog", "a plan holds for every size", "who are you and what do you say"] * 3
TEMPLATE = ("{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}<|sys|>{% elif m.role == 'user' %}<|user|>{% else %}<|me|>{% endif %}"
            "{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|me|>{% endif %}")


def make_tokenizer(folder):
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers

    t = tokenizers.Tokenizer(models.BPE(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    t.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=128, show_progress=False, special_tokens=["<unk>", "<s>", "<|end|>", "<|sys|>", "<|user|>", "<|me|>"]))
    t.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": {"content": "<s>"}, "eos_token": "<|end|>", "unk_token": "<unk>",
                                                              "chat_template": TEMPLATE}))
    return t


class Chat(Case):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        shutil.copytree(GOLDEN, self.model)
        self.tokenizer = make_tokenizer(self.model)
        self.assertLessEqual(self.tokenizer.get_vocab_size(), 128)
        self.end = self.tokenizer.token_to_id("<|end|>")

    def chat(self, *args, given="", code=0):
        p = limited.run([sys.executable, CHAT, LLAMA, self.model, "--runner", RUNNER, *map(str, args)], input=given.encode(),
                        capture_output=True, cwd=self.folder)
        self.assertEqual(p.returncode, code, p.stderr.decode())
        return p.stdout.decode(), p.stderr.decode()

    def answer(self, text, count, *how):
        """What the model says to a text, without chat.py: ids by the tokenizer, tokens by --generate."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        out, _ = self.run_plan(LLAMA, "--weights", self.model, "--tokens", ",".join(map(str, ids)), "--generate", count, "--eos", self.end, *how)
        return self.tokenizer.decode([id for id in map(int, out.split(",")) if id != self.end])

    def test_turns(self):
        how = ["--temperature", "0.9", "--seed", "3"]
        first = self.answer("<s><|user|>who are you<|end|><|me|>", 12, *how)
        second = self.answer(f"<s><|user|>who are you<|end|><|me|>{first}<|end|><|user|>the fox<|end|><|me|>", 12, *how)
        for args, given in ((["--say", "who are you", "--say", "the fox"], ""), ([], "who are you\nthe fox\n")):
            out, _ = self.chat("--max-tokens", 12, *how, *args, given=given)
            self.assertEqual(out, f"{first}\n{second}\n")

    def test_a_system_text_and_options_of_the_runner(self):
        want = self.answer("<s><|sys|>the plan<|end|><|user|>what<|end|><|me|>", 8)
        out, _ = self.chat("--system", "the plan", "--say", "what", "--max-tokens", 8, "--", "--chunks", 3, "--backend", "cpu")
        self.assertEqual(out, want + "\n")

    def test_what_cannot_be(self):
        _, err = self.chat("--say", "what", "--max-tokens", 100000, code=3)
        self.assertIn("the turn is left out", err)
        _, err = self.chat("--say", "what", "--", "--backend", "abacus", code=1)
        self.assertIn("abacus", err)
        (self.model / "tokenizer.json").unlink()
        _, err = self.chat("--say", "what", code=1)
        self.assertIn("has no tokenizer.json", err)


if __name__ == "__main__":
    if not RUNNER.is_file():
        print(f"no {RUNNER}")
        sys.exit(77)
    for name in ("tokenizers", "jinja2"):
        try:
            __import__(name)
        except ModuleNotFoundError:
            print(f"skipped: PyPI's {name} is not installed (pip install tokenizers jinja2)")
            sys.exit(77)
    unittest.main()
