// The playground in a real browser: what a visitor does, and what a page must never do.
//
//   npm --prefix web run build && npm --prefix web test [-- WORDS OF A TITLE]
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findChromium, openPage, startBrowser } from './browser.mjs';
import { serve } from './server.mjs';

const SKIPPED = 77;
const root = join(import.meta.dirname, '../..');
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
const browser = await startBrowser();
const MAX_MS = 60_000; // for one thing to happen, on a busy machine

// ------------------------------------------------------------------------------------------------ what a visitor does

// `before` prepares the page before it loads; `expected` are the complaints that the browser itself must make.
async function visit(run, { hash = '', before = async () => {}, expected = [], ...options } = {}) {
  const { page, context, complaints } = await openPage(browser, site.origin, options);
  page.setDefaultTimeout(MAX_MS);
  try {
    await before(page);
    await page.goto(site.url + hash);
    await run(page, context);
    assert.equal(complaints.length, expected.length, complaints.join('\n'));
    expected.forEach((pattern, i) => assert.match(complaints[i], pattern));
  } finally {
    await context.close();
  }
}

const shown = (page) => page.waitForFunction(() => document.documentElement.dataset.shown);
const editorReady = (page) => page.waitForSelector('[data-editor=full] .view-line');

async function shownAnew(page, act) {
  await page.evaluate(() => delete document.documentElement.dataset.shown);
  await act();
  await shown(page);
}

async function openExample(page, title) {
  await page.click('#examples');
  await shownAnew(page, () => page.click(`.example:has(b:text-is("${title}"))`));
}

/** Replaces a word of the shown text by typing, as a person would. */
async function retype(page, line, from, to) {
  await page.click('.view-lines', { position: { x: 5, y: 5 } });
  await page.keyboard.press('Control+Home');
  for (let i = 1; i < line; i++) await page.keyboard.press('ArrowDown');
  const text = await page.evaluate((n) => document.querySelectorAll('.view-line')[n - 1].textContent, line);
  const column = text.replaceAll('\u00a0', ' ').indexOf(from);
  assert.ok(column >= 0, `line ${line} has no ${from}: ${text}`);
  for (let i = 0; i < column; i++) await page.keyboard.press('ArrowRight');
  for (let i = 0; i < from.length; i++) await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.insertText(to);
}

const figure = (page, name) =>
  page.evaluate((wanted) => {
    const found = [...document.querySelectorAll('.figure')].find((one) => one.textContent.startsWith(wanted));
    return found?.querySelector('b').textContent;
  }, name);

async function setSize(page, dim, value) {
  await page.fill(`[aria-label="${dim} as a number"]`, String(value));
  await page.press(`[aria-label="${dim} as a number"]`, 'Enter');
}

const textOfPlan = async (page) => {
  await page.click('#view-json');
  return page.textContent('#json');
};

/** How many colours the timeline's canvas shows, and whether a kind's colour is among them. */
const colours = (page, variable) =>
  page.evaluate((name) => {
    const canvas = document.querySelector('irplan-timeline canvas');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const wanted = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const rgb = [1, 3, 5].map((i) => parseInt(wanted.slice(i, i + 2), 16));
    let n = 0;
    for (let i = 0; i < data.length; i += 4) if (rgb.every((part, k) => Math.abs(data[i + k] - part) < 3)) n++;
    return n / (data.length / 4);
  }, variable);

// Buffers of several sizes and lives, and room between them.
const GATED = `dim S in 1..512
input x: f32[S, 512]
n = rmsnorm(x, eps=1e-5)
g = linear(n, param f32[1536, 512] from "gate")
u = linear(n, param f32[512, 512] from "up")
d = linear(silu(g), param f32[512, 1536] from "down")
out = output(softmax(d * u))
`;

// A budget that the declared sizes break, by a cache and the products' weights.
const TIGHT = `dim B in 1..64
dim S in 1..512
dim P[B] in 0..511
phase prefill { S in 1..512 }
phase decode { S = 1 }
budget memory <= 40MiB
input x: bf16[B, S, 512]
cache = append(state bf16[B, 1024, 512] from "cache", x, at=P)
up = param bf16[2048, 512]
down = param bf16[512, 2048]
out = output(linear(silu(linear(x, up)), down))
`;

