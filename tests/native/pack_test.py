#!/usr/bin/env python3
"""irplan pack: alignments, fixed offsets and gaps against a check of its own, over all small placements; and its two formats."""
import itertools
import json
import os
import random
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))


def slabs(b):
    """(lower, upper, from, to): the bytes of a buffer that are taken in these steps"""
    at = b["lower"]
    for lower, upper, kept in b.get("gaps", []):
        if at < lower:
            yield at, lower, 0, b["size"]
        if kept and kept[0] < kept[1]:
            yield lower, upper, *kept
        at = upper
    if at < b["upper"]:
        yield at, b["upper"], 0, b["size"]


def clash(a, x, b, y):
    return any(p[0] < q[1] and q[0] < p[1] and x + p[2] < y + q[3] and y + q[2] < x + p[3]
               for p in slabs(a) for q in slabs(b) if p[2] < p[3] and q[2] < q[3])


def wrong(buffers, offsets):
    """what a placement does not honour; empty where it is good"""
    for b, x in zip(buffers, offsets):
        if x < 0 or x % b.get("alignment", 1) or b.get("offset") not in (None, x):
            return f"{b['id']} at {x}"
    for (a, x), (b, y) in itertools.combinations(zip(buffers, offsets), 2):
        if clash(a, x, b, y):
            return f"{a['id']} at {x} and {b['id']} at {y}"
    return ""


def lives(b):
    return b["lower"] < b["upper"] and b["size"] > 0


def best_height(buffers):
    """of all placements, one by one"""
    most = sum(b["size"] + b.get("alignment", 1) for b in buffers) + max((b.get("offset") or 0) for b in buffers)
    for height in range(most + 1):
        choices = [[b["offset"]] if b.get("offset") is not None else range(0, height - b["size"] + 1, b.get("alignment", 1)) for b in buffers]

        def search(i, placed):
            if i == len(buffers):
                return True
            for x in choices[i]:
                if x + buffers[i]["size"] <= height and not any(clash(buffers[k], y, buffers[i], x) for k, y in enumerate(placed)):
                    if search(i + 1, placed + [x]):
                        return True
            return False

        if search(0, []):
            return height
    return None


def csv(buffers):
    gaps = lambda b: " ".join(f"{l}-{u}" + (f"@{k[0]}:{k[1]}" if k else "") for l, u, k in b.get("gaps", []))
    rows = [[b["id"], b["lower"], b["upper"], b["size"], b.get("alignment", 1), gaps(b), "" if b.get("offset") is None else b["offset"]]
            for b in buffers]
    return "\n".join(",".join(map(str, row)) for row in [["id", "lower", "upper", "size", "alignment", "gaps", "offset"], *rows]) + "\n"


