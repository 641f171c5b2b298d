#!/usr/bin/env python3
"""The form of plan.json: the schema holds for every plan that is emitted, keys keep their order, and the first readers still read it."""
import copy
import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
IRPLAN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin")) / "irplan"
EXAMPLE = ROOT / "tests/data/plans/example.json"
SCHEMA = json.loads((ROOT / "core/src/plan/plan.schema.json").read_text())
LISTS = "dims guards phases outputs values buffers ops budget".split()
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
SAYS_NOTHING = {"$schema", "$defs", "title", "description"}


def is_type(x, name):
    if name in ("integer", "number"):
        return isinstance(x, int if name == "integer" else (int, float)) and not isinstance(x, bool)
    return isinstance(x, TYPES[name])


def same(a, b):
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def faults(x, schema, where="plan"):
    """What a value breaks of the part of JSON Schema that the plan's schema uses; an unknown keyword is an error here."""
    out = []
    for key, rule in schema.items():
        if key in SAYS_NOTHING or key in ("then", "maxItems", "maximum"):
            continue  # with their partners
        if key == "$ref":
            out += faults(x, SCHEMA["$defs"][rule.removeprefix("#/$defs/")], where)
        elif key == "type":
            names = rule if isinstance(rule, list) else [rule]
            if not any(is_type(x, n) for n in names):
                return out + [f"{where}: {json.dumps(x)[:60]} is no {'|'.join(names)}"]
        elif key == "anyOf":
            if all(faults(x, r, where) for r in rule):
                out.append(f"{where}: {json.dumps(x)[:60]} is none of its forms")
        elif key == "allOf":
            out += [f for r in rule for f in faults(x, r, where)]
        elif key == "if":
            out += faults(x, schema["then"], where) if not faults(x, rule, where) else []
        elif key == "const":
            out += [] if same(x, rule) else [f"{where}: {json.dumps(x)[:60]} is not {rule}"]
        elif key == "enum":
            out += [] if any(same(x, r) for r in rule) else [f"{where}: {json.dumps(x)[:60]} is no choice"]
        elif key == "required":
            out += [f"{where}: lacks {k}" for k in rule if isinstance(x, dict) and k not in x]
        elif key == "properties":
            out += [f for k, r in rule.items() if isinstance(x, dict) and k in x for f in faults(x[k], r, f"{where}.{k}")]
        elif key == "additionalProperties":
            known = schema.get("properties", {})
            out += [f for k in (x if isinstance(x, dict) else ()) if k not in known for f in faults(x[k], rule, f"{where}.{k}")]
        elif key == "items":
            out += [f for i, y in enumerate(x if isinstance(x, list) else ()) for f in faults(y, rule, f"{where}[{i}]")]
        elif key == "pattern":
            out += [] if not isinstance(x, str) or re.search(rule, x) else [f"{where}: {x[:60]!r} is not {rule}"]
        elif key in ("minItems", "minLength"):
            sized = isinstance(x, list if key == "minItems" else str)
            most = schema.get("maxItems", len(x)) if key == "minItems" and sized else None
            out += [f"{where}: length {len(x)}"] if sized and (len(x) < rule or most is not None and len(x) > most) else []
        elif key == "maxLength":
            out += [f"{where}: longer than {rule}"] if isinstance(x, str) and len(x) > rule else []
        elif key == "minimum":
            number = is_type(x, "number")
            out += [f"{where}: {x} is out of range"] if number and not rule <= x <= schema.get("maximum", x) else []
        else:
            raise NotImplementedError(f"schema keyword {key}")
    return out


def first_reader(text):
    """A consumer that knows the smallest form alone."""
    doc = json.loads(text)
    ops = [(op["id"], op["op"], op["kernel"]) for op in doc["ops"]]
    memory = doc["memory_plan"]
    return doc["version"], ops, memory["peak_bytes"], memory["reuse_buffers"]


def programs():
    """Arguments of `irplan plan` for every program of the tree that compiles without more."""
    for path in sorted((ROOT / "tests/golden").glob("*.irplan")):
        if not path.stem.startswith("bad-") and "# RUN: plan" in (text := path.read_text()):
            flags = re.search(r"# RUN: plan(.*)", text)[1].split()
            if "config" not in text:
                yield f"golden {path.stem}", [path, *[f for f in flags if not f.startswith(("--show", "--deny"))]]
    yield "hotpath", [ROOT / "examples/hotpath.irplan"]
    serves = {"llama": "llama-3.2-1b", "gpt2": "gpt2", "gemma": "gemma-3-1b", "phi3": "phi-3-mini-4k", "moe": "gpt-oss-20b"}
    for program, config in serves.items():
        yield program, [ROOT / f"examples/models/{program}.irplan", "--config", ROOT / f"examples/configs/{config}.json"]


