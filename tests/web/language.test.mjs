// The editor: what is wrong, what is meant, and how it looks.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clickEditor, editorReady, figure, openExample, retype, root, shown, shownAnew, test, textOfPlan, visit } from './harness.mjs';

test('the text can be read and edited before the full editor is there', () =>
  visit(async (page) => {
    const area = page.locator('#plain-program');
    const early = await area.evaluate((node) => node.value, null, { timeout: 5000 }).catch(() => null);
    if (early !== null) assert.match(early, /rmsnorm/);
    await editorReady(page);
    assert.equal(await page.locator('#plain-program').count(), 0);
  }));

test('the first program is readable before any script is there, and a reader who has one of their own does not see it', async () => {
  const seen = [];
  const before = (page) =>
    page.route('**/assets/index-*.js', async (route) => {
      await page.waitForSelector('#problems', { state: 'attached' });
      seen.push(await page.locator('#plain-program').evaluate((node) => [node.value, node.readOnly, getComputedStyle(node).whiteSpace]));
      await route.continue();
    });
  await visit(
    async (page) => {
      await editorReady(page);
      await retype(page, 4, 'rmsnorm', 'rmsnrom');
      await page.waitForFunction(() => localStorage.length > 0);
      await page.reload();
      await editorReady(page);
      const [first, again] = seen;
      assert.equal(first[0], readFileSync(join(root, 'examples/hotpath.irplan'), 'utf8'));
      assert.equal(first[1], true, 'what is typed now would be lost');
      assert.equal(first[2], 'pre', 'it has its style');
      assert.equal(again[0], '');
    },
    { before },
  );
});

test('a typo is underlined, told with the proposed name, and fixed by a click', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await retype(page, 4, 'rmsnorm', 'rmsnrom');
    await page.waitForSelector('.squiggly-error');
    const problem = await page.textContent('.problem.error');
    assert.match(problem, /rmsnrom/);
    assert.match(problem, /rmsnorm/);
    assert.match(problem, /4:5/);
    assert.ok(await page.locator('#result[stale]').count(), 'the last good plan stays, and is marked as old');
    assert.match(await page.textContent('.proof'), /errors/, 'and the command is not said to give it');
    await shownAnew(page, () => page.click('.problem.error .fix'));
    assert.equal(await page.locator('.problem.error').count(), 0);
    assert.equal(await page.locator('#result[stale]').count(), 0);
  }));

test('names are completed while one types', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await clickEditor(page);
    await page.keyboard.press('Control+End');
    await page.keyboard.type('z = rms');
    await page.keyboard.press('Control+Space');
    const row = page.locator('.suggest-widget.visible .monaco-list-row', { hasText: 'rmsnorm' });
    await row.waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.type('(s, ep');
    await page.keyboard.press('Control+Space');
    await page.locator('.suggest-widget.visible .monaco-list-row', { hasText: 'eps' }).first().waitFor();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /z\s=\srmsnorm\(s,\seps=/.test(document.querySelector('.view-lines').textContent));
  }));

test('an operator is explained where the pointer is', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await page.hover('.view-line span:text-is("rmsnorm")');
    await page.waitForFunction(() => /root mean square|eps/.test(document.querySelector('.monaco-hover:not(.hidden)')?.textContent ?? ''));
  }));

