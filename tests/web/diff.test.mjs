// Two programs, options, targets or sizes beside each other.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessible, look, nothingCut, openExample, replaceAll, setSize, shareLink, shown, shownAnew, test, visit } from './harness.mjs';
import { GATED } from './programs.mjs';

const BASE = '[aria-label="Compare with"]';
const compared = (page) => page.locator('irplan-diff .deltas').waitFor();

/** [other, this, change] of a row of the table. */
async function delta(page, name) {
  const row = page.locator('irplan-diff .deltas tr', { has: page.locator(`th:text-is("${name}")`) });
  return row.locator('td').allTextContents();
}

const deltaIs = (page, name, column, text) =>
  page.locator(`irplan-diff .deltas tr:has(th:text-is("${name}")) td:nth-of-type(${column}):text-is("${text}")`).waitFor();

async function begin(page, choice) {
  await look(page, 'diff');
  await page.selectOption(BASE, choice);
  await compared(page);
}

test('an edit is told beside what was there: numbers, ops, text, both on one scale', () =>
  visit(async (page) => {
    await shown(page);
    await shownAnew(page, () => replaceAll(page, GATED));
    await begin(page, { label: 'this, as it is now' });
    assert.equal((await delta(page, 'arena'))[2], '');
    assert.equal(await page.locator('irplan-diff', { hasText: 'The same ops, with the same work.' }).count(), 1);
    await shownAnew(page, () => replaceAll(page, GATED.replace('silu(x)', 'x').replace('[1536, 512]', '[3072, 512]').replace('[512, 1536]', '[512, 3072]')));
    await deltaIs(page, 'weights', 1, '7.00 MiB');
    const [other, own, change] = await delta(page, 'weights');
    assert.deepEqual([other, own, change], ['7.00 MiB', '13.0 MiB', '+6.00 MiB, +86 %']);
    assert.match((await delta(page, 'arena'))[2], /^\+/);
    await page.locator('irplan-diff .text .removed', { hasText: '1536, 512' }).waitFor();
    await page.locator('irplan-diff .text .added', { hasText: '3072, 512' }).waitFor();
    assert.ok((await page.locator('irplan-diff .ops tbody tr', { hasText: 'linear' }).count()) > 0);
    const tops = await page.locator('irplan-diff irplan-timeline').evaluateAll((nodes) => nodes.map((node) => [node.dataset.side, node.viewport.to]));
    assert.deepEqual(tops.map(([side]) => side), ['other', 'this']);
    assert.equal(tops[0][1], tops[1][1]);
    const heights = await page.locator('irplan-diff irplan-timeline').evaluateAll((nodes) => nodes.map((node) => node.clientHeight));
    assert.ok(heights.every((height) => height > 200));
    await page.locator('irplan-diff irplan-timeline').first().press('+');
    const zoomed = await page.locator('irplan-diff irplan-timeline').evaluateAll((nodes) => nodes.map((node) => JSON.stringify(node.viewport)));
    assert.equal(zoomed[0], zoomed[1], 'they stay on one scale');
    await accessible(page, 'diff');
  }));

test('two targets, with all that differs in plan.json as the command line tells it', () =>
  visit(async (page) => {
    await shown(page);
    await begin(page, { label: 'cpu' });
    assert.equal(await page.inputValue('#base-target'), 'cpu');
    await page.click('irplan-diff summary');
    await page.locator('irplan-diff details pre', { hasText: 'cpu_rmsnorm_v' }).waitFor();
    assert.match(await page.locator('irplan-diff details code').textContent(), /irplan plan hotpath\.irplan --target cpu -o before\.json/);
  }));

test('two sizes of one program', () =>
  visit(async (page) => {
    await shown(page);
    await begin(page, { label: 'this, as it is now' });
    await page.click('#same-sizes');
    await setSize(page, 'S', 1024);
    await deltaIs(page, 'arena', 2, '8.00 MiB');
    assert.deepEqual(await delta(page, 'arena'), ['32.0 MiB', '8.00 MiB', '−24.0 MiB, −75 %']);
    await page.click('#same-sizes');
    await deltaIs(page, 'arena', 1, '8.00 MiB');
  }));

test('a comparison of a model under other options travels in a link', async () => {
  let link = '';
  await visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    await begin(page, { label: 'this, as it is now' });
    await page.fill('#base-options', '--retype state=f8e4m3');
    await page.press('#base-options', 'Enter');
    await page.locator('irplan-diff .deltas tr:has(th:text-is("state")) td:nth-of-type(3)', { hasText: '+100 %' }).waitFor();
    link = await shareLink(page);
    assert.ok(link.length < 600, `${link.length} characters`);
  });
  await visit(
    async (page) => {
      await compared(page);
      await page.locator('irplan-diff .deltas tr:has(th:text-is("state")) td:nth-of-type(3)', { hasText: '+100 %' }).waitFor();
      assert.equal(await page.inputValue('#base-options'), '--retype state=f8e4m3');
      await page.click('irplan-diff button:text-is("Swap")');
      await page.locator('irplan-diff .deltas tr:has(th:text-is("state")) td:nth-of-type(3)', { hasText: '−50 %' }).waitFor();
      assert.equal(await page.inputValue('#options'), '--retype state=f8e4m3');
      await page.click('irplan-diff button:text-is("Remove")');
      await page.locator('irplan-diff', { hasText: 'Choose what to compare with' }).waitFor();
    },
    { url: link },
  );
});

test('another file, one that does not compile, and an option that is none', () =>
  visit(
    async (page) => {
      await shown(page);
      await look(page, 'diff');
      const other = join(tmpdir(), `irplan-other-${process.pid}.irplan`);
      writeFileSync(other, 'input x: f16[1, S, D]\nout = output(slu(x))\n');
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.selectOption(BASE, { label: 'files…' })]);
      await chooser.setFiles(other);
      await page.locator('irplan-diff .bad', { hasText: 'line 2: there is no operator or function slu' }).waitFor();
      await page.locator('irplan-diff .text .removed', { hasText: 'slu(x)' }).waitFor();
      await page.fill('#base-options', '--fast');
      await page.press('#base-options', 'Enter');
      await page.locator('#base-options[aria-invalid=true]').waitFor();
      assert.match(await page.getAttribute('#base-options', 'title'), /no option --fast/);
      await nothingCut(page, 'diff');
    },
    { viewport: { width: 1024, height: 700 } },
  ));
