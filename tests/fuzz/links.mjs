// Links of the page from strangers: each is no link, is refused with words, or is a document whose own link brings back
// the same.
//
//     links.mjs [SECONDS [PREFIX]]   the corpus and some mutants of it; or as many as the time allows, finds written to PREFIX…
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CORPUS = join(ROOT, 'tests/fuzz/corpus/links');
const MUTANTS = 4000; // of a test run
const MOST_MILLISECONDS = 2000; // for one link

const require = createRequire(join(ROOT, 'web/package.json'));

/** The page's own code, without the page. */
async function page(folder) {
  const { build } = await import(pathToFileURL(require.resolve('vite')).href);
  const entry = join(folder, 'entry.ts');
  const from = (name) => JSON.stringify(join(ROOT, 'web/src/model', name));
  writeFileSync(entry, `export * from ${from('link.ts')};\nexport * from ${from('dictionaries.ts')};\n`);
  await build({
    configFile: false,
    root: join(ROOT, 'web'),
    logLevel: 'error',
    ssr: { noExternal: true },
    build: { ssr: entry, outDir: join(folder, 'out'), emptyOutDir: false, minify: false, rollupOptions: { output: { entryFileNames: 'links.mjs' } } },
  });
  return import(pathToFileURL(join(folder, 'out/links.mjs')).href);
}

/** The same numbers at every run. */
function randomly(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const EDGES = [null, true, 0, -1, 1e300, 2 ** 53, '', 'x', '__proto__', [], {}, { toString: 1 }, ['a'], '\u202e', '\u0000', 'a'.repeat(70000)];

/** A document with other values under some keys. */
function otherDocument(random) {
  const value = () => structuredClone(EDGES[random(EDGES.length)]);
  const record = { file: 'a.irplan', text: 'input x: f32[4]\ny = output(relu(x))\n', config: '{"a": 1}', configName: 'c.json', sizes: { S: 4 } };
  record.options = { target: 'cpu', lets: { a: '1' }, dims: { S: 2 }, retypes: { state: 'f16' }, keepOrder: true, strength: 'exact', denyWarnings: true };
  record.look = { view: 'plan', phase: 'main', buffer: 'h' };
  if (random(2)) record.fit = { gpu: 'H100', memory: '80GB', context: '4096', batch: '1', retypes: { state: 'f8e4m3' } };
  if (random(2)) record.against = { file: 'b.irplan', text: 'input x: f32[4]\ny = output(x)\n', ...(random(2) ? { sizes: { S: 2 } } : {}) };
  for (let n = 1 + random(3); n > 0; n--) {
    const holder = [record, record.options, record.look, record.fit, record.sizes, record.options?.lets, record.against].filter((h) => h && typeof h === 'object')[random(7)] ?? record;
    const keys = [...Object.keys(holder), 'other'];
    holder[keys[random(keys.length)]] = value();
  }
  return record;
}

function damaged(text, random) {
  for (let round = 1 + random(4); round > 0; round--) {
    const at = random(text.length + 1);
    const count = random(9);
    const kind = random(4);
    if (kind === 0) text = text.slice(0, at) + text.slice(at + count);
    else if (kind === 1) text = text.slice(0, at) + text.slice(at, at + 20) + text.slice(at);
    else if (kind === 2) text = text.slice(0, at);
    else text = text.slice(0, at) + String.fromCharCode(random(0x250)) + text.slice(at + 1);
  }
  return text;
}

/** Throws where the answer to a link is none that it may have. */
function check(hash, { decodeLink, encodeLink }) {
  const begun = performance.now();
  let linked;
  try {
    linked = decodeLink(hash);
  } catch (error) {
    assert.match(String(error.message), /^(this page reads links of format|the link |the document of the link )/, `refused with ${error}`);
    return 'refused';
  } finally {
    assert.ok(performance.now() - begun < MOST_MILLISECONDS, 'takes too long');
  }
  if (linked === null) return 'none';
  const { document, version, look, fit } = linked;
  for (const key of ['file', 'text', 'config', 'configName']) assert.equal(typeof document[key], 'string', key);
  for (const key of ['target', 'strength']) assert.equal(typeof document.options[key], 'string', key);
  for (const key of ['keepOrder', 'denyWarnings']) assert.equal(typeof document.options[key], 'boolean', key);
  for (const sizes of [document.sizes, document.options.dims])
    for (const size of Object.values(sizes)) assert.ok(Number.isSafeInteger(size), `the size ${size}`);
  for (const texts of [document.options.lets, document.options.retypes])
    for (const text of Object.values(texts)) assert.equal(typeof text, 'string');
  for (const text of [...Object.values(look), ...(fit ? [fit.gpu, fit.memory, fit.context, fit.batch, ...Object.values(fit.retypes)] : [])])
    assert.equal(typeof text, 'string');
  const again = decodeLink(encodeLink(document, version, look));
  const told = { ...document, configName: document.config ? document.configName : 'config.json' };
  assert.deepEqual(again, { document: told, version, look }, 'another document after a link of its own');
  return 'a document';
}

const [seconds, prefix] = [Number(process.argv[2] ?? 0), process.argv[3] ?? ''];
const folder = mkdtempSync(join(tmpdir(), 'irplan-links-'));
const tally = {};
let [count, wrong] = [0, 0];
try {
  const code = await page(folder);
  const { deflateSync } = require('fflate');
  const linkOf = (bytes) => {
    const [name] = code.CURRENT;
    const dictionary = code.DICTIONARIES[name];
    return `#1.0.1.0.${name}${Buffer.from(deflateSync(bytes, { level: 9, dictionary })).toString('base64url')}`;
  };
  const look = (hash) => {
    count++;
    try {
      const answer = check(hash, code);
      tally[answer] = (tally[answer] ?? 0) + 1;
    } catch (error) {
      wrong++;
      if (prefix) writeFileSync(`${prefix}links-${count}`, hash);
      console.error(`link ${hash.slice(0, 200)}: ${error.message}`);
    }
  };
  const seeds = readdirSync(CORPUS).sort().map((name) => readFileSync(join(CORPUS, name), 'utf8').trimEnd());
  seeds.forEach(look);
  // A small link of a document that is large, and one that never ends.
  look(linkOf(new Uint8Array(64 << 20)));
  look(linkOf(new TextEncoder().encode(`{"text": "${'a'.repeat(1 << 20)}"}`)));
  const random = randomly(1);
  const end = Date.now() + seconds * 1000;
  for (let i = 0; seconds ? Date.now() < end : i < MUTANTS; i++) {
    const json = JSON.stringify(otherDocument(random));
    const kind = random(3);
    if (kind === 0) look(damaged(seeds[random(seeds.length)], random));
    else if (kind === 1) look(linkOf(new TextEncoder().encode(json)));
    else look(linkOf(new TextEncoder().encode(damaged(json, random))));
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${count} links: ${Object.entries(tally).map(([answer, n]) => `${n} ${answer}`).join(', ')}`);
console.log(`${count - wrong} passed, ${wrong} failed`);
process.exitCode = wrong ? 1 : 0;
