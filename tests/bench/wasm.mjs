// Prints the least milliseconds of processor time from source and config of an 80-layer 70B to plan.json in WebAssembly.
import { readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const read = (path, form) => readFileSync(new URL(path, root), form);
const { load } = await import(new URL('wasm/index.js', root));
const irplan = await load(read('wasm/dist/irplan.wasm'));
const config = JSON.stringify({
  model_type: 'llama', hidden_size: 8192, intermediate_size: 28672, num_attention_heads: 64, num_key_value_heads: 8,
  num_hidden_layers: 80, vocab_size: 128256, rms_norm_eps: 1e-5, rope_theta: 500000, max_position_embeddings: 8192,
  hidden_act: 'silu', torch_dtype: 'bfloat16',
});
const program = { file: 'llama.irplan', text: read('examples/models/llama.irplan', 'utf8'), config };
let least = Infinity;
for (let i = 0; i < 30; i++) {
  const start = process.cpuUsage();
  if (!irplan.compile(program).ok) process.exit(1);
  const { user, system } = process.cpuUsage(start);
  least = Math.min(least, (user + system) / 1000);
}
console.log(least.toFixed(2));
