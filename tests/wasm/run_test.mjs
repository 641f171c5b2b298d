// A plan run in WebAssembly gives the bytes of `irplan-run` with the same loops (--isa portable), and its numbers with any; what
// cannot run is refused in words, before memory is taken for it.
//
//   IRPLAN_BIN=build/bin node tests/wasm/run_test.mjs
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './examples.mjs';

const SKIPPED = 77;
const native = join(process.env.IRPLAN_BIN ?? join(root, 'build/bin'), 'irplan-run');
const wasm = ['irplan.wasm', 'irplan-run.wasm'].map((name) => join(root, 'wasm/dist', name));
for (const needed of [native, ...wasm])
  if (!existsSync(needed)) {
    console.log(`${needed} is missing: skipped`);
    process.exit(SKIPPED);
  }

const { load } = await import('../../wasm/node.js');
const { RunRefused, run } = await import('../../wasm/run_node.js');
const irplan = await load();
const folder = mkdtempSync(join(tmpdir(), 'irplan-run-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

function planOf(file, text, config = null, options = {}) {
  const { plan, rendered } = irplan.compile({ file, text, config, options: { target: 'cpu', ...options } });
  assert.ok(plan, rendered);
  return plan;
}

/** The outputs of the native command, as .npy files. */
function nativeOutputs(plan, { phase, dims = {}, weights, inputs, names, states }, isa) {
  const path = join(folder, 'plan.json');
  writeFileSync(path, plan);
  const words = [
    ...(states ? ['--states', states] : []),
    ...(phase ? ['--phase', phase] : []),
    ...Object.entries(dims).flatMap(([name, size]) => ['--dim', `${name}=${size}`]),
    ...Object.entries(inputs).flatMap(([name, text]) => ['--input', `${name}=${text}`]),
    ...names.flatMap((name) => ['--output', `${name}=@${join(folder, `${name}.npy`)}`]),
  ];
  const how = ['--backend', 'cpu', '--threads', '1', ...(isa ? ['--isa', isa] : [])];
  execFileSync(native, [path, '--weights', weights, ...how, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  return names.map((name) => readFileSync(join(folder, `${name}.npy`)));
}

/** The numbers of a .npy file of floats of four or two bytes. */
function floatsOf(npy) {
  const start = 10 + npy.readUInt16LE(8);
  const half = npy.toString('latin1', 10, start).includes("'<f2'");
  const number = (at) => {
    const bits = npy.readUInt16LE(at);
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    return exponent === 31 ? (fraction ? NaN : sign * Infinity) : sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
  };
  const count = (npy.length - start) / (half ? 2 : 4);
  return Array.from({ length: count }, (_, i) => (half ? number(start + 2 * i) : npy.readFloatLE(start + 4 * i)));
}

/** As the command's --tol: the largest difference is this share of the largest number. */
function assertNear(a, b, tolerance, title) {
  const [x, y] = [floatsOf(a), floatsOf(b)];
  assert.equal(x.length, y.length);
  const largest = Math.max(...y.map((n) => (Number.isFinite(n) ? Math.abs(n) : 0)));
  x.forEach((n, i) => assert.ok(Object.is(n, y[i]) || Math.abs(n - y[i]) <= tolerance * largest, `${title} at ${i}: ${n} and ${y[i]}`));
}

async function assertSame(plan, request, asked) {
  const result = await run({ plan, ...request });
  const names = result.outputs.map((one) => one.name);
  const given = { ...asked, phase: request.phase, dims: result.dims, states: request.states, names };
  const same = nativeOutputs(plan, given, 'portable');
  const near = nativeOutputs(plan, given);
  result.outputs.forEach((output, i) => {
    const npy = Buffer.from(output.npy());
    if (asked.libm) assertNear(npy, same[i], 1e-6, output.name);
    else assert.ok(npy.equals(same[i]), `${output.name}: other bytes than irplan-run --isa portable`);
    if (output.values instanceof Float32Array) assertNear(npy, near[i], 2e-2, output.name);
    assert.equal(output.statistics.count, output.values.length);
    assert.equal(output.histogram.reduce((sum, n) => sum + n, 0), output.statistics.count - output.statistics.nan - output.statistics.infinite);
  });
  return result;
}

const tests = [];
const test = (title, body) => tests.push({ title, body });
const hotpath = readFileSync(join(root, 'examples/hotpath.irplan'), 'utf8');
const small = planOf('hotpath.irplan', hotpath);
const refused = (request, message, options) => assert.rejects(run(request, options), (error) => error instanceof RunRefused && message.test(error.message));

test('the example: the same bytes, its statistics, and what it takes is told before', async () => {
  const told = [];
  const need = [];
  const request = { plan: small, dims: { S: 24, D: 128 } };
  const options = { onNeed: (one) => need.push(one), onProgress: (one) => told.push(one) };
  const { bytes, outputs, ms } = await run(request, options);
  const { results, total, ...planned } = need[0].bytes;
  assert.deepEqual({ ...planned, loading: 0 }, bytes);
  assert.equal(total, planned.weights + planned.state + planned.inputs + planned.arena + results);
  assert.deepEqual(need[0].inputs, [{ name: 'x', dtype: 'f16', shape: [1, 24, 128] }]);
  assert.deepEqual([told[0].stage, told.at(-1).stage, told.at(-1).done, told.at(-1).of], ['weights', 'ops', 3, 3]);
  const [out] = outputs;
  const list = [...out.values];
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  const deviation = Math.sqrt(list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length);
  assert.equal(out.statistics.least, Math.min(...list));
  assert.equal(out.statistics.largest, Math.max(...list));
  assert.ok(Math.abs(out.statistics.mean - mean) < 1e-9 && Math.abs(out.statistics.deviation - deviation) < 1e-9);
  assert.ok(ms.run > 0);
  await assertSame(small, { ...request, weights: { seed: 7 }, inputs: { x: { seed: 3 } } }, { weights: 'random:7', inputs: { x: 'random:3' } });
  await assertSame(small, { ...request, inputs: { x: { value: 0.5 } } }, { weights: 'random:1', inputs: { x: 'const:0.5' } });
});

const serves = JSON.parse(readFileSync(join(root, 'examples/gallery.json'), 'utf8')).serves;
const goldens = join(root, 'tests/data/goldens');
for (const name of readdirSync(goldens).sort()) {
  const config = readFileSync(join(goldens, name, 'config.json'), 'utf8');
  const program = Object.keys(serves).find((one) => serves[one].includes(JSON.parse(config).model_type));
  test(`the same bytes: ${program} with the weights of ${name}`, async () => {
    const text = readFileSync(join(root, 'examples/models', `${program}.irplan`), 'utf8');
    const plan = planOf(`${program}.irplan`, text, config);
    const weights = join(goldens, name, 'model.safetensors');
    const files = [{ name: 'model.safetensors', bytes: readFileSync(weights) }];
    const prefill = { phase: 'prefill', dims: { B: 2, S: 9, P: 0 }, weights: files };
    const asked = { inputs: { tokens: 'random:2' }, libm: program === 'gemma' }; // its softcap is the C library's tanh
    const { outputs } = await assertSame(plan, prefill, { ...asked, weights });
    assert.equal(outputs[0].statistics.nan, 0);
    const decode = { phase: 'decode', dims: { B: 1, P: 0 } };
    await assertSame(plan, decode, { ...asked, weights: 'random:1' });
  });
}

test('states that nothing wrote are as irplan-run has them, or zeros where that is asked', async () => {
  const config = readFileSync(join(goldens, 'llama/config.json'), 'utf8');
  const plan = planOf('llama.irplan', readFileSync(join(root, 'examples/models/llama.irplan'), 'utf8'), config);
  const step = { plan, phase: 'decode', dims: { B: 1, P: 16 } };
  const unset = await run(step);
  assert.equal(unset.outputs[0].statistics.nan, unset.outputs[0].statistics.count);
  const given = { weights: 'random:1', inputs: { tokens: 'random:2' } };
  const zeros = await assertSame(plan, { ...step, states: 'zeros' }, given);
  assert.equal(zeros.outputs[0].statistics.nan, 0);
  await assertSame(plan, step, given);
});

test('weights in every block dtype: the same bytes', async () => {
  for (const dtype of ['bf16', 'f8e4m3', 'f8e5m2', 'q8_0', 'q4_0', 'mxfp4', 'i4g128']) {
    const text = `dim S in 1..64\ninput x: f16[S, 256]\nw = param ${dtype}[96, 256]\nout = output(linear(x, w))\n`;
    const plan = planOf('blocks.irplan', text);
    for (const S of [1, 7, 33]) await assertSame(plan, { dims: { S } }, { weights: 'random:1', inputs: { x: 'random:2' } });
  }
});

test('f16 and bf16 of every kind of number are rounded as natively', async () => {
  const numbers = [0, -0, 1, -1, 65504, 65519.99, 65520, -1e30, 6.1e-5, 5.9e-8, 2.98e-8, 2.9e-8, -3e-8, 1e-40, 1.00048828125, 1.0009765625, 1.00146484375, 3.4e38, Infinity, -Infinity, NaN];
  const many = Float32Array.from({ length: 4096 }, (_, i) => numbers[i] ?? (i % 2 ? 1 : -1) * 2 ** (-26 + (i % 43)) * (1 + (i % 1021) / 1024));
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4096,), }".padEnd(117) + '\n';
  const npy = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'), Buffer.from(header), Buffer.from(many.buffer)]);
  const path = join(folder, 'x.npy');
  writeFileSync(path, npy);
  for (const dtype of ['f16', 'bf16']) {
    const plan = planOf('cast.irplan', `input x: f32[4096]\ny = cast(x, to=${dtype})\nout = output(cast(y, to=f32))\n`);
    await assertSame(plan, { inputs: { x: npy } }, { weights: 'random:1', inputs: { x: `@${path}` } });
  }
});

test('a plan for CUDA runs here too, by kernels of the CPU and by the reference', async () => {
  const config = readFileSync(join(goldens, 'llama/config.json'), 'utf8');
  const plan = planOf('llama.irplan', readFileSync(join(root, 'examples/models/llama.irplan'), 'utf8'), config, { target: 'cuda:sm_90' });
  const step = { plan, phase: 'prefill', dims: { B: 1, S: 5, P: 0 } };
  const { outputs } = await assertSame(plan, step, { weights: 'random:1', inputs: { tokens: 'random:2' } });
  const reference = await run({ ...step, backend: 'reference' });
  assertNear(Buffer.from(reference.outputs[0].npy()), Buffer.from(outputs[0].npy()), 1e-5, 'logits');
});

test('what cannot run is refused in words', async () => {
  const dims = { S: 4, D: 64 };
  const npy = Buffer.from(await (await run({ plan: small, dims })).outputs[0].npy());
  await refused({ plan: '{}' }, /plan\.json: /);
  await refused({ plan: small.replace('"peak_bytes":', '"peak_byte":') }, /plan\.json: /);
  await refused({ plan: small, dims: { S: 0 } }, /dim S = 0 is outside of its range/);
  await refused({ plan: small, dims: { T: 1 } }, /no dim T/);
  await refused({ plan: small, phase: 'decode' }, /no phase decode; there are main/);
  await refused({ plan: small, dims, inputs: { x: new Uint8Array() } }, /input x is empty/);
  await refused({ plan: small, dims, inputs: { x: npy.subarray(0, 40) } }, /input x: /);
  await refused({ plan: small, dims, inputs: { x: Buffer.from('no file') } }, /input x: /);
  await refused({ plan: small, dims: { S: 5, D: 64 }, inputs: { x: npy } }, /input x is \[1, 4, 64\], and at these sizes \[1, 5, 64\] is expected/);
  await refused({ plan: small, dims, weights: npy }, /names no weight/);
  await refused({ plan: small, dims, weights: [] }, /neither files nor of a seed/);
  await refused({ plan: small, dims, weights: { seed: -1 } }, /the seed is no whole number/);
  await refused({ plan: small, dims, backend: 'tpu' }, /no backend `tpu`/);
  const weights = readFileSync(join(goldens, 'gpt2/model.safetensors'));
  await refused({ plan: small, dims, weights }, /lacks w/);
  await run({ plan: small, dims, inputs: { x: { bytes: npy } } });
});

test('what is larger than WebAssembly has is refused with its size, before anything is allocated', async () => {
  const before = process.memoryUsage.rss();
  await refused({ plan: small, dims: { S: 1 << 20, D: 4096 } }, /^out of memory: \d{11} bytes are needed \(weights 8192 .*left of 4 GiB/);
  await refused({ plan: small, dims: { S: 2 ** 40, D: 2 ** 40 } }, /has no size|64 bits|too many|outside/);
  const state = planOf('state.irplan', 'dim P in 0..40000000\ninput x: f32[1, 1, 1, 64]\nj = append(state f8e4m3[1, 40000000, 1, 64] from "k", x, at=P)\nout = output(x * 2)\n');
  await refused({ plan: state, dims: { P: 1 } }, /^out of memory: state takes 2560000000 bytes in one piece/);
  assert.ok(process.memoryUsage.rss() - before < 200e6);
});

test('a run can be given up between two ops', async () => {
  const stop = new AbortController();
  const onNeed = () => stop.abort(new Error('enough'));
  await assert.rejects(run({ plan: small, dims: { S: 4, D: 64 } }, { signal: stop.signal, onNeed }), /enough/);
  await run({ plan: small, dims: { S: 4, D: 64 } }, { signal: new AbortController().signal });
});

let failed = 0;
for (const { title, body } of tests) {
  try {
    await body();
    console.log(`ok ${title}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${title}\n${String(error.stack ?? error).slice(0, 2000)}${error.stderr ? `\n${error.stderr}` : ''}`);
  }
}
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
