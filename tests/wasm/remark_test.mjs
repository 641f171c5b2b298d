// irplan/remark in a pipeline of unified: what a fence becomes, what its words mean, and what ends a build.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './examples.mjs';

const SKIPPED = 77;
const plugin = join(root, 'wasm/dist/remark.js');
if (!existsSync(plugin) || !existsSync(join(root, 'web/node_modules'))) {
  console.log('wasm/dist/remark.js or web/node_modules is missing: skipped');
  process.exit(SKIPPED);
}
const packaged = (name) => import(pathToFileURL(join(root, 'web/node_modules', name, 'index.js')).href);
const [{ unified }, { default: parse }, { default: rehype }, { default: stringify }] = await Promise.all(
  ['unified', 'remark-parse', 'remark-rehype', 'rehype-stringify'].map(packaged),
);
const { default: remarkIrplan, SnippetError } = await import(pathToFileURL(plugin).href);
const { load } = await import(pathToFileURL(join(root, 'wasm/node.js')).href);
const irplan = await load();

const here = join(root, 'docs/page.md');
const build = async (text, options = {}) =>
  String(await unified().use(parse).use(remarkIrplan, { irplan, ...options }).use(rehype).use(stringify).process({ value: text, path: here }));
const fence = (meta, text) => `# Title\n\n\`\`\`irplan ${meta}\n${text}\`\`\`\n`;
const refused = (text, options) => build(text, options).then(() => assert.fail('it was built'), (error) => error);

const GOOD = 'dim B in 1..64\ninput x: f16[B, 64]\ny = silu(x)\nout = output(y)\n';
const ODD = 'input x: f16[4, 64] # ünïcode 😀\nout = output(slu(x))\n';

const tests = [];
const test = (title, body) => tests.push({ title, body });

test('a fence becomes coloured text and a picture, without script, styles or a playground', async () => {
  const html = await build(fence('file=a.irplan --dim B=8', GOOD));
  assert.match(html, /<figure class="irplan">/);
  assert.match(html, /<span class="irplan-keyword">dim<\/span>/);
  assert.match(html, /<span class="irplan-function irplan-defaultLibrary">silu<\/span>/);
  assert.match(html, /<svg [^>]*aria-label="a.irplan, phase main at B = 8"/);
  assert.match(html, /viewBox="0 0 960/);
  assert.match(html, /<code>irplan plan a.irplan --dim B=8<\/code>/);
  assert.doesNotMatch(html, /<style|style="|<script|<iframe|<a /);
});

test('the text of the page is the program, to the letter', async () => {
  const html = await build(fence('expect=E0238', ODD));
  const [, code] = /<code class="language-irplan">(.*?)<\/code>/s.exec(html);
  assert.equal(code.replaceAll(/<[^>]*>/g, ''), ODD);
  assert.match(code, /title="there is no operator or function slu">slu</);
  assert.match(html, /<li><b class="irplan-error-code">error E0238<\/b>, line 2:/);
});

test('pictures of one page have names of their own, and their rules are in the style sheet', async () => {
  const html = await build(fence('', GOOD) + fence('', GOOD));
  const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, id] of html.matchAll(/url\(#([^)]*)\)/g)) assert.ok(ids.includes(id), id);
  irplan.compile({ text: GOOD });
  const [, rules] = /<style>([^<]*)<\/style>/.exec(irplan.picture().svg);
  const sheet = readFileSync(join(root, 'wasm/dist/remark.css'), 'utf8').replaceAll(/\s/g, '');
  for (const rule of rules.split('}').filter(Boolean)) assert.ok(sheet.includes(rule.replaceAll(/\s/g, '')), rule);
});

test('links and frames lead to the playground, with the options and the phase', async () => {
  const framed = await build(fence('embed=frame --dim B=8 --target cpu', GOOD), { playground: 'https://host/play/' });
  const [, link] = /<a href="(https:\/\/host\/play\/#1\.[^"]*)"/.exec(framed);
  assert.match(framed, /<details class="irplan-live"><summary>Edit and plan<\/summary><iframe src="https:\/\/host\/play\/embed\/index\.html#1\./);
  assert.ok(framed.includes(`embed/index.html${link.slice(link.indexOf('#'))}"`));
  const none = await build(fence('embed=none', GOOD), { playground: 'https://host/play/' });
  assert.doesNotMatch(none, /https/);
});

test('the element has the program and what its reader starts from', async () => {
  const config = '../examples/configs/llama-3.2-1b.json';
  const html = await build(fence(`embed=element from=../examples/models/llama.irplan config=${config} phase=decode view=none --let C=4096`, ''));
  assert.match(html, /<irplan-embed file="llama\.irplan" options="--let C=4096" phase="decode" config="[^"]*" config-name="llama-3\.2-1b\.json"><pre/);
  assert.doesNotMatch(html, /<svg/);
  const report = await build(fence(`view=report phase=decode from=../examples/models/llama.irplan config=${config}`, ''));
  assert.match(report, /<pre class="irplan-report"[^>]*><code>/);
});

test('what does not compile ends the build, all of a page at once, with places of the document', async () => {
  const error = await refused(fence('', ODD) + fence('file=b.irplan', 'input x: f16[4]\n\nout = output(silu(x, y))\n'));
  assert.ok(error instanceof SnippetError);
  assert.deepEqual(error.problems.map(({ file, line, column, code }) => [file, line, column, code])[0], [here, 5, 14, 'E0238']);
  assert.equal(error.problems[1].line, 12);
  assert.match(error.message, /page\.md:5:14: error\[E0238\]: there is no operator or function `slu`; did you mean `silu`/);
});

test('an error of a file that a fence names is told there, one of the config with the fence', async () => {
  const missing = await refused(fence('from=nowhere.irplan', ''));
  assert.match(missing.message, /page\.md:3:1: ENOENT.*nowhere\.irplan/);
  const config = await refused(fence('config=../examples/gallery.json', 'let D = config.hidden_size\ninput x: f16[4, D]\nout = output(x)\n'));
  assert.match(config.message, /hidden_size/);
});

test('an expected diagnostic must come, and others must not', async () => {
  const html = await build(fence('expect=W0301', 'input x: f16[S, 4]\nout = output(silu(x))\n'));
  assert.match(html, /warning W0301/);
  assert.match((await refused(fence('expect=E0301', GOOD))).message, /the fence expects E0301/);
  assert.match((await refused(fence('expect=E0301', ODD))).message, /E0238/);
  assert.match(await build(fence('expect=E0401', `budget memory <= 64B\n${GOOD}`)), /error E0401/);
});

test('a word that is none is told with those that are', async () => {
  assert.match((await refused(fence('colour=red', GOOD))).message, /there is no `colour` .* known are file=NAME/);
  assert.match((await refused(fence('view=ops', GOOD))).message, /`view` is one of memory, report, none/);
  assert.match((await refused(fence('--dim B=x', GOOD))).message, /not a whole number/);
  assert.match((await refused(fence('--fast', GOOD))).message, /there is no option `--fast`/);
  assert.match((await refused(fence('phase=nope', GOOD))).message, /nope/);
});

test('other fences, and pages without any, stay as they are', async () => {
  const text = '```js\nlet x\n```\n\n    input x\n';
  assert.equal(await build(text), await String(await unified().use(parse).use(rehype).use(stringify).process(text)));
});

let failed = 0;
for (const { title, body } of tests) {
  try {
    await body();
    console.log(`ok ${title}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${title}\n${error.stack}`);
  }
}
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
