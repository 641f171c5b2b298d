// A plan run in the page: as the command runs it, on a reader's files, given up, and whatever goes wrong in it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessible, look, nothingCut, openExample, root, setSize, shown, shownAnew, siteUrl, test, visit } from './harness.mjs';

const golden = join(root, 'tests/data/goldens/llama');
const result = 'irplan-run .result [role=status]';

async function openRun(page) {
  await shown(page);
  await look(page, 'run');
  await page.waitForSelector('irplan-run #run');
}

async function ran(page) {
  await page.click('irplan-run #run');
  await page.waitForSelector(result);
}

/** The page's own saying of an output's facts, by name. */
const facts = (page) =>
  page.locator('irplan-run-output dl').first().evaluate((list) => Object.fromEntries([...list.querySelectorAll('dt')].map((dt) => [dt.textContent, dt.nextElementSibling.textContent])));

/** A small model with weights of its own, in the editor. */
async function openGolden(page) {
  const config = readFileSync(join(golden, 'config.json'), 'utf8');
  const program = readFileSync(join(root, 'examples/models/llama.irplan'), 'utf8');
  await shown(page);
  const dropped = await page.evaluateHandle(([text, json]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], 'llama.irplan'));
    data.items.add(new File([json], 'config.json', { type: 'application/json' }));
    return data;
  }, [program, config]);
  await shownAnew(page, () => page.dispatchEvent('main', 'drop', { dataTransfer: dropped }));
}

/** The runner's script with a line before it. */
const before = (line) => async (page) => {
  await page.route(/\/runner-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: line + (await response.text()) });
  });
};

test('run: at the sliders’ sizes: values, statistics, a histogram, and the file', () =>
  visit(async (page) => {
    const loaded = [];
    page.on('request', (request) => loaded.push(request.url()));
    await openRun(page);
    assert.deepEqual(loaded.filter((url) => /irplan-run-|runner-/.test(url)), [], 'loaded before anybody runs a plan');
    await setSize(page, 'S', 16);
    await setSize(page, 'D', 128);
    await ran(page);
    assert.match(await page.textContent(result), /Ran main at [^]*D = 128[^]*as planned/);
    const told = await facts(page);
    assert.equal(told['numbers'].replace(/\s/g, ''), String(16 * 128));
    assert.equal(told['NaN'], '0');
    assert.ok(Number(told['least'].replace('−', '-')) < Number(told['mean'].replace('−', '-')));
    assert.match(await page.getAttribute('irplan-run-output svg', 'aria-label'), /histogram of 64 parts/);
    assert.equal(await page.textContent('irplan-run-output tbody th >> nth=0'), '[0, 0, 0]');
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('irplan-run-output button:text-is("Download out.npy")')]);
    const npy = readFileSync(await file.path());
    assert.equal(npy.toString('latin1', 1, 6), 'NUMPY');
    assert.match(npy.toString('latin1', 10, 128), /'<f2'.*\(1, 16, 128\)/);
    await look(page, 'memory');
    await look(page, 'run');
    await page.waitForSelector(result);
    await setSize(page, 'S', 32);
    await page.waitForSelector(`${result}:has-text("others by now")`);
  }));

