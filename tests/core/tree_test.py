#!/usr/bin/env python3
"""The tree keeps its own rules: layers point one way, files stay short, nothing of a machine is in them, every diagnostic is tested."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST = 800  # lines of a file that somebody should want to read to its end
LONGEST_FUNCTION = 80  # of the product, its signature included

# A layer may include itself and what stands here.
BELOW = {"base": [], "dims": ["base"], "ops": ["dims"], "kernels": ["ops"], "plan": ["kernels"], "reference": ["plan"], "runtime": ["reference"], "syntax": ["ops"], "names": ["syntax"], "ir": ["syntax", "kernels"],
         "passes": ["ir", "plan"], "rivals": ["plan"], "report": ["rivals"], "service": ["passes", "report", "names"]}
# The same for what touches files, devices and terminals, by folder of native.
NATIVE = {"old_glibc": [], "files": ["base"], "command_line": ["base", "files"], "runtime": ["core runtime", "files"], "cpu": ["core runtime"], "cuda": ["core runtime"],
          "link": ["base"], "lsp": ["service", "files"], "tools/irplan": ["service", "command_line", "link", "lsp"], "tools/irplan-run": ["runtime", "cpu", "cuda", "passes", "command_line"]}
# What each public header belongs to.
PUBLIC = {"source.h": "base", "version.h": "base", "diagnostic.h": "base", "diagnostics.def": "base", "dtype.h": "base", "strength.h": "base", "format.h": "syntax", "fit.h": "service", "gpus.h": "service", "plan_file.h": "plan", "result.h": "base",
          "compile.h": "passes", "pack.h": "passes", "new_program.h": "service"}
TEXT = {".cpp", ".h", ".cu", ".cuh", ".ts", ".mjs", ".js", ".py", ".css", ".html", ".cmake", ".def"}


def files():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        return [p for p in ROOT.rglob("*") if p.is_file() and "build" not in p.parts[len(ROOT.parts)] and "node_modules" not in p.parts]
    return [p for name in listed.stdout.splitlines() if (p := ROOT / name).is_file()]


def reachable(layer):
    seen, todo = {layer}, list(BELOW[layer])
    while todo:
        below = todo.pop()
        if below not in seen:
            seen.add(below)
            todo += BELOW[below]
    return seen


def layers():
    """An include that points up."""
    allowed = {layer: reachable(layer) for layer in BELOW}
    for path in sorted((ROOT / "core/src").rglob("*")):
        layer = path.relative_to(ROOT / "core/src").parts[0]
        if path.suffix not in (".h", ".cpp") or layer not in BELOW:
            continue
        for name in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M):
            top = name.split("/")[0]
            target = PUBLIC.get(name.split("/")[-1]) if top == "irplan" else top if top in BELOW else None
            if target and target not in allowed[layer]:
                yield f"{path.relative_to(ROOT)} includes {name}: {layer} stands below {target}"
            if top in BELOW and not (ROOT / "core/src" / name).is_file():
                yield f"{path.relative_to(ROOT)} includes {name}, which is not in core"
            if top in ("native", "wasm", "web", "files", "command_line", "tools", "cpu", "cuda"):
                yield f"{path.relative_to(ROOT)} includes {name}: core knows nothing of it"


def native_layers():
    """The same of native, where a folder is known by its path: runtime there and in core have one prefix."""
    below = {f"core {layer}": [f"core {b}" for b in under] for layer, under in BELOW.items()}
    below |= {layer: [b if b in NATIVE or b.startswith("core ") else f"core {b}" for b in under] for layer, under in NATIVE.items()}
    below["tools/irplan"], below["tools/irplan-run"] = below["tools/irplan"] + ["tools"], below["tools/irplan-run"] + ["tools"]
    below["tools"] = ["core ir", "core plan"]  # what both commands share

    def all_below(layer):
        return {layer}.union(*(all_below(b) for b in below[layer]))
    for path in sorted((ROOT / "native").rglob("*")):
        folder = path.parent.relative_to(ROOT / "native")
        if path.suffix not in (".h", ".cpp", ".cu", ".cuh") or not folder.parts:
            continue
        layer = str(folder) if folder.parts[0] == "tools" else folder.parts[0]
        allowed = all_below(layer)
        for name in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M):
            where, top = Path(name).parent, name.split("/")[0]
            if top == "irplan":
                target = f"core {PUBLIC[Path(name).name]}"
            elif (ROOT / "native" / name).is_file():
                target = str(where) if top == "tools" else top
            else:
                target = f"core {top}"
            if target not in allowed:
                yield f"{path.relative_to(ROOT)} includes {name}: {layer} stands below {target}"


def link_lines():
    """CMake's link lines say what the tables above say."""
    text = (ROOT / "core/CMakeLists.txt").read_text()
    said = {name: under.replace("irplan_", "").split() for name, under in re.findall(r"^irplan_layer\((\w+) ([^)]*)\)", text, re.M)}
    said["base"] = []  # of the one library besides
    for layer in sorted(BELOW.keys() | said.keys()):
        if sorted(said.get(layer, ["nothing"])) != sorted(BELOW.get(layer, ["nothing"])):
            yield f"core/CMakeLists.txt links {layer} to {said.get(layer)}, and the layers are {BELOW.get(layer)}"
    library = {"runtime": "native_runtime", "core runtime": "runtime"}
    for folder, under in NATIVE.items():
        text = (ROOT / "native" / folder / "CMakeLists.txt").read_text()
        lines = re.findall(r"target_link_libraries\((?:irplan PRIVATE|irplan[\w-]* PUBLIC) ([^)]*)\)", text)
        linked = set(re.findall(r"\birplan_(\w+)", " ".join(lines)))
        if linked != {library.get(b, b) for b in under}:
            yield f"native/{folder}/CMakeLists.txt links {sorted(linked)}, and the layers are {under}"


