#!/usr/bin/env python3
"""What the tests run of the proof of plans and of the readers of files: a line a file, their sum, and whether it is enough.

    coverage.py EXPORT        of `llvm-cov export -summary-only`; exits 1 below a bar

Nothing inside of a file is left out. Which files count is said here, and a file that is named here and was not built is a mistake.
"""
import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GROUPS = {  # what it is: its files, below the root
    "core/src/plan": [r"core/src/plan/.*\.(cpp|h)"],
    "readers of files": [r"core/src/runtime/(safetensors|checkpoint|npy|stored|requests)\.cpp", r"core/src/ir/config\.cpp",
                         r"core/src/passes/memory/pack_(csv|json)\.cpp", r"native/files/(read|mapped_file|paths)\.cpp"],
}
BARS = {"lines": 98.0, "branches": 95.0}


def percent(part):
    return 100.0 * part["covered"] / part["count"] if part["count"] else 100.0


def groups_of(files):
    """The measured files of each group, and the patterns that none matches."""
    found, unmatched = {}, []
    for group, patterns in GROUPS.items():
        found[group] = {}
        for pattern in patterns:
            hits = {name: s for name, s in files.items() if re.fullmatch(pattern, name)}
            found[group].update(hits)
            if not hits:
                unmatched.append(pattern)
    return found, unmatched


def main(export):
    files = {}
    for file in json.loads(Path(export).read_text())["data"][0]["files"]:
        name = Path(os.path.normpath(file["filename"]))  # a compiler's cache may have named it by way of the build folder
        if name.is_relative_to(ROOT):
            files[str(name.relative_to(ROOT))] = file["summary"]
    found, unmatched = groups_of(files)
    short = [f"no file is measured of {pattern}" for pattern in unmatched]
    for group, members in found.items():
        print(f"{group}\n  {'lines':>16}{'branches':>20}")
        total = {what: {"count": 0, "covered": 0} for what in BARS}
        for name, summary in sorted(members.items()):
            print("  " + "".join(f"{percent(summary[w]):7.1f} % {summary[w]['covered']:>4}/{summary[w]['count']:<5}" for w in BARS), name)
            for what in BARS:
                for key in ("count", "covered"):
                    total[what][key] += summary[what][key]
        for what, bar in BARS.items():
            at = percent(total[what])
            print(f"  {group}: {at:.2f} % of {total[what]['count']} {what}, wanted {bar:.0f} %")
            if at < bar:
                short.append(f"{group}: {at:.2f} % of the {what}, below {bar:.0f} %")
    for line in short:
        print("coverage:", line, file=sys.stderr)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
