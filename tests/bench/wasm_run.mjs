// Steps of a decoder run in WebAssembly beside the native command's one thread: the least of some runs each, after the engine's
// compilers have seen them once.
//
//   ./dev bench wasm_run [WORDS OF A TITLE]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const native = join(process.env.IRPLAN_BIN ?? join(root, 'build/bin'), 'irplan-run');
const { load } = await import('../../wasm/node.js');
const { run } = await import('../../wasm/run_node.js');
const irplan = await load();
const source = await WebAssembly.compile(readFileSync(join(root, 'wasm/dist/irplan-run.wasm')));
const folder = mkdtempSync(join(tmpdir(), 'irplan-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const AIM = 0.4;
const RUNS = 8;
// Two layers of a small Llama: more bytes than a cache has, so that a step of decode is read from memory.
const config = JSON.stringify({
  model_type: 'llama', hidden_size: 1024, num_attention_heads: 16, num_key_value_heads: 4, head_dim: 64, intermediate_size: 4096, vocab_size: 4096,
  num_hidden_layers: 2, rms_norm_eps: 1e-5, dtype: 'bfloat16', max_position_embeddings: 2048, rope_theta: 500000, tie_word_embeddings: true, hidden_act: 'silu',
});
const llama = readFileSync(join(root, 'examples/models/llama.irplan'), 'utf8');
const decode = { phase: 'decode', dims: { B: 1, P: 128 } };
const prefill = { phase: 'prefill', dims: { B: 1, S: 64, P: 0 } };
const WORKS = [
  ['decode bf16', llama, {}, decode],
  ['decode q8_0', llama, { weights: 'q8_0' }, decode],
  ['decode q4_0', llama, { weights: 'q4_0' }, decode],
  ['decode q8_0 x i8', llama, { weights: 'q8_0', activations: 'i8' }, decode],
  ['prefill 64 bf16', llama, {}, prefill],
  ['prefill 64 q8_0 x i8', llama, { weights: 'q8_0', activations: 'i8' }, prefill],
  ['hotpath f16', readFileSync(join(root, 'examples/hotpath.irplan'), 'utf8'), {}, { phase: 'main', dims: { S: 512, D: 1024 } }],
];

/** Milliseconds of a step by the command, the widest vectors of the machine. */
function nativeMs(plan, { phase, dims }) {
  const [file, times] = ['plan.json', 'times.json'].map((name) => join(folder, name));
  writeFileSync(file, plan);
  const sizes = Object.entries(dims).flatMap(([name, size]) => ['--dim', `${name}=${size}`]);
  const words = ['--backend', 'cpu', '--threads', '1', '--weights', 'random:1', '--phase', phase, ...sizes, '--bench', '--iterations', String(RUNS), '--export-times', times];
  execFileSync(native, [file, ...words], { stdio: 'ignore' });
  return Math.min(...JSON.parse(readFileSync(times, 'utf8')).samples_ms);
}

/** Milliseconds of a step in WebAssembly, once its weights are there, as packed. */
async function wasmMs(plan, step) {
  const { ms } = await run({ plan, ...step, states: 'zeros' }, { source });
  return ms.run;
}

const wanted = process.argv.slice(2).join(' ');
const logs = [];
console.log(`${''.padEnd(24)}${'wasm'.padStart(12)}${'native, 1'.padStart(12)}   of native`);
for (const [title, text, retypes, step] of WORKS) {
  if (!title.includes(wanted)) continue;
  const { plan, rendered } = irplan.compile({ text, config: text === llama ? config : null, options: { target: 'cpu', retypes } });
  if (!plan) throw new Error(rendered);
  let least = Infinity;
  for (let i = 0; i < RUNS; i++) least = Math.min(least, await wasmMs(plan, step));
  const other = nativeMs(plan, step);
  const ratio = other / least;
  logs.push(Math.log(ratio));
  const ms = (n) => `${n.toFixed(n < 10 ? 2 : 1)} ms`.padStart(12);
  console.log(`${title.padEnd(24)}${ms(least)}${ms(other)}   ${ratio.toFixed(2)}x`);
}
const mean = Math.exp(logs.reduce((sum, one) => sum + one, 0) / logs.length);
console.log(`${'geometric mean'.padEnd(48)}   ${mean.toFixed(2)}x, of at least ${AIM}x aimed at`);
