"""The pack for a host with a GPU, made from the built commands and rehearsed on the CPU: each part runs, what needs a device is
skipped by name, a part that was cut short goes on, and a step that fails fails its part."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import limited  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("IRPLAN_BIN", ROOT / "build" / "bin"))


def run(*words, **how):
    how.setdefault("env", {**os.environ, "IRPLAN_DRY_RUN": "1"})
    return limited.run(words, seconds=120, capture_output=True, text=True, **how)


class Pack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.pack = pathlib.Path(cls.folder.name) / "pack"
        done = run("bash", ROOT / "native" / "cuda" / "gpu-pack.sh", BIN, cls.pack)
        assert done.returncode == 0, done.stdout + done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def steps(self, part, out):
        return {step["step"]: step["result"] for step in map(json.loads, (out / f"{part}.jsonl").read_text().splitlines())}

    def part(self, part, out, **how):
        return run("bash", self.pack / "gpu-run.sh", part, out, **how)

    def test_sums_are_right(self):
        done = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=self.pack, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_parts_run_and_go_on(self):
        out = pathlib.Path(self.folder.name) / "results"
        done = self.part("A", out)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        steps = self.steps("A", out)
        self.assertEqual(steps["device"], "skipped: needs a device")
        for name in ("kernels by themselves", "whole models of every family", "hotpath against the reference", "llama against the reference"):
            self.assertEqual(steps[name], "passed", name)
        self.assertIn("| llama against the reference | passed |", (out / "A.md").read_text())
        before = (out / "A.jsonl").read_text()
        self.assertEqual(self.part("A", out).returncode, 0)
        self.assertEqual((out / "A.jsonl").read_text(), before)  # nothing was done twice
        for part in "BCDE":
            done = self.part(part, out)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.steps("D", out)["decode tiny after 8 tokens"], "passed")

    def test_a_part_whose_time_is_up_says_so(self):
        out = pathlib.Path(self.folder.name) / "late"
        done = self.part("D", out, env={**os.environ, "IRPLAN_DRY_RUN": "1", "IRPLAN_PART_SECONDS": "1"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("the time of part D is up", done.stdout)
        self.assertEqual(self.part("D", out).returncode, 0)

    def test_a_step_that_fails_is_written_down(self):
        broken = pathlib.Path(self.folder.name) / "broken"
        shutil.copytree(self.pack, broken, symlinks=True)
        (broken / "want" / "hotpath.npy").write_bytes(b"no array")
        out = pathlib.Path(self.folder.name) / "failed"
        out.mkdir()
        done_before = ("kernels by themselves", "whole models of every family")
        (out / "A.jsonl").write_text("".join(f'{{"step":"{name}","result":"passed","seconds":0}}\n' for name in done_before))
        done = run("bash", broken / "gpu-run.sh", "A", out)
        self.assertEqual(done.returncode, 1)
        steps = self.steps("A", out)
        self.assertTrue(steps["hotpath against the reference"].startswith("FAILED"), steps)
        self.assertEqual(steps["llama against the reference"], "passed")

    def test_a_folder_of_others_is_left_alone(self):
        mine = pathlib.Path(self.folder.name) / "mine"
        mine.mkdir()
        (mine / "kept").write_text("x")
        done = run("bash", ROOT / "native" / "cuda" / "gpu-pack.sh", BIN, mine)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is no pack of ours", done.stderr)
        self.assertEqual((mine / "kept").read_text(), "x")


if __name__ == "__main__":
    if not (BIN / "irplan-test-native").is_file() or not (BIN / "irplan-run").is_file():
        print(f"no {BIN}/irplan-run and irplan-test-native: skipped")
        sys.exit(77)
    unittest.main()
