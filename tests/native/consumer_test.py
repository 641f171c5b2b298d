#!/usr/bin/env python3
"""The library from elsewhere: find_package() of what is installed, and the tree as a part of another project."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))
BUILD = BIN.parent
CACHE = BUILD / "CMakeCache.txt"
PROGRAM, CONFIG = ROOT / "examples/models/llama.irplan", ROOT / "examples/configs/llama-3.2-1b.json"


def cached(name):
    found = re.search(rf"^{name}:\w+=(.*)$", CACHE.read_text(), re.M)
    return found[1] if found else ""


def output(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


class Consumer(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.cmake = cached("CMAKE_COMMAND")

    def configure(self, *options):
        output(self.cmake, "-S", ROOT / "tests/consumer", "-B", self.folder / "engine", "-G", cached("CMAKE_GENERATOR"),
               f"-DCMAKE_CXX_COMPILER={cached('CMAKE_CXX_COMPILER')}", f"-DCMAKE_CXX_FLAGS={cached('CMAKE_CXX_FLAGS')}", *options)

    def test_installed(self):
        output(self.cmake, "--install", BUILD, "--prefix", self.folder / "prefix")
        sanitised = " -fsanitize=address,undefined" if cached("IRPLAN_SANITIZE") == "ON" else ""
        self.configure(f"-DCMAKE_PREFIX_PATH={self.folder / 'prefix'}", f"-DCMAKE_EXE_LINKER_FLAGS={sanitised}")
        output(self.cmake, "--build", self.folder / "engine")
        told = output(self.folder / "engine/engine", PROGRAM, CONFIG)
        self.assertIn("decode of ", told)
        self.assertIn(" fits into 24.00 GiB", told)
        fit = json.loads(output(BIN / "irplan", "fit", CONFIG, "--memory", "24GiB", "--format", "json"))
        self.assertIn(f"weights {fit['bytes']['weights']},", told)

    def test_part_of_another_project(self):
        self.configure(f"-DIRPLAN_TREE={ROOT}")


def main():
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    if not CACHE.is_file() or not (BIN / "irplan").is_file():
        print("no build: skipped")
        sys.exit(77)
    sys.exit(main())
