#!/usr/bin/env python3
"""What runners of tests say is added up as they mean it, and a skipped test is told with its reason."""
import subprocess
import sys
import tempfile
from pathlib import Path

TALLY = Path(__file__).resolve().parents[1] / "tally.py"

JUNIT = """<testsuite><testcase name="core" status="run"><system-out>All tests passed (9 assertions in 3 test cases)
</system-out></testcase>
<testcase name="native/ptxas_test" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
<system-out>skipped: nvcc is not installed
</system-out></testcase>
<testcase name="fuzz" status="fail"><failure/><system-out>test cases: 4 | 3 passed | 1 failed
assertions: 9 | 8 passed | 1 failed
</system-out></testcase></testsuite>
"""


def tally(*arguments):
    return subprocess.run([sys.executable, TALLY, *map(str, arguments)], capture_output=True, text=True, check=False)


def noted(folder, kind, code, text):
    """What `end` says after one runner, and what noting it printed."""
    book, log = folder / "book", folder / "log"
    book.unlink(missing_ok=True)
    log.write_text(text)
    said = tally("add", book, kind, "one", code, log).stdout
    end = tally("end", book)
    return end.stdout.splitlines()[-1], end.returncode, said


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, code, text, line, exit_code, words in [
            ("junit", 8, JUNIT, "6 passed, 1 failed, 1 skipped", 1, "skipped: native/ptxas_test: nvcc is not installed"),
            ("log", 0, "ok a\n3 passed, 0 failed\n", "3 passed, 0 failed", 0, ""),
            ("log", 1, "3 passed, 0 failed\n", "3 passed, 1 failed", 1, ""),
            ("log", 77, "no Chromium was found: skipped\n", "0 passed, 1 failed, 1 skipped", 1, "no Chromium was found"),
            ("log", 139, "", "0 passed, 1 failed", 1, ""),
            ("log", 0, "# pass 5\n# fail 0\n# skipped 2\n", "5 passed, 0 failed, 2 skipped", 0, ""),
            ("step", 1, "", "0 passed, 1 failed", 1, ""),
        ]:
            got = noted(folder, kind, code, text)
            good = got[0] == line and got[1] == exit_code and words in got[2]
            passed, failed = passed + good, failed + (not good)
            if not good:
                print(f"FAIL {kind} {code} {text[:40]!r}: {got}, not {(line, exit_code, words)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
