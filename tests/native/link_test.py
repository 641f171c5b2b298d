#!/usr/bin/env python3
"""irplan link: what the page's links hold, both ways; damaged, hostile and too large ones are refused in words."""
import base64
import json
import os
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))
# As the page made them; tests/web/work.test.mjs opens the same.
OF_THE_PAGE = ["aI-heFJea6ChYAB2Fag7I9ApNsGkA", "bQ9hclJ8OzFqYSpEv7zABjmgD212oV2uAmhIVoPymVAsA"]


def link(*words, **options):
    return limited.run([BIN / "irplan", "link", *words], capture_output=True, text=True, **options)


def packed(record, letter="b", level=9):
    """a link as the page's codec makes it, by another zlib"""
    dictionary = (ROOT / f"native/link/dictionaries/{letter}.txt").read_bytes()
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, dictionary)
    data = record if isinstance(record, bytes) else json.dumps(record).encode()
    payload = deflate.compress(data) + deflate.flush()
    return f"#1.0.1.0.{letter}" + base64.urlsafe_b64encode(payload).decode().rstrip("=")


class Link(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)

    def decoded(self, text, *words):
        done = link("decode", text, "--format=json", *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def refused(self, text, why, *words):
        done = link("decode", text, *words)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertIn(why, done.stderr)

    def test_there_and_back(self):
        program, config = ROOT / "examples/models/llama.irplan", ROOT / "examples/configs/llama-3.2-1b.json"
        done = link("encode", program, "--config", config, "--let", "C=4096", "--dim", "B=2_0", "--retype", "state=f8e4m3",
                    "--target", "cpu", "--keep-order", "--strength=exact", "--deny-warnings", "--site", "https://irplan.example/")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        address = done.stdout.strip()
        self.assertRegex(address, r"^https://irplan\.example/#1\.\d+\.\d+\.\d+\.b[\w-]+$")
        self.assertLess(len(address), 300)
        found = self.decoded(address)
        self.assertEqual((found["text"], found["config"]), (program.read_text(), config.read_text()))
        self.assertEqual(found["options"], {"target": "cpu", "lets": {"C": "4096"}, "dims": {"B": 20}, "retypes": {"state": "f8e4m3"},
                                            "keepOrder": True, "strength": "exact", "denyWarnings": True})
        self.assertEqual(found["command"], "irplan plan llama.irplan --config llama-3.2-1b.json --target cpu --let C=4096 --dim B=20 "
                                           "--retype state=f8e4m3 --keep-order --strength exact --deny-warnings")

    def test_the_files_and_the_command_make_the_plan(self):
        program, config = ROOT / "examples/models/gpt2.irplan", ROOT / "examples/configs/gpt2.json"
        text = link("encode", program, "--config", config, "--dim", "B=3").stdout
        done = link("decode", "-", "-o", self.path, input=text)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        command = done.stdout.strip().rpartition("command  ")[2].split()
        self.assertEqual(command[:2], ["irplan", "plan"])
        made = limited.run([BIN / command[0], *command[1:], "-o", "-"], cwd=self.path, capture_output=True)
        (self.path / "again").mkdir()
        for path in (program, config):
            (self.path / "again" / path.name).write_bytes(path.read_bytes())
        wanted = limited.run([BIN / "irplan", "plan", "gpt2.irplan", "--config", "gpt2.json", "--dim", "B=3", "-o", "-"],
                             cwd=self.path / "again", capture_output=True)
        self.assertEqual((made.returncode, made.stdout), (0, wanted.stdout))
        again = link("decode", "-", "-o", self.path, input=text)
        self.assertEqual(again.returncode, 1)
        self.assertIn("was not overwritten", again.stderr)

    def test_both_sides_of_a_comparison(self):
        one = {"file": "a.irplan", "text": "input x: f16[4, 8]\nout = output(silu(x))\n", "sizes": {"B": 3}}
        other = {"file": "a.irplan", "text": one["text"].replace("silu", "gelu"), "options": {"target": "cpu", "lets": {"C": "2"}}}
        text = packed({**one, "against": other})
        done = link("decode", text, "-o", self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        mine, _, its = done.stdout.partition("against  ")
        self.assertTrue(mine.endswith("command  irplan plan a.irplan\n"), done.stdout)
        self.assertEqual(its, "against-a.irplan, 2 lines\nsizes    B = 3\ncommand  irplan plan against-a.irplan --target cpu --let C=2\n")
        self.assertEqual([(self.path / name).read_text() for name in ("a.irplan", "against-a.irplan")], [one["text"], other["text"]])
        found = self.decoded(text)
        self.assertEqual(found["against_command"], "irplan plan against-a.irplan --target cpu --let C=2")
        self.assertEqual(found["against"], other)
        self.assertNotIn("against_command", self.decoded(packed(one)))

    def test_links_of_the_page(self):
        for payload in OF_THE_PAGE:
            self.assertEqual(self.decoded(f"#1.0.1.0.{payload}")["text"], "input x: f16[4, 8]\nout = output(silu(x))\n")
        record = {"file": "a.irplan", "text": "x", "sizes": {"B": 3}, "look": {"view": "ops"}}
        for letter in "abc":
            found = self.decoded(packed(record, letter))
            self.assertEqual({key: found[key] for key in record}, record)

    def test_what_is_no_link(self):
        whole = packed({"file": "a.irplan", "text": "input x: f16[4]\n" * 9})
        for text in ("", "#", "plan", "#plan", "1.0.1.0", "#1..a", "https://irplan.example/"):
            self.refused(text, "no link of the playground")
        self.refused(whole.replace("#1.", "#2.", 1), "format 2")
        self.refused(whole.replace(".b", ".z", 1), "newer version")
        for cut in (-1, -4, 12):
            self.refused(whole[:cut], "damaged")
        self.refused(whole[:-6] + "!!" + whole[-4:], "damaged")
        for record in (b"{", b"[1]", b'{"file": 1, "text": "x"}', b'{"file": "a"}', b"[" * 100000, b"\xff\xfe"):
            self.refused(packed(record), "damaged" if not record.startswith((b"[1]", b'{"')) else "no program")

    def test_what_is_too_large(self):
        self.refused(packed(b'{"file": "a.irplan", "text": "' + b"a" * (17 << 20) + b'"}'), "more than 16 MiB")
        done = link("decode", "-", input="#1.0.1.0.b" + "A" * (5 << 20))
        self.assertEqual(done.returncode, 1)

    def test_names_stay_in_the_folder_and_words_off_the_terminal(self):
        record = {"file": "../../\x1b[31m/.x/../evil.irplan", "text": "input x: f16[4]\n", "config": "{}", "configName": "/etc/\u202egnp.json",
                  "options": {"lets": {"A": "1; rm -rf '\x1b]0;x\x07"}}}
        done = link("decode", packed(record), "-o", self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(list(self.path.iterdir())), 2)
        self.assertTrue((self.path / "evil.irplan").exists())
        self.assertNotIn("\x1b", done.stdout)
        self.assertNotIn("\u202e", done.stdout)
        self.assertIn("'A=1; rm -rf '\\''", done.stdout)
        for name in ("", ".irplan", "..", "x", "-rf.irplan", "a/b/.irplan", 7):
            into = self.path / f"n{len(list(self.path.iterdir()))}"
            into.mkdir()
            record["file"] = name
            if not isinstance(name, str):
                self.refused(packed(record), "no program", "-o", into)
                continue
            self.assertEqual(link("decode", packed(record), "-o", into).returncode, 0)
            self.assertIn(sorted(p.name for p in into.iterdir() if p.suffix == ".irplan"), (["program.irplan"], ["rf.irplan"]), name)

    def test_command_line(self):
        self.assertEqual(link("encode").returncode, 2)
        for words, option in ((["encode", self.path / "a.irplan", "-o", self.path], "--output"), (["decode", "#1", "--let", "C=4"], "--let")):
            done = link(*words)
            self.assertEqual((done.returncode, option in done.stderr, "goes with `irplan link" in done.stderr), (2, True, True), done.stderr)
        self.assertEqual(link("sideways", "x").returncode, 2)
        self.assertEqual(link("encode", self.path / "none.irplan").returncode, 1)
        (self.path / "plan.json").write_text('{"irplan": 1}')
        self.assertIn("is a plan", link("encode", self.path / "plan.json").stderr)
        (self.path / "a.irplan").write_text("out = output(x)\n")
        self.assertEqual(link("encode", self.path / "a.irplan", "--dim", "B=two").returncode, 2)
        self.assertEqual(link("encode", self.path / "a.irplan", "--site", "https://x/#").returncode, 2)
        self.assertIn("is no folder", link("decode", packed({"file": "a.irplan", "text": ""}), "-o", self.path / "none").stderr)


if __name__ == "__main__":
    unittest.main()
