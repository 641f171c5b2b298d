// Programs that the browser tests write.

// Buffers of several sizes and lives, and room between them.
export const GATED = `dim S in 1..512
input x: f32[S, 512]
n = rmsnorm(x, eps=1e-5)
g = linear(n, param f32[1536, 512] from "gate")
u = linear(n, param f32[512, 512] from "up")
d = linear(silu(g), param f32[512, 1536] from "down")
out = output(softmax(d * u))
`;

const CACHED = `dim B in 1..64
dim S in 1..512
dim P[B] in 0..511
phase prefill { S in 1..512 }
phase decode { S = 1 }
budget memory <= LIMIT
input x: bf16[B, S, 512]
cache = append(state bf16[B, 1024, 512] from "cache", x, at=P)
up = param bf16[2048, 512]
down = param bf16[512, 2048]
out = output(linear(silu(linear(x, up)), down))
`;

// A budget that the declared sizes break, by a cache and the products' weights.
export const TIGHT = CACHED.replace('LIMIT', '40MiB');
// And one that not even the smallest sizes keep.
export const REFUSED = CACHED.replace('LIMIT', '4MiB');

/** The same with names of `length` letters more, for a long plan.json. */
export const wordy = (n, length) => layered(n).replaceAll('layers.', `${'long'.repeat(length / 4)}.layers.`);

/** A loop of `n` rounds with buffers of its own. */
export const layered = (n) => `dim S in 1..256
input x: f32[S, 256]
h = rmsnorm(x, eps=1e-5)
for i in ${n} with h {
  y = silu(linear(h, param f32[512, 256] from "layers.{i}.mlp.gate_proj.weight"))
  h = h + linear(y, param f32[256, 512] from "layers.{i}.mlp.down_proj.weight")
}
out = output(h)
`;

/** A product, a view of it, and what reads the view: its shape alone is another. */
export const VIEWED = `dim S in 1..64
input x: f32[S, 256]
h = silu(x)
q = linear(h, param f32[256, 256] from "q")
out = output(softmax(view(q, shape=[S, 4, 64])))
`;

/** Fifty lines that are in no example. */
export const OWN = `# a mixer of channels and tokens, with a gate
irplan 1
let C = 384
let T = 196
let M = 1536
let N = 256
dim B in 1..128
require C > 0, "channels"
require T > 0, "tokens"

input pixels: bf16[B, T, 768]

fn shift(x, p) {
  return linear(x, param bf16[C, C] from "{p}.shift", param bf16[C] from "{p}.shift_bias")
}
fn rest(x, p) {
  return layernorm(x, param bf16[C] from "{p}.gain", param bf16[C] from "{p}.offset", eps=1e-6)
}
fn tokens_mixed(x, p) {
  y = transpose(rest(x, "{p}.a"), perm=[0, 2, 1])
  wide = gelu(linear(y, param bf16[N, T] from "{p}.in"))
  back = linear(wide, param bf16[T, N] from "{p}.out")
  return transpose(back, perm=[0, 2, 1])
}
fn channels_mixed(x, p) {
  y = rest(x, "{p}.b")
  up = linear(y, param bf16[M, C] from "{p}.up")
  gate = silu(linear(y, param bf16[M, C] from "{p}.gate"))
  return linear(up * gate, param bf16[C, M] from "{p}.down")
}

h = linear(pixels, param bf16[C, 768] from "patch.weight", param bf16[C] from "patch.bias")
for i in 8 with h {
  let p = "mixer.{i}"
  h = h + tokens_mixed(h, p)
  h = h + channels_mixed(h, p)
  h = h + shift(h, p)
}
for j in 4 with h {
  let p = "tail.{j}"
  h = h + channels_mixed(h, p)
}
last = slice(h, axis=1, start=T - 1, len=1)
flat = view(last, shape=[B, C])
n = rest(flat, "head")
scores = linear(n, param bf16[1000, C] from "head.weight")
best = softmax(scores, axis=1)
out = output(best)
# the end
`;