class Pack(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def pack(self, text, *options, name="in.csv", code=0, out="out.csv"):
        (self.folder / name).write_text(text)
        done = limited.run([BIN / "irplan", "pack", name, *options, "-o", out], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout, done.stderr

    def offsets(self, count):
        lines = (self.folder / "out.csv").read_text().splitlines()
        at = lines[0].split(",").index("offset")
        self.assertEqual(len(lines), count + 1)
        return [int(line.split(",")[at]) for line in lines[1:]]

    def solved(self, buffers, *options):
        out, _ = self.pack(csv(buffers), "--format=json", *options)
        return json.loads(out), self.offsets(len(buffers))

    def test_columns_of_the_published_format(self):
        out, _ = self.pack("id,lower,upper,size,alignment\na,0,10,4,8\nb,0,7,6,8\n")
        self.assertIn("verdict optimal\nheight 12\n", out)
        self.assertEqual(self.offsets(2), [8, 0])
        self.assertIn("id,lower,upper,size,alignment,offset", (self.folder / "out.csv").read_text())
        out, _ = self.pack("id,lower,upper,size,gaps\nb1,0,10,4,3-7\nb2,3,7,4,\n")
        self.assertIn("verdict optimal\nheight 4\n", out)
        out, _ = self.pack("id,lower,upper,size,offset\na,0,10,4,0\nb,0,7,6,4\n")
        self.assertIn("verdict optimal\nheight 10\n", out)
        self.assertEqual(self.offsets(2), [0, 4])
        # the older names, with the last step instead of the one after it
        self.pack("buffer_id,start,end,size\na,0,1,4\nb,2,3,4\n")
        self.assertEqual(self.offsets(2), [0, 0])

    def test_what_cannot_be_honoured_is_told(self):
        for text, words in (("id,lower,upper,size,hint\na,0,1,4,2\n", "`hint`"),
                            ("id,lower,upper,size" + "," * 1000000 + "\n", "line 1: more than 7 columns"),
                            ("id,lower,upper,size\na,0,1,4" + "," * 1000000 + "\n", "line 2: more cells than the 4 of the first line"),
                            ("id,lower,upper,size\na,0,1\n", "line 2: 3 cells where the first line has 4"),
                            ("id,lower,upper,size,size\na,0,1,4,4\n", "two columns"),
                            ("id,lower,upper,size,alignment\na,0,1,4,0\n", "alignment"), ("id,lower,upper,size,offset\na,0,1,4,-1\n", "offset"),
                            ("id,lower,upper,size,alignment,offset\na,0,1,4,8,4\n", "not a multiple"), ("id,lower,upper,size,gaps\na,0,9,4,3\n", "lower-upper"),
                            ("id,lower,upper,size,gaps\na,0,9,4,8-12\n", "outside"), ("id,lower,upper,size,gaps\na,0,9,4,5-4\n", "ends before"),
                            ("id,lower,upper,size,gaps\na,0,9,4,2-5 4-6\n", "begins before"), ("id,lower,upper,size,gaps\na,0,9,4,2-5@0:9\n", "outside the buffer")):
            self.assertIn(words, self.pack(text, code=1)[1], text)
        err = self.pack("id,lower,upper,size,offset\na,0,10,4,0\nb,5,7,6,2\n", code=3)[1]
        self.assertIn("infeasible: the fixed offsets of a (4 bytes at 0", err)

    def test_what_is_never_alive_is_told(self):
        """Lifetimes are half-open in the published format: lower = upper is allowed, and hardly meant."""
        out, err = self.pack("id,lower,upper,size\na,3,3,4\nb,0,7,6\n")
        self.assertIn("height 6\n", out)
        self.assertIn("note: never alive", err)
        self.assertTrue(err.strip().endswith(": a"), err)
        self.assertEqual(self.pack("buffer_id,start,end,size\na,3,3,4\n")[1], "")  # `end` is the last step

    def test_verdicts(self):
        text = "id,lower,upper,size,alignment\na,0,10,4,8\nb,0,7,6,8\n"
        self.assertIn("verdict infeasible", self.pack(text, "--capacity", "11", code=3)[0])
        self.assertRegex(self.pack(text, "--capacity", "12")[0], "verdict (feasible|optimal)")
        plain = "id,lower,upper,size\na,0,2,4\nb,1,3,4\n"
        for capacity, code in (("8", 0), ("0.5KiB", 0), ("1KB", 0), ("0.0075KiB", 3)):  # 7.68 bytes: fractions are dropped
            self.pack(plain, "--capacity", capacity, code=code)
        for capacity in ("8 parrots", "-8", "1.5.2KiB", "nan"):
            self.assertIn("--capacity takes bytes", self.pack(plain, "--capacity", capacity, code=2)[1])
        self.assertIn("verdict infeasible", self.pack(plain, "--capacity", "7", code=3)[0])

    def test_json(self):
        problem = {"capacity": 16, "buffers": [{"id": "a", "lower": 0, "upper": 10, "size": 4, "alignment": 8},
                                               {"id": "b", "lifespan": [0, 7], "size": 6, "alignment": 8},
                                               {"id": "c", "lifespan": {"lower": 2, "upper": 8}, "size": 2, "gaps": [[3, 7]]}]}
        self.pack(json.dumps(problem), name="p.json", out="out.json")
        solved = json.loads((self.folder / "out.json").read_text())
        self.assertIn(solved["verdict"], ("optimal", "feasible"))
        self.assertLessEqual(solved["height"], 16)
        again = {b["id"]: b for b in solved["buffers"]}
        self.assertEqual(again["a"]["alignment"], 8)
        self.assertEqual([{**b, "offset": 0} for b in solved["buffers"]], [{**b, "offset": 0} for b in problem["buffers"]])
        self.pack(json.dumps(solved), name="p.json", out="again.json")  # its own result is a problem, with fixed offsets
        self.assertEqual(json.loads((self.folder / "again.json").read_text())["height"], solved["height"])
        self.pack(json.dumps(problem["buffers"]), name="p.json", out="list.json")
        # what is read is written as it was, whatever form it has
        gap = {"lifespan": {"lower": 1, "upper": 3}, "window": {"lower": 0, "upper": 2}}
        odd = {"comment": "ours", "memory": 64, "allocations": [{"name": "a", "begin": 0, "upper": 4, "bytes": 8, "gaps": [gap]}]}
        self.pack(json.dumps(odd), name="p.json", out="odd.json")
        written = json.loads((self.folder / "odd.json").read_text())
        self.assertEqual({**odd["allocations"][0], "offset": 0}, written["allocations"][0])
        self.assertEqual((written["comment"], written["memory"], written["height"]), ("ours", 64, 8))
        self.pack("id,lower,upper,size,gaps\na,0,4,8,1-3@0:2\n", out="from.json")
        self.assertEqual(json.loads((self.folder / "from.json").read_text())["buffers"][0]["gaps"],
                         [{"lower": 1, "upper": 3, "window": {"lower": 0, "upper": 2}}])
        for wrong_one, words in (({"id": "a", "lower": 0, "upper": 1, "size": 1, "hint": 3}, "`hint`"), ({"id": "a", "lower": 0, "size": 1}, "upper"),
                                 ({"id": "a", "lower": 0, "upper": 1, "size": 1.5}, "size")):
            self.assertIn(words, self.pack(json.dumps([wrong_one]), name="p.json", code=1)[1])
        self.assertIn("`colour`", self.pack(json.dumps({"buffers": [], "colour": 1}), name="p.json", code=1)[1])

    def test_random_tables_against_all_placements(self):
        draw = random.Random(7)
        for _ in range(60):
            buffers = []
            for i in range(draw.randint(2, 4)):
                lower = draw.randint(0, 6)
                upper = lower + draw.randint(1, 6)
                b = {"id": f"b{i}", "lower": lower, "upper": upper, "size": draw.randint(1, 5), "alignment": draw.choice([1, 1, 2, 4])}
                if upper - lower > 2 and draw.random() < 0.4:
                    b["gaps"] = [(lower + 1, upper - 1, draw.choice([None, None, (0, 1)]))]
                if draw.random() < 0.2:
                    b["offset"] = draw.randint(0, 2) * b["alignment"]
                buffers.append(b)
            fixed = [(b, b["offset"]) for b in buffers if b.get("offset") is not None]
            if any(clash(a, x, b, y) for (a, x), (b, y) in itertools.combinations(fixed, 2)):
                self.assertIn("infeasible", self.pack(csv(buffers), code=3)[1])
                continue
            found, offsets = self.solved(buffers)
            self.assertEqual(wrong(buffers, offsets), "", buffers)
            self.assertEqual(found["height"], max(b["size"] + x for b, x in zip(buffers, offsets)), buffers)
            best = best_height(buffers)
            self.assertGreaterEqual(found["height"], best)
            if found["verdict"] == "optimal":
                self.assertEqual(found["height"], best, buffers)
            elif not any(k for b in buffers for *_, k in b.get("gaps", [])):
                self.fail(f"undecided: {buffers}")


if __name__ == "__main__":
    unittest.main()