/** Whether something is drawn at points of the arena, of a plan with one dim; adds `bytes_at` to its buffers. */
function sampleTimeline(page, plan) {
  // As web/src/timeline/scene.ts lays the canvas out, in px.
  const layout = { left: 74, right: 14, top: 22, axis: 28, lane: 24 + 7, headroom: 1.07 };
  const [dim] = plan.dims;
  for (const buffer of plan.buffers)
    buffer.bytes_at = buffer.bytes.split('*').reduce((product, one) => product * (one === dim.name ? dim.value : Number(one)), 1);
  const arena = plan.buffers.filter((buffer) => buffer.segment === 'arena');
  const edges = plan.ops.map((_, step) => {
    const alive = arena.filter(({ live }) => step >= live[0] && step < live[1]);
    const live = alive.reduce((sum, buffer) => sum + buffer.bytes_at, 0); // where the line of live bytes is
    return [live, plan.memory_plan.peak_bytes, ...alive.flatMap((one) => [one.offset, one.offset + one.bytes_at])];
  });
  const kept = new Set(plan.buffers.map((buffer) => buffer.segment)).size - 1; // lanes below the arena
  return page.evaluate(
    ({ layout, edges, kept, peak }) => {
      const canvas = document.querySelector('irplan-timeline canvas');
      const pen = canvas.getContext('2d');
      const ratio = canvas.width / canvas.clientWidth;
      const width = canvas.clientWidth - layout.left - layout.right;
      const height = canvas.clientHeight - layout.top - layout.axis - kept * layout.lane;
      const points = [];
      const colour = (x, y) => [...pen.getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data].join();
      const background = colour(layout.left + 1.5, layout.top + 3);
      const yOf = (address) => layout.top + height * (1 - address / (peak * layout.headroom));
      for (let step = 0; step < edges.length; step++)
        for (let i = 0.5; i < 24; i++) {
          const address = Math.floor((peak * i) / 24);
          const y = yOf(address);
          if (edges[step].some((edge) => Math.abs(yOf(edge) - y) < 5)) continue;
          const x = layout.left + (width * (step + 0.8)) / edges.length;
          points.push({ step, address, drawn: colour(x, y) !== background });
        }
      return points;
    },
    { layout, edges, kept, peak: plan.memory_plan.peak_bytes },
  );
}

// ------------------------------------------------------------------------------------------------ tests

const tests = [];
const test = (title, run) => tests.push({ title, run });

test('the smallest program compiles, and the numbers are the plan\'s', () =>
  visit(async (page) => {
    await shown(page);
    assert.equal(await figure(page, 'peak'), '32.0 MiB');
    assert.equal(await figure(page, 'lower bound'), '32.0 MiB');
    assert.equal(await figure(page, 'without reuse'), '96.0 MiB');
    assert.match(await page.textContent('#status'), /1 warning/);
    assert.match(await page.textContent('#problems'), /no bound/);
    assert.match(await page.textContent('#version'), /^\d+\.\d+\.\d+$/);
  }));

test('the text can be read and edited before the full editor is there', () =>
  visit(async (page) => {
    const area = page.locator('#plain-program');
    const early = await area.evaluate((node) => node.value).catch(() => null);
    if (early !== null) assert.match(early, /rmsnorm/);
    await editorReady(page);
    assert.equal(await page.locator('#plain-program').count(), 0);
  }));

test('the hash is that of the shown plan, and the command line is the one to type', () =>
  visit(async (page) => {
    await shown(page);
    const { createHash } = await import('node:crypto');
    const plan = await textOfPlan(page);
    assert.equal(await page.textContent('#sha'), createHash('sha256').update(plan).digest('hex'));
    assert.equal(await page.textContent('#command'), 'irplan plan hotpath.irplan');
    assert.equal(JSON.parse(plan).memory_plan.peak_bytes, 33554432);
  }));

