#!/usr/bin/env python3
"""Golden files: a program, how it is compiled, and what must come out, in one file that reads as a review.

    golden_test.py [--update] [--wasm] [FILE...]

    # RUN: plan --target=cuda --dim S=2048 --show=memory
    input x: f16[1, S, D]
    ...
    #--- config                  (optional: the config.json that the program reads)
    # {"hidden_size": 64}
    #--- expect
    # rmsnorm  n  [0, 3)  16.0 MiB  +0

--show is memory (the default: buffers, lifetimes, places), ops (what runs, with which attributes), values (types and windows),
dims (sizes, ranges, guards, budgets) or diagnostics; several are joined by commas. A file called bad-* must fail to compile.
The commands are taken from IRPLAN_BIN; --wasm runs the same files through the WebAssembly build.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SECTION = re.compile(r"^#--- (\w+)[^\S\n]*\n?", re.M)


class Golden:
    """One file, taken apart."""

    def __init__(self, path):
        self.path = path
        text = path.read_text()
        parts = SECTION.split(text)
        self.program = parts[0]
        sections = {name: body for name, body in zip(parts[1::2], parts[2::2])}
        self.config = self.plain(sections["config"]) if "config" in sections else None
        self.expected = self.plain(sections.get("expect", ""))
        head = re.match(r"# RUN: plan\b(.*)\n", self.program)
        if not head:
            raise ValueError(f"{path.name}: the first line is not `# RUN: plan ...`")
        self.show, self.options = ["memory"], []
        for word in shlex.split(head[1]):
            if word.startswith("--show="):
                self.show = word[len("--show="):].split(",")
            else:
                self.options.append(word)
        if path.name.startswith("bad-"):
            self.show = ["diagnostics"]

    @staticmethod
    def plain(section):
        return "".join(line[2:] if line.startswith("# ") else line[1:] for line in section.splitlines(keepends=True))

    def rewrite(self, found):
        commented = lambda text: "".join(("# " + line).rstrip() + "\n" for line in text.splitlines())
        config = "#--- config\n" + commented(self.config) if self.config is not None else ""
        self.path.write_text(self.program + config + "#--- expect\n" + commented(found))


# ---------------------------------------------------------------------------------------------- what is shown


def size(n):
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    unit = 0
    while n >= 1024 and unit < 4:
        n, unit = n / 1024, unit + 1
    return f"{n:.0f} B" if unit == 0 else f"{n:.1f} {units[unit]}" if unit < 3 else f"{n:.2f} {units[unit]}"


FUNCTIONS = {"min": min, "max": max, "ceildiv": lambda a, b: -(-a // b), "floordiv": lambda a, b: a // b, "mod": lambda a, b: a % b}


class Plan:
    def __init__(self, doc):
        self.doc = doc
        self.values = {v["id"]: v for v in doc["values"]}
        self.phases = {p["name"]: p for p in doc["phases"]}

    def number(self, text, phase=None):
        names = {d["name"]: d["value"] for d in self.doc["dims"]}
        if phase in self.phases:
            names.update({k: d["value"] for k, d in self.phases[phase]["dims"].items()})
        return eval(text, {"__builtins__": {}}, {**FUNCTIONS, **names})  # the grammar of expressions is Python's here

    def memory(self):
        writer = {}
        for i, op in enumerate(self.doc["ops"]):
            for v in op["out"]:
                writer[v] = op
            for b in op.get("scratch", []):
                writer[b] = op
        out = []
        for segment in ("weights", "state", "inputs"):
            for b in self.doc["buffers"]:
                if b["segment"] == segment:
                    out.append(f"{segment:8} {b['id']}  {size(self.number(b['bytes']))}")
        first_in = {}
        for v in self.doc["values"]:
            first_in.setdefault(v["buffer"], v["id"])
        for op in self.doc["ops"]:
            if op["phase"] == "load":
                continue
            for name in op.get("scratch", []):
                out.append(self.buffer_line("scratch", name, op["phase"]))
            for name in op["out"]:
                v = self.values[name]
                if first_in.get(v["buffer"]) == name and self.segment(v["buffer"]) == "arena":
                    out.append(self.buffer_line(op["op"], v["buffer"], op["phase"]))
                elif v["kind"] == "state" or self.segment(v["buffer"]) == "state":
                    out.append(f"{op['op']:8} {name}  in {v['buffer']}")
                elif v.get("offset") or v.get("strides"):
                    out.append(f"{op['op']:8} {name}  in {v['buffer']} at +{v.get('offset', '0')}")
                else:
                    out.append(f"{op['op']:8} {name}  in place of {v['buffer']}")
        m = self.doc["memory_plan"]
        peak = f"{m['peak']} = " if m["peak"] is not None else ""
        out.append(f"peak {peak}{size(m['peak_bytes'])}, lower bound {size(m['lower_bound_bytes'])}, "
                   + ("optimal" if m["optimal"] else "not met"))
        return out

    def segment(self, name):
        return next((b["segment"] for b in self.doc["buffers"] if b["id"] == name), None)

    def buffer_line(self, what, name, phase):
        b = next(b for b in self.doc["buffers"] if b["id"] == name)
        live = f"[{b['live'][0]}, {b['live'][1]})"
        return f"{what:8} {name}  {live}  {size(self.number(b['bytes'], phase))}  +{b['offset']}"

    def ops(self):
        out = []
        for i, op in enumerate(self.doc["ops"]):
            attrs = " ".join(f"{k}={json.dumps(v)}" for k, v in op["attrs"].items())
            parts = f"  ({', '.join(op['parts'])})" if op.get("parts") else ""
            out.append(f"{i} {', '.join(op['out'])} = {op['op']}({', '.join(n or 'none' for n in op['in'])})"
                       f"{'  ' + attrs if attrs else ''}{parts}  {op['kernel']}")
        return out

    def types(self):
        out = []
        for v in self.doc["values"]:
            line = f"{v['kind']:6} {v['id']}: {v['dtype']}[{', '.join(v['shape'])}]"
            if v["buffer"] != v["id"] or v.get("offset"):
                line += f"  in {v['buffer']}" + (f" +{v['offset']}" if v.get("offset") else "")
            line += f"  strides [{', '.join(v['strides'])}]" if v.get("strides") else ""
            line += f"  of {', '.join(v['of'])}" if v.get("of") else ""
            line += f"  {v['layout']}" if v.get("layout") else ""
            line += f" of {v['capacity']}" if v.get("capacity") else ""
            out.append(line)
        return out

    def dims(self):
        out = []
        for d in self.doc["dims"]:
            per = f"[{d['per']}]" if d.get("per") else ""
            top = "" if d["max"] is None else d["max"]
            out.append(f"{d['name']}{per} in {d['min']}..{top} at {d['value']}" + (" assumed" if d.get("assumed") else ""))
        for p in self.doc["phases"]:
            out += [f"{p['name']}: {k} in {d['min']}..{'' if d['max'] is None else d['max']} at {d['value']}" for k, d in p["dims"].items()]
        out += [f"guard {g['expr']}  line {g['line']}" + (f"  {g['phase']}" if g.get("phase") else "")
                + ("  budget" if g.get("budget") else "") for g in self.doc["guards"]]
        for b in self.doc["budget"]:
            used = f"  {size(b['used_bytes'])} of {size(b['limit_bytes'])}" if "used_bytes" in b else ""
            out.append(f"budget {b['expr']}  {'ok' if b['ok'] else 'narrows'}{used}  max {json.dumps(b['max'])}")
            for a in b.get("phases", []):
                out.append(f"  {a['phase']}: {'ok' if a['ok'] else 'narrows'}  max {json.dumps(a['max'])}")
        return out


def shown(golden, plan_text, diagnostics):
    if golden.show == ["diagnostics"] or plan_text is None:
        return diagnostics
    plan = Plan(json.loads(plan_text))
    kinds = {"memory": plan.memory, "ops": plan.ops, "values": plan.types, "dims": plan.dims,
             "diagnostics": diagnostics.splitlines}
    return "".join(line + "\n" for kind in golden.show for line in kinds[kind]())


# ---------------------------------------------------------------------------------------------- the two builds


def native(golden):
    """(plan or None, diagnostics) from the command; raises where it breaks its contract"""
    irplan = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin")) / "irplan"
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / golden.path.name, Path(folder) / "plan.json"
        source.write_text(golden.program)
        options = list(golden.options)
        if golden.config is not None:
            (Path(folder) / "config.json").write_text(golden.config)
            options += ["--config", str(Path(folder) / "config.json")]
        p = limited.run([irplan, "plan", source, *options, "-o", out, "--color=never"], capture_output=True, text=True)
        if p.returncode not in (0, 1) or (p.returncode == 0) != out.is_file():
            raise ValueError(f"exit {p.returncode}: {p.stderr[:300]}")
        return (out.read_text() if p.returncode == 0 else None), p.stderr


def wasm(golden):
    options = {"dims": {}, "lets": {}, "retypes": {}}
    kinds = {"--dim": "dims", "--let": "lets", "--retype": "retypes"}
    words = [w for word in golden.options for w in (word.split("=", 1) if word.startswith("--") else [word])]
    for flag, value in zip(words, words[1:] + [""]):
        if flag in kinds:
            name, n = value.split("=", 1)
            options[kinds[flag]][name] = int(n) if flag == "--dim" else n
        elif flag == "--target":
            options["target"] = value
        elif flag == "--deny-warnings":
            options["deny_warnings"] = True
    request = {"method": "compile", "file": golden.path.name, "text": golden.program, "config": golden.config, "options": options}
    p = limited.run(["node", HERE / "wasm.mjs"], input=json.dumps(request), capture_output=True, text=True)
    if p.returncode:
        raise ValueError(p.stderr[:300])
    reply = json.loads(p.stdout)
    return reply["plan"], reply["rendered"]


# ---------------------------------------------------------------------------------------------- the command


def difference(expected, found):
    a, b = expected.splitlines(), found.splitlines()
    for i in range(max(len(a), len(b))):
        x, y = a[i] if i < len(a) else "(nothing)", b[i] if i < len(b) else "(nothing)"
        if x != y:
            return f"line {i + 1}:\n    expected  {x}\n    found     {y}"
    return ""


def run(path, compile, update):
    golden = Golden(path)
    plan, diagnostics = compile(golden)
    must_fail = path.name.startswith("bad-")
    if (plan is None) != must_fail:
        return ("it compiles, and a bad-* file must not" if must_fail else "it does not compile:\n" + diagnostics)
    found = "".join(line.rstrip() + "\n" for line in shown(golden, plan, diagnostics).splitlines())
    if found == golden.expected:
        return ""
    if update:
        golden.rewrite(found)
        print(f"updated {path.name}")
        return ""
    return difference(golden.expected, found)


def main():
    words = sys.argv[1:]
    unknown = [w for w in words if w.startswith("--") and w not in ("--update", "--wasm")]
    if unknown:
        print(__doc__, file=sys.stderr)
        return 2
    compile = wasm if "--wasm" in words else native
    files = [Path(w) for w in words if not w.startswith("--")] or sorted(HERE.glob("*.irplan"))
    failed = 0
    for path in files:
        try:
            why = run(path, compile, "--update" in words)
        except (ValueError, KeyError, OSError, subprocess.TimeoutExpired) as e:
            why = f"{type(e).__name__}: {e}"
        if why:
            failed += 1
            print(f"FAIL {path.name}: {why}")
    print(f"{len(files) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
