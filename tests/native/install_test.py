#!/usr/bin/env python3
"""`cmake --install`: what it puts where, and that manuals and completions do what they are for."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))
BUILD = BIN.parent
CACHE = BUILD / "CMakeCache.txt"
PROGRAMS = ("irplan", "irplan-run")
FILES = [file for p in PROGRAMS for file in (
    f"bin/{p}", f"share/man/man1/{p}.1", f"share/bash-completion/completions/{p}", f"share/zsh/site-functions/_{p}",
    f"share/fish/vendor_completions.d/{p}.fish")] + ["share/irplan/irplan.cdx.json", "share/irplan/plan.schema.json", "share/doc/irplan/LICENSE",
                                                     "share/doc/irplan/README.md", "share/doc/irplan/language.md", "share/doc/irplan/plan.md"]
HEADERS = [f"include/irplan/{p.name}" for p in (ROOT / "core/include/irplan").iterdir()]
PACKAGE = re.compile(r"lib\w*(/[\w-]+)?/(libirplan\.a|cmake/irplan/irplan-(config|config-version|targets|targets-\w+)\.cmake)")


def output(*words, **more):
    return limited.run(words, capture_output=True, text=True, check=True, **more).stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prefix = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.prefix)
        cmake = re.search(r"^CMAKE_COMMAND:INTERNAL=(.*)$", CACHE.read_text(), re.M)[1]
        output(cmake, "--install", BUILD, "--prefix", cls.prefix)

    def test_all_files_and_no_others(self):
        found = sorted(str(p.relative_to(self.prefix)) for p in self.prefix.rglob("*") if p.is_file())
        package = [f for f in found if PACKAGE.fullmatch(f)]
        self.assertEqual(len(package), 5, package)
        self.assertEqual([f for f in found if f not in package], sorted(FILES + HEADERS))

    def test_programs_run_where_they_are(self):
        for program in PROGRAMS:
            self.assertRegex(output(self.prefix / "bin" / program, "--version"), rf"\A{program} \d+\.\d+\.\d+\n\Z")

    def test_manuals_name_every_option(self):
        for program, command in (("irplan", ["plan"]), ("irplan-run", [])):
            page = (self.prefix / f"share/man/man1/{program}.1").read_text()
            options = set(re.findall(r"^  (?:-\w, |    )(--[\w-]+)", output(self.prefix / "bin" / program, *command, "--help"), re.M))
            self.assertGreater(len(options), 10)
            for option in options:
                self.assertIn(option.replace("-", "\\-"), page)
            for section in (".TH", ".SH NAME", ".SH SYNOPSIS", ".SH EXIT STATUS"):
                self.assertIn(f"\n{section}", "\n" + page)

    def complete(self, program, *words):
        """What bash proposes for the last word."""
        function = "_" + program.replace("-", "_")
        script = (f"source {self.prefix}/share/bash-completion/completions/{program}; COMP_WORDS=({program} "
                  + " ".join(f"'{w}'" for w in words) + f"); COMP_CWORD={len(words)}; {function}; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        return output("bash", "-c", script, cwd=self.prefix).split()

    def test_bash_completes(self):
        self.assertEqual(self.complete("irplan", "plan", "--stren"), ["--strength"])
        self.assertEqual(self.complete("irplan", "plan", "--strength", ""), ["portfolio", "limited", "exact"])
        self.assertIn("explain", self.complete("irplan", "exp"))
        self.assertEqual(self.complete("irplan", "completion", "f"), ["fish"])
        self.assertEqual(self.complete("irplan", "plan", "x.irplan", "--dump-after", "sch"), ["schedule"])
        self.assertEqual(self.complete("irplan-run", "x.json", "--back"), ["--backend"])
        self.assertEqual(self.complete("irplan-run", "x.json", "--backend", "c"), ["cpu", "cuda"])
        self.assertEqual(self.complete("irplan-run", "b"), ["bin"])

    def test_scripts_are_well_formed(self):
        for shell, pattern in (("bash", "share/bash-completion/completions/{}"), ("zsh", "share/zsh/site-functions/_{}"),
                               ("fish", "share/fish/vendor_completions.d/{}.fish")):
            for program in PROGRAMS:
                path = self.prefix / pattern.format(program)
                self.assertIn("--config" if shell != "fish" else "-l config", path.read_text())
                if shutil.which(shell):
                    output(shell, "-n", path)


def main():
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    if not CACHE.is_file() or not (BIN / "irplan-run").is_file():
        print("no build with both commands: skipped")
        sys.exit(77)
    sys.exit(main())