test('a missed budget says what each phase admits and what would make it fit, and only then what the plan hashes to', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await page.click('.view-lines');
    await page.keyboard.press('Control+A');
    await shownAnew(page, () => page.keyboard.insertText(TIGHT));
    const { createHash } = await import('node:crypto');
    const text = await textOfPlan(page);
    assert.equal(await page.textContent('#sha'), createHash('sha256').update(text).digest('hex'));
    const [budget] = JSON.parse(text).budget;
    assert.deepEqual(budget.phases.map((one) => one.phase), ['prefill', 'decode']);
    assert.ok(budget.changes.some((one) => one.change.startsWith('--retype')), 'planned under other choices');
    const told = await page.textContent('.budget');
    for (const one of budget.phases) assert.ok(told.includes(`${one.phase} alone: B ≤ ${one.max.B}`), told);
    await page.click('summary:has-text("what would make it fit")');
    for (const one of budget.changes) assert.ok((await page.textContent('.advice')).includes(one.change));
  }));

test('what would lower the memory is taken by a click, and the command line says so', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    const before = await figure(page, 'whole model');
    await page.click('summary:has-text("what would lower the memory")');
    await shownAnew(page, () => page.click('.advice button:has-text("--retype weights=q4_0")'));
    assert.equal(await page.inputValue('#options'), '--retype weights=q4_0');
    assert.ok(await page.isVisible('.advice'), 'what was opened stays open');
    assert.notEqual(await figure(page, 'whole model'), before);
    assert.match(await page.textContent('#command'), /--retype weights=q4_0$/);
    await page.click('#share');
    const link = await page.inputValue('#share-link');
    await page.goto('about:blank');
    await page.goto(link);
    await shown(page);
    assert.equal(await page.inputValue('#options'), '--retype weights=q4_0');
  }));

test('a typo is underlined, told with the proposed name, and fixed by a click', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await retype(page, 4, 'rmsnorm', 'rmsnrom');
    await page.waitForSelector('.squiggly-error');
    await page.waitForFunction(() => document.querySelector('.problem.error'));
    const problem = await page.textContent('.problem.error');
    assert.match(problem, /rmsnrom/);
    assert.match(problem, /rmsnorm/);
    assert.match(problem, /4:5/);
    assert.ok(await page.locator('#result.stale').count(), 'the last good plan stays, and is marked as old');
    await shownAnew(page, () => page.click('.problem.error .fix'));
    assert.equal(await page.locator('.problem.error').count(), 0);
    assert.equal(await page.locator('#result.stale').count(), 0);
  }));

test('the timeline draws every op of a chain in place, and the table says the same', () =>
  visit(async (page) => {
    await shown(page);
    await page.waitForTimeout(300);
    for (const kind of ['norm', 'attention', 'elementwise'])
      assert.ok((await colours(page, `--kind-${kind}`)) > 0.05, `the colour of ${kind}`);
    await page.click('#view-table');
    const cells = await page.locator('.table-twin tbody tr').first().locator('th, td').allTextContents();
    assert.deepEqual(cells.slice(0, 3), ['n', '0', '2']);
    assert.equal(cells[8], 'rmsnorm → rope → silu');
  }));

test('each pixel of the timeline is the byte and the step that it stands for', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await page.click('.view-lines', { position: { x: 5, y: 5 } });
    await page.keyboard.press('Control+a');
    await shownAnew(page, () => page.keyboard.insertText(GATED));
    const plan = JSON.parse(await textOfPlan(page));
    assert.equal(plan.ops.length, 7, plan.ops.map((op) => op.op).join());
    await page.click('#view-memory');
    await page.waitForTimeout(300);
    const seen = { used: 0, free: 0 };
    for (const { step, address, drawn } of await sampleTimeline(page, plan)) {
      const used = plan.buffers.some(
        ({ segment, live, offset, bytes_at: bytes }) =>
          segment === 'arena' && step >= live[0] && step < live[1] && address >= offset && address < offset + bytes,
      );
      assert.equal(drawn, used, `step ${step}, address ${address}`);
      seen[used ? 'used' : 'free']++;
    }
    assert.ok(seen.used > 40 && seen.free > 20, JSON.stringify(seen));
  }));

