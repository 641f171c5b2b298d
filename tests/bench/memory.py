"""./dev bench memory: the packer on published instances, and the arena of every example against its lower bound.

The instances (google/minimalloc `challenging`, cappadokes/idealloc) are not part of the repository: a folder of their
CSV files is the argument, or ../shared/data/packing."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
IRPLAN = Path(os.environ["IRPLAN_BIN"]) / "irplan"
# What the best known did, as published: height or gap, and seconds on the authors' machines.
KNOWN = {**{f"{k}.1048576": "1048576 (minimalloc; A to K in 46.0 s)" for k in "ABEFGHIK"}, "C.1048576": "1039360 (minimalloc)",
         "D.1048576": "1042432 (minimalloc, 2.0 s)", "J.1048576": "1036288 (minimalloc, 3.6 s)",
         "G_1": "+0.16% (idealloc, 8.9 s)", "S_1": "+2.93% (idealloc, 7.3 s)", "Y_1": "+0.36% (idealloc, 51.7 s)",
         "resnet50": "+0.46% (idealloc, 1.2 s)", "pangu": "+3.34% (idealloc, 2.5 s)"}


def packing(folder):
    files = sorted(folder.glob("*.csv"))
    if not files:
        print(f"packing: skipped, there are no instances in {folder}")
        return
    print(f"{'instance':12} {'height':>12} {'bound':>12} {'over':>9} {'seconds':>8} {'nodes':>8}  proven  best known")
    total = 0.0
    for file in files:
        r = json.loads(subprocess.run([IRPLAN, "pack", file, "--format=json"], check=True, capture_output=True).stdout)
        total += r["seconds"]
        print(f"{file.stem:12} {r['height']:12} {r['bound']:12} {r['height'] / r['bound'] - 1:+9.4%} {r['seconds']:8.3f} "
              f"{r['nodes']:8}  {'yes' if r['proven'] else 'no':6}  {KNOWN.get(file.stem, '')}", flush=True)
    print(f"{'in all':12} {'':12} {'':12} {'':9} {total:8.3f}")


def programs_for(config):
    """the example that `irplan new` picks"""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "p.irplan"
        subprocess.run([IRPLAN, "new", program, "--config", config], check=True, capture_output=True)
        return program.read_text()


def models():
    print(f"\n{'config':20} {'phase':8} {'arena':>14} {'bound':>14} {'ratio':>7}  {'no reuse':>15}  worst over all sizes")
    for config in sorted((ROOT / "examples/configs").glob("*.json")):
        plan = json.loads(subprocess.run([IRPLAN, "plan", "-", "--config", config, "-o", "-"], check=True, capture_output=True,
                                         input=programs_for(config).encode()).stdout)
        memory = plan["memory_plan"]
        worst = memory["range"]
        for phase in plan["phases"]:
            print(f"{config.stem:20} {phase['name']:8} {phase['peak_bytes']:14}", end="")
            if phase["peak_bytes"] == memory["peak_bytes"]:
                print(f" {memory['lower_bound_bytes']:14} {memory['peak_bytes'] / memory['lower_bound_bytes']:7.4f}  {memory['no_reuse_bytes']:15}  "
                      f"{worst['worst_ratio']:.4f} {'proven' if worst['proven'] else 'sampled'}", flush=True)
            else:
                print(flush=True)


packing(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/data/packing")
models()
