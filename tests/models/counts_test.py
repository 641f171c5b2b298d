#!/usr/bin/env python3
"""Published models: the number of parameters to the last digit, and the bytes of the cache as first principles give them."""
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))
MODELS = json.loads((ROOT / "tests/data/parameter-counts.json").read_text())


def planned(config, *options):
    """The plan of the program that `irplan new` chooses for a config."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "config.json").write_text(json.dumps(config))
        for command in (["new", folder / "m.irplan", "--config", folder / "config.json"],
                        ["plan", folder / "m.irplan", "--config", folder / "config.json", *options, "-o", folder / "plan.json"]):
            done = limited.run([BIN / "irplan", *command], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        return json.loads((folder / "plan.json").read_text())


def state_bytes(plan, **dims):
    """Bytes of the state segment; its expressions are products of numbers and dims."""
    total = 0
    for buffer in plan["buffers"]:
        if buffer["segment"] == "state":
            assert re.fullmatch(r"[\w*]+", buffer["bytes"]), buffer["bytes"]
            total += math.prod(int(f) if f.isdigit() else dims[f] for f in buffer["bytes"].split("*"))
    return total


class Counts(unittest.TestCase):
    def test_there_are_all_of_them(self):
        self.assertEqual(len(MODELS), 27)

    def test_state_of_gemma_3_27b(self):
        c = MODELS["gemma-3-27b (text)"]["config"]
        row = 2 * c["num_key_value_heads"] * c["head_dim"] * 2  # keys and values of a token in one layer, bf16
        whole = c["num_hidden_layers"] // 6                      # every sixth layer sees all of the text
        for chunk in (1, 1024):
            plan = planned(c, "--let", "C=131072", "--let", f"chunk={chunk}")
            local = c["sliding_window"] - 1 + chunk
            self.assertEqual(state_bytes(plan, B=1), row * (whole * 131072 + (c["num_hidden_layers"] - whole) * local))

    def test_state_of_deepseek_v3(self):
        c = MODELS["DeepSeek-V3"]["config"]
        plan = planned(c, "--let", "C=163840", "--let", "chunk=2048")
        latent = c["kv_lora_rank"] + c["qk_rope_head_dim"]  # one head, bf16
        self.assertEqual(state_bytes(plan, B=1), c["num_hidden_layers"] * 163840 * latent * 2)


def check(model):
    def test(self):
        plan = planned(model["config"])
        elements = {v["source"]: math.prod(int(n) for n in v["shape"]) for v in plan["values"] if v["kind"] == "param"}
        self.assertEqual(sum(elements.values()), model["parameters"])
    return test


for name, model in MODELS.items():
    setattr(Counts, "test_" + re.sub(r"\W+", "_", name), check(model))

if __name__ == "__main__":
    unittest.main()
