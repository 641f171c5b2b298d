// What a visitor sees of a plan: its numbers, its timeline, its tables, its bytes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  colours, editorReady, figure, figureIs, look, openExample, painted, replaceAll, setSize, shown, shownAnew, test, textOfPlan, visit,
} from './harness.mjs';
import { GATED, REFUSED, TIGHT, VIEWED, layered, wordy } from './programs.mjs';

const LAST = 'fn last(x) { return silu(rmsnorm(x, eps=1e-5)) }\n';

const sha = (text) => createHash('sha256').update(text).digest('hex');

test('the smallest program compiles, and the numbers are the plan\'s', () =>
  visit(async (page) => {
    await shown(page);
    assert.equal(await figure(page, 'peak'), '32.0 MiB');
    assert.equal(await figure(page, 'lower bound'), '32.0 MiB');
    assert.equal(await figure(page, 'without reuse'), '96.0 MiB');
    assert.match(await page.textContent('#status'), /1 warning/);
    assert.match(await page.locator('.problem').textContent(), /no bound/);
    assert.match(await page.textContent('#version'), /^\d+\.\d+\.\d+$/);
    assert.equal(await page.title(), 'hotpath.irplan · IRPlanner');
  }));

test('the compiler is asked for once, before the scripts have run', () => {
  const asked = [];
  return visit(
    async (page) => {
      await shown(page);
      await editorReady(page);
      const names = asked.map((url) => /([a-z]+)-[^/]*$/i.exec(url)?.[1]);
      assert.equal(names.filter((name) => name === 'irplan').length, 1, asked.join('\n'));
      assert.ok(names.indexOf('irplan') < names.indexOf('monaco'), 'and the full editor after it');
    },
    { before: (page) => page.on('request', (request) => /\.(wasm|js)$/.test(request.url()) && asked.push(request.url())) },
  );
});

test('the hash is that of the shown plan, and the command line is the one to type', () =>
  visit(async (page) => {
    await shown(page);
    const plan = await textOfPlan(page);
    assert.equal(await page.textContent('#sha'), sha(plan));
    assert.equal(await page.textContent('#command'), 'irplan plan hotpath.irplan');
    assert.equal(JSON.parse(plan).memory_plan.peak_bytes, 33554432);
  }));

test('a missed budget says what each phase admits and what would make it fit, and only then what the plan hashes to', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shownAnew(page, () => replaceAll(page, TIGHT));
    const told = await page.textContent('.budget');
    assert.match(told, /fits these sizes.*not all that are declared/s, 'two answers, each with its sizes');
    const text = await textOfPlan(page);
    assert.equal(await page.textContent('#sha'), sha(text));
    const [budget] = JSON.parse(text).budget;
    assert.deepEqual(budget.phases.map((one) => one.phase), ['prefill', 'decode']);
    assert.ok(budget.changes.some((one) => one.change.startsWith('--retype')), 'planned under other choices');
    for (const one of budget.phases) assert.ok(told.includes(`${one.phase} alone: B ≤ ${one.max.B}`), told);
    await page.click('summary:has-text("what would make all declared sizes fit")');
    for (const one of budget.changes) assert.ok((await page.textContent('.advice')).includes(one.change));
  }));

test('a refused budget is drawn, with its largest causes, and a remedy is taken by a click', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shownAnew(page, () => replaceAll(page, REFUSED));
    assert.equal(await page.evaluate(() => document.documentElement.dataset.compiled), 'refused');
    const refusal = await page.textContent('.refusal');
    assert.match(refusal, /No plan: memory <= 4MiB/);
    assert.match(refusal, /too much/);
    for (const cause of ['up', 'down', 'cache']) assert.ok(refusal.includes(cause), refusal);
    assert.ok(await page.locator('.over-part').count(), 'the bar is over-full');
    assert.match(await page.textContent('.proof'), /no plan\.json/);
    await painted(page);
    assert.ok((await colours(page, '--kind-linear')) > 0.005, 'the timeline is drawn');
    assert.ok(await page.locator('.problem.error .chip:has-text("--retype weights=")').count(), 'remedies of the problem are buttons');
    await shownAnew(page, () => page.locator('irplan-summary .advice button').first().click());
    assert.match(await page.inputValue('#options'), /--retype weights=/);
    assert.equal(await page.locator('.refusal').count(), 0);
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
  }));

