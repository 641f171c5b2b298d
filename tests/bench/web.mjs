// How fast the playground is, in headless Chromium: typing, sliders, thousands of buffers, a slow network and a slow machine;
// and what links, embeds and documentation weigh (web_shared.mjs).
// Each time is a median, wall beside the CPU time of the page's process (all its threads).
//
//   ./dev bench web [WORDS OF A TITLE]
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findChromium, openPage, startBrowser } from '../web/browser.mjs';
import { editorReady, look, openExample, replaceAll, root, shown, shownAnew } from '../web/harness.mjs';
import { layered, wordy } from '../web/programs.mjs';
import { serve } from '../web/server.mjs';
import { shared, slowly } from './web_shared.mjs';

const dist = join(root, 'web/dist');
if (!existsSync(join(dist, 'index.html')) || !findChromium()) {
  console.error('web/dist or Chromium is missing: ./dev bench web builds the page');
  process.exit(1);
}
const site = await serve(dist, '/some/folder/', { compressed: true });
const browser = await startBrowser();
const system = await browser.newBrowserCDPSession();

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const wanted = process.argv.slice(2).join(' ');

async function cpuSeconds() {
  const { processInfo } = await system.send('SystemInfo.getProcessInfo');
  return processInfo.filter((one) => one.type === 'renderer').reduce((sum, one) => sum + one.cpuTime, 0);
}

function tell(name, wall, cpu, target = '') {
  const ms = (n) => (n === null ? '' : `${n.toFixed(n < 10 ? 1 : 0)} ms`).padStart(10);
  console.log(`${name.padEnd(58)}${ms(wall)}${ms(cpu)}   ${target}`);
}

function count(name, n, unit, target) {
  console.log(`${name.padEnd(58)}${`${Number.isInteger(n) ? n : n.toFixed(1)} ${unit}`.padStart(20)}   ${target}`);
}

const wants = (title) => title.includes(wanted);

/** Notes when diagnostics are told and when the timeline is painted. */
const watch = (page) =>
  page.evaluate(() => {
    const times = (globalThis.times = {});
    const timeline = document.querySelector('irplan-plan').shadowRoot.querySelector('irplan-memory')?.shadowRoot.querySelector('irplan-timeline');
    new MutationObserver((changes) => {
      for (const change of changes) times[change.attributeName] ??= performance.now();
    }).observe(document.documentElement, { attributes: true, attributeFilter: ['data-compiled', 'data-drawn'] });
    if (timeline)
      new MutationObserver(() => (times.painted ??= times['data-drawn'] || times.slides ? performance.now() : undefined)).observe(timeline, {
        attributes: true,
        attributeFilter: ['data-painted'],
      });
    document.addEventListener('keydown', () => (times.begin ??= performance.now()), true);
  });

const reset = (page) => page.evaluate(() => Object.keys(globalThis.times).forEach((key) => delete globalThis.times[key]));

async function typing(page, name, targets) {
  await page.click('.view-lines', { position: { x: 5, y: 5 } });
  await page.keyboard.press('Control+End');
  await watch(page);
  const told = [];
  const drawn = [];
  const cpu = [];
  for (let i = 0; i < 9; i++) {
    await page.waitForTimeout(300);
    await reset(page);
    const before = await cpuSeconds();
    await page.keyboard.type(i % 2 ? '\n' : '#');
    await page.waitForFunction(() => globalThis.times.painted);
    await page.waitForTimeout(100);
    cpu.push(1000 * ((await cpuSeconds()) - before));
    const times = await page.evaluate(() => globalThis.times);
    told.push(times['data-compiled'] - times.begin);
    drawn.push(times.painted - times.begin);
  }
  tell(`${name}: key to diagnostics`, median(told), null, targets[0]);
  tell(`${name}: key to plan drawn`, median(drawn), median(cpu), targets[1]);
}