test('a block tells its bytes on a click, and marks the lines that made it', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    const box = await page.locator('irplan-timeline').boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 3);
    await page.waitForSelector('.tip:not([hidden])');
    assert.match(await page.textContent('.tip'), /32\.0 MiB/);
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 3);
    const detail = await page.textContent('#detail');
    assert.match(detail, /2\*D\*S/);
    assert.match(detail, /in place/);
    await page.waitForFunction(() => document.querySelectorAll('.linked-line').length === 3);
    await page.click('#detail .writes li:nth-child(2) .link');
    await page.waitForFunction(() => document.querySelector('.line-numbers.active-line-number')?.textContent === '5');
  }));

test('the keyboard walks the buffers of the timeline', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    await page.focus('irplan-timeline');
    await page.keyboard.press('ArrowRight');
    const first = await page.textContent('#detail h3');
    await page.keyboard.press('ArrowRight');
    const second = await page.textContent('#detail h3');
    assert.notEqual(first, second);
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.textContent('#detail h3'), first);
    await page.keyboard.press('p');
    await page.keyboard.press('Escape');
    assert.equal(await page.textContent('#detail'), '');
  }));

test('a slider binds the same plan at other sizes', () =>
  visit(async (page) => {
    await shown(page);
    await setSize(page, 'S', 128);
    await page.waitForFunction(() => document.querySelector('.figure b').textContent === '1.00 MiB');
    const hash = await page.textContent('#sha');
    const slider = page.locator('[data-dim=S]');
    await slider.focus();
    await page.keyboard.press('End');
    await page.waitForFunction(() => document.querySelector('.figure b').textContent === '512 MiB');
    assert.equal(await page.textContent('#sha'), hash, 'nothing was compiled');
    await page.click('#reset-sizes');
    await page.waitForFunction(() => document.querySelector('.figure b').textContent === '32.0 MiB');
  }));

test('a link brings everything back after a reload, and elsewhere', async () => {
  let hash = '';
  await visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await openExample(page, 'llama 3.2 1b');
    await shownAnew(page, () => page.fill('#options', '--let C=4096'));
    await setSize(page, 'B', 3);
    await page.waitForFunction(() => !document.getElementById('reset-sizes').hidden);
    const before = [await page.textContent('#sha'), await figure(page, 'whole model'), await page.textContent('#command')];
    assert.equal(before[2], 'irplan plan llama.irplan --config llama-3.2-1b.json --let C=4096');
    await page.click('#share');
    const link = await page.inputValue('#share-link');
    hash = link.slice(link.indexOf('#'));
    assert.match(hash, /^#1\.\d+\.\d+\.\d+\.a[\w-]+$/);
    assert.ok(link.length < 2600, `${link.length} characters`);
    await page.reload();
    await shown(page);
    const after = [await page.textContent('#sha'), await figure(page, 'whole model'), await page.textContent('#command')];
    assert.deepEqual(after, before);
  });
  await visit(
    async (page) => {
      await shown(page);
      assert.equal(await page.inputValue('[aria-label="B as a number"]'), '3');
      assert.equal(await page.inputValue('#options'), '--let C=4096');
      assert.match(await page.textContent('#tab-config'), /llama-3\.2-1b\.json/);
    },
    { hash },
  );
});

