// The npm package as somebody gets it: packed, unpacked into a project of its own, loaded without arguments in Node (import and
// require) and in a browser whose policy forbids what can be forbidden.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { root } from './examples.mjs';

const SKIPPED = 77;
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
if (!existsSync(join(root, 'wasm/dist/irplan.wasm'))) {
  console.log('wasm/dist/irplan.wasm is missing: skipped');
  process.exit(SKIPPED);
}

const project = mkdtempSync(join(tmpdir(), 'irplan-package-'));
process.on('exit', () => rmSync(project, { recursive: true, force: true }));
const run = (program, words, cwd = project) => execFileSync(program, words, { cwd, encoding: 'utf8' });
run('npm', ['pack', '--ignore-scripts', '--pack-destination', project], join(root, 'wasm'));
const [archive] = readdirSync(project);
const installed = join(project, 'node_modules/irplan');
mkdirSync(installed, { recursive: true });
run('tar', ['-xzf', archive, '--strip-components=1', '-C', installed]);
writeFileSync(join(project, 'package.json'), '{"type": "module"}');

const config = JSON.stringify(readFileSync(join(root, 'examples/configs/llama-3.2-1b.json'), 'utf8'));
// What the package can do, in one function that runs anywhere; it answers with what it found.
const tour = `async (load) => {
  const irplan = await load();
  const config = ${config};
  const program = irplan.new({ config });
  const made = irplan.compile({ text: program.text, config, options: { dims: { B: 2 }, budgets: ['memory <= 24GiB'] } });
  const kept = irplan.compile({ text: program.text, config, options: { dims: { B: 2 }, keep_order: true, strength: 'limited' } });
  const fit = irplan.fit({ config, memory: '23.58GiB', context: 4096, batch: 2 });
  const known = irplan.fit({ config, gpu: 'no such card' });
  const packed = irplan.pack({ csv: 'id,lower,upper,size\\na,0,2,4\\nb,1,3,6\\n', capacity: 8 });
  const solved = irplan.pack({ problem: { capacity: 12, buffers: [{ id: 'a', lower: 0, upper: 10, size: 4, alignment: 8 },
    { id: 'b', lower: 0, upper: 7, size: 6, alignment: 8 }] } });
  const clash = irplan.pack({ problem: [{ id: 'a', lower: 0, upper: 2, size: 4, offset: 0 }, { id: 'b', lower: 1, upper: 3, size: 6, offset: 2 }] });
  irplan.compile({ text: program.text, config, options: { dims: { B: 2 } } });
  return {
    example: program.example, ok: made.ok && kept.ok, total: fit.fit.bytes.total, fits: fit.fit.fits, unknown: known.error,
    svg: irplan.picture({ phase: 'decode' }).svg.slice(0, 4), explained: irplan.explain({ phase: 'decode' }).text.length,
    reported: typeof irplan.explain().report, different: irplan.diff({ before: made.plan, after: kept.plan }).changes.length,
    height: packed.height, conflict: packed.conflict, offsets: solved.problem.buffers.map((one) => one.offset), verdict: solved.verdict,
    clash: clash.conflict, wrong: irplan.pack({ problem: [{ id: 'a', hint: 1 }] }).error, version: irplan.version().version,
  };
}`;

function check(found) {
  assert.equal(found.example, 'llama');
  assert.equal(found.ok, true);
  assert.equal(found.fits, true);
  assert.ok(found.total > 2 ** 31 && found.total < 23.58 * 2 ** 30, String(found.total));
  assert.match(found.unknown, /no such card/);
  assert.equal(found.svg, '<svg');
  assert.ok(found.explained > 500);
  assert.equal(found.reported, 'object');
  assert.ok(found.different > 0);
  assert.equal(found.height, 10);
  assert.deepEqual([...found.conflict].sort(), ['a', 'b']);
  assert.deepEqual(found.offsets, [8, 0]);
  assert.match(found.verdict, /optimal|feasible/);
  assert.deepEqual([...found.clash].sort(), ['a', 'b']);
  assert.match(found.wrong, /`hint`/);
}

const tests = [];
const test = (title, body) => tests.push({ title, body });

test('what is in the package', () => {
  const files = run('tar', ['-tzf', archive]).trim().split('\n').sort();
  assert.deepEqual(
    files,
    ['LICENSE', 'README.md', 'dist/irplan-run.js', 'dist/irplan-run.wasm', 'dist/irplan.js', 'dist/irplan.wasm', 'dist/remark.css', 'dist/remark.js',
      'index.cjs', 'index.d.cts', 'index.d.ts', 'index.js', 'irplan.wasm.d.cts', 'irplan.wasm.d.ts', 'node.js', 'package.json', 'plan.d.ts',
      'remark.cjs', 'remark.d.cts', 'remark.d.ts', 'run.cjs', 'run.d.cts', 'run.d.ts', 'run.js', 'run_node.js'].map((name) => `package/${name}`));
});

