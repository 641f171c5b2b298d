// What `./dev bench web` measures of links, of embeds and of documentation.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { compilerOf, renderPage } from '../../web/docs/build.mjs';
import { editorReady, openExample, replaceAll, retype, root, shareLink, shown, shownAnew } from '../web/harness.mjs';
import { GATED, OWN, layered } from '../web/programs.mjs';

const SNIPPETS = 20;
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** As on a phone's network, on a slow machine. */
export async function slowly(page, context) {
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  const bytesASecond = (1.6e6 / 8) | 0;
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: bytesASecond, uploadThroughput: bytesASecond });
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
}

const hashLength = async (page) => {
  const link = await shareLink(page);
  return link.length - link.indexOf('#');
};

async function links({ visitor, site, count }) {
  await visitor('links', async (page) => {
    await page.goto(site.url);
    await shown(page);
    await editorReady(page);
    for (const title of ['llama 3 8b', 'gpt oss 20b', 'gpt2']) {
      await openExample(page, title);
      await editorReady(page);
      await page.fill('#options', '--let C=4096');
      await shownAnew(page, () => page.fill('[aria-label="B as a number"]', '3').then(() => page.press('[aria-label="B as a number"]', 'Enter')).then(() => page.fill('#options', '--let C=2048')));
      count(`link: ${title}, other options and sizes`, await hashLength(page), 'characters', '250');
    }
    await openExample(page, 'gpt oss 20b');
    await shownAnew(page, () => retype(page, 8, 'c.num_key_value_heads', '4'));
    count('link: gpt oss 20b with an edit', await hashLength(page), 'characters', '250');
    await page.click('#tab-diff');
    await page.selectOption('[aria-label="Compare with"]', { label: 'cpu' });
    await page.locator('irplan-diff .deltas').waitFor();
    count('link: the same beside another target', await hashLength(page), 'characters', '');
    await shownAnew(page, () => replaceAll(page, OWN));
    await page.click('irplan-diff button:text-is("Remove")');
    count(`link: ${OWN.trim().split('\n').length} lines of one's own`, await hashLength(page), 'characters', '600');
  });
}

const brotli = new Map();

/** Bytes of what was asked for, by kind, compressed as hosts send it. */
function weights(urls, site) {
  const sum = { script: 0, wasm: 0, rest: 0 };
  for (const url of new Set(urls)) {
    const path = url.replace(/[#?].*$/s, '').slice(site.url.length);
    const file = join(root, 'web/dist', path);
    if (!url.startsWith(site.url) || !path || !statSync(file, { throwIfNoEntry: false })?.isFile()) continue;
    if (!brotli.has(file)) brotli.set(file, brotliCompressSync(readFileSync(file)).length);
    sum[path.endsWith('.wasm') ? 'wasm' : path.endsWith('.js') ? 'script' : 'rest'] += brotli.get(file);
  }
  return sum;
}

function pageWith(site, path, body) {
  site.pages.set(path, `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>docs</title><link rel="icon" href="data:,"></head><body>${body}</body></html>`);
  return site.origin + path;
}

async function embed({ visitor, site, count }) {
  await visitor('embed', async (page) => {
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    page.context().on('request', (request) => asked.push(request.url())); // of workers
    const url = pageWith(site, '/docs/embed.html', `<irplan-embed><pre>${GATED}</pre></irplan-embed><script type="module" src="${site.url}embed/irplan-embed.js"></script>`);
    await page.goto(url);
    const button = page.getByRole('button', { name: 'Edit and plan' });
    await button.waitFor();
    count('embed: script before it is touched', weights(asked, site).script / 1000, 'kB', '0');
    await button.click();
    await page.locator('irplan-timeline').waitFor();
    const { script, wasm } = weights(asked, site);
    count('embed: script after', script / 1000, 'kB', '200');
    count('embed: compiler', wasm / 1000, 'kB', '');
  });
}

/** Small programs and whole decoders, in turn. */
function twenty() {
  const template = (name) => readFileSync(join(root, 'examples/templates', `${name}.irplan`), 'utf8');
  const programs = [GATED, OWN, template('mlp'), layered(4), template('decoder')];
  const snippet = (i) => `## Program ${i + 1}\n\nSome words on what it does.\n\n\`\`\`irplan file=p${i}.irplan --let unused=${i}\n${programs[i % programs.length].trim()}\nlet unused = 0\n\`\`\`\n`;
  return Array.from({ length: SNIPPETS }, (_, i) => snippet(i)).join('\n');
}

async function docs({ visitor, site, tell, count, wants, cpuSeconds }) {
  if (!wants('docs')) return;
  const page = { name: 'twenty', title: 'Twenty', source: 'web/docs/twenty.md' };
  const walls = [];
  const cpus = [];
  let html = '';
  for (let i = 0; i < 3; i++) {
    const begin = performance.now();
    const spent = process.cpuUsage();
    html = await renderPage(page, `# Twenty\n\n${twenty()}`, await compilerOf());
    walls.push(performance.now() - begin);
    const { user, system } = process.cpuUsage(spent);
    cpus.push((user + system) / 1000);
  }
  tell(`docs: a page of ${SNIPPETS} programs built, compiler loaded anew`, median(walls), median(cpus), '10 s');
  const path = new URL(`${site.url}docs/twenty.html`).pathname;
  site.pages.set(path, html);
  count('docs: the page, compressed', brotliCompressSync(html).length / 1000, 'kB', '');
  await visitor('docs', async (tab, context) => {
    const sheets = readdirSync(join(root, 'web/dist/docs')).filter((one) => one.endsWith('.css'));
    for (const url of [site.origin + path, ...sheets.map((name) => `${site.url}docs/${name}`)]) await fetch(url).then((reply) => reply.arrayBuffer()); // a host has compressed them before
    await slowly(tab, context);
    const asked = [];
    tab.on('request', (request) => asked.push(request));
    const spent = await cpuSeconds();
    await tab.goto(site.origin + path);
    const entry = await tab.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    const painted = await entry.jsonValue();
    tell('1.6 Mbit/s, CPU 4x: documentation readable', painted, 1000 * ((await cpuSeconds()) - spent), '1000 ms');
    count('docs: scripts before a program is touched', asked.filter((one) => one.resourceType() === 'script').length, '', '0');
  });
}

/** `bench`: visitor, site, tell, count, wants and cpuSeconds of web.mjs. */
export async function shared(bench) {
  await links(bench);
  await embed(bench);
  await docs(bench);
}