test('the timeline draws every op of a chain in place, and the table says the same', () =>
  visit(async (page) => {
    await shown(page);
    await painted(page);
    for (const kind of ['norm', 'attention', 'elementwise'])
      assert.ok((await colours(page, `--kind-${kind}`)) > 0.05, `the colour of ${kind}`);
    await look(page, 'buffers');
    const cells = await page.locator('irplan-buffers tbody tr').first().locator('th, td').allTextContents();
    assert.deepEqual(cells.slice(0, 4), ['n', 'n', '0', '2']);
    assert.equal(cells[9], 'rmsnorm → rope → silu');
  }));

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
  return page.locator('irplan-timeline').evaluate(
    (node, { layout, edges, kept, peak }) => {
      const canvas = node.shadowRoot.querySelector('canvas');
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

test('each pixel of the timeline is the byte and the step that it stands for', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shownAnew(page, () => replaceAll(page, GATED));
    const plan = JSON.parse(await textOfPlan(page));
    assert.equal(plan.ops.length, 7, plan.ops.map((op) => op.op).join());
    await look(page, 'memory');
    await painted(page);
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
    const detail = await page.textContent('.detail-body');
    assert.match(detail, /2\*D\*S/);
    assert.match(detail, /in place/);
    await page.waitForFunction(() => document.querySelectorAll('.linked-line').length === 3);
    await page.click('irplan-detail .writes li:nth-child(2) .link');
    await page.waitForFunction(() => document.querySelector('.line-numbers.active-line-number')?.textContent === '5');
  }));

test('the keyboard walks the buffers of the timeline, and what is chosen is told in every view', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    const timeline = page.locator('irplan-timeline');
    const title = page.locator('irplan-detail .facts dd').first();
    await timeline.focus();
    await page.keyboard.press('ArrowRight');
    const first = await title.textContent();
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await title.textContent(), first);
    await page.keyboard.press('ArrowLeft');
    assert.equal(await title.textContent(), first);
    await page.keyboard.press('p');
    for (const view of ['buffers', 'ops', 'budgets', 'json', 'memory']) {
      await look(page, view);
      assert.ok(await page.locator('irplan-detail h3').isVisible(), view);
    }
    await timeline.focus();
    await page.keyboard.press('Escape');
    assert.ok(!(await page.locator('irplan-detail').isVisible()));
  }));

test('a slider binds the same plan at other sizes', () =>
  visit(async (page) => {
    await shown(page);
    await setSize(page, 'S', 128);
    await figureIs(page, 'peak', '1.00 MiB');
    const hash = await page.textContent('#sha');
    await page.locator('[data-dim=S]').focus();
    await page.keyboard.press('End');
    await figureIs(page, 'peak', '512 MiB');
    assert.equal(await page.textContent('#sha'), hash, 'nothing was compiled');
    await page.click('#reset-sizes');
    await figureIs(page, 'peak', '32.0 MiB');
  }));

test('sliders move while advice is looked for', () =>
  visit(
    async (page) => {
      await shown(page);
      await editorReady(page);
      await replaceAll(page, TIGHT);
      await page.waitForFunction(() => globalThis.adviceAsked);
      for (const size of [2, 3]) {
        const before = await figure(page, 'whole model');
        await setSize(page, 'B', size);
        await page.waitForSelector(`.figure:has(.figure-name:text-is("whole model")):not(:has(b:text-is("${before}")))`);
      }
      assert.equal(await page.evaluate(() => document.documentElement.dataset.shown), undefined, 'the advice is still awaited');
    },
    {
      // The compiler that looks for advice, the second one, never answers.
      before: (page) =>
        page.addInitScript(() => {
          let compilers = 0;
          globalThis.Worker = class extends Worker {
            constructor(url, options) {
              super(url, options);
              this.mute = /\/worker-/.test(url) && ++compilers === 2;
            }
            postMessage(...message) {
              if (this.mute) globalThis.adviceAsked = true;
              else super.postMessage(...message);
            }
          };
        }),
    },
  ));

test('a slider that moves while the plan is drawn anew stays where it is', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await replaceAll(page, TIGHT);
    await page.waitForFunction(() => document.documentElement.dataset.drawn === '2');
    await setSize(page, 'B', 2); // advice is on its way, and brings a plan of its own
    await shown(page);
    assert.equal(await page.getAttribute('[data-dim=B]', 'aria-valuetext'), 'B = 2');
    assert.doesNotMatch(await figure(page, 'whole model'), /39/);
  }));

