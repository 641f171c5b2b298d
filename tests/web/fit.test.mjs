// What fits: a config in, exact bytes, limits and remedies out.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { figureIs, root, shown, shownAnew, test, visit } from './harness.mjs';

const CONFIG = readFileSync(join(root, 'examples/configs/llama-3-8b.json'), 'utf8');
const field = (page, label) => page.locator('irplan-fit').getByLabel(label, { exact: true });
const config = (page) => field(page, 'config.json of the model');
const verdict = (page, text) => page.locator('irplan-fit .verdict', { hasText: text }).waitFor();
const facts = (page, text) => page.locator('irplan-fit .facts', { hasText: text }).waitFor();

async function ask(page, text = CONFIG) {
  await shown(page);
  await page.click('#fit');
  await config(page).fill(text);
}

test('a config is told what it takes, what is left, and how much more would fit', () =>
  visit(async (page) => {
    await ask(page);
    await verdict(page, 'Fits: 1 sequence of 8\u2009192 tokens take 16.1 GiB of 24.0 GiB');
    await facts(page, '8 sequences with 8\u2009192 tokens each');
    await field(page, 'memory').fill('17GiB');
    await verdict(page, 'of 17.0 GiB');
    await field(page, 'Sequences').fill('64');
    await verdict(page, 'Does not fit: 64 sequences');
    await page.locator('irplan-fit .advice', { hasText: 'fits' }).waitFor();
  }));

test('a remedy is taken by a click, and answers with its own bytes', () =>
  visit(async (page) => {
    await ask(page);
    await field(page, 'GPU').selectOption('rtx4060');
    await verdict(page, 'Does not fit');
    await page.locator('irplan-fit').getByText('--retype weights=q4_0', { exact: true }).click();
    await verdict(page, 'Fits: 1 sequence of 8\u2009192 tokens take 5.35 GiB');
    assert.equal(await field(page, 'Weights').inputValue(), 'q4_0');
    assert.equal(await page.textContent('irplan-fit .foot code'), 'irplan fit config.json --gpu rtx4060 --retype weights=q4_0');
  }));

test('a point of the frontier is looked at by a click', () =>
  visit(async (page) => {
    await ask(page);
    await page.getByLabel(/^sequences = 32, /).focus();
    await page.keyboard.press('Enter');
    await verdict(page, 'Fits: 32 sequences of');
  }));

test('the program opens with the numbers of the answer', () =>
  visit(async (page) => {
    await ask(page);
    await field(page, 'Sequences').fill('4');
    await verdict(page, 'Fits: 4 sequences');
    const total = /take ([\d.]+ GiB)/.exec(await page.textContent('irplan-fit .verdict'))[1];
    await shownAnew(page, () => page.click('irplan-fit button:text-is("Open the program")'));
    assert.equal(await page.textContent('#tab-program'), 'llama.irplan');
    await figureIs(page, 'whole model', total);
    assert.match(await page.textContent('#command'), /--let C=8192 --dim B=4/);
  }));

test('a link asks the same question elsewhere', () =>
  visit(async (page) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await ask(page);
    await field(page, 'GPU').selectOption('h200');
    await field(page, 'Sequences').fill('16');
    await verdict(page, 'Fits: 16 sequences');
    await page.click('irplan-fit button:text-is("Copy link")');
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(link.length < 400, `${link.length} characters`);
    await visit(
      async (other) => {
        await verdict(other, 'Fits: 16 sequences');
        assert.equal(await field(other, 'GPU').inputValue(), 'h200');
        assert.equal(await config(other).inputValue(), CONFIG);
      },
      { url: link },
    );
  }));

test('what cannot be read is told in words, and the rest stays', () =>
  visit(async (page) => {
    await ask(page, '{"hidden_size": ');
    await page.locator('irplan-fit [role=alert]').waitFor();
    await config(page).fill(CONFIG);
    await verdict(page, 'Fits');
    await field(page, 'memory').fill('lots');
    await page.locator('irplan-fit [role=alert]', { hasText: 'memory is bytes with a unit' }).waitFor();
    await field(page, 'memory').fill('');
    await verdict(page, '16.1 GiB for 1 sequence');
    await field(page, 'Sequences').fill('-3');
    await page.locator('irplan-fit [role=alert]', { hasText: 'batch is a number from 1 on' }).waitFor();
    await field(page, 'Sequences').fill('');
    await config(page).fill('{"model_type": "resnet"}');
    await page.locator('irplan-fit [role=alert]', { hasText: 'resnet' }).waitFor();
  }));

test('a file is opened and dropped', () =>
  visit(async (page) => {
    await shown(page);
    await page.click('#fit');
    const file = { name: 'my.json', mimeType: 'application/json', buffer: Buffer.from(CONFIG) };
    await page.locator('irplan-fit input[type=file]').setInputFiles(file);
    await verdict(page, 'Fits');
    await page.locator('irplan-fit legend', { hasText: 'my.json' }).waitFor();
    await config(page).fill('');
    const data = await page.evaluateHandle((text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], 'dropped.json', { type: 'application/json' }));
      return transfer;
    }, CONFIG);
    await page.locator('irplan-fit fieldset').first().dispatchEvent('drop', { dataTransfer: data });
    await page.locator('irplan-fit legend', { hasText: 'dropped.json' }).waitFor();
    await verdict(page, 'Fits');
  }));
