// Every example gives the same plan.json, byte for byte, from the native command and from WebAssembly; and the package's
// other calls answer as its types say.
//
//   IRPLAN_BIN=build/bin node tests/wasm/same_bytes_test.mjs
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { exampleCases, root, titleOf } from './examples.mjs';

const SKIPPED = 77;
const native = join(process.env.IRPLAN_BIN ?? join(root, 'build/bin'), 'irplan');
const wasm = join(root, 'wasm/dist/irplan.wasm');
for (const needed of [native, wasm])
  if (!existsSync(needed)) {
    console.log(`${needed} is missing: skipped`);
    process.exit(SKIPPED);
  }

const { load } = await import('../../wasm/index.js');
const irplan = await load(readFileSync(wasm));
const hotpath = readFileSync(join(root, 'examples/hotpath.irplan'), 'utf8');

function nativePlan({ program, config }, options = []) {
  const given = config ? ['--config', config] : [];
  return execFileSync(native, ['plan', program, ...given, ...options, '-o', '-'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function wasmReply({ program, config }, options = {}) {
  return irplan.compile({
    file: basename(program),
    text: readFileSync(program, 'utf8'),
    config: config ? readFileSync(config, 'utf8') : null,
    ...(config ? { config_name: basename(config) } : {}),
    options,
  });
}

function firstDifference(a, b) {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return `at ${i}: native …${a.slice(Math.max(0, i - 60), i + 60)}…, wasm …${b.slice(Math.max(0, i - 60), i + 60)}…`;
}

function assertSame(one, flags = [], options = {}) {
  const reply = wasmReply(one, options);
  assert.ok(reply.ok, reply.rendered);
  const expected = nativePlan(one, flags);
  assert.ok(reply.plan === expected, firstDifference(expected, reply.plan));
}

const tests = [];
const test = (title, run) => tests.push({ title, run });

for (const one of exampleCases()) test(`same plan: ${titleOf(one)}`, () => assertSame(one));

const smallest = { program: join(root, 'examples/hotpath.irplan'), config: null };
test('same plan: for the cpu', () => assertSame(smallest, ['--target', 'cpu'], { target: 'cpu' }));
test('same plan: at fixed sizes', () => assertSame(smallest, ['--dim', 'S=2048', '--dim', 'D=512'], { dims: { S: 2048, D: 512 } }));

test('a misspelt operator is told with its place and the proposed name', () => {
  const reply = irplan.compile({ file: 'a.irplan', text: hotpath.replace('rmsnorm', 'rmsnrom') });
  assert.equal(reply.ok, false);
  assert.equal(reply.plan, null);
  const [first] = reply.diagnostics;
  assert.equal(first.severity, 'error');
  assert.deepEqual([first.line, first.column, first.file], [4, 5, 'a.irplan']);
  assert.ok(JSON.stringify(first).includes('`rmsnorm`') || JSON.stringify(first.fixes).includes('rmsnorm'), JSON.stringify(first));
  assert.match(reply.rendered, /a\.irplan:4:5/);
});

test('a plan is bound at other sizes', () => {
  const { plan } = irplan.compile({ file: 'hotpath.irplan', text: hotpath });
  const bound = irplan.bind({ dims: { S: 128, D: 64 } });
  assert.equal(bound.ok, true);
  assert.deepEqual(bound.phases[0].dims, { S: 128, D: 64 });
  assert.equal(bound.phases[0].arena, 2 * 128 * 64);
  assert.deepEqual(bound.phases[0].offsets, [0]);
  assert.deepEqual(irplan.bind({ plan, dims: { S: 128, D: 64 } }), bound);
  const free = irplan.bind({ dims: {} });
  assert.equal(free.phases[0].arena, JSON.parse(plan).memory_plan.peak_bytes);
});

test('a bound plan agrees with its own numbers, phase by phase', () => {
  for (const one of exampleCases()) {
    const { plan } = wasmReply(one);
    const { phases, memory_plan: memory } = JSON.parse(plan);
    const bound = irplan.bind({ dims: {} });
    assert.deepEqual(bound.phases.map((phase) => phase.arena), phases.map((phase) => phase.peak_bytes), titleOf(one));
    const { no_reuse: apart } = bound.phases.reduce((a, b) => (b.arena > a.arena ? b : a));
    assert.equal(apart, memory.no_reuse_bytes, titleOf(one));
    const most = (of) => Math.max(...bound.phases.map(of));
    assert.equal(most((phase) => phase.inputs), memory.segments.inputs, titleOf(one));
    assert.equal(most((phase) => phase.state), memory.segments.state, titleOf(one));
  }
});

test('a slider step takes less than 5 ms', () => {
  const SLOWER = 5; // machines that the tests allow for, as tests/limited.py
  const llama = exampleCases().find((one) => one.config?.endsWith('llama-3.2-1b.json'));
  assert.ok(wasmReply(llama).ok);
  irplan.bind({ dims: {} });
  const times = Array.from({ length: 15 }, (_, i) => {
    const begin = process.cpuUsage();
    irplan.bind({ dims: { B: 1 + i } });
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1000;
  }).sort((a, b) => a - b);
  console.log(`   median ${times[7].toFixed(2)} ms`);
  assert.ok(times[7] < 5 * SLOWER, `${times[7]} ms`); // of processor time
});

test('text is laid out, and again the same', () => {
  const { text, diagnostics } = irplan.format({ text: 'n=rmsnorm( x ,w,eps=1e-5 )' });
  assert.deepEqual(diagnostics, []);
  assert.equal(text, 'n = rmsnorm(x, w, eps=1e-5)\n');
  assert.equal(irplan.format({ text }).text, text);
  assert.equal(irplan.format({ text: 'n = (' }).text, null);
});

test('the operator table is told', () => {
  const { ops, dtypes } = irplan.ops();
  const rope = ops.find((op) => op.name === 'rope');
  assert.ok(rope.doc && rope.operand_text && rope.in_place);
  assert.ok(rope.attributes.some((one) => one.name === 'base' && one.fallback === null));
  assert.ok(dtypes.some((one) => one.name === 'q8_0' && one.elements === 32 && one.bytes === 34));
});

test('what is no request is refused in words', () => {
  for (const request of ['', '[]', '{"method": "fly"}', '{"method": 3}', '{"method": "bind", "plan": "{}"}', '\u0000', '{'])
    assert.ok(JSON.parse(irplan.call(request)).error.length > 10, request);
});

test('text that is no Unicode comes back as text', () => {
  const reply = irplan.compile({ file: 'a.irplan', text: 'x = "\ud800' });
  assert.ok(!reply.ok);
  assert.ok(!reply.plan);
});

let failed = 0;
for (const { title, run } of tests) {
  try {
    run();
    console.log(`ok ${title}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${title}\n${String(error.message ?? error).slice(0, 2000)}`);
  }
}
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