test('phases are chosen by keys, and each has its own timeline', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    const prefill = await figure(page, 'peak of prefill');
    await page.locator('[role=radio][aria-checked=true]').focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('.figure-name:text-is("peak of decode")');
    assert.notEqual(prefill, await figure(page, 'peak of decode'));
    assert.equal(await page.locator('[role=radio]:focus').getAttribute('id'), 'radio-decode');
    await look(page, 'ops');
    assert.match(await page.textContent('irplan-ops .tools'), /\d{3} ops/);
  }));

test('a thousand rows are a table of which those in sight are drawn, sorted and searched', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shownAnew(page, () => replaceAll(page, layered(200)));
    await look(page, 'ops');
    const rows = page.locator('irplan-ops tbody tr[data-row]');
    assert.ok((await rows.count()) < 80, `${await rows.count()} rows are drawn`);
    assert.ok(Number(await page.getAttribute('irplan-ops table', 'aria-rowcount')) > 600);
    await page.click('irplan-ops thead button:has-text("live")');
    await page.click('irplan-ops thead button:has-text("live")');
    assert.equal(await page.getAttribute('irplan-ops th[aria-sort]', 'aria-sort'), 'descending');
    await page.fill('irplan-ops .search', 'layers.150.mlp');
    await page.waitForSelector('irplan-ops [role=status]:has-text("2 of")');
    await page.locator('irplan-ops .scroll').evaluate((node) => (node.scrollTop = 1e6));
  }));

test('layers fold, names are the parameters\', and a search finds them', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shownAnew(page, () => replaceAll(page, layered(80)));
    const fold = page.locator('button:text-is("Fold layers")');
    assert.equal(await fold.getAttribute('aria-pressed'), 'true', 'many steps are folded at first');
    await fold.click();
    await page.locator('irplan-timeline').focus();
    await page.keyboard.press('f');
    await page.waitForSelector('button:text-is("Fold layers")[aria-pressed=true]');
    await shownAnew(page, () => replaceAll(page, LAST + layered(8).replace('output(h)', 'output(silu(last(h)))')));
    const loops = await page.evaluate(() => [...new Set(document.querySelector('irplan-plan').session.phase.value.sections.map((one) => one.loop))]);
    assert.deepEqual(loops, ['', 'i'], 'what a function computes is no round of a loop');
    await shownAnew(page, () => replaceAll(page, layered(80)));
    await page.fill('irplan-memory .search', 'gate_proj');
    await page.waitForSelector('irplan-memory [role=status]:has-text("160 found")'); // 80 results, 80 weights
    await page.press('irplan-memory .search', 'Enter');
    assert.equal(await page.textContent('irplan-detail h3'), 'gate_proj');
    await page.fill('irplan-memory .search', 'line 6');
    await page.waitForSelector('irplan-memory [role=status]:has-text("found")');
  }));

test('budgets: the frontier is drawn, and a point of it is taken', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    await look(page, 'budgets');
    const point = page.locator('.frontier .point').nth(3);
    const [, first, second] = /(\d+), \w = (\d+)/.exec(await point.getAttribute('aria-label'));
    await point.focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector(`[data-dim=B][aria-valuetext="B = ${first}"]`);
    assert.equal(await page.getAttribute('[data-dim=S]', 'aria-valuetext'), `S = ${second}`);
    assert.match(await page.locator('irplan-budgets section').last().textContent(), /Largest values/);
  }));

test('plan.json is folded, searched and linked, and only what is in sight is laid out', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3 8b');
    await look(page, 'json');
    await page.waitForSelector('irplan-json .row');
    assert.match(await page.locator('irplan-json .row').filter({ hasText: /^\W*"ops": \[/ }).textContent(), /\d+ records/);
    assert.ok((await page.locator('irplan-json .row').count()) < 90);
    await page.fill('irplan-json .search', 'model.layers.31.mlp.down_proj.weight');
    await page.press('irplan-json .search', 'Enter');
    const marked = page.locator('irplan-json .row.marked');
    await marked.locator('button.json-text').first().click();
    assert.ok(await page.locator('irplan-detail h3').isVisible());
    await page.click('irplan-json button:text-is("Chosen buffer")');
    await page.waitForSelector('irplan-json .row.marked:has-text("segment")');
  }));

