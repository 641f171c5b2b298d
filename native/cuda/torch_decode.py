#!/usr/bin/env python3
"""Tokens a second of torch and transformers, for a config with random weights: static cache, compiled, batch 1.

    torch_decode.py CONFIG [--prompt 32] [--new 128]     prints one line of JSON; exits 77 where torch has no device
"""
import argparse
import json
import sys
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--prompt", type=int, default=32)
    parser.add_argument("--new", type=int, default=128)
    options = parser.parse_args()
    try:
        import torch
        import transformers
    except ImportError as missing:
        print(f"{missing.name} is not installed", file=sys.stderr)
        return 77
    if not torch.cuda.is_available():
        print(f"torch {torch.__version__} sees no device", file=sys.stderr)
        return 77
    with open(options.config, encoding="utf-8") as file:
        keys = json.load(file)
    config = transformers.AutoConfig.for_model(keys.pop("model_type"), **keys)
    torch.manual_seed(1)
    with torch.device("cuda"):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()
    model.generation_config.cache_implementation = "static"
    model.forward = torch.compile(model.forward, mode="reduce-overhead", fullgraph=True)
    ids = torch.arange(1, options.prompt + 1, device="cuda")[None]
    how = {"do_sample": False, "max_new_tokens": options.new, "min_new_tokens": options.new}
    took = []
    for _ in range(4):  # the first two compile
        torch.cuda.synchronize()
        begin = time.perf_counter()
        model.generate(ids, **how)
        torch.cuda.synchronize()
        took.append(time.perf_counter() - begin)
    best = min(took[2:])
    print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__, "prompt": options.prompt,
                      "new": options.new, "seconds": round(best, 4), "tokens_per_s": round(options.new / best, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
