// Work is never lost: reloads, links, tabs, Back, undo, storage that is forbidden.
import assert from 'node:assert/strict';
import {
  clickEditor, drafts, editorReady, figure, figureIs, openExample, programText, replaceAll, retype, savedWith, setSize, shareLink, shown, shownAnew, siteUrl, test,
  visit,
} from './harness.mjs';
import { OWN, TIGHT } from './programs.mjs';

const hashOf = (link) => link.slice(link.indexOf('#'));

async function linkOf(title) {
  let hash = '';
  await visit(async (page) => {
    await shown(page);
    if (title) await openExample(page, title);
    hash = hashOf(await shareLink(page));
  });
  return hash;
}

test('a link brings everything back after a reload, and elsewhere', async () => {
  let hash = '';
  await visit(async (page) => {
    await shown(page);
    await openExample(page, 'llama 3.2 1b');
    await shownAnew(page, () => page.fill('#options', '--let C=4096'));
    const planned = await figure(page, 'whole model');
    await setSize(page, 'B', 3);
    await page.waitForSelector(`.figure:has(.figure-name:text-is("whole model")):not(:has(b:text-is("${planned}")))`);
    const state = async () => [await page.textContent('#sha'), await figure(page, 'whole model'), await page.textContent('#command')];
    const before = await state();
    assert.equal(before[2], 'irplan plan llama.irplan --config llama-3.2-1b.json --let C=4096');
    const link = await shareLink(page);
    hash = hashOf(link);
    assert.match(hash, /^#1\.\d+\.\d+\.\d+\.b[\w-]+$/);
    assert.ok(hash.length < 200, `${hash.length} characters for an example with an option and a size`);
    await page.reload();
    await shown(page);
    assert.deepEqual(await state(), before);
  });
  await visit(
    async (page) => {
      await shown(page);
      assert.equal(await page.inputValue('[aria-label="B as a number"]'), '3');
      assert.equal(await page.inputValue('#options'), '--let C=4096');
      assert.match(await page.textContent('#tab-config'), /llama-3\.2-1b\.json/);
    },
    { hash },
  );
});

test('a link brings back what was looked at', async () => {
  let hash = '';
  let chosen = '';
  await visit(async (page) => {
    await shown(page);
    await openExample(page, 'gpt oss 20b');
    await editorReady(page);
    await shownAnew(page, () => retype(page, 8, 'c.num_key_value_heads', '4'));
    await page.click('[role=radio]:has-text("decode")');
    await page.waitForSelector('[role=radio][aria-checked=true]:has-text("decode")');
    await page.locator('irplan-timeline').focus();
    await page.keyboard.press('p');
    chosen = await page.textContent('irplan-detail h3');
    await page.click('#tab-buffers');
    hash = hashOf(await shareLink(page));
    assert.ok(hash.length <= 250, `${hash.length} characters for an example with an edit`);
  });
  await visit(
    async (page) => {
      await shown(page);
      await page.waitForSelector('#tab-buffers[aria-selected=true]');
      await page.waitForSelector('[role=radio][aria-checked=true]:has-text("decode")');
      assert.equal(await page.textContent('irplan-detail h3'), chosen);
    },
    { hash },
  );
});

test('links of every dictionary are read for ever', async () => {
  for (const payload of ['aI-heFJea6ChYAB2Fag7I9ApNsGkA', 'bQ9hclJ8OzFqYSpEv7zABjmgD212oV2uAmhIVoPymVAsA'])
    await visit(
      async (page) => {
        await shown(page);
        await editorReady(page);
        assert.equal(await programText(page), 'input x: f16[4, 8]\nout = output(silu(x))\n');
      },
      { hash: `#1.0.1.0.${payload}` },
    );
});

test('a program of fifty lines of its own has a link of at most 600 characters', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shownAnew(page, () => replaceAll(page, OWN));
    assert.equal(await page.locator('.problem.error').count(), 0);
    const hash = hashOf(await shareLink(page));
    assert.ok(hash.length <= 600, `${hash.length} characters`);
  }));