def validator():
    """The checker of plans shares no code with the planner."""
    for path in sorted((ROOT / "core/src/plan").rglob("*")):
        if path.suffix in (".h", ".cpp") and "passes/" in path.read_text():
            yield f"{path.relative_to(ROOT)} uses the passes"


# Words of the language or of JSON besides: a string of them says nothing.
AMBIGUOUS = {"output", "max", "sqrt"}
# Where operators may be named: their rows, kernels, and the places that turn one form of them into another.
NAMING = ("core/src/ops/", "core/src/kernels/", "core/src/runtime/calls.h", "core/src/runtime/schedule_ops.cpp",
          "core/src/ir/expressions.cpp", "native/cpu/", "native/cuda/", "native/tools/irplan/table.cpp", "core/src/service/serve.cpp",
          "native/tools/irplan-run/selftest.cpp")  # its programs name their params so


def operators():
    """An operator is known by its row: who needs to know something of it asks a trait."""
    rows = "".join(path.read_text() for path in sorted((ROOT / "core/src/ops").glob("*.cpp")))
    declared = set(re.findall(r"OpRow (\w+)_row\(\)", (ROOT / "core/src/ops/rows.h").read_text()))
    if not declared or not all(f'"{name}"' in rows for name in declared):
        yield "core/src/ops/rows.h: not all of its rows are found in the files beside it"
    named = re.compile('"(' + "|".join(sorted(declared - AMBIGUOUS)) + ')"')
    for path in files():
        name = str(path.relative_to(ROOT))
        if not name.startswith(("core/", "native/")) or path.suffix not in (".cpp", ".h") or name.startswith(NAMING):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.lstrip().startswith("//") and (found := named.search(line)):
                yield f"{name}:{number} knows the operator {found[1]} by its name"


def limits():
    """The language reference names the limits that the code has."""
    constants = {"syntax/parser.h": ["kMaxSourceBytes", "kMaxTokens", "kMaxNesting"],
                 "base/limits.h": ["kMaxSteps", "kMaxRounds", "kMaxOps", "kMaxCallDepth", "kMaxDepth", "kMaxItems", "kMaxValueDepth",
                                    "kMaxStringBytes", "kMaxRank", "kMaxPhases", "kMaxDims", "kMaxBudgets"],
                 "dims/expr.h": ["kMaxTerms", "kMaxDegree", "kMaxFunctions", "kMaxProduct", "kMaxKept", "kMaxWork"],
                 "passes/crowd.h": ["kMaxAlive"],
                 "base/work.h": ["kAll"],
                 "ir/config.h": ["kMaxBytes", "kMaxValues", "kMaxDepth"]}
    rows = re.findall(r"^\| (\d+) \| .* \| (\w*) ?\|$", (ROOT / "core/language.md").read_text(), re.M)
    known = {code for code in re.findall(r"IRPLAN_DIAGNOSTIC\((\w+),", (ROOT / "core/include/irplan/diagnostics.def").read_text())}
    for number, code in rows:
        if code and code not in known:
            yield f"core/language.md: no diagnostic {code}"
    for name, words in constants.items():
        text = (ROOT / "core/src" / name).read_text()
        for word in words:
            value = re.search(rf"\b{word} = ([^;]+);", text)[1].replace("size_t{", "(").replace("}", ")").replace("'", "_")
            if str(eval(value)) not in [number for number, code in rows]:
                yield f"core/language.md does not name {word} = {value}"


def lengths():
    for path in files():
        if path.suffix in TEXT and (n := len(path.read_text(errors="replace").splitlines())) > LONGEST:
            yield f"{path.relative_to(ROOT)} has {n} lines; at most {LONGEST}"