test('run: weights and tokens of a reader: dropped, and bad ones told', () =>
  visit(async (page) => {
    await openGolden(page);
    await openRun(page);
    await page.click('[role=radio]:has-text("prefill")');
    await page.waitForSelector('irplan-run #run:text-is("Run prefill")');
    await setSize(page, 'B', 1);
    await setSize(page, 'P', 0);
    const drop = async (list) => {
      const files = list.map(([name, path]) => [name, path === null ? null : readFileSync(join(golden, path)).toString('base64')]);
      const data = await page.evaluateHandle((all) => {
        const transfer = new DataTransfer();
        for (const [name, text] of all) transfer.items.add(new File([text === null ? 'nothing' : Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
        return transfer;
      }, files);
      await page.dispatchEvent('irplan-run .all', 'drop', { dataTransfer: data });
    };
    await drop([['notes.txt', null]]);
    await page.waitForSelector('irplan-run .wrong:has-text("notes.txt: weights are .safetensors files")');
    await drop([['model.safetensors', null]]);
    await page.waitForSelector('irplan-run td:has-text("model.safetensors")');
    await page.click('irplan-run #run');
    await page.waitForSelector('irplan-run .wrong:has-text("model.safetensors: ")');
    await drop([['model.safetensors', 'model.safetensors'], ['tokens.npy', 'tokens.npy']]);
    await page.waitForSelector('irplan-run td:has-text("tokens.npy")');
    await setSize(page, 'S', 3);
    await page.click('irplan-run #run');
    await page.waitForSelector('irplan-run .wrong:has-text("at these sizes [1, 3] is expected")');
    const [, rows, columns] = /\((\d+), (\d+)\)/.exec(readFileSync(join(golden, 'tokens.npy')).toString('latin1', 10, 128));
    await setSize(page, 'B', Number(rows));
    await setSize(page, 'S', Number(columns));
    await page.waitForFunction((n) => document.querySelector('irplan-plan').session.phase.value.totals.dims.S === n, Number(columns));
    await ran(page);
    assert.equal((await facts(page))['NaN'], '0');
    assert.match(await page.textContent('irplan-run .hint'), /--weights model\.safetensors --input tokens=@tokens\.npy --states zeros/);
    await accessible(page, 'a run');
    await nothingCut(page, 'a run');
  }));

test('run: given up, and the next one works', () =>
  visit(
    async (page) => {
      await openRun(page);
      const isRunner = (one) => /runner-/.test(one.url());
      const [runner] = await Promise.all([page.waitForEvent('worker', isRunner), page.click('irplan-run #run')]);
      await Promise.all([runner.waitForEvent('close'), page.click('irplan-run #cancel')]);
      await page.waitForSelector('irplan-run #run');
      await page.unrouteAll();
      await setSize(page, 'S', 8);
      await ran(page);
    },
    { before: before('for (;;);\n') },
  ));

test('run: what is too large is refused with its size', () =>
  visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3 8b');
    await look(page, 'run');
    await page.click('irplan-run #run');
    await page.waitForSelector('irplan-run .wrong:has-text("out of memory: ")');
    assert.match(await page.textContent('irplan-run .wrong'), /\d{11} bytes are needed .*left of 4 GiB/);
  }));

test('run: what loops for ever is ended, and the page lives on', () =>
  visit(
    async (page) => {
      await openRun(page);
      await page.click('irplan-run #run');
      await page.waitForSelector('irplan-run .wrong:has-text("no sign of life for 10 s, and was ended")');
      await page.unrouteAll();
      await setSize(page, 'S', 8);
      await ran(page);
    },
    { before: before('for (;;);\n') },
  ));

test('run: what traps, or gets no memory, is told, and the page lives on', () =>
  visit(
    async (page) => {
      await openRun(page);
      await page.click('irplan-run #run');
      await page.waitForSelector('irplan-run .wrong:has-text("The run came to no end.")');
      assert.match(await page.textContent('irplan-run .wrong'), /fault of its own \(.*unreachable/);
      await page.unrouteAll();
      await before('WebAssembly.Memory.prototype.grow = () => { throw new RangeError("no more memory"); };\n')(page);
      await page.click('irplan-run #run');
      await page.waitForSelector('irplan-run .wrong:has-text("cannot allocate")');
      await page.unrouteAll();
      await setSize(page, 'S', 8);
      await ran(page);
    },
    {
      before: before(
        'const post = self.postMessage.bind(self); self.postMessage = (message) => { if (message.progress) throw new WebAssembly.RuntimeError("unreachable"); post(message); };\n',
      ),
    },
  ));

test('run: the module does not load: told, and tried again', () =>
  visit(
    async (page) => {
      await openRun(page);
      await page.click('irplan-run #run');
      await page.waitForSelector('irplan-run .wrong:has-text("could not be loaded: 404")');
      await page.unrouteAll();
      await setSize(page, 'S', 8);
      await ran(page);
    },
    { before: (page) => page.route(/irplan-run-[^/]*\.wasm$/, (route) => route.fulfill({ status: 404 })), expected: [/status of 404/] },
  ));

test('run: without a network, once the page was loaded', () =>
  visit(
    async (page, context) => {
      await shown(page);
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.waitForFunction(async () => (await caches.keys()).length === 1);
      await context.setOffline(true);
      await page.reload();
      await openRun(page);
      await setSize(page, 'S', 8);
      await ran(page);
      await context.setOffline(false);
    },
    { serviceWorkers: 'allow' },
  ));

test('run: in a frame that may have no worker and no storage', () =>
  visit(
    async (page) => {
      const frame = page.frameLocator('iframe');
      await frame.locator('#tab-run').click();
      await frame.locator('[aria-label="S as a number"]').fill('8');
      await frame.locator('[aria-label="S as a number"]').press('Enter');
      await frame.locator('irplan-run #run').click();
      await frame.locator(result).waitFor();
    },
    {
      before: (page) =>
        page.route('**/host.html', (route) =>
          route.fulfill({ contentType: 'text/html', body: `<iframe sandbox="allow-scripts" src="${siteUrl()}" width="1200" height="800"></iframe>` }),
        ),
      url: `${siteUrl()}host.html`,
    },
  ));
