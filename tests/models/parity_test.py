#!/usr/bin/env python3
"""Every family against its reference logits: one forward, several chunkings, decode from the first token, prompt and decode, greedy."""
import json
import sys
import unittest

try:
    from family import ALL, Family, families
except ImportError as missing:  # numpy
    print(f"skipped: {missing}")
    sys.exit(77)


class Parity(unittest.TestCase):
    pass


def check(folder):
    def test(self):
        family = Family(folder)
        self.addCleanup(family.temporary.cleanup)
        T, P = family.tokens.shape[1], family.prompt
        for config in family.configs[1:]:  # the other spelling means the same model
            self.assertLessEqual(family.error(family.plan(config, ["every=true"]), [T], True), 1, config)
        every, last = family.plan(lets=["every=true"]), family.plan()
        odd = [1, 15, 2, 7, 1, 11, 3]
        for name, plan, all_positions, sizes in (("one forward", every, True, [T]), ("chunks of 16", every, True, [16] * (T // 16)),
                                                 ("odd chunks", every, True, odd + [T - sum(odd)]),
                                                 ("decode from the first token", last, False, [1] * T)):
            self.assertLessEqual(family.error(plan, sizes, all_positions), 1, name)
        self.assertLessEqual(family.error(last, [T], False), 1, "one forward, its last position")
        self.assertLessEqual(family.error(last, [P] + [1] * (T - P), False, family.stepped()), 1, "prompt and decode")
        if not family.half:  # in bf16 a near tie may fall either way
            for row in range(len(family.tokens)):
                self.assertEqual(family.generated(last, row), family.reference["greedy"][row].tolist(), f"greedy, row {row}")
        if family.window:  # short steps make the ring shorter than the text: it wraps
            ring = family.plan(lets=["chunk=8", "every=true"])
            if any(v.get("layout") == "ring" for v in json.loads(ring.read_text())["values"]):
                self.assertLessEqual(family.error(ring, [8] * (T // 8), True), 1, "a ring that wraps")
    return test


def absent(name):
    def test(self):
        self.skipTest(f"the checkpoint {name} is of the larger collection, which does not lie beside this repository")
    return test


found = families()
for name in sorted(ALL | set(found)):
    setattr(Parity, f"test_{name}", check(found[name]) if name in found else absent(name))

if __name__ == "__main__":
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Parity))
    bad, skipped = len(result.failures) + len(result.errors), len(result.skipped)
    print(f"{result.testsRun - bad - skipped} passed, {bad} failed, {skipped} skipped")
    sys.exit(1 if bad else 0)