test('thirty megabytes of plan.json are folded, searched and linked', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shownAnew(page, () => replaceAll(page, wordy(3333, 720)));
    await look(page, 'json');
    await page.waitForSelector('irplan-json .row');
    const [, size] = /([\d.]+) MiB/.exec(await page.textContent('irplan-json .tools'));
    assert.ok(Number(size) > 29, size);
    const rows = page.locator('irplan-json .row');
    assert.match(await rows.filter({ hasText: /^\W*"ops": \[/ }).textContent(), /\d+ records/);
    await page.fill('irplan-json .search', 'layers.3332.mlp.down_proj');
    const marked = page.locator('irplan-json .row.marked');
    await marked.filter({ hasText: 'layers.3332.mlp.down_proj' }).waitFor();
    await page.press('irplan-json .search', 'Enter');
    await marked.locator('button.json-text').first().click();
    assert.ok(await page.locator('irplan-detail h3').isVisible());
    await page.click('irplan-json button[aria-label^="ops:"]');
    await page.locator('irplan-lines .scroll').evaluate((box) => (box.scrollTop = 1e9));
    await rows.filter({ hasText: /^}$/ }).waitFor();
    assert.ok((await rows.count()) < 90, 'only what is in sight is laid out');
  }));

test('every example compiles, and so does every template', () =>
  visit(async (page) => {
    await shown(page);
    await page.click('#examples');
    const titles = await page.locator('.example b').allTextContents();
    await page.keyboard.press('Escape');
    assert.ok(titles.includes('hotpath') && titles.includes('llama 3.2 1b') && titles.includes('decoder'), titles.join());
    for (const title of titles) {
      await openExample(page, title);
      assert.equal(await page.locator('.problem.error').count(), 0, title);
    }
  }));

test('the graph folds layers, follows what is chosen, and is walked by keys', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    await look(page, 'graph');
    const node = page.locator('irplan-graph .node');
    await node.first().waitFor();
    const folded = await node.count();
    assert.ok(folded < 80, `${folded} nodes`);
    assert.match(await page.locator('irplan-graph .node:has(rect.folded)').textContent(), /\+13 rounds of i/);
    await node.nth(3).focus();
    await page.keyboard.press('Enter');
    assert.ok(await page.locator('irplan-graph .node.chosen').count());
    assert.ok(await page.locator('irplan-detail h3').isVisible());
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.locator('irplan-graph .node:focus').getAttribute('data-node'), '4');
    await page.click('irplan-graph button:text-is("Fold layers")');
    await page.waitForFunction((count) => {
      const graph = document.querySelector('irplan-plan').shadowRoot.querySelector('irplan-graph');
      return graph.shadowRoot.querySelectorAll('.node').length > count;
    }, folded);
  }));

test('an edge of the graph goes through a view to the op that wrote its bytes', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shownAnew(page, () => replaceAll(page, VIEWED));
    await look(page, 'graph');
    await page.waitForSelector('irplan-graph .tools :text("3 nodes, 2 edges")');
    await page.click('irplan-graph button:text-is("Fit")');
    await page.waitForFunction(() => {
      const box = document.querySelector('irplan-plan').shadowRoot.querySelector('irplan-graph').shadowRoot.querySelector('.scroll');
      return box.scrollWidth <= box.clientWidth;
    });
  }));

test('passes that changed the graph are told, with what they changed', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    await look(page, 'passes');
    await page.waitForSelector('irplan-passes [role=radio]:has-text("fuse")');
    await page.click('irplan-passes [role=radio]:has-text("fuse")');
    await page.waitForSelector('irplan-passes .contract:has-text("Joins neighbouring ops")');
    await page.waitForSelector('irplan-passes .added');
    await page.waitForSelector('irplan-passes .removed');
    assert.match(await page.textContent('irplan-passes .tools'), /\d+ added, \d+ removed/);
    await page.click('irplan-passes button:text-is("Whole graph")');
    assert.equal(await page.locator('irplan-passes .added').count(), 0);
  }));

test('the report is the one of irplan explain, and the pictures are the compiler\'s own', () =>
  visit(async (page) => {
    await shown(page);
    await look(page, 'report');
    await page.waitForSelector('irplan-report .row:has-text("hotpath.irplan for cuda sm_90")');
    await look(page, 'memory');
    const save = async (name) => {
      const [file] = await Promise.all([page.waitForEvent('download'), page.click(`irplan-memory button:text-is("${name}")`)]);
      return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
    };
    const svg = await save('SVG');
    assert.equal(svg.name, 'memory-main.svg');
    assert.match(svg.bytes.toString(), /^<svg .*rmsnorm/s);
    const png = await save('PNG');
    assert.equal(png.bytes.subarray(1, 4).toString(), 'PNG');
    assert.ok(png.bytes.readUInt32BE(16) > 1000, 'twice as wide as the drawing');
  }));
