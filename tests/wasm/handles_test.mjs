// Plans that stay with the compiler: what handles give is what plan.json says, slice by slice.
//
//   node tests/wasm/handles_test.mjs
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { exampleCases, root, titleOf } from './examples.mjs';

const SKIPPED = 77;
const wasm = join(root, 'wasm/dist/irplan.wasm');
if (!existsSync(wasm)) {
  console.log(`${wasm} is missing: skipped`);
  process.exit(SKIPPED);
}

const { load } = await import('../../wasm/index.js');
const passed = [];
const irplan = await load(readFileSync(wasm), { onPass: (pass) => passed.push(pass) });
const ask = (method, request) => JSON.parse(irplan.call(JSON.stringify({ ...request, method })));

function requestOf({ program, config }) {
  return {
    file: basename(program),
    text: readFileSync(program, 'utf8'),
    config: config ? readFileSync(config, 'utf8') : null,
    ...(config ? { config_name: basename(config) } : {}),
  };
}

/** Compares a slice with the plan that was written. */
function compareSlice(plan, phase, slice) {
  const { texts, buffers, resident, values, ops } = slice;
  const own = plan.ops.slice(...phase.ops);
  const arena = plan.buffers.filter((buffer) => buffer.segment === 'arena' && buffer.phase === phase.name);
  const kept = plan.buffers.filter((buffer) => buffer.segment !== 'arena');
  const valueOf = new Map(plan.values.map((value) => [value.id, value]));
  const at = (column, i) => texts[column[i]];
  const list = (offsets, column, i) => column.slice(offsets[i], offsets[i + 1]);
  assert.deepEqual(buffers.id.map((_, i) => at(buffers.id, i)), arena.map((one) => one.id));
  arena.forEach((one, i) => {
    assert.equal(at(buffers.bytes, i), one.bytes);
    assert.deepEqual([buffers.begin[i], buffers.end[i]], one.live.map((step) => step - phase.ops[0]));
    assert.deepEqual(list(buffers.above_at, buffers.above, i).map((k) => at(buffers.id, k)), one.above);
  });
  assert.deepEqual(resident.id.map((_, i) => at(resident.id, i)), kept.map((one) => one.id));
  assert.deepEqual(resident.segment.map((_, i) => at(resident.segment, i)), kept.map((one) => one.segment));
  assert.deepEqual(ops.id.map((_, i) => at(ops.id, i)), own.map((one) => one.id));
  own.forEach((one, i) => {
    assert.deepEqual([at(ops.op, i), at(ops.kernel, i), ops.line[i], at(ops.scope, i)], [one.op, one.kernel, one.line, one.scope]);
    const names = (column) => column.map((v) => (v < 0 ? '' : at(values.id, v)));
    assert.deepEqual(names(list(ops.in_at, ops.in, i)), one.in);
    assert.deepEqual(names(list(ops.out_at, ops.out, i)), one.out);
    assert.deepEqual(list(ops.scratch_at, ops.scratch, i).map((b) => at(buffers.id, b)), one.scratch ?? []);
  });
  values.id.forEach((_, i) => {
    const value = valueOf.get(at(values.id, i));
    assert.equal(at(values.type, i), `${value.dtype}[${value.shape.join(', ')}]`);
    const place = values.place[i];
    assert.equal(place >= 0 ? at(buffers.id, place) : at(resident.id, -1 - place), value.buffer);
  });
}

const tests = [];
const test = (title, run) => tests.push({ title, run });

for (const one of exampleCases())
  test(`the same as plan.json: ${titleOf(one)}`, () => {
    const request = requestOf(one);
    const { plan: text } = irplan.compile(request);
    const plan = JSON.parse(text);
    const { ok, handle, refused, plan: none } = ask('compile', { ...request, keep: true });
    assert.deepEqual([ok, refused, none], [true, false, undefined]);
    const { values, buffers, ops, ...rest } = plan;
    assert.deepEqual(ask('outline', { handle }), rest);
    assert.ok(values.length && buffers.length && ops.length);
    for (const phase of plan.phases) {
      compareSlice(plan, phase, ask('slice', { handle, phase: phase.name }));
      const bound = ask('bind', { handle, phase: phase.name, dims: { B: 2 } });
      const whole = irplan.bind({ plan: text, dims: { B: 2 } });
      assert.deepEqual(bound.phases.find((it) => it.name === phase.name), whole.phases.find((it) => it.name === phase.name));
      assert.deepEqual(bound.resident, whole.resident);
      for (const other of bound.phases) if (other.name !== phase.name) assert.deepEqual(other.offsets, []);
    }
    const sha256 = createHash('sha256').update(text).digest('hex');
    assert.deepEqual(ask('proof', { handle }), { sha256, bytes: Buffer.byteLength(text) });
    assert.equal(ask('text', { handle }).text, text);
    ask('release', { handle });
  });

const small = { text: 'input x: f32[1, 64]\nout = output(silu(x))\n' };

test('a handle that was released, or pushed out by newer plans, is refused in words', () => {
  const { handle } = ask('compile', { ...small, keep: true });
  assert.ok(ask('release', { handle }).ok);
  assert.match(ask('outline', { handle }).error, /no plan with this handle/);
  const first = ask('compile', { ...small, keep: true }).handle;
  for (let i = 0; i < 8; i++) ask('compile', { ...small, keep: true });
  assert.match(ask('text', { handle: first }).error, /no plan with this handle/);
  assert.match(ask('slice', { handle: first + 8, phase: 'nowhere' }).error, /no phase `nowhere`/);
});

test('a program that only its budgets refuse can be drawn, and any other error leaves no plan', () => {
  const text = 'dim S in 1..8\nbudget memory <= 1KiB\ninput x: f32[S, 1024]\nout = output(silu(x))\n';
  const refused = ask('compile', { text, keep: true });
  assert.deepEqual([refused.ok, refused.refused], [false, true]);
  const outline = ask('outline', { handle: refused.handle });
  assert.equal(outline.budget[0].ok, false);
  assert.ok(outline.budget[0].used_bytes > outline.budget[0].limit_bytes);
  assert.ok(ask('slice', { handle: refused.handle, phase: outline.phases[0].name }).ops.id.length);
  const wrong = ask('compile', { text: text.replace('silu', 'sil'), keep: true });
  assert.deepEqual([wrong.ok, wrong.handle, wrong.refused], [false, null, false]);
});

test('passes are told as they are done, and their graphs where they changed it', () => {
  passed.length = 0;
  ask('compile', { ...small, keep: true });
  assert.deepEqual([passed[0], passed.at(-1)], ['elaborate', 'emit']);
  const { passes } = ask('passes', small);
  assert.equal(passes[0].name, 'elaborate');
  for (let i = 1; i < passes.length; i++) assert.notEqual(passes[i].text, passes[i - 1].text);
  assert.ok(passes.every((pass) => pass.contract.length > 10));
});

test('the report and the picture are those of a plan', () => {
  const { handle } = ask('compile', { ...small, file: 'small.irplan', keep: true });
  const [phase] = ask('outline', { handle }).phases;
  assert.match(ask('explain', { handle }).text, /small\.irplan for cuda/);
  assert.match(ask('picture', { handle, phase: phase.name }).svg, /^<svg .*silu/s);
});

let failed = 0;
for (const { title, run } of tests) {
  try {
    run();
    console.log(`ok ${title}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${title}\n${String(error.stack ?? error).slice(0, 2000)}`);
  }
}
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