for (const scheme of ['light', 'dark'])
  test(`brackets and widgets of the editor have the page's colours: ${scheme}`, () =>
    visit(
      async (page) => {
        await shown(page);
        await editorReady(page);
        await page.waitForFunction(() => [...document.querySelectorAll('.view-line span span')].some((node) => /^\s*[()[\]]\s*$/.test(node.textContent)));
        const seen = await page.evaluate(() => {
          const token = (name) => {
            const probe = document.body.appendChild(document.createElement('i'));
            probe.style.color = `var(${name})`;
            const colour = getComputedStyle(probe).color;
            probe.remove();
            return colour;
          };
          const marks = [...document.querySelectorAll('.view-line span span')].filter((node) => /^\s*[()[\]]\s*$/.test(node.textContent));
          return { marks: [...new Set(marks.map((node) => getComputedStyle(node).color))], wanted: token('--code-mark') };
        });
        assert.deepEqual(seen.marks, [seen.wanted]);
        await clickEditor(page);
        await page.keyboard.press('Control+Space');
        await page.waitForSelector('.suggest-widget.visible');
        const [widget, panel] = await page.evaluate(() => [
          getComputedStyle(document.querySelector('.suggest-widget')).backgroundColor,
          getComputedStyle(document.querySelector('.pane')).backgroundColor,
        ]);
        assert.equal(widget, panel);
      },
      { colorScheme: scheme },
    ));

test('the config is typed like the program, and what is wrong with it is told there', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await openExample(page, 'llama 3.2 1b');
    const before = await figure(page, 'whole model');
    await page.click('#tab-config');
    const text = await page.evaluate(() => [...document.querySelectorAll('.view-line')].map((line) => line.textContent));
    assert.ok(await page.locator('.view-line [class*=mtk]').count(), 'the config is highlighted');
    const number = text.findIndex((line) => line.includes('num_hidden_layers')) + 1;
    assert.ok(number > 0, text.join('\n'));
    await shownAnew(page, () => retype(page, number, '16', '4'));
    assert.notEqual(await figure(page, 'whole model'), before);
    assert.equal(JSON.parse(await textOfPlan(page)).values.filter((value) => value.kind === 'state').length, 8);
    await retype(page, number, '4', 'oops');
    await page.waitForSelector('.problem.error');
    assert.equal(await page.locator('.problem').count(), 1);
    assert.match(await page.textContent('.problem.error'), new RegExp(`not JSON[^]*llama-3\\.2-1b\\.json:${number}:`));
    await page.waitForSelector('.squiggly-error');
    await page.click('#tab-program');
    assert.equal(await page.locator('.squiggly-error').count(), 0, 'nothing is wrong with the program');
    await page.click('.problem-title');
    assert.equal(await page.getAttribute('#tab-config', 'aria-selected'), 'true');
    await shownAnew(page, () => retype(page, number, 'oops', '16'));
    assert.equal(await figure(page, 'whole model'), before);
  }));

test('a program without its config is refused in words', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await openExample(page, 'llama 3.2 1b');
    await page.click('#tab-config');
    await clickEditor(page);
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    await page.waitForSelector('.problem.error:has-text("none was given")');
  }));

test('a wrong option is a problem in words, a known one is taken, and both are said to assistive technology', () =>
  visit(async (page) => {
    await shown(page);
    await page.fill('#options', '--lets C=1');
    await page.waitForSelector('.problem.error:has-text("there is no option --lets")');
    assert.equal(await page.locator('.problem').count(), 1, 'the old list is gone');
    assert.equal(await page.getAttribute('#options', 'aria-invalid'), 'true');
    assert.ok(await page.locator('#result[stale]').count());
    for (const [typed, told] of [['--dim S=x', 'is not a whole number'], ['--strength huge', 'takes portfolio'], ['--let', 'no value']]) {
      await page.fill('#options', typed);
      await page.waitForSelector(`.problem.error:has-text("${told}")`);
    }
    await shownAnew(page, () => page.fill('#options', '--keep-order --strength limited'));
    assert.equal(await page.getAttribute('#options', 'aria-invalid'), 'false');
    assert.match(await page.textContent('#command'), /--keep-order --strength limited$/);
    await shownAnew(page, () => page.selectOption('#target', 'cuda:sm_100'));
    assert.match(await page.textContent('#command'), /--target cuda:sm_100/);
  }));

test('names in labels and notes are set as code', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await retype(page, 4, 'rmsnorm(x, w, eps=1e-5)', 'linear(x, w)');
    await page.waitForSelector('.problem.error');
    assert.doesNotMatch(await page.locator('irplan-problems ul').innerText(), /`/);
  }));
