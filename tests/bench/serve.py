#!/usr/bin/env python3
"""Tokens a second of `irplan-run --requests` by the number of sequences that are served at once: does it grow with the batch?

    ./dev bench serve [--config FILE] [--layers N] [--prompt N] [--tokens N] [--slots 1,2,4,8]

Random weights; every request is there from the start, so that all slots are in use until the last ones end. The table has tokens a
second of steps, prompts included, and the median of a decode step.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", type=Path, default=ROOT / "examples/configs/llama-3.2-1b.json")
    p.add_argument("--layers", type=int, help="of the model, fewer than the config has")
    p.add_argument("--prompt", type=int, default=16)
    p.add_argument("--tokens", type=int, default=24)
    p.add_argument("--slots", default="1,2,4,8", type=lambda text: [int(n) for n in text.split(",")])
    args = p.parse_args()
    config = json.loads(args.config.read_text())
    if args.layers:
        config["num_hidden_layers"] = args.layers
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(config))
        subprocess.run([BIN / "irplan", "new", "model.irplan", "--config", "config.json"], cwd=folder, check=True, capture_output=True)
        subprocess.run([BIN / "irplan", "plan", "model.irplan", "--config", "config.json", "--target", "cpu", "-o", "plan.json"], cwd=folder,
                       check=True, capture_output=True)
        print(f"{args.config.name}, {config['num_hidden_layers']} layers; prompts of {args.prompt}, {args.tokens} new tokens")
        one = None
        for slots in args.slots:
            requests = [{"req_id": str(i), "arrival_us": 0, "tokens": [(7 * i + k) % 1000 for k in range(args.prompt)], "max_new_tokens": args.tokens}
                        for i in range(slots)]
            (Path(folder) / "r.jsonl").write_text("".join(json.dumps(r) + "\n" for r in requests))
            done = subprocess.run([BIN / "irplan-run", "plan.json", "--weights", "random:1", "--requests", "r.jsonl", "--slots", str(slots)],
                                  cwd=folder, capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            rate = float(re.search(r"([\d.]+) a second of steps", done.stderr)[1])
            step = re.search(r"decode step: p50 (\S+ \w+)", done.stderr)[1]
            one = one or rate
            print(f"slots {slots:3}  {rate:9.1f} tokens a second  {rate / one:5.2f}x  decode step {step}", flush=True)


if __name__ == "__main__":
    main()
