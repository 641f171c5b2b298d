#!/usr/bin/env python3
"""A chat in a terminal: texts in and out of a model that irplan-run serves.

    chat.py llama.irplan MODEL              then a line is a turn; an empty one, or the end of input, leaves
    chat.py plan.json MODEL --say 'Who are you?'

MODEL is a folder as it is published: config.json, *.safetensors, tokenizer.json, tokenizer_config.json. Texts become ids
by PyPI's `tokenizers`, turns become one text by the model's own template and PyPI's `jinja2`; ids go to
`irplan-run --requests - --stream` as lines of JSON, and come back one by one. Each turn sends the conversation from its
start. Options after `--` are irplan-run's.
"""
import argparse
import datetime
import json
import subprocess
import sys
import tempfile
from pathlib import Path

PLAIN = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"  # of a model without a template


def options():
    p = argparse.ArgumentParser(description="chat with a model that irplan-run serves", epilog="options after -- are irplan-run's")
    p.add_argument("program", help="a program or a plan")
    p.add_argument("model", type=Path, help="its folder: weights, config, tokenizer")
    p.add_argument("--say", action="append", default=[], metavar="TEXT", help="a turn; without, lines of standard input are turns")
    p.add_argument("--system", metavar="TEXT", help="what the model is told first")
    p.add_argument("--max-tokens", type=int, default=256, metavar="N", help="of an answer (default: 256)")
    p.add_argument("--runner", default="irplan-run", metavar="PATH")
    for name in ("temperature", "top-k", "top-p", "min-p", "seed"):
        p.add_argument("--" + name, type=float, metavar="N", help="as of irplan-run")
    own, theirs = (sys.argv[1:] + ["--"]).index("--"), sys.argv[1:]
    return p.parse_args(theirs[:own]), theirs[own + 1:]


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


class Texts:
    """A model's tokenizer and template."""

    def __init__(self, folder):
        import jinja2.sandbox
        import tokenizers

        if not (folder / "tokenizer.json").is_file():
            raise SystemExit(f"error: {folder} has no tokenizer.json")
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        config = read_json(folder / "tokenizer_config.json")
        word = lambda name: (lambda w: w.get("content", "") if isinstance(w, dict) else w or "")(config.get(name))
        self.words = {name: word(name) for name in ("bos_token", "eos_token", "unk_token", "pad_token")}
        template = config.get("chat_template")
        if isinstance(template, list):  # several by name
            template = next((t["template"] for t in template if t["name"] == "default"), template[0]["template"])
        if (folder / "chat_template.jinja").is_file():
            template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
        world = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
        world.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
        world.globals.update(raise_exception=self.refuse, strftime_now=lambda form: datetime.datetime.now().strftime(form))
        if not template:
            print("note: the model has no chat template; turns are lines with their speaker", file=sys.stderr)
        self.template = world.from_string(template or PLAIN)
        ends = [read_json(folder / name).get("eos_token_id") for name in ("generation_config.json", "config.json")]
        ends = next((e for e in ends if e is not None), [])
        ends = set(ends if isinstance(ends, list) else [ends])
        if self.words["eos_token"]:
            ends.add(self.tokenizer.token_to_id(self.words["eos_token"]))
        self.ends = sorted(e for e in ends if e is not None)

    @staticmethod
    def refuse(why):
        raise SystemExit(f"error: the model's chat template refuses these turns: {why}")

    def ids(self, messages):
        text = self.template.render(messages=messages, add_generation_prompt=True, **self.words)
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def pieces(self, ids):
        """Text as ids come; a character of several tokens waits for the last of them."""
        so_far, shown = [], ""
        for id in ids:
            if id not in self.ends:
                so_far.append(id)
            text = self.tokenizer.decode(so_far)
            if text.startswith(shown) and not text.endswith("\ufffd"):
                yield text[len(shown):]
                shown = text
        yield self.tokenizer.decode(so_far)[len(shown):]


class Runner:
    """irplan-run as a process: a request is a line to it, its tokens are lines back."""

    def __init__(self, words):
        self.said = tempfile.TemporaryFile()  # what it says beside answers, for when it ends too soon
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said)
        self.turn = 0

    def tokens(self, request):
        self.turn += 1
        name = f"turn {self.turn}"
        try:
            self.process.stdin.write(json.dumps({"req_id": name, **request}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # what it said comes below
        for line in self.process.stdout:
            answer = json.loads(line)
            if "error" in answer:
                raise ValueError(answer["error"])
            if "tokens" in answer:
                return
            yield answer["token"]
        self.said.seek(0)
        raise SystemExit(self.said.read().decode(errors="replace") or "error: irplan-run ended")

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait()


def turns(said):
    if said:
        yield from said
        return
    while True:
        if sys.stdin.isatty():
            print("> ", end="", flush=True)
        line = sys.stdin.readline().rstrip("\n")
        if not line:
            return
        yield line


def main():
    args, theirs = options()
    try:
        texts = Texts(args.model)
    except ModuleNotFoundError as missing:
        raise SystemExit(f"error: {missing.name} is not installed: pip install tokenizers jinja2")
    how = {name: getattr(args, name) for name in ("temperature", "top_k", "top_p", "min_p", "seed") if getattr(args, name) is not None}
    messages = [{"role": "system", "content": args.system}] if args.system else []
    runner = Runner([args.runner, args.program, "--weights", str(args.model), "--requests", "-", "--stream", "--slots", "1", *theirs])
    try:
        for text in turns(args.say):
            messages.append({"role": "user", "content": text})
            request = {"tokens": texts.ids(messages), "max_new_tokens": args.max_tokens, "eos": texts.ends, **how}
            answer = ""
            try:
                for piece in texts.pieces(runner.tokens(request)):
                    print(piece, end="", flush=True)
                    answer += piece
                print(flush=True)
            except ValueError as why:
                print(f"error: {why}; the turn is left out", file=sys.stderr)
                messages.pop()
                continue
            messages.append({"role": "assistant", "content": answer})
    except KeyboardInterrupt:
        runner.process.terminate()
        print()
        return 130
    return runner.end()


if __name__ == "__main__":
    sys.exit(main())
