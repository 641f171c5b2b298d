// The documentation, as it is built beside the page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES } from '../../web/docs/pages.mjs';
import { compilerOf, renderPage } from '../../web/docs/build.mjs';
import { accessible, editorReady, nothingCut, programText, root, shown, site, siteUrl, test, visit } from './harness.mjs';

const docs = (name) => `${siteUrl()}docs/${name}.html`;

/** Scripts and wasm that the page asked for, its frames' included. */
function scripts(page) {
  const asked = [];
  page.on('request', (request) => {
    if (request.resourceType() === 'script' || request.url().endsWith('.wasm')) asked.push(request.url());
  });
  return asked;
}

test('every page of the documentation fits a small screen', () =>
  visit(
    async (page) => {
      for (const { name, title } of PAGES) {
        await page.getByRole('link', { name: title, exact: true }).first().click();
        await page.locator('nav a[aria-current=page]', { hasText: title }).waitFor();
        assert.equal(await page.locator('h1').count(), 1, name);
        await nothingCut(page, name);
      }
    },
    { url: docs('index'), viewport: { width: 320, height: 700 } },
  ));

for (const [name, colorScheme] of [['tutorial', 'dark'], ['embedding', 'light']])
  test(`programs, reports, problems and tables are for everybody: ${name}, ${colorScheme}`, () =>
    visit(async (page) => accessible(page, name), { url: docs(name), colorScheme }));

test('a page with twenty programs needs no script until one is touched', async () => {
  const program = (i) => `\`\`\`irplan file=p${i}.irplan --dim B=${i + 1}\ndim B in 1..64\ninput x: f16[B, 64]\nout = output(silu(softmax(x)))\n\`\`\`\n`;
  const text = `# Twenty\n\n${Array.from({ length: 20 }, (_, i) => program(i)).join('\n')}`;
  const html = await renderPage({ name: 'twenty', title: 'Twenty', source: 'web/docs/twenty.md' }, text, await compilerOf());
  const path = new URL(docs('twenty')).pathname;
  site().pages.set(path, html);
  let asked;
  await visit(
    async (page) => {
      assert.equal(await page.locator('svg.irplan-picture').count(), 20);
      assert.equal(await page.locator('svg.irplan-picture rect[fill^=url]').first().evaluate((node) => getComputedStyle(node.ownerSVGElement.querySelector('text.title')).fontWeight), '600');
      await page.mouse.wheel(0, 5000);
      await page.waitForTimeout(200);
      assert.deepEqual(asked, []);
      await page.locator('summary').nth(3).click();
      const frame = page.frameLocator('iframe[title="p3.irplan, to edit"]');
      await frame.locator('irplan-timeline').waitFor();
      await frame.locator('.cm-line', { hasText: 'softmax' }).waitFor();
    },
    { url: docs('twenty'), before: (page) => void (asked = scripts(page)) },
  );
});

test('the documentation and the playground lead to each other', () =>
  visit(
    async (page) => {
      await page.click('#docs');
      await page.getByRole('link', { name: 'Tutorial' }).click();
      await page.locator('.irplan', { hasText: 'budget memory' }).getByRole('link', { name: 'Open in the playground' }).click();
      await shown(page);
      await editorReady(page);
      assert.match(await programText(page), /^budget memory <= 40MiB$/m);
    },
  ));

test('the element of the documentation comes to life under its policy', () =>
  visit(
    async (page) => {
      await page.getByRole('button', { name: 'Edit and plan' }).click();
      await page.locator('irplan-embed irplan-timeline').waitFor();
    },
    { url: docs('embedding') },
  ));

test('llms.txt lists every page, and they are there as Markdown with their programs', () => {
  const dist = join(root, 'web/dist');
  const listed = [...readFileSync(join(dist, 'llms.txt'), 'utf8').matchAll(/\]\(([^)]*)\)/g)].map(([, path]) => path);
  assert.deepEqual(listed, PAGES.map(({ name }) => `docs/${name}.md`));
  for (const path of listed) assert.match(readFileSync(join(dist, path), 'utf8'), /^# /);
  assert.match(readFileSync(join(dist, 'docs/tutorial.md'), 'utf8'), /from "model\.embed_tokens\.weight"/);
  assert.match(readFileSync(join(dist, 'docs/operators.md'), 'utf8'), /^## linear$/m);
});