test('a program is shared as Markdown, as a command and as a picture', () =>
  visit(async (page) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await shown(page);
    const link = await shareLink(page);
    await page.click('#share');
    await page.click('#share-dialog button:text-is("Copy Markdown")');
    const markdown = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(markdown, /^```irplan\n[^]*\n```\n\n`irplan plan hotpath.irplan` · \[open in the playground\]\(/);
    assert.ok(markdown.includes(link));
    await page.click('#share-dialog button:text-is("Copy command")');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'irplan plan hotpath.irplan');
    await page.click('#share-dialog button:text-is("Copy embed")');
    const frame = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(frame, /^<iframe src="http[^"]*\/embed\/index\.html#1\.[^"]*" title="hotpath\.irplan"/);
    assert.equal(hashOf(frame).split('"')[0], hashOf(link));
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('#share-dialog button:text-is("Save picture")')]);
    assert.equal(file.suggestedFilename(), 'hotpath.svg');
  }));

test('a link of another version of the compiler says so, and a damaged one too', async () => {
  const hash = await linkOf(null);
  assert.ok(hash.length < 200, `${hash.length} characters for the smallest program`);
  await visit(
    async (page) => {
      await page.waitForSelector('#banner');
      assert.match(await page.textContent('#banner'), /made with IRPlanner 0\.0\.1; what you see is compiled by \d.*0\.0\.1 is not served here/);
      await shown(page);
    },
    { hash: hash.replace(/^#1\.[\d.]+\./, '#1.0.0.1.') },
  );
  await visit(
    async (page) => {
      await page.waitForSelector('#banner');
      assert.match(await page.textContent('#banner'), /damaged/);
      await shown(page);
    },
    { hash: hash.slice(0, -5) },
  );
});

test('what was changed of a link is there after a reload, and offered where the link is opened again', async () => {
  const hash = await linkOf(null);
  await visit(
    async (page, context) => {
      await shown(page);
      await editorReady(page);
      await shownAnew(page, () => retype(page, 6, 'silu', 'gelu'));
      await savedWith(page, 'gelu');
      await page.waitForFunction(() => location.hash === '');
      await page.reload();
      await editorReady(page);
      assert.match(await programText(page), /gelu/);
      const again = await context.newPage();
      await again.goto(siteUrl() + hash);
      await editorReady(again);
      assert.doesNotMatch(await programText(again), /gelu/, 'a link opens what it holds');
      await again.click('#banner button:text-is("Open your changes")');
      await again.waitForFunction(() => document.querySelector('.view-lines').textContent.includes('gelu'));
    },
    { hash },
  );
});

test('what was changed after sharing is there after a reload', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shareLink(page);
    await retype(page, 6, 'silu', 'gelu');
    await savedWith(page, 'gelu');
    await page.waitForFunction(() => location.hash === '');
    await page.reload();
    await editorReady(page);
    assert.match(await programText(page), /gelu/);
  }));

test('a key pressed just before the page is left is kept', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await retype(page, 6, 'silu', 'gelu');
    await page.reload();
    await editorReady(page);
    assert.match(await programText(page), /gelu/);
  }));

test('each tab has its own document', () =>
  visit(async (page, context) => {
    await shown(page);
    await editorReady(page);
    await retype(page, 6, 'silu', 'gelu');
    await savedWith(page, 'gelu');
    const other = await context.newPage();
    await other.goto(siteUrl());
    await editorReady(other);
    assert.match(await programText(other), /gelu/, 'a new visit goes on where the last one ended');
    await retype(other, 6, 'gelu', 'relu');
    await savedWith(other, 'relu');
    await page.reload();
    await editorReady(page);
    assert.match(await programText(page), /gelu/, 'the first tab keeps its own');
    assert.equal((await drafts(page)).filter((draft) => draft.edited).length, 2);
  }));

test('own work stays when a link is opened and changed in another tab', async () => {
  const hash = await linkOf('llama 3.2 1b');
  await visit(async (page, context) => {
    await shown(page);
    await editorReady(page);
    await retype(page, 6, 'silu', 'gelu');
    await savedWith(page, 'gelu');
    const other = await context.newPage();
    await other.goto(siteUrl() + hash);
    await shown(other);
    await other.fill('#options', '--let C=2048');
    await savedWith(other, '2048');
    await other.click('#examples');
    await other.click('.drafts .link:has-text("hotpath.irplan")');
    await other.waitForFunction(() => document.getElementById('tab-program').textContent === 'hotpath.irplan');
    await editorReady(other);
    assert.match(await programText(other), /gelu/);
  });
});

test('the skip link moves the focus to the plan, and changes nothing else', async () => {
  const hash = await linkOf('llama 3.2 1b');
  await visit(
    async (page) => {
      await shown(page);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'plan');
      await page.evaluate(() => (location.hash = '#plan')); // as a page that has it in its address would be opened
      await page.waitForTimeout(100);
      assert.equal(await page.textContent('#tab-program'), 'llama.irplan');
    },
    { hash },
  );
});

