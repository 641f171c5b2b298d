#!/usr/bin/env python3
"""A runtime for plan.json in a hundred lines, written from core/plan.md: one arena of exactly the plan's bytes, every value a
window on it. It runs what Llama and hotpath need, at one position for all sequences; tests/models/plan_runtime_test.py uses it."""
import re
import numpy as np

DTYPES = {"f32": "<f4", "f16": "<f2", "i32": "<i4", "i64": "<i8", "bool": "?", "F32": "<f4", "F16": "<f2", "I32": "<i4", "I64": "<i8"}
FUNCTIONS = {"min": min, "max": max, "ceildiv": lambda a, b: -(-a // b), "floordiv": lambda a, b: a // b, "mod": lambda a, b: a % b}


class Runtime:
    def __init__(self, plan, weights, sizes):
        """`sizes`: every dim at its largest, so that all memory is taken once."""
        self.plan, self.dims = plan, dict(sizes)
        self.values, self.buffers = ({r["id"]: r for r in plan[key]} for key in ("values", "buffers"))
        self.arena = np.zeros(max(p["peak_bytes"] if p["peak"] is None else self.of(p["peak"]) for p in plan["phases"]), np.uint8)
        self.memory = {b["id"]: np.zeros(self.of(b["bytes"]), np.uint8) for b in plan["buffers"] if b["segment"] != "arena"}
        self.ends = {}  # of what `append` gave: one past the last position in it
        for v in plan["values"]:
            if v["kind"] == "param":
                found = [k for k in weights if k == v["source"]] or [k for k in weights if k.endswith("." + v["source"])]
                self.window(v["id"])[...] = weights[found[0]].reshape(self.window(v["id"]).shape)
        self.run("load")

    def of(self, text):
        """The value of an expression at the sizes of the step. The pattern lets nothing else through to eval."""
        assert re.fullmatch(r"[\w*+(), -]+", text), text
        return eval(text, {"__builtins__": {}, **FUNCTIONS}, self.dims)

    def offset(self, id):
        b, align = self.buffers[id], self.plan["target"]["align"]
        if id not in self.placed:
            tops = [self.offset(a) + self.of(self.buffers[a]["bytes"]) for a in b["above"]]
            self.placed[id] = max((-(-top // align) * align for top in tops), default=0)
        return self.placed[id]

    def window(self, id):
        """A value as an array that shares its buffer's bytes; numpy refuses one that reaches outside of them."""
        v, dtype = self.values[id], np.dtype(DTYPES[self.values[id]["dtype"]])
        shape = [self.of(e) for e in v["shape"]]
        steps = [self.of(e) for e in v["strides"]] if "strides" in v else [int(np.prod(shape[i + 1:])) for i in range(len(shape))]
        arena = self.buffers[v["buffer"]]["segment"] == "arena"
        bytes, start = (self.arena, self.offset(v["buffer"])) if arena else (self.memory[v["buffer"]], 0)
        return np.ndarray(shape, dtype, bytes, start + self.of(v.get("offset", "0")), [s * dtype.itemsize for s in steps])

    def read(self, id):
        """A copy in f32 (ids as they are); of a ring, the oldest position first."""
        x = self.window(id)
        state = next((v for v in self.plan["values"] if v["kind"] == "state" and v["buffer"] == self.values[id]["buffer"]), None)
        if id in self.ends and state["layout"] == "ring":
            x = self.window(state["id"])[:, np.arange(self.ends[id] - x.shape[1], self.ends[id]) % self.window(state["id"]).shape[1]]
        return x.astype(np.float32) if x.dtype.kind == "f" else x.copy()

    def step(self, phase, dims, **inputs):
        self.dims.update(dims)
        for name, array in inputs.items():
            self.window(name)[...] = array
        self.run(phase)
        return {o["name"]: self.read(o["value"]) for o in self.plan["outputs"] if o["phase"] == phase}

    def run(self, phase):
        self.placed = {}
        for op in (op for op in self.plan["ops"] if op["phase"] == phase):
            if op["op"] not in OPS:
                raise NotImplementedError(f"the operator {op['op']} of {op['id']}")
            results = OPS[op["op"]](self, op, op["attrs"], *(self.read(i) for i in op["in"] if i))
            for id, array in zip(op["out"], results):
                self.window(id)[...] = array

    def append(self, op, a, s, x):
        state, at = self.window(op["in"][0]), self.of(a["at"])
        state[:, np.arange(at, at + x.shape[1]) % state.shape[1]] = x
        self.ends[op["out"][0]] = at + x.shape[1]
        return []  # its result is a window on the state

    def rope(self, op, a, x):
        dim = x.shape[-1] if a["dim"] is None else self.of(a["dim"])
        at = (np.arange(x.shape[1]) + self.of(str(a["at"])))[:, None] * float(a["base"]) ** (-np.arange(0, dim, 2) / dim)
        cos, sin = (f(at).reshape(x.shape[1], *[1] * (x.ndim - 3), dim // 2) for f in (np.cos, np.sin))
        u, v = x[..., :dim // 2], x[..., dim // 2:dim]
        return [np.concatenate([u * cos - v * sin, v * cos + u * sin, x[..., dim:]], -1)]

    def attention(self, op, a, q, k, v):
        k, v = (np.repeat(x, q.shape[2] // k.shape[2], 2) for x in (k, v))
        scores = np.einsum("bihd,bjhd->bhij", q, k) * a["scale"]
        last = np.arange(q.shape[1])[:, None] + k.shape[1] - q.shape[1]
        hidden = (np.arange(k.shape[1]) > last) & a["causal"] | (np.arange(k.shape[1]) <= last - self.of(str(a["window"] or 2**40)))
        scores = np.exp(np.where(hidden, -np.inf, scores - scores.max(-1, keepdims=True)))
        return [np.einsum("bhij,bjhd->bihd", scores / scores.sum(-1, keepdims=True), v)]


def norm(a, x, w=None):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + a["eps"]) * (1 if w is None else w + a["offset"])


silu = lambda x: x / (1 + np.exp(-x))
OPS = {"append": Runtime.append, "rope": Runtime.rope, "attention": Runtime.attention, "silu": lambda r, op, a, x: [silu(x)],
       "embed": lambda r, op, a, ids, w: [w[ids]], "linear": lambda r, op, a, x, w: [x @ w.T], "add": lambda r, op, a, x, y: [x + y],
       "mul": lambda r, op, a, x, y: [x * y], "swiglu": lambda r, op, a, g, u: [silu(g) * u], "copy": lambda r, op, a, x: [x],
       "rmsnorm": lambda r, op, a, *x: [norm(a, *x)], "add_rmsnorm": lambda r, op, a, x, y, *w: [x + y, norm(a, x + y, *w)]}
