#!/usr/bin/env python3
"""Adds up what the runners of tests say about themselves.

    tally.py add TALLY (log|junit|step) NAME EXIT FILE     notes one runner's counts
    tally.py end TALLY                                      a line for each, then `N passed, N failed`; exits 1 if any failed

A log's counts are read from the last line that has them: `N passed, N failed, N skipped`, Catch2's or node:test's closing lines.
A runner that says nothing counts as one test; one that failed without saying so has at least one failure.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

PLAIN = re.compile(r"^\W*(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", re.M)
CATCH_GOOD = re.compile(r"All tests passed \([\d,]+ assertions? in (\d+) test cases?\)")
CATCH_BAD = re.compile(r"^test cases:\s*(\d+)\s*\|(.*)$", re.M)
NODE = re.compile(r"^\W*(pass|fail|skipped) (\d+)\s*$", re.M)
SKIPPED = 77


def counts(text, code):
    """(passed, failed, skipped) of one runner's output"""
    found = None
    if plain := list(PLAIN.finditer(text)):
        found = tuple(int(n or 0) for n in plain[-1].groups())
    elif good := CATCH_GOOD.findall(text):
        found = (int(good[-1]), 0, 0)
    elif bad := list(CATCH_BAD.finditer(text)):
        parts = dict((word, int(n)) for n, word in re.findall(r"(\d+) (passed|failed|skipped)", bad[-1][2]))
        found = (parts.get("passed", 0), parts.get("failed", 0), parts.get("skipped", 0))
    elif node := dict(NODE.findall(text)):
        found = (int(node.get("pass", 0)), int(node.get("fail", 0)), int(node.get("skipped", 0)))
    if found is None or not any(found):
        found = (0, 0, 1) if code == SKIPPED else (1, 0, 0) if code == 0 else (0, 1, 0)
    passed, failed, skipped = found
    return passed, failed if code in (0, SKIPPED) else max(1, failed), skipped


def reason(text):
    """Why a test was skipped: the last line that it wrote."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("skipped: ") if lines else "it says no reason"


def junit(path, code):
    """ctest's own report: one case a binary or script, with its output"""
    total = [0, 0, 0]
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return 0, 1, 0
    for case in cases:
        status = case.get("status")
        text = case.findtext("system-out") or ""
        case_code = {"run": 0, "notrun": SKIPPED, "disabled": SKIPPED}.get(status, 1)
        if case.find("failure") is not None:
            case_code = 1
        for i, n in enumerate(counts(text, case_code)):
            total[i] += n
        if case_code == SKIPPED:
            print(f"skipped: {case.get('name')}: {reason(text)}")
        if case_code == 1:
            print(f"failed: {case.get('name')}")
    return total[0], max(total[1], 1) if code and not total[1] else total[1], total[2]


def add(tally, kind, name, code, path):
    code = int(code)
    if kind == "junit":
        found = junit(path, code)
    elif kind == "step":
        found = (0, 1, 0)
    else:
        text = Path(path).read_text(errors="replace")
        found = counts(text, code)
        if code == SKIPPED:
            print(f"skipped: {name}: {reason(text)}")
    with open(tally, "a") as f:
        f.write("\t".join([name, *map(str, found)]) + "\n")


def end(tally):
    total = [0, 0, 0]
    try:
        lines = Path(tally).read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, *numbers = line.split("\t")
        passed, failed, skipped = map(int, numbers)
        print(f"{name:24} {passed:6} passed {failed:4} failed {skipped:4} skipped")
        total = [a + b for a, b in zip(total, (passed, failed, skipped))]
    if not total[0] and not total[1]:
        total[1] = 1  # no test at all is no success
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    return 1 if total[1] else 0


def main():
    if len(sys.argv) == 7 and sys.argv[1] == "add":
        add(*sys.argv[2:])
        return 0
    if len(sys.argv) == 3 and sys.argv[1] == "end":
        return end(sys.argv[2])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
