// The language service in the page: what the compiler knows of a program, where the person asks.
import assert from 'node:assert/strict';
import { clickEditor, editorReady, openExample, programText, replaceAll, retype, shown, shownAnew, test, visit } from './harness.mjs';

const PROGRAM = `irplan 1
let D = config.hidden_size
dim B in 1..64
input x: f16[B, D]
fn twice(t, w) {
  return linear(linear(t, w), w)
}
w = param f16[D, D]
h = twice(x, w)
y = silu(h)
out = output(y)
`;

/** Puts the cursor to a place, lines and columns from 1. */
async function goTo(page, line, column) {
  await clickEditor(page);
  await page.keyboard.press('Control+Home');
  for (let i = 1; i < line; i++) await page.keyboard.press('ArrowDown');
  for (let i = 1; i < column; i++) await page.keyboard.press('ArrowRight');
}

/** The program above with its config. */
async function start(page) {
  await shown(page);
  await editorReady(page);
  await page.click('#tab-config');
  await replaceAll(page, '{"hidden_size": 64}');
  await page.click('#tab-program');
  await shownAnew(page, () => replaceAll(page, PROGRAM));
}

const suggestion = (page, word) => page.locator('.suggest-widget.visible .monaco-list-row', { hasText: word });
const focused = (page, word) => page.locator('.suggest-widget.visible .monaco-list-row.focused', { hasText: word });
const hoverText = (page) => page.locator('.monaco-hover:not(.hidden)').first();

test('keys of the config are completed, with their values', () =>
  visit(async (page) => {
    await start(page);
    await page.keyboard.press('Control+End');
    await page.keyboard.type('let F = config.');
    await focused(page, 'hidden_size').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /config\.hidden_size\s*$/m.test([...document.querySelectorAll('.view-line')].at(-1).textContent));
  }));

test('names of the program are completed where they are known', () =>
  visit(async (page) => {
    await start(page);
    await page.keyboard.press('Control+End');
    await page.keyboard.type('z = tw');
    await page.keyboard.press('Control+Space'); // where the list that opens by itself was closed by the next key
    await suggestion(page, 'twice').first().waitFor();
    assert.match(await suggestion(page, 'twice').first().textContent(), /twice\(t, w\)/);
  }));

test('a value is told with its shape, bytes, buffer and kernel', () =>
  visit(async (page) => {
    await start(page);
    await goTo(page, 10, 1);
    await page.keyboard.press('Control+k');
    await page.keyboard.press('Control+i');
    await hoverText(page).waitFor();
    await page.waitForFunction(() => /f16\[B, 64\][^]*buffer[^]*cuda_silu/.test(document.querySelector('.monaco-hover:not(.hidden)')?.textContent ?? ''));
  }));

test('lines show shape and bytes of what they bind', () =>
  visit(async (page) => {
    await start(page);
    await page.waitForFunction(() => [...document.querySelectorAll('.view-line')].some((line) => /^y\s=\ssilu\(h\).*f16\[B,\s64\],\s/.test(line.textContent)));
    await page.waitForFunction(() => [...document.querySelectorAll('.view-line')].some((line) => /hidden_size.*=\s64/.test(line.textContent)));
  }));

test('F12 goes to where a name is bound', () =>
  visit(async (page) => {
    await start(page);
    await goTo(page, 9, 5); // twice(x, w)
    await page.keyboard.press('F12');
    await page.waitForFunction(() => document.querySelector('.line-numbers.active-line-number')?.textContent === '5');
  }));

test('F2 renames a name everywhere and keeps what it is called in the checkpoint; a collision is refused in words', () =>
  visit(async (page) => {
    await start(page);
    await goTo(page, 8, 1);
    await page.keyboard.press('F2');
    const input = page.locator('.rename-box input');
    await input.waitFor();
    await input.fill('x');
    await page.keyboard.press('Enter');
    await page.waitForSelector(':text("bound already")');
    await page.keyboard.press('Escape');
    await goTo(page, 8, 1);
    await page.keyboard.press('F2');
    await input.waitFor();
    await input.fill('weight');
    await shownAnew(page, () => page.keyboard.press('Enter'));
    const text = await programText(page);
    assert.match(text, /^weight = param f16\[D, D\] from "w"/m);
    assert.match(text, /^h = twice\(x, weight\)/m);
    assert.match(text, /return linear\(linear\(t, w\), w\)/, 'the parameter is another name');
  }));

test('the arguments of a call are told while it is typed', () =>
  visit(async (page) => {
    await start(page);
    await page.keyboard.press('Control+End');
    await page.keyboard.type('z = twice(h, ');
    await page.waitForFunction(() => document.querySelector('.parameter-hints-widget.visible .parameter.active')?.textContent === 'w');
  }));

test('words are coloured by what they mean', () =>
  visit(async (page) => {
    await start(page);
    const colour = (word) =>
      page.evaluate((wanted) => {
        const node = [...document.querySelectorAll('.view-line span span')].find((one) => one.textContent.trim() === wanted);
        return node && getComputedStyle(node).color;
      }, word);
    await page.waitForFunction(() => [...document.querySelectorAll('.view-line span span')].some((one) => one.textContent === 'twice'));
    const seen = await Promise.all(['fn', 'twice', 'B', 'f16'].map(colour));
    assert.ok(seen.every(Boolean), seen.join());
    assert.notEqual(seen[0], seen[1]);
    assert.equal(seen[2], seen[3], 'dims and dtypes are of one family');
  }));

test('a long line of JSON goes into the config and leaves the editor quick', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    const keys = Array.from({ length: 15 }, (_, i) => `"some_long_key_${i}":${i % 3 ? i * 1000 : `"va\\"lue ${i}"`}`);
    for (const text of [`{${keys}}`, `{${keys}`.replace(/"$/, ''), '"'.repeat(401), '\\"'.repeat(300), `{"a": "${'x'.repeat(4000)}`]) {
      await page.click('#tab-config');
      await replaceAll(page, text);
      await page.keyboard.press('Control+End');
      await page.keyboard.type(' ');
      await page.waitForFunction(() => document.querySelector('.view-line')?.textContent.length > 0);
    }
  }));