test('a link of another version of the compiler says so, and a damaged one too', async () => {
  let hash = '';
  await visit(async (page) => {
    await shown(page);
    await page.click('#share');
    hash = (await page.inputValue('#share-link')).replace(/^.*(?=#)/, '');
    assert.ok(hash.length < 200, `${hash.length} characters for the smallest program`);
  });
  await visit(
    async (page) => {
      await page.waitForSelector('#banner:not([hidden])');
      assert.match(await page.textContent('#banner'), /made with IRPlan 0\.0\.1/);
      await shown(page);
    },
    { hash: hash.replace(/^#1\.[\d.]+\./, '#1.0.0.1.') },
  );
  await visit(
    async (page) => {
      await page.waitForSelector('#banner:not([hidden])');
      assert.match(await page.textContent('#banner'), /damaged/);
      await shown(page);
    },
    { hash: hash.slice(0, -5) },
  );
});

test('what was written is there at the next visit', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await retype(page, 6, 'silu', 'gelu');
    await page.waitForFunction(() => (localStorage.getItem('irplan.document.1') ?? '').includes('gelu'));
    await page.reload();
    await shown(page);
    assert.match(await textOfPlan(page), /cuda_gelu_v1/);
  }));

test('every example compiles', () =>
  visit(async (page) => {
    await shown(page);
    const titles = await page.locator('.example b').allTextContents();
    assert.ok(titles.includes('hotpath') && titles.includes('llama 3.2 1b'), titles.join());
    for (const title of titles) {
      await openExample(page, title);
      assert.equal(await page.locator('.problem.error').count(), 0, title);
    }
  }));

test('phases are chosen, and each has its own timeline', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    const prefill = await figure(page, 'peak of prefill');
    await page.click('#phases button:has-text("decode")');
    const decode = await figure(page, 'peak of decode');
    assert.ok(prefill && decode && prefill !== decode, `${prefill} ${decode}`);
    await page.click('#view-ops');
    assert.ok((await page.locator('#panel-ops tbody tr').count()) > 100);
  }));

test('a program without its config is refused in words', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await openExample(page, 'llama 3.2 1b');
    await page.click('#tab-config');
    await page.click('.view-lines');
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    await page.waitForFunction(() => /none was given/.test(document.querySelector('.problem.error')?.textContent));
  }));

test('the config is typed like the program, and what is wrong with it is told there', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await openExample(page, 'llama 3.2 1b');
    const before = await figure(page, 'whole model');
    await page.click('#tab-config');
    const text = await page.evaluate(() => [...document.querySelectorAll('.view-line')].map((line) => line.textContent));
    assert.ok(await page.locator('.view-line .mtk1, .view-line [class*=mtk]').count(), 'the config is highlighted');
    const number = text.findIndex((line) => line.includes('num_hidden_layers')) + 1;
    assert.ok(number > 0, text.join('\n'));
    await shownAnew(page, () => retype(page, number, '16', '4'));
    assert.notEqual(await figure(page, 'whole model'), before);
    assert.equal(JSON.parse(await textOfPlan(page)).values.filter((value) => value.kind === 'state').length, 8);
    await retype(page, number, '4', 'oops');
    await page.waitForSelector('.problem.error');
    assert.equal(await page.locator('.problem').count(), 1, await page.textContent('#problems'));
    assert.match(await page.textContent('.problem.error'), new RegExp(`no JSON.*llama-3\\.2-1b\\.json:${number}:`));
    await page.waitForSelector('.squiggly-error');
    await page.click('#tab-program');
    assert.equal(await page.locator('.squiggly-error').count(), 0, 'nothing is wrong with the program');
    await page.click('.problem-title');
    assert.equal(await page.getAttribute('#tab-config', 'aria-selected'), 'true');
    await shownAnew(page, () => retype(page, number, 'oops', '16'));
    assert.equal(await figure(page, 'whole model'), before);
  }));

test('a page whose compiler does not load says so, and the text can still be edited', () =>
  visit(
    async (page) => {
      await page.waitForFunction(() => /could not be loaded: 404/.test(document.getElementById('status').textContent));
      await editorReady(page);
      await page.click('#format');
      await retype(page, 6, 'silu', 'gelu');
      await page.waitForFunction(() => (localStorage.getItem('irplan.document.1') ?? '').includes('gelu'));
      assert.match(await page.textContent('#status'), /could not be loaded/);
    },
    {
      before: (page) => page.route('**/*.wasm', (route) => route.fulfill({ status: 404 })),
      expected: [/status of 404/, /failed: .*\.wasm/],
    },
  ));