/** Moves a slider by keys, and waits for each frame that shows it. */
async function sliding(page, name, target) {
  await page.locator('[data-dim]').first().focus();
  const walls = [];
  const before = await cpuSeconds();
  for (let i = 0; i < 15; i++) {
    walls.push(
      await page.evaluate(async () => {
        const plan = document.querySelector('irplan-plan');
        const session = plan.session;
        const range = plan.shadowRoot.querySelector('irplan-sliders').shadowRoot.querySelector('input[type=range]');
        const begin = performance.now();
        const phase = session.phase.value;
        range.value = String(Number(range.value) > 500 ? Number(range.value) - 13 : 1000);
        range.dispatchEvent(new Event('input'));
        while (session.phase.value === phase) await new Promise((done) => setTimeout(done));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        return performance.now() - begin;
      }),
    );
  }
  tell(name, median(walls), (1000 * ((await cpuSeconds()) - before)) / walls.length, target);
}

/** The time that a frame takes in which the timeline is painted anew. */
async function frames(page, name, act, target) {
  const times = await page.locator('irplan-timeline').evaluate(async (timeline, what) => {
    const all = [];
    for (let i = 0; i < 15; i++) {
      await new Promise((done) => requestAnimationFrame(done));
      const begin = performance.now();
      if (what === 'zoom') timeline.zoom(i % 2 ? 1.3 : 1 / 1.3);
      else {
        const box = timeline.getBoundingClientRect();
        const at = { clientX: box.left + 90 + i * 40, clientY: box.top + 60 + i * 8, bubbles: true };
        timeline.dispatchEvent(new PointerEvent('pointermove', at));
      }
      await new Promise((done) => requestAnimationFrame(() => done()));
      all.push(performance.now() - begin);
    }
    return all;
  }, act);
  tell(name, median(times), null, target);
}

async function visitor(title, run, options = {}) {
  if (!wants(title)) return;
  const { page, context } = await openPage(browser, site.origin, options);
  page.setDefaultTimeout(120_000);
  try {
    await run(page, context);
  } finally {
    await context.close();
  }
}

const ready = async (page) => {
  await page.goto(site.url);
  await shown(page);
  await editorReady(page);
};

console.log(`${''.padEnd(58)}${'wall'.padStart(10)}${'CPU'.padStart(10)}   aim`);
await visitor('typing', async (page) => {
  await ready(page);
  await shownAnew(page, () => replaceAll(page, layered(66)));
  await typing(page, '200 ops', ['50 ms', '']);
  await openExample(page, 'llama 3 8b');
  await typing(page, '32 layers (Llama 3 8B)', ['', '']);
  const config = { ...JSON.parse(readFileSync(join(root, 'examples/configs/llama-3-8b.json'), 'utf8')), num_hidden_layers: 80, hidden_size: 8192 };
  const text = JSON.stringify({ ...config, num_attention_heads: 64, intermediate_size: 28672 });
  const dropped = await page.evaluateHandle((content) => {
    const data = new DataTransfer();
    data.items.add(new File([content], 'llama-3-70b.json', { type: 'application/json' }));
    return data;
  }, text);
  await shownAnew(page, () => page.dispatchEvent('main', 'drop', { dataTransfer: dropped }));
  await typing(page, '80 layers (Llama 3 70B)', ['200 ms', '250 ms']);
});

await visitor('sliders', async (page) => {
  await ready(page);
  await shownAnew(page, () => replaceAll(page, layered(333)));
  for (const view of ['memory', 'buffers', 'ops', 'json']) {
    await look(page, view);
    await page.waitForTimeout(500);
    await sliding(page, `slider to painted, 1,000 ops, ${view}`, '16 ms');
  }
});

await visitor('frames', async (page) => {
  await ready(page);
  await shownAnew(page, () => replaceAll(page, layered(3333)));
  const fold = page.locator('button:text-is("Fold layers")');
  if ((await fold.getAttribute('aria-pressed')) === 'true') await fold.click();
  await frames(page, '10,000 buffers: frame of a zoom', 'zoom', '40 ms');
  await frames(page, '10,000 buffers: frame of a hover', 'hover', '40 ms');
});

