// Snippets in other people's pages: the element, the frame, and what they say to each other.
import assert from 'node:assert/strict';
import { accessible, docsPage, editorReady, programText, shown, shareLink, siteUrl, test, visit } from './harness.mjs';

const PROGRAM = 'dim B in 1..64\ninput x: f16[B, 64]\ny = silu(x)\nout = output(y)\n';
const element = () =>
  docsPage('/docs/page.html', `<h1>A page</h1><p>Some text.</p>
    <irplan-embed file="mlp.irplan" options="--dim B=8"><pre>${PROGRAM}</pre></irplan-embed>
    <script type="module" src="${siteUrl()}embed/irplan-embed.js"></script>`);
const result = (page) =>
  page.evaluate(() => new Promise((done) => document.querySelector('irplan-embed').addEventListener('irplan-result', ({ detail }) => done(detail), { once: true })));

test('an embedded program stands as text, costs a kilobyte or two, and comes to life by a click', async () => {
  const asked = [];
  await visit(
    async (page) => {
      const button = page.getByRole('button', { name: 'Edit and plan' });
      await button.waitFor();
      assert.match(await page.innerText('irplan-embed pre'), /y = silu\(x\)/);
      const scripts = asked.filter((one) => /\.(js|wasm|css)$/.test(one.url));
      const bytes = scripts.reduce((sum, one) => sum + one.bytes, 0);
      assert.ok(bytes < 5000, `${bytes} bytes before it is touched: ${scripts.map((one) => one.url)}`);
      const told = result(page);
      await button.click();
      const { ok, arena, sha256, command } = await told;
      assert.deepEqual([ok, arena, command], [true, { main: 1024 }, 'irplan plan mlp.irplan --dim B=8']);
      assert.match(sha256, /^[0-9a-f]{64}$/);
      await page.locator('irplan-timeline').waitFor();
      const anew = result(page);
      await page.locator('.cm-content').click();
      await page.keyboard.press('Control+End');
      await page.keyboard.type('z = output(gelu(x))');
      await anew;
      await accessible(page, 'embed');
      const link = page.getByRole('link', { name: 'Open in the playground' });
      await link.focus();
      assert.match(await link.getAttribute('href'), /#1\.\d+\.\d+\.\d+\.[a-z]/);
    },
    {
      url: element(),
      before: (page) => {
        page.on('response', async (response) => asked.push({ url: response.url(), bytes: Number(response.headers()['content-length'] ?? (await response.body()).length) }));
      },
    },
  );
});

test('what is wrong is told in an embed, and its fix is a click away', () =>
  visit(
    async (page) => {
      const told = result(page);
      await page.getByRole('button', { name: 'Edit and plan' }).click();
      await told;
      const broken = result(page);
      await page.evaluate(() => document.querySelector('irplan-embed').set({ text: 'dim B in 1..64\ninput x: f16[B, 4]\nout = output(slu(x))\n' }));
      assert.equal((await broken).ok, false);
      const fixed = result(page);
      await page.click('irplan-problems .fix');
      assert.equal((await fixed).ok, true);
      const state = await page.evaluate(() => document.querySelector('irplan-embed').get());
      assert.match(state.text, /silu\(x\)/);
    },
    { url: element() },
  ));

/** A page with a frame; its messages are kept. */
const framed = (hash, sandbox) =>
  docsPage(`/docs/frame${sandbox ? '-sandbox' : ''}.html`, `<iframe title="a snippet" width="800" height="700" ${sandbox ? 'sandbox="allow-scripts"' : ''} src="${siteUrl()}embed/index.html${hash}"></iframe>`);

async function speak(page, message) {
  return page.evaluate(
    (asked) =>
      new Promise((done) => {
        const id = Math.random();
        const hear = ({ data }) => {
          if (data.id !== id) return;
          removeEventListener('message', hear);
          done(data);
        };
        addEventListener('message', hear);
        document.querySelector('iframe').contentWindow.postMessage({ to: 'irplan', id, ...asked }, '*');
      }),
    message,
  );
}

for (const sandbox of [false, true])
  test(`a frame shows a link and is spoken to${sandbox ? ', in a sandbox without an origin' : ''}`, async () => {
    let hash = '';
    await visit(async (page) => {
      await shown(page);
      const link = await shareLink(page);
      hash = link.slice(link.indexOf('#'));
    });
    await visit(
      async (page) => {
        const frame = page.frameLocator('iframe');
        await frame.locator('irplan-timeline').waitFor();
        assert.equal((await speak(page, { ask: 'ping' })).answer, 'pong');
        const { state } = await speak(page, { ask: 'get' });
        assert.equal(state.file, 'hotpath.irplan');
        assert.equal(state.ok, true);
        assert.equal((await speak(page, { ask: 'set', text: 'input x: f16[4, 4]\nout = output(silu(x))\n', view: 'ops' })).answer, 'set');
        await frame.locator('.cm-line', { hasText: 'f16[4, 4]' }).waitFor();
        await frame.locator('#tab-ops[aria-selected=true]').waitFor();
        assert.match((await speak(page, { ask: 'dance' })).error, /no dance/);
        assert.equal((await speak(page, { ask: 'set', text: 7, sizes: { B: 'x' } })).answer, 'set');
        assert.match((await speak(page, { ask: 'get' })).state.text, /f16\[4, 4\]/);
        assert.equal(page.url().includes('#'), false, 'the address is the page\'s own');
      },
      { url: framed(hash, sandbox) },
    );
  });

test('the embed opens what it holds in the playground', () =>
  visit(
    async (page, context) => {
      const told = result(page);
      await page.getByRole('button', { name: 'Edit and plan' }).click();
      const { sha256 } = await told;
      const [opened] = await Promise.all([context.waitForEvent('page'), page.getByRole('link', { name: 'Open in the playground' }).click()]);
      await shown(opened);
      await editorReady(opened);
      assert.equal(await programText(opened), PROGRAM);
      assert.equal(await opened.textContent('#sha'), sha256);
    },
    { url: element() },
  ));