test('a compiler that runs out of memory traps, and the next one works', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    const [compiler] = page.workers().filter((worker) => /worker-/.test(worker.url()));
    await compiler.evaluate(() => {
      WebAssembly.Memory.prototype.grow = () => {
        throw new RangeError('no more memory');
      };
    });
    await page.click('#examples');
    await page.click('.example:has(b:text-is("deepseek v3"))');
    await page.waitForFunction(() => /crashed.*started again/.test(document.getElementById('status').textContent));
    await openExample(page, 'deepseek v3');
    assert.equal(await page.locator('.problem.error').count(), 0);
  }));

test('a slider brings back a compiler that crashed', () =>
  visit(async (page) => {
    await shown(page);
    const [compiler] = page.workers().filter((worker) => /worker-/.test(worker.url()));
    await compiler.evaluate(() => {
      self.onmessage = (event) => self.postMessage({ id: event.data.id, crash: 'unreachable' });
    });
    await setSize(page, 'S', 128);
    await page.waitForFunction(() => document.querySelector('.figure b').textContent === '1.00 MiB');
  }));

test('a compiler that hangs or crashes is replaced', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    // The worker is told to run what is no request; it answers with a crash, as a trap would.
    const workers = page.workers();
    assert.ok(workers.length >= 1);
    const compiler = [];
    for (const worker of workers) if (/worker-/.test(worker.url())) compiler.push(worker);
    assert.equal(compiler.length, 1, workers.map((worker) => worker.url()).join());
    await compiler[0].evaluate(() => {
      self.onmessage = (event) => self.postMessage({ id: event.data.id, crash: 'unreachable' });
    });
    await retype(page, 6, 'silu', 'gelu');
    await page.waitForFunction(() => /started again/.test(document.getElementById('status').textContent));
    await shownAnew(page, () => retype(page, 6, 'gelu', 'relu'));
    assert.match(await textOfPlan(page), /cuda_relu_v1/);
  }));

test('the page is usable without a mouse, and by the rules for all', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    const axe = createRequire(join(root, 'web/package.json')).resolve('axe-core/axe.min.js');
    const check = async (where) => {
      const found = await page.evaluate(async () => {
        const rules = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] };
        const { violations } = await globalThis.axe.run({ exclude: [['.monaco-editor']] }, rules);
        return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ').slice(0, 300)}`);
      });
      assert.deepEqual(found, [], where);
    };
    // Given to the page by the debugger, which no policy of the page hinders.
    await page.evaluate(readFileSync(axe, 'utf8'));
    await check('memory');
    for (const view of ['table', 'ops', 'json']) {
      await page.click(`#view-${view}`);
      await check(view);
    }
    await page.focus('#view-json');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.getAttribute('#view-json', 'aria-selected'), 'true');
  }));

test('in the dark the page is dark', () =>
  visit(
    async (page) => {
      await shown(page);
      const paper = await page.evaluate(() => getComputedStyle(document.querySelector('.pane')).backgroundColor);
      const light = paper.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
      assert.ok(light < 60, paper);
    },
    { colorScheme: 'dark' },
  ));

test('on a narrow screen nothing is cut off', () =>
  visit(
    async (page) => {
      await shown(page);
      for (const title of [null, 'llama 3.2 1b', 'deepseek v3']) {
        if (title) await openExample(page, title);
        const cut = await page.evaluate(() =>
          [...document.querySelectorAll('button, input, select, .figure, .chip')]
            .filter((node) => node.checkVisibility() && !node.closest('.table-scroll, .monaco-editor'))
            .filter((node) => node.getBoundingClientRect().right > document.documentElement.clientWidth)
            .map((node) => `${node.tagName} ${node.id} ${node.className} ${node.textContent.slice(0, 30)}`),
        );
        assert.deepEqual(cut, [], title);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${title}: ${overflow} px too wide`);
      }
    },
    { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  ));

// ------------------------------------------------------------------------------------------------ run

const wanted = process.argv.slice(2).join(' ');
let passed = 0;
let failed = 0;
for (const { title, run } of tests) {
  if (!title.includes(wanted)) continue;
  const begin = performance.now();
  try {
    await run();
    passed++;
    console.log(`ok ${title} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${title}\n${String(error.stack ?? error).slice(0, 2500)}`);
  }
}
await browser.close();
site.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