def without_text(source):
    """C++ with comments, strings and characters blanked, each line where it was."""
    blank = lambda found: re.sub(r"[^\n]", " ", found[0])
    return re.sub(r'//[^\n]*|/\*.*?\*/|R"\((?s:.*?)\)"|"(?:[^"\\\n]|\\.)*"|(?<![0-9a-fA-F])\'(?:[^\'\\\n]|\\.)*\'', blank, source, flags=re.S)


def functions(source):
    """First and last line of each function that is in no other."""
    code = re.sub(r"^[ \t]*#(?:.*\\\n)*.*", lambda found: "\n" * found[0].count("\n"), without_text(source), flags=re.M)
    opened, head, inside = [], 0, 0  # braces; where the text before the next one begins; functions around it
    for at in (found.start() for found in re.finditer(r"[{};]", code)):
        if code[at] == ";":
            head = at + 1
        elif code[at] == "{":
            before = code[head:at].strip()
            scope = re.match(r"(?:template\s*<[^{}]*>\s*)?(?:inline\s+)?(?:namespace|class|struct|enum|union|extern)\b", before)
            is_function = not inside and not scope and "(" in before and not re.search(r"=\s*$", before)
            first = code[:at - len(code[head:at].lstrip())].count("\n") + 1
            opened.append((is_function, first))
            inside += is_function
            head = at + 1
        elif opened:
            is_function, first = opened.pop()
            inside -= is_function
            head = at + 1
            if is_function:
                yield first, code[:at].count("\n") + 1


def function_lengths():
    """A function that does not fit on a screen or two."""
    for path in files():
        name = str(path.relative_to(ROOT))
        if path.suffix not in (".cpp", ".h", ".cu", ".cuh") or not name.startswith(("core/", "native/", "wasm/")):
            continue
        for first, last in functions(path.read_text()):
            if last - first + 1 > LONGEST_FUNCTION:
                yield f"{name}:{first}: a function of {last - first + 1} lines; at most {LONGEST_FUNCTION}"


def named_diagnostics():
    """Code speaks of diagnostics by their names."""
    for path in files():
        name = str(path.relative_to(ROOT))
        if path.suffix in (".cpp", ".h") and (found := re.search(r"\bCode::[EW]\d{4}\b", path.read_text())):
            yield f"{name}: {found[0]}; its name is in core/include/irplan/diagnostics.def"


def machines():
    """Paths and addresses of whoever made a file."""
    # Assembled here, so that this file does not find itself.
    patterns = [re.compile(r"(?<![\w.])/(?:work|farm|home|root)/[a-z]"), re.compile(r'"resolved": *"' + "http"),
                re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b")]
    for path in files():
        if path.suffix not in TEXT | {".json", ".md", ".irplan", ".txt", ""} or path == Path(__file__).resolve():
            continue
        text = path.read_text(errors="replace")
        for pattern in patterns:
            if found := pattern.search(text):
                yield f"{path.relative_to(ROOT)}:{text[:found.start()].count(chr(10)) + 1}: {found[0]!r}"


def registry():
    """Codes sorted and spelt as they must be, and each in some test."""
    text = (ROOT / "core/include/irplan/diagnostics.def").read_text()
    rows = re.findall(r'^IRPLAN_DIAGNOSTIC\((\w+), \w+, (\w+),\s*"((?:[^"\\]|\\.)*)"\)', text, re.M)
    codes = [code for code, _, _ in rows]
    if len(rows) != text.count("IRPLAN_DIAGNOSTIC("):
        yield "a line of diagnostics.def is not of its form"
    key = lambda code: (code[1:3], code[1:], code[0])
    if codes != sorted(codes, key=key):
        bad = next(b for a, b in zip(codes, codes[1:]) if key(b) < key(a))
        yield f"diagnostics.def is not sorted at {bad}"
    tests = "".join(p.read_text(errors="replace") for p in (ROOT / "tests").rglob("*")
                    if p.suffix in (".irplan", ".cpp", ".py", ".mjs", ".ts", ".txt") and p.is_file())
    for code, severity, message in rows:
        if (code[0] == "E") != (severity == "Error"):
            yield f"{code} is a {severity}"
        if message[:1].isupper() or message.endswith(".") or "invalid" in message:
            yield f"{code}: {message!r} is not in the house's style"
        if not re.search(rf"\b{code}\b", tests):
            yield f"{code} is in no test"


def main():
    failed = 0
    checks = (layers, native_layers, link_lines, validator, lengths, machines, registry, limits, operators)
    for check in checks:
        found = list(check())
        failed += bool(found)
        for line in found:
            print(f"FAIL {check.__name__}: {line}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
