// For everybody: keyboards, screen readers, small windows, fingers, dark rooms, forced colours.
import assert from 'node:assert/strict';
import {
  accessible, editorReady, focused, look, nothingCut, openExample, painted, replaceAll, retype, shown, shownAnew, test, visit,
} from './harness.mjs';
import { REFUSED, TIGHT } from './programs.mjs';

const VIEWS = ['buffers', 'ops', 'graph', 'budgets', 'passes', 'report', 'run', 'json', 'memory'];

for (const scheme of ['light', 'dark'])
  test(`no state of the page breaks the rules for all: ${scheme}`, () =>
    visit(
      async (page) => {
        await shown(page);
        await editorReady(page);
        for (const view of VIEWS) {
          await look(page, view);
          await accessible(page, view);
        }
        await page.locator('irplan-timeline').focus();
        await page.keyboard.press('p');
        await accessible(page, 'chosen');
        await retype(page, 4, 'rmsnorm', 'rmsnrom');
        await page.waitForSelector('.squiggly-error');
        await page.keyboard.press('Escape'); // what completion offers is Monaco's own
        await accessible(page, 'error, and the plan before it');
        await shownAnew(page, () => replaceAll(page, TIGHT));
        await page.locator('irplan-summary details summary').first().click();
        await look(page, 'budgets');
        await accessible(page, 'budget missed');
        await look(page, 'memory');
        await shownAnew(page, () => replaceAll(page, REFUSED));
        await accessible(page, 'budget refused');
        await page.fill('#options', '--oops');
        await page.waitForSelector('.problem.error:has-text("no option")');
        await accessible(page, 'wrong option');
        await page.fill('#options', '');
        for (const [button, dialog] of [['#examples', '#gallery'], ['#help', '#help-dialog'], ['#share', '#share-dialog']]) {
          await page.click(button);
          await page.waitForSelector(`${dialog}[open]`);
          await accessible(page, dialog);
          await page.keyboard.press('Escape');
        }
        await page.click('#fit');
        await page.getByLabel('a published config').selectOption('llama-3-8b.json');
        await page.waitForSelector('irplan-fit .point');
        await accessible(page, 'what fits');
        await page.getByLabel('GPU').selectOption('rtx4060');
        await page.waitForSelector('irplan-fit .verdict.bad');
        await accessible(page, 'what does not fit');
        await page.keyboard.press('Escape');
        await replaceAll(page, '');
        await page.waitForSelector('.empty .example');
        await accessible(page, 'empty');
      },
      { colorScheme: scheme },
    ));

test('in forced colours bars and swatches keep their colours', () =>
  visit(
    async (page) => {
      await shown(page);
      const colour = await page.locator('.part-arena').first().evaluate((node) => getComputedStyle(node).backgroundColor);
      assert.match(colour, /rgb\((29, 95, 214|120, 168, 248)\)/);
      await editorReady(page);
      const share = await page.locator('#share').evaluate((node) => [getComputedStyle(node).color, getComputedStyle(node).forcedColorAdjust]);
      assert.notEqual(share[0], await page.locator('#share').evaluate((node) => getComputedStyle(node).backgroundColor));
      assert.equal(share[1], 'none', 'else its text gets a patch of paper in its own colour');
      // What is painted has the visitor's paper, and is not one black field.
      const paper = await page.evaluate(() => getComputedStyle(document.querySelector('.monaco-editor .margin')).backgroundColor);
      assert.equal(paper, 'rgb(255, 255, 255)');
      const painted = await page.locator('irplan-timeline').evaluate((node) => {
        const canvas = node.shadowRoot.querySelector('canvas');
        const at = (x, y) => [...canvas.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3).join();
        return [at(2, 2), at(canvas.width >> 2, canvas.height >> 1)];
      });
      assert.deepEqual(painted, ['255,255,255', '236,198,107']);
      for (const view of ['memory', 'buffers', 'graph', 'budgets']) {
        await look(page, view);
        await accessible(page, `forced colours: ${view}`);
      }
      await look(page, 'memory');
      await page.locator('irplan-timeline').focus();
      await page.keyboard.press('p');
      await accessible(page, 'forced colours: chosen');
      await retype(page, 4, 'rmsnorm', 'rmsnrom');
      await page.waitForSelector('.squiggly-error');
      await page.keyboard.press('Escape');
      await accessible(page, 'forced colours: error, and the plan before it');
      await shownAnew(page, () => replaceAll(page, REFUSED));
      await accessible(page, 'forced colours: budget refused');
      for (const [button, dialog] of [['#examples', '#gallery'], ['#help', '#help-dialog'], ['#share', '#share-dialog'], ['#fit', '#fit-dialog']]) {
        await page.click(button);
        await page.waitForSelector(`${dialog}[open]`);
        await accessible(page, `forced colours: ${dialog}`);
        await page.keyboard.press('Escape');
      }
      await replaceAll(page, '');
      await page.waitForSelector('.empty .example');
      await accessible(page, 'forced colours: empty');
    },
    { forcedColors: 'active' },
  ));

