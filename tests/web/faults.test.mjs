// What goes wrong around the page: compilers that trap, hang or do not load, frames, no network.
import assert from 'node:assert/strict';
import { editorReady, figure, figureIs, openExample, replaceAll, retype, savedWith, setSize, shown, shownAnew, siteUrl, test, textOfPlan, visit } from './harness.mjs';
import { layered } from './programs.mjs';

const compilerOf = (page) => {
  const found = page.workers().filter((worker) => /worker-/.test(worker.url()) && !/editor\.worker/.test(worker.url()));
  assert.equal(found.length, 1, page.workers().map((worker) => worker.url()).join());
  return found[0];
};

test('a page whose compiler does not load says so, and the text can still be edited', () =>
  visit(
    async (page) => {
      await page.waitForFunction(() => /could not be loaded: 404/.test(document.getElementById('status').textContent));
      await editorReady(page);
      await page.click('#format');
      await retype(page, 6, 'silu', 'gelu');
      await savedWith(page, 'gelu');
      assert.match(await page.textContent('#status'), /could not be loaded/);
    },
    {
      before: (page) => page.route('**/*.wasm', (route) => route.fulfill({ status: 404 })),
      expected: [/status of 404/],
    },
  ));

test('a compiler that runs out of memory traps, and the next one works', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await compilerOf(page).evaluate(() => {
      WebAssembly.Memory.prototype.grow = () => {
        throw new RangeError('no more memory');
      };
    });
    await replaceAll(page, layered(3000));
    await page.waitForFunction(() => /crashed.*started again/.test(document.getElementById('status').textContent));
    await openExample(page, 'deepseek v3');
    assert.equal(await page.locator('.problem.error').count(), 0);
  }));

/** From now on the compiler crashes, but for an editor's questions, whose crash nobody would be told. */
const crash = (page) =>
  compilerOf(page).evaluate(() => {
    self.onmessage = ({ data: { id, method } }) =>
      self.postMessage(method === 'language' ? { id, reply: { result: null } } : { id, crash: 'unreachable' });
  });

test('a slider brings back a compiler that crashed', () =>
  visit(async (page) => {
    await shown(page);
    await crash(page);
    await setSize(page, 'S', 128);
    await figureIs(page, 'peak', '1.00 MiB');
  }));

test('a compiler that crashes is replaced', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await crash(page);
    await retype(page, 6, 'silu', 'gelu');
    await page.waitForFunction(() => /started again/.test(document.getElementById('status').textContent));
    await shownAnew(page, () => retype(page, 6, 'gelu', 'relu'));
    assert.match(await textOfPlan(page), /cuda_relu_v1/);
  }));

test('a compiler that loops for ever is ended, and the next one works', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await compilerOf(page).evaluate(() => {
      self.onmessage = () => {
        for (;;);
      };
    });
    await retype(page, 6, 'silu', 'gelu');
    await page.waitForFunction(() => /did not answer for 2 s.*started again/.test(document.getElementById('status').textContent));
    assert.equal(await figure(page, 'peak'), '32.0 MiB', 'the last plan stays');
    await shownAnew(page, () => retype(page, 6, 'gelu', 'relu'));
    assert.match(await textOfPlan(page), /cuda_relu_v1/);
  }));

test('in a frame that may do nothing but run scripts the page still plans', () =>
  visit(
    async (page) => {
      const frame = page.frameLocator('iframe');
      await frame.locator('.figure b:text-is("32.0 MiB")').first().waitFor();
      await frame.locator('[aria-label="S as a number"]').fill('128');
      await frame.locator('[aria-label="S as a number"]').press('Enter');
      await frame.locator('.figure b:text-is("1.00 MiB")').first().waitFor();
    },
    {
      before: (page) =>
        page.route('**/host.html', (route) =>
          route.fulfill({ contentType: 'text/html', body: `<iframe sandbox="allow-scripts" src="${siteUrl()}" width="1200" height="800"></iframe>` }),
        ),
      url: `${siteUrl()}host.html`,
    },
  ));

test('after the first load the page works without a network', () =>
  visit(
    async (page, context) => {
      await shown(page);
      await editorReady(page);
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.waitForFunction(async () => (await caches.keys()).length === 1);
      await context.setOffline(true);
      await page.reload();
      await shown(page);
      await editorReady(page);
      await openExample(page, 'llama 3.2 1b');
      assert.match(await figure(page, 'peak of prefill'), /MiB/);
      await context.setOffline(false);
    },
    { serviceWorkers: 'allow' },
  ));
