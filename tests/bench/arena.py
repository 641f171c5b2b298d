"""The arena and its lower bound from plan.json alone, at any sizes: an evaluator that shares nothing with the compiler."""
import random
import re

TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|[-+*(), ]")
FUNCTIONS = {"min": min, "max": max, "ceildiv": lambda a, b: -(-a // b), "floordiv": lambda a, b: a // b, "mod": lambda a, b: a % b}


def compiled(text):
    if "".join(TOKEN.findall(text)) != text:
        raise ValueError(f"not an expression: {text!r}")
    with_dims = re.sub(r"[A-Za-z_]\w*", lambda name: name[0] if name[0] in FUNCTIONS else f'd["{name[0]}"]', text)
    return eval(f"lambda d: {with_dims}", {"__builtins__": {}, **FUNCTIONS})


class Phase:
    def __init__(self, plan, phase):
        self.name, self.align = phase["name"], plan["target"]["align"]
        self.dims = {d["name"]: {**d, **phase["dims"].get(d["name"], {})} for d in plan["dims"]}
        self.guards = [(compiled(left), relation, compiled(right)) for g in plan["guards"] if g.get("phase", self.name) == self.name
                       for left, relation, right in [re.fullmatch(r"(.*) (<=|>=|==) (.*)", g["expr"]).groups()]]
        own = [b for b in plan["buffers"] if b["segment"] == "arena" and b["phase"] == self.name]
        texts = {}
        self.classes = [texts.setdefault(b["bytes"], len(texts)) for b in own]  # equal sizes are evaluated once
        self.sizes = [compiled(text) for text in texts]
        index = {b["id"]: i for i, b in enumerate(own)}
        self.live = [b["live"] for b in own]
        self.above = [[index[u] for u in b["above"]] for b in own]
        self.order = self.from_below()

    def from_below(self):
        order, done = [], set()
        for first in range(len(self.above)):
            todo = [first]
            while todo:
                b = todo[-1]
                missing = [u for u in self.above[b] if u not in done]
                todo += missing
                if not missing:
                    todo.pop()
                    if b not in done:
                        done.add(b)
                        order.append(b)
        return order

    def round_up(self, n):
        return -(-n // self.align) * self.align

    def value(self):
        return {name: d["value"] for name, d in self.dims.items()}

    def admits(self, sizes):
        holds = {"<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b, "==": lambda a, b: a == b}
        return all(holds[relation](left(sizes), right(sizes)) for left, relation, right in self.guards)

    def bytes(self, sizes):
        of_class = [size(sizes) for size in self.sizes]
        return [of_class[c] for c in self.classes]

    def arena(self, sizes):
        bytes, offsets = self.bytes(sizes), [0] * len(self.above)
        for b in self.order:
            offsets[b] = max((self.round_up(offsets[u] + bytes[u]) for u in self.above[b]), default=0)
        return max((o + n for o, n in zip(offsets, bytes)), default=0)

    def bound(self, sizes):
        """the largest sum of live bytes, and the same with all but one of them rounded up: no placement takes less than either"""
        bytes, change = self.bytes(sizes), {}
        for b, (begin, end) in enumerate(self.live):
            change.setdefault(begin, []).append(b)
            change.setdefault(end, []).append(~b)
        alive, plain, rounded, most, least = set(), 0, 0, 0, 0
        for step in sorted(change):
            for b in sorted(change[step]):
                sign, b = (-1, ~b) if b < 0 else (1, b)
                (alive.add if sign > 0 else alive.discard)(b)
                plain += sign * bytes[b]
                rounded += sign * self.round_up(bytes[b])
            most = max(most, plain)
            if rounded > least:
                least = max(least, rounded - max((self.round_up(bytes[b]) - bytes[b] for b in alive), default=0))
        return most, least

    def bindings(self, count, seed=1):
        """the corners, the plan's values, and sizes between them, small ones as often as large ones"""
        chance = random.Random(seed)
        ends = {n: (d["min"], d["max"] if d["max"] is not None else max(8192, d["value"])) for n, d in self.dims.items()}
        seen = set()

        def offer(sizes):
            key = tuple(sizes.values())
            if key in seen or not self.admits(sizes):
                return []
            seen.add(key)
            return [sizes]

        yield from offer(self.value())
        yield from offer({n: low for n, (low, high) in ends.items()})
        for name in ends:
            yield from offer({n: high if n == name else low for n, (low, high) in ends.items()})
        for _ in range(40 * count):
            if len(seen) >= count:
                return
            sizes = {}
            for name, (low, high) in ends.items():
                reach = min(high, low + 2 ** chance.randint(0, max(1, (high - low).bit_length())))
                sizes[name] = chance.randint(low, reach)
            yield from offer(sizes)
