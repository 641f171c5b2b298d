#!/usr/bin/env python3
"""Whether several builds of the compiler give the same plans, byte for byte, of all examples and golden programs.

    same_plans.py IRPLAN IRPLAN...

Examples are compiled with every config of examples/configs and tests/data/goldens that they serve; what one refuses, all must
refuse with the same words.
"""
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def cases():
    for program in [*sorted((ROOT / "tests/golden").glob("*.irplan")), ROOT / "examples/hotpath.irplan"]:
        yield program, None
    configs = [*sorted((ROOT / "examples/configs").rglob("*.json")), *sorted((ROOT / "tests/data/goldens").glob("*/config.json"))]
    for program in sorted((ROOT / "examples/models").glob("*.irplan")):
        for config in configs:
            yield program, config


def answer(irplan, program, config):
    given = ["--config", str(config)] if config else []
    done = subprocess.run([irplan, "plan", str(program), *given, "-o", "-"], capture_output=True)
    return done.returncode, hashlib.sha256(done.stdout).hexdigest(), done.stderr


def main(builds):
    if len(builds) < 2:
        sys.exit(__doc__)
    plans = refused = 0
    different = []
    for program, config in cases():
        first, *others = [answer(build, program, config) for build in builds]
        plans, refused = plans + (first[0] == 0), refused + (first[0] != 0)
        for build, other in zip(builds[1:], others):
            if other != first:
                different.append(f"{program.name} {config.parent.name + '/' + config.name if config else ''}: {builds[0]} and {build}")
    for line in different:
        print("different:", line)
    print(f"{plans} plans and {refused} refusals of {len(builds)} builds: {'the same' if not different else 'DIFFERENT'}")
    return 1 if different or plans == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
