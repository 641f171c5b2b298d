// Released versions: kept, served beside the newest, and found by links.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keep, serveReleased } from '../../web/versions.mjs';
import { docsPage, shareLink, shown, siteUrl, test, visit } from './harness.mjs';

test('a kept page stays under c/ through later builds, without the versions that it served itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'irplan-versions-'));
  try {
    const dist = join(folder, 'dist');
    const released = join(folder, 'released');
    const build = (version) => {
      rmSync(dist, { recursive: true, force: true });
      mkdirSync(join(dist, 'assets'), { recursive: true });
      writeFileSync(join(dist, 'index.html'), `<meta name="irplan-version" content="${version}">`);
      writeFileSync(join(dist, 'assets/a.js'), version);
      return serveReleased(dist, released);
    };
    assert.deepEqual(build('0.9.0'), []);
    keep(dist, released);
    assert.deepEqual(build('0.10.0'), ['0.9.0']);
    keep(dist, released);
    assert.deepEqual(build('0.11.0'), ['0.9.0', '0.10.0']);
    assert.equal(readFileSync(join(dist, 'c/0.9.0/assets/a.js'), 'utf8'), '0.9.0');
    assert.ok(!existsSync(join(dist, 'c/0.10.0/c')));
    assert.deepEqual(JSON.parse(readFileSync(join(dist, 'c/index.json'), 'utf8')), { current: '0.11.0', versions: ['0.9.0', '0.10.0'] });
    writeFileSync(join(dist, 'index.html'), '<meta name="irplan-version" content="../x">');
    assert.throws(() => keep(dist, released), /names no version/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The site as if 0.0.9 were served under c/0.0.9/: with the files of this build. */
async function alsoServed(page) {
  await page.route('**/c/index.json', (route) => route.fulfill({ json: { current: '0.1.0', versions: ['0.0.9'] } }));
  await page.route('**/c/0.0.9/**', async (route) => {
    const response = await route.fetch({ url: route.request().url().replace('c/0.0.9/', '') }).catch(() => null); // the visitor has left
    if (response) await route.fulfill({ response });
  });
}

const madeBy = (link, version) => link.slice(link.indexOf('#')).replace(/^#1\.\d+\.\d+\.\d+\./, `#1.${version}.`);

let link = '';
async function shareOnce() {
  if (!link) // once for both
    await visit(async (page) => {
      await shown(page);
      link = await shareLink(page);
    });
}

test('a link of a released version leads to it, and back to the newest', async () => {
  await shareOnce();
  const [, own] = /#1\.(\d+\.\d+\.\d+)\./.exec(link);
  await visit(
    async (page) => {
      await shown(page);
      const open = page.locator('#banner button:text-is("Open it in 0.0.9")');
      await open.waitFor();
      assert.equal(page.url(), siteUrl() + madeBy(link, '0.0.9'), 'nothing is swapped by itself');
      await Promise.all([page.waitForURL('**/c/0.0.9/#1.0.0.9.*'), open.click()]);
      await shown(page);
      await page.evaluate((hash) => (location.hash = hash), madeBy(link, own));
      await page.waitForFunction(() => !document.getElementById('banner')?.textContent.includes('0.0.9'));
    },
    { hash: madeBy(link, '0.0.9'), before: alsoServed },
  );
});

test('a frame says by which version its link was made', async () => {
  await shareOnce();
  await visit(
    async (page) => {
      const frame = page.frameLocator('iframe');
      await frame.locator('#made', { hasText: 'made with 0.0.9, compiled by' }).waitFor();
    },
    { url: docsPage('/docs/versions.html', `<iframe title="a snippet" width="800" height="700" src="${siteUrl()}embed/index.html${madeBy(link, '0.0.9')}"></iframe>`) },
  );
});