/** The longest time that the page's thread was busy with one thing while `act` ran. */
async function longestTask(page, act) {
  const before = await ownThreadMs(page);
  await page.evaluate(() => {
    globalThis.tasks = [];
    globalThis.observer = new PerformanceObserver((list) => globalThis.tasks.push(...list.getEntries().map((one) => one.duration)));
    globalThis.observer.observe({ type: 'longtask' });
  });
  await act();
  await page.waitForTimeout(300);
  const longest = await page.evaluate(() => {
    globalThis.observer.disconnect();
    return Math.max(0, ...globalThis.tasks); // tasks of less than 50 ms are not told
  });
  return { longest, cpu: (await ownThreadMs(page)) - before };
}

let ownThread = null; // a debugger's session with the page
/** CPU time of the thread that the page paints and answers on. */
async function ownThreadMs(page) {
  if (ownThread?.page !== page) {
    ownThread = { page, session: await page.context().newCDPSession(page) };
    await ownThread.session.send('Performance.enable');
  }
  const { metrics } = await ownThread.session.send('Performance.getMetrics');
  return 1000 * (metrics.find((one) => one.name === 'ThreadTime')?.value ?? NaN);
}

await visitor('plan.json', async (page) => {
  await ready(page);
  await shownAnew(page, () => replaceAll(page, wordy(3333, 720)));
  const rows = (name, wall, cpu, task) => {
    tell(name, wall, cpu);
    tell("   its longest task; all of the page's thread", task.longest, task.cpu, '50 ms (0: less)');
  };
  const timed = async (name, act) => {
    const before = await cpuSeconds();
    let wall = 0;
    const task = await longestTask(page, async () => {
      const begin = performance.now();
      await act();
      wall = performance.now() - begin;
    });
    rows(await name(), wall, 1000 * ((await cpuSeconds()) - before), task);
  };
  await timed(
    async () => `plan.json of ${await page.textContent('irplan-json .tools span.soft')} to its first lines`,
    async () => {
      await look(page, 'json');
      await page.waitForSelector('irplan-json .row');
    },
  );
  await timed(
    () => 'plan.json: unfold its ops',
    async () => {
      await page.click('irplan-json button[aria-label^="ops:"]');
      await page.waitForSelector('irplan-json button[aria-label^="ops:"][aria-expanded=true]');
    },
  );
  await timed(
    () => 'plan.json: search to the last record',
    async () => {
      await page.fill('irplan-json .search', 'layers.3332.mlp.down_proj');
      await page.waitForSelector('irplan-json .row.marked:has-text("layers.3332.mlp.down_proj")');
    },
  );
  await timed(
    () => 'plan.json: scroll to its end',
    async () => {
      await page.locator('irplan-lines .scroll').evaluate((box) => (box.scrollTop = 1e9));
      await page.waitForSelector('irplan-json .row >> text=/^}$/');
    },
  );
});

await visitor('slow', async (page, context) => {
  await slowly(page, context);
  for (const path of readdirSync(join(dist, 'assets'))) await fetch(`${site.url}assets/${path}`).then((reply) => reply.arrayBuffer()); // compressed once
  const spent = await cpuSeconds();
  const begin = performance.now();
  const at = async (name, target) => tell(`1.6 Mbit/s, CPU 4x: ${name}`, performance.now() - begin, 1000 * ((await cpuSeconds()) - spent), target);
  await page.goto(site.url, { waitUntil: 'commit' });
  await page.waitForFunction(() => document.getElementById('plain-program')?.value || document.querySelector('.view-line'));
  await at('program readable', '1000 ms');
  await shown(page);
  await at('first plan', '3500 ms');
  await editorReady(page);
  await at('full editor', '8000 ms');
  const arrived = await page.evaluate(() => {
    const end = (pattern) => performance.getEntriesByType('resource').find((one) => pattern.test(one.name))?.responseEnd ?? 0;
    return { compiler: end(/irplan-[^/]*\.wasm$/), editor: end(/monaco-[^/]*\.js$/) };
  });
  tell('   of which the network, until the compiler is there', arrived.compiler, null);
  tell('   of which the network, until the editor is there', arrived.editor, null);
});

await shared({ visitor, site, tell, count, wants, cpuSeconds });

await browser.close();
site.close();