class Form(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.example = json.loads(EXAMPLE.read_text())
        cls.emitted = {}
        for name, arguments in programs() if IRPLAN.is_file() else ():
            p = limited.run([IRPLAN, "plan", *arguments, "-o", "-"], capture_output=True)
            assert p.returncode == 0, (name, p.stderr[:500])
            cls.emitted[name] = p.stdout.decode()

    def need_emitted(self):
        if not self.emitted:
            self.skipTest("no irplan")

    def test_the_example_holds(self):
        self.assertEqual(faults(self.example, SCHEMA), [])

    def test_the_schema_can_refuse(self):
        broken = {
            "version": lambda d: d.update(version="9.0.0"),
            "plan: lacks ops": lambda d: d.pop("ops"),
            "plan.memory_plan.peak_bytes": lambda d: d["memory_plan"].update(peak_bytes=2**53),
            "plan.memory_plan.reuse_buffers": lambda d: d["memory_plan"].update(reuse_buffers=1),
            "plan.values[0].dtype": lambda d: d["values"][0].update(dtype="f99"),
            "plan.values[0].shape[0]": lambda d: d["values"][0].update(shape=[1]),
            "plan.values[1]: lacks source": lambda d: d["values"][1].pop("source"),
            "plan.buffers[2]: lacks offset": lambda d: d["buffers"][2].pop("offset"),
            "plan.buffers[2].bytes": lambda d: d["buffers"][2].update(bytes="+4"),
            "plan.buffers[2].live": lambda d: d["buffers"][2].update(live=[0, 3, 4]),
            "plan.ops[0].kernel": lambda d: d["ops"][0].update(kernel="../lib.so"),
            "plan.ops[0].out": lambda d: d["ops"][0].update(out=[]),
            "plan.dims[0].max": lambda d: d["dims"][0].update(max=-1),
            "plan.dims[0].assumed": lambda d: d["dims"][0].update(assumed=1),
            "plan.source.file": lambda d: d["source"].update(file="folder/x.irplan"),
            "plan.phases[0].peak": lambda d: d["phases"][0].update(peak=7),
        }
        for where, damage in broken.items():
            doc = copy.deepcopy(self.example)
            damage(doc)
            found = faults(doc, SCHEMA)
            self.assertTrue(any(where in f for f in found), (where, found))

    def test_the_documentation_names_every_key(self):
        text = (ROOT / "core/plan.md").read_text()
        records = [SCHEMA, *(rule for rule in SCHEMA["$defs"].values() if "properties" in rule)]
        keys = {key for record in records for key in record["properties"]} - {"column", "end_line", "end_column"}
        self.assertEqual(sorted(k for k in keys if not re.search(rf"`{k}\b", text)), [])

    def test_an_addition_is_allowed(self):
        doc = copy.deepcopy(self.example)
        doc["later"] = doc["ops"][0]["later"] = {"any": [1]}
        self.assertEqual(faults(doc, SCHEMA), [])

    def test_every_emitted_plan_holds(self):
        self.need_emitted()
        for name, text in self.emitted.items():
            self.assertEqual(faults(json.loads(text), SCHEMA)[:3], [], name)

    def test_keys_stand_in_the_order_of_the_schema(self):
        self.need_emitted()

        def ordered(record, schema, where):
            keys = list(schema["properties"])
            self.assertEqual(list(record), [k for k in keys if k in record], where)
        for name, text in self.emitted.items():
            doc = json.loads(text)
            ordered(doc, SCHEMA, name)
            for key in (*LISTS, "source", "target", "memory_plan"):
                rule = SCHEMA["properties"][key]
                rule = rule.get("items", rule)
                rule = SCHEMA["$defs"][rule["$ref"].removeprefix("#/$defs/")] if "$ref" in rule else rule
                for record in doc[key] if key in LISTS else [doc[key]]:
                    ordered(record, rule, f"{name}: {key}")

    def test_a_line_for_each_record(self):
        self.need_emitted()
        for name, text in self.emitted.items():
            doc, lines = json.loads(text), text.splitlines()
            for key in LISTS:
                at = next(i for i, line in enumerate(lines) if line.startswith(f'"{key}": ['))
                records = [json.loads(line.rstrip(",")) for line in lines[at + 1:at + 1 + len(doc[key])]]
                self.assertEqual(records, doc[key], (name, key))
            self.assertTrue(text.endswith("}\n"), name)

    def test_the_first_readers_read_every_plan(self):
        self.assertEqual(first_reader(EXAMPLE.read_text()), ("0.1.0", [
            ("n", "rmsnorm", "cuda_rmsnorm_v1"), ("r", "rope", "cuda_rope_v1"), ("s", "silu", "cuda_silu_v1")], 33554432, True))
        self.need_emitted()
        self.assertEqual(first_reader(self.emitted["hotpath"]), first_reader(EXAMPLE.read_text()))
        for name, text in self.emitted.items():
            version, ops, peak, reuse = first_reader(text)
            self.assertEqual((version, reuse), ("0.1.0", True), name)
            self.assertTrue(all(kernel.startswith(("cuda_" + op + "_v", "cpu_" + op + "_v")) for _, op, kernel in ops), name)
            self.assertGreaterEqual(peak, 0)


if __name__ == "__main__":
    sys.exit(unittest.main())