test('load() in Node', () => {
  writeFileSync(join(project, 'run.js'), `import { load } from 'irplan';\nconsole.log(JSON.stringify(await (${tour})(load)));`);
  check(JSON.parse(run('node', ['run.js'])));
});

test('require() in Node', () => {
  writeFileSync(join(project, 'run.cjs'), `(${tour})(require('irplan').load).then((found) => console.log(JSON.stringify(found)));`);
  check(JSON.parse(run('node', ['run.cjs'])));
});

const ran = `async (load, run) => {
  const { plan } = (await load()).compile({ text: 'dim S in 1..64\\ninput x: f32[S, 8]\\nout = output(silu(x))\\n' });
  const { outputs } = await run({ plan, dims: { S: 3 } });
  return { count: outputs[0].statistics.count, wrong: await run({ plan, dims: { S: 65 } }).catch((error) => error.name) };
}`;
const checkRan = (found) => assert.deepEqual(found, { count: 24, wrong: 'RunRefused' });

test('run() in Node', () => {
  writeFileSync(join(project, 'ran.js'), `import { load } from 'irplan';\nimport { run } from 'irplan/run';\nconsole.log(JSON.stringify(await (${ran})(load, run)));`);
  checkRan(JSON.parse(run('node', ['ran.js'])));
  writeFileSync(join(project, 'ran.cjs'), `(${ran})(require('irplan').load, require('irplan/run').run).then((found) => console.log(JSON.stringify(found)));`);
  checkRan(JSON.parse(run('node', ['ran.cjs'])));
});

test('irplan/remark without any package beside it', () => {
  const code = `import remarkIrplan, { SnippetError } from 'irplan/remark';
    const tree = (value) => ({ type: 'root', children: [{ type: 'code', lang: 'irplan', value }] });
    const good = tree('input x: f16[4]\\nout = output(silu(x))');
    await remarkIrplan()(good);
    const wrong = await remarkIrplan()(tree('out = output(x)'), { path: 'a.md' }).catch((error) => error);
    console.log(JSON.stringify({ made: good.children[0].data.hName, told: wrong instanceof SnippetError && wrong.message }));`;
  writeFileSync(join(project, 'remark.js'), code);
  const { made, told } = JSON.parse(run('node', ['remark.js']));
  assert.equal(made, 'figure');
  const required = `const tree = { type: 'root', children: [{ type: 'code', lang: 'irplan', value: 'input x: f16[4]\\nout = output(silu(x))' }] };
    require('irplan/remark')()(tree).then(() => console.log(tree.children[0].data.hName));`;
  writeFileSync(join(project, 'remark.cjs'), required);
  assert.equal(run('node', ['remark.cjs']).trim(), 'figure');
  assert.match(told, /^a\.md:2:14: error\[E\d{4}\]: /);
  assert.match(readFileSync(join(installed, 'dist/remark.css'), 'utf8'), /\.irplan-picture/);
});

test('load() and run() in a browser under a strict policy', async () => {
  const { findChromium, openPage, startBrowser } = await import('../web/browser.mjs').catch(() => ({}));
  if (!findChromium?.()) return 'skipped: no Chromium, or web/node_modules is missing';
  const types = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
  writeFileSync(join(project, 'index.html'), '<!doctype html><title>irplan</title><script type="module" src="page.js"></script>');
  writeFileSync(join(project, 'page.js'),
    `import { load } from './node_modules/irplan/index.js';
    import { run } from './node_modules/irplan/run.js';
    (${tour})(load).then(async (found) => (globalThis.found = { ...found, ran: await (${ran})(load, run) }));`);
  const server = createServer((request, response) => {
    const file = join(project, request.url === '/' ? 'index.html' : request.url);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': types[extname(file)], 'content-security-policy': POLICY }).end(readFileSync(file));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const browser = await startBrowser();
  try {
    const { page, complaints } = await openPage(browser, origin);
    await page.goto(origin);
    await page.waitForFunction(() => globalThis.found, null, { timeout: 600_000 });
    const { ran: alsoRan, ...found } = await page.evaluate(() => globalThis.found);
    check(found);
    checkRan(alsoRan);
    assert.deepEqual(complaints.filter((text) => !text.includes('favicon')), []);
  } finally {
    await browser.close();
    server.close();
  }
});

let failed = 0;
for (const { title, body } of tests) {
  try {
    const note = await body();
    console.log(`ok ${title}${note ? ` (${note})` : ''}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${title}\n${error.stack}`);
  }
}
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
