"""Tiny checkpoints of real architectures with the numbers of their reference implementation, and the commands that run them."""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))
EXAMPLES = ROOT / "examples/models"
# Those in the repository, and all of them where the larger collection lies beside it.
FOLDERS = [ROOT / "tests/data/goldens", ROOT.parent / "shared/goldens"]
# The larger collection's; those that lie nowhere are told as skipped.
ALL = set("deepseek_v3 deepseek_v3_fp8 gemma2 gemma3_text gpt2 gpt_oss gpt_oss_mxfp4 llama llama3 llama3_bf16 mistral mixtral phi3 "
          "phi3_longrope qwen2 qwen3 qwen3_moe".split())
DTYPES = {"F32": "<f4", "F16": "<f2", "I32": "<i4", "I64": "<i8", "BF16": "<u2"}


def command(*arguments):
    """The finished process, its streams as text."""
    return limited.run(arguments, capture_output=True, text=True)


def read_safetensors(path):
    """{name: array}; bf16 as f32"""
    data = Path(path).read_bytes()
    size, = struct.unpack("<Q", data[:8])
    found = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + n for n in entry["data_offsets"])
        array = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        found[name] = (array.astype("<u4") << 16).view("<f4") if entry["dtype"] == "BF16" else array
    return found


def families():
    """name -> folder, of every collection that is there"""
    found = {}
    for collection in FOLDERS:
        for reference in sorted(collection.glob("*/reference.safetensors")):
            found.setdefault(reference.parent.name, reference.parent)
    return found


class Family:
    """One checkpoint. Tensors of the reference: tokens i32[B, T], logits f32[B, T, V] of one forward, prefill [B, V] and
    decode [B, T - P, V] of a prompt of P and single steps, greedy i32[B, N]."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.reference = read_safetensors(self.folder / "reference.safetensors")
        self.tokens = self.reference["tokens"]
        self.prompt = int(self.reference["prompt"][0])
        config = json.loads((self.folder / "config.json").read_text())
        self.window = config.get("sliding_window")
        self.half = "bfloat16" in (config.get("dtype"), config.get("torch_dtype"))
        single = self.folder / "model.safetensors"
        self.weights = single if single.is_file() else self.folder
        self.temporary = tempfile.TemporaryDirectory()
        self.work = Path(self.temporary.name)
        self.configs = [c for c in ("config.json", "config.v4.json") if (self.folder / c).is_file()]

    def program(self, config="config.json"):
        """The example that `irplan new` chooses for the config."""
        path = self.work / f"{config}.irplan"
        path.unlink(missing_ok=True)
        made = command(BIN / "irplan", "new", path, "--config", self.folder / config)
        assert made.returncode == 0, made.stderr
        return path

    def plan(self, config="config.json", lets=()):
        path = self.work / f"{config}-{'-'.join(lets)}.json".replace("=", "")
        made = command(BIN / "irplan", "plan", self.program(config), "--config", self.folder / config,
                       *[part for let in lets for part in ("--let", let)], "-o", path)
        assert made.returncode == 0, made.stderr
        return path

    def logits(self, plan, sizes, every):
        """The run's logits in steps of these sizes, and the reference's at the same positions."""
        ids, out = self.work / "ids.npy", self.work / "logits.npy"
        np.save(ids, np.ascontiguousarray(self.tokens[:, :sum(sizes)], np.int32))
        steps = ["--chunks", ",".join(map(str, sizes))] if len(sizes) > 1 else []
        done = command(BIN / "irplan-run", plan, "--weights", self.weights, "--tokens", f"@{ids}", *steps, "--output", f"logits=@{out}")
        assert done.returncode == 0, done.stderr
        at = np.arange(sum(sizes)) if every else np.cumsum(sizes) - 1
        return np.load(out), at

    def error(self, plan, sizes, every, want=None):
        """Largest difference over what is allowed: 2e-5 of the largest logit, in bf16 5e-2 and 2.5e-2 in rms. Infinite where
        another token would be chosen although the reference is sure."""
        got, at = self.logits(plan, sizes, every)
        want = (self.reference["logits"] if want is None else want)[:, at]
        assert got.shape == want.shape, f"{got.shape} instead of {want.shape}"
        allowed = (5e-2 if self.half else 2e-5) * np.abs(self.reference["logits"]).max()
        error = np.abs(got - want).max() / allowed
        if self.half:
            error = max(error, np.sqrt(((got - want)**2).mean() / (want**2).mean()) / 2.5e-2)
        order = np.sort(want, axis=-1)
        sure = order[..., -1] - order[..., -2] > allowed
        return np.inf if (sure & (got.argmax(-1) != want.argmax(-1))).any() else float(error)

    def stepped(self):
        """The reference's logits when a prompt is followed by single steps; between them only the last position counts."""
        r = self.reference
        return np.concatenate([r["logits"][:, :self.prompt - 1], r["prefill"][:, None], r["decode"]], axis=1)

    def generated(self, plan, row):
        count = self.reference["greedy"].shape[1]
        done = command(BIN / "irplan-run", plan, "--weights", self.weights, "--tokens",
                       ",".join(map(str, self.tokens[row, :self.prompt])), "--generate", count)
        assert done.returncode == 0, done.stderr
        lines = [line for line in done.stdout.splitlines() if re.fullmatch(r"[\d,]+", line)]
        return [int(n) for n in lines[-1].split(",")] if lines else []
