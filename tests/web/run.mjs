// The playground in a real browser: what a visitor does, and what a page must never do.
//
//   npm --prefix web run build && npm --prefix web test [-- WORDS OF A TITLE, OR A FILE'S NAME]
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { findChromium, startBrowser } from './browser.mjs';
import { root, tests, useSite, withBrowser } from './harness.mjs';
import { serve } from './server.mjs';

const SKIPPED = 77;
const dist = process.env.IRPLAN_WEB_DIST ?? join(root, 'web/dist');
if (!existsSync(join(dist, 'index.html'))) {
  console.log('web/dist is missing: run npm --prefix web run build');
  process.exit(1);
}
if (!findChromium()) {
  console.log('no Chromium was found (CHROMIUM names one): skipped');
  process.exit(SKIPPED);
}

const site = await serve(dist);
useSite(site);

const wanted = process.argv.slice(2).join(' ');
for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.mjs')).sort()) {
  const before = tests.length;
  await import(`./${file}`);
  for (const one of tests.slice(before)) one.file = file;
}

// As many visitors at once as there are processors, each with a browser of its own: a clipboard is a browser's.
const asked = tests.filter(({ title, file }) => title.includes(wanted) || file === `${wanted}.test.mjs`);
const next = asked.values();
let passed = 0;
let failed = 0;

async function visitor() {
  const browser = await startBrowser();
  for (const { title, run } of next) {
    const begin = performance.now();
    try {
      await withBrowser(browser, run);
      passed++;
      console.log(`ok ${title} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed++;
      console.log(`FAILED ${title}\n${String(error.stack ?? error).slice(0, 2500)}`);
    }
  }
  await browser.close();
}

await Promise.all(Array.from({ length: Number(process.env.IRPLAN_WEB_JOBS ?? availableParallelism()) }, visitor));
site.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