test('undo stays within a document; Back returns to the one before, with its config, its options and its name', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shownAnew(page, () => retype(page, 6, 'silu', 'gelu'));
    await shownAnew(page, () => page.fill('#options', '--dim S=64'));
    await openExample(page, 'llama 3.2 1b');
    await clickEditor(page);
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    assert.doesNotMatch(await programText(page), /gelu/);
    assert.equal(await page.textContent('#command'), 'irplan plan llama.irplan --config llama-3.2-1b.json');
    await shownAnew(page, () => page.goBack());
    assert.match(await programText(page), /gelu/);
    assert.equal(await page.textContent('#tab-program'), 'hotpath.irplan');
    assert.equal(await page.textContent('#command'), 'irplan plan hotpath.irplan --dim S=64');
    await shownAnew(page, () => page.goForward());
    assert.equal(await page.textContent('#tab-program'), 'llama.irplan');
  }));

test('a format is undone, and so is a fix', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await shownAnew(page, () => replaceAll(page, 'input x: f32[1, 4]\nout=output( silu(x) )\n'));
    await page.click('#format');
    await page.waitForFunction(() => document.querySelector('.view-lines').textContent.includes('out\u00a0='));
    await clickEditor(page);
    await page.keyboard.press('Control+z');
    await page.waitForFunction(() => document.querySelector('.view-lines').textContent.includes('out='));
  }));

test('where nothing may be kept the address bar keeps the work', () =>
  visit(
    async (page) => {
      await shown(page);
      await editorReady(page);
      await shownAnew(page, () => retype(page, 6, 'silu', 'gelu'));
      await page.waitForFunction(() => location.hash.startsWith('#1.'));
      await page.reload();
      await editorReady(page);
      assert.match(await programText(page), /gelu/);
    },
    {
      before: (page) =>
        page.addInitScript(() => {
          for (const name of ['localStorage', 'sessionStorage'])
            Object.defineProperty(window, name, {
              get() {
                throw new DOMException('forbidden', 'SecurityError');
              },
            });
        }),
    },
  ));

test('files are named, saved, opened and dropped', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await page.click('#files');
    await page.click('#files-menu button:text-is("Rename…")');
    await page.fill('input[name=file]', 'mine');
    await shownAnew(page, () => page.click('button:text-is("Rename")'));
    assert.equal(await page.textContent('#command'), 'irplan plan mine.irplan');
    await page.click('#files');
    const [saved] = await Promise.all([page.waitForEvent('download'), page.click('#files-menu button:has-text("Save mine.irplan")')]);
    assert.equal(saved.suggestedFilename(), 'mine.irplan');
    await page.click('#files');
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.click('#files-menu button:text-is("Open…")')]);
    const text = 'input x: f32[1, 8]\nout = output(silu(x))\n';
    await shownAnew(page, () => chooser.setFiles([{ name: 'other.irplan', mimeType: 'text/plain', buffer: Buffer.from(text) }]));
    assert.equal(await page.textContent('#tab-program'), 'other.irplan');
    const config = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(['{"hidden_size": 8}'], 'small.json', { type: 'application/json' }));
      return data;
    });
    await shownAnew(page, () => page.dispatchEvent('main', 'drop', { dataTransfer: config }));
    assert.equal(await page.textContent('#tab-config'), 'small.json');
    assert.match(await page.textContent('#command'), /--config small\.json$/);
  }));

test('an empty program offers templates and help', () =>
  visit(async (page) => {
    await shown(page);
    await editorReady(page);
    await replaceAll(page, '');
    await page.waitForSelector('.empty .example');
    assert.match(await page.textContent('#status'), /empty program/);
    assert.ok(!(await page.isVisible('#result')));
    // What an earlier program still waits for does not put an empty plan there.
    await page.evaluate(() => delete document.documentElement.dataset.drawn);
    await replaceAll(page, TIGHT);
    await page.waitForFunction(() => document.documentElement.dataset.drawn);
    await replaceAll(page, '');
    await page.waitForSelector('.empty .example');
    await page.waitForTimeout(900); // advice about the budget comes after half a second
    assert.ok(!(await page.isVisible('#result')));
    await shownAnew(page, () => page.click('.empty .example:has(b:text-is("decoder"))'));
    await figureIs(page, 'peak of prefill', await figure(page, 'peak of prefill'));
  }));