test('the focus stays where it was when a phase, a column or a row is chosen', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    await page.locator('[role=radio][aria-checked=false]').first().click();
    assert.match(await focused(page), /button radio-decode/);
    await look(page, 'buffers');
    await page.click('irplan-buffers thead button:has-text("offset")');
    assert.match(await focused(page), /button.*offset/);
    await page.locator('irplan-buffers tbody th button').first().click();
    const name = await page.locator('irplan-buffers tbody th button').first().textContent();
    assert.ok((await focused(page)).includes(name.trim().slice(0, 30)), await focused(page));
  }));

test('everything is reached and done without a mouse', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    const seen = new Set();
    await page.keyboard.press('Tab');
    for (let i = 0; i < 60; i++) {
      const now = await focused(page);
      seen.add(now);
      if (/monaco|inputarea|textarea/.test(now) || (await page.evaluate(() => document.activeElement.closest?.('.monaco-editor') !== null)))
        await page.keyboard.press('Control+m'); // frees the Tab key
      await page.keyboard.press('Tab');
    }
    const all = [...seen].join('\n');
    for (const wanted of ['examples', 'files', 'target', 'options', 'theme', 'help', 'share', 'tab-program', 'format', 'split', 'tab-memory', 'irplan-timeline', 'to-peak'])
      assert.ok(all.includes(wanted), `${wanted} is not among\n${all}`);
    await page.locator('#tab-json').evaluate((node) => node.focus()).catch(() => undefined);
    await page.focus('#tab-memory');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.getAttribute('#tab-json', 'aria-selected'), 'true');
    await page.keyboard.press('Home');
    assert.equal(await page.getAttribute('#tab-memory', 'aria-selected'), 'true');
  }));

test('at 1440 px every view and phase is in sight', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    const cut = await page.locator('irplan-plan').evaluate((plan) =>
      [...plan.shadowRoot.querySelectorAll('.tabs .tablist, .tabs .segmented')].map((list) => list.scrollWidth - list.clientWidth),
    );
    assert.deepEqual(cut, [0, 0]);
  }));

test('help is a key away, and says the keys', () =>
  visit(async (page) => {
    await shown(page);
    await page.locator('irplan-timeline').focus();
    await page.keyboard.press('?');
    await page.waitForSelector('#help-dialog[open]');
    assert.match(await page.textContent('#help-dialog'), /buffers by address/);
  }));

test('the theme is chosen, kept, and the canvas and the editor follow', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    const dark = async () => {
      const colours = await page.evaluate(() =>
        ['.pane', '.monaco-editor .margin'].map((one) => getComputedStyle(document.querySelector(one)).backgroundColor),
      );
      return colours.map((one) => one.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3 < 60);
    };
    assert.deepEqual(await dark(), [false, false]);
    await painted(page, () => page.selectOption('#theme', 'dark'));
    assert.deepEqual(await dark(), [true, true]);
    const corner = await page.locator('irplan-timeline').evaluate((node) => node.shadowRoot.querySelector('canvas').getContext('2d').getImageData(2, 2, 1, 1).data[0]);
    assert.ok(corner < 60, String(corner));
    await page.reload();
    await editorReady(page);
    assert.deepEqual(await dark(), [true, true]);
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

for (const [width, height] of [[1024, 700], [1024, 768], [1280, 720]])
  test(`at ${width} x ${height} the timeline has room, nothing covers it, and all can be scrolled to`, () =>
    visit(
      async (page) => {
        await shown(page);
        await openExample(page, 'llama 3 8b');
        await page.click('summary:has-text("what would lower the memory")');
        const found = await page.evaluate(() => {
          const plan = document.querySelector('irplan-plan');
          const timeline = plan.shadowRoot.querySelector('irplan-memory').shadowRoot.querySelector('irplan-timeline');
          const needed = parseFloat(getComputedStyle(timeline).getPropertyValue('--needed-height'));
          plan.scrollTop = 1e6;
          const proof = plan.shadowRoot.querySelector('.proof').getBoundingClientRect();
          const kinds = plan.shadowRoot.querySelector('irplan-memory').shadowRoot.querySelector('.kinds').getBoundingClientRect();
          return { needed, height: timeline.clientHeight, kinds: kinds.bottom, proof: proof.top, bottom: proof.bottom, inner: innerHeight };
        });
        assert.ok(found.needed >= 300 && found.height >= found.needed, JSON.stringify(found));
        assert.ok(found.kinds <= found.proof + 1 && found.bottom <= found.inner + 1, JSON.stringify(found));
      },
      { viewport: { width, height } },
    ));

for (const width of [320, 390])
  test(`at ${width} px with fingers nothing is cut off, and the editor is one for fingers`, () =>
    visit(
      async (page) => {
        await shown(page);
        await page.waitForSelector('[data-editor=touch] .cm-content');
        for (const title of [null, 'llama 3.2 1b', 'deepseek v3']) {
          if (title) await openExample(page, title);
          for (const view of VIEWS) {
            await look(page, view);
            await nothingCut(page, `${title}, ${view}`);
          }
        }
        await shownAnew(page, async () => {
          await page.locator('.cm-content').click();
          await page.keyboard.press('Control+a');
          await page.keyboard.insertText('input x: f32[1, 4]\nout = output(sil(x))\n');
          await page.waitForSelector('.problem.error .fix');
          await page.click('.problem.error .fix');
        });
        await page.evaluate(() => scrollTo(0, 0)); // where nothing lies half under the foot that stays
        await accessible(page, `${width} px`);
      },
      { viewport: { width, height: 844 }, isMobile: true, hasTouch: true },
    ));
