#!/usr/bin/env python3
"""What torch reaches at the sizes that gpu-run.sh measures: GB/s of each operator, eager and compiled.

    torch_bench.py [--rows 65536] [--device cuda]     prints `NAME EAGER COMPILED` a line; exits 77 where torch has no device

Bytes are counted as a plan counts them: each operand read once, the result written once.
"""
import argparse
import sys
import time

ROUNDS = 20  # launches in a row
WIDTH = 4096
ROTATED = 128


def operators(torch, rows, device):
    """name: (function, operands, tensors that it moves)"""
    functional = torch.nn.functional
    x, u = (torch.randn(rows, WIDTH, device=device, dtype=torch.bfloat16) for _ in range(2))
    w = torch.randn(WIDTH, device=device, dtype=torch.bfloat16)
    half = torch.arange(ROTATED // 2, device=device, dtype=torch.float32)
    angles = torch.arange(rows, device=device)[:, None] * 10000.0 ** (-2 * half / ROTATED)
    cos, sin = angles.cos(), angles.sin()

    def rope(x, cos, sin):
        a, b = x[:, : ROTATED // 2].float(), x[:, ROTATED // 2 : ROTATED].float()
        turned = torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)
        return torch.cat((turned.to(x.dtype), x[:, ROTATED:]), dim=-1)

    return {
        "rmsnorm": (lambda x, w: functional.rms_norm(x, (WIDTH,), w, 1e-5), (x, w), 2),
        "silu": (functional.silu, (x,), 2),
        "rope": (rope, (x, cos, sin), 2),
        "add": (torch.add, (x, u), 3),
        "softmax": (lambda x: torch.softmax(x, dim=-1), (x,), 2),
        "swiglu": (lambda x, u: functional.silu(x) * u, (x, u), 3),
    }


def seconds(torch, run, device):
    """The mean of ROUNDS runs, the best of three such rows."""
    best = float("inf")
    for _ in range(3):
        if device == "cuda":
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            for _ in range(ROUNDS):
                run()
            end.record()
            torch.cuda.synchronize()
            took = begin.elapsed_time(end) * 1e-3
        else:
            start = time.perf_counter()
            for _ in range(ROUNDS):
                run()
            took = time.perf_counter() - start
        best = min(best, took / ROUNDS)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=65536)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    options = parser.parse_args()
    try:
        import torch
    except ImportError:
        print("torch is not installed", file=sys.stderr)
        return 77
    if options.device == "cuda" and not torch.cuda.is_available():
        print(f"torch {torch.__version__} sees no device", file=sys.stderr)
        return 77
    with torch.inference_mode():
        for name, (function, operands, tensors) in operators(torch, options.rows, options.device).items():
            gigabytes = tensors * options.rows * WIDTH * 2 * 1e-9
            figures = []
            for run in (function, torch.compile(function)):
                for _ in range(3):
                    run(*operands)  # compiles, and warms up
                figures.append(gigabytes / seconds(torch, lambda: run(*operands), options.device))
            print(f"{name} {figures[0]:.4g} {figures[1]:.4g}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
