// A dictionary of links: the texts of examples as links have them, what is used most last (deflate sees 32 KiB back).
//
//   node native/link/make_dictionary.mjs d llama moe        writes native/link/dictionaries/d.txt of these models' programs and configs
//
// A dictionary never changes once a page with it was published: links need it to be read. Whoever makes a link takes the one that makes
// it the shortest.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const WINDOW = 32768;
const [letter, ...models] = process.argv.slice(2);
const out = join(import.meta.dirname, `dictionaries/${letter}.txt`);
if (!/^[b-z]$/.test(letter ?? '') || models.length === 0) throw new Error('give a letter and models: d llama moe');
if (existsSync(out)) throw new Error(`${out} is there, and never changes`);

const examples = join(import.meta.dirname, '../../examples');
const read = (path) => readFileSync(join(examples, path), 'utf8');
const { serves } = JSON.parse(read('gallery.json'));
const types = models.flatMap((name) => serves[name]);
const configs = readdirSync(join(examples, 'configs')).filter((name) => types.includes(JSON.parse(read(`configs/${name}`)).model_type));
const small = ['templates/smallest.irplan', 'templates/mlp.irplan', 'templates/decoder.irplan', 'hotpath.irplan'];

// What programs of one's own are likely to say, in the forms that the formatter gives.
const PHRASES = String.raw`
# the weights are stored as
let T = 128
let D = 1024
let V = config.vocab_size
dim B in 1..128
dim S in 1..4096
dim P[B] in 0..C - 1
require D % H == 0, "heads
phase prefill { S in 1..2048 }
phase decode { S = 1 }
budget memory <= 24GiB
budget B * S <= 8192
input ids: i32[B, S]
input x: bf16[B, S, D]
mask = input bool[B, S]
y = layernorm(x, param bf16[D] from "{p}.weight", param bf16[D] from "{p}.bias", eps=1e-6)
  y = rmsnorm(x, param f32[D] from "norm.weight", eps=1e-5)
  return linear(x, param bf16[F, D] from "{p}.weight", param bf16[F] from "{p}.bias")
}
  up = linear(y, param bf16[F, D] from "{p}.up")
  gate = silu(linear(y, param bf16[F, D] from "{p}.gate"))
  return linear(gate * up, param bf16[D, F] from "{p}.down")
}
fn mlp(x, p) {
  y = gelu(linear(x, param bf16[4 * D, D] from "{p}.fc1"))
  return linear(y, param bf16[D, 4 * D] from "{p}.fc2")
}
fn block(h, p) {
  return h + mlp(rmsnorm(h, param f16[D], eps=1e-5), p)
}
q = view(linear(n, wq), shape=[B, S, H, K])
k = view(linear(n, wk), shape=[B, S, KV, K])
v = view(linear(n, wv), shape=[B, S, KV, K])
r = rope(q, at=P, base=10000)
keys = append(state bf16[B, C, KV, K] from "k", r, at=P)
a = attention(q, keys, values, causal=true, window=none, scale=1.0)
o = linear(view(a, shape=[B, S, H * K]), wo)
h = embed(tokens, param bf16[V, D] from "embed.weight")
for i in 12 with h {
  let p = "layers.{i}"
  h = h + block(h, p)
  h = h + attn(h, "{p}.attn")
}
y = transpose(x, perm=[0, 2, 1])
last = slice(h, axis=1, start=S - 1, len=1)
w = param f16[D, D] from "
probs = softmax(scores, axis=-1)
z = concat(a, b, axis=1)
c = cast(x, to=f32)
m = matmul(a, b)
s = split(x, axis=-1, sizes=[D, D])
mean(abs(exp(sqrt(tanh(sigmoid(relu(gelu_tanh(swiglu(geglu(scale(x, by=softcap(x, cap=30.0
logits = output(linear(h, param bf16[V, D] from "lm_head.weight"))
out = output(y)
`.slice(1);

const OPTIONS =
  '"options":{"target":"cuda:sm_80","lets":{"C":"4096"},"dims":{"B":8},"retypes":{"state":"f8e4m3","weights":"q8_0"},' +
  '"keepOrder":true,"strength":"exact","denyWarnings":true},"sizes":{"B":64,"S":1,"P":4095},' +
  '"look":{"view":"buffers","phase":"decode","buffer":"fit":{"gpu":"h200","memory":"24GiB","context":"8192","batch":"16"';
const texts = [...small.map(read), ...configs.map((name) => read(`configs/${name}`)), ...models.map((name) => read(`models/${name}.irplan`)), PHRASES];
const names = configs.map((name) => `","configName":"${name}`).join('');
const frames = models.map((name) => `{"file":"${name}.irplan","text":"irplan 1\\n`).join('');
const whole = JSON.stringify(texts.join('\n')).slice(1, -1) + `","config":"{\\n${names}` + OPTIONS + frames;
const bytes = Buffer.from(whole, 'utf8');
writeFileSync(out, bytes.subarray(-WINDOW));
console.log(`${out}: ${Math.min(bytes.length, WINDOW)} of ${bytes.length} bytes`);
