// What the browser tests share: a visitor's page, and what a visitor does on it.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { openPage } from './browser.mjs';

export const root = join(import.meta.dirname, '../..');
export const tests = [];
export const test = (title, run) => tests.push({ title, run });

const MAX_MS = Number(process.env.IRPLAN_WEB_MS ?? 600_000); // for one thing to happen: it ends what hangs, however busy the machine
const browser = new AsyncLocalStorage(); // of the visitor
let served = null;

export const useSite = (site) => {
  served = site;
};

/** Visits within `run` are made with this browser. */
export const withBrowser = (started, run) => browser.run(started, run);

export const site = () => served;
export const siteUrl = () => served.url;

/** A page of somebody's documentation, under a strict policy, beside the site. */
export function docsPage(path, body) {
  served.pages.set(path, `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>docs</title><link rel="icon" href="data:,"></head><body><main>${body}</main></body></html>`);
  return served.origin + path;
}

/**
 * Runs as a fresh visitor. `before` prepares the page before it loads; `expected` are the complaints that the browser itself
 * must make.
 */
export async function visit(run, { hash = '', before = async () => {}, expected = [], url = served.url, ...options } = {}) {
  const { page, context, complaints } = await openPage(browser.getStore(), served.origin, options);
  page.setDefaultTimeout(MAX_MS);
  try {
    await before(page, context);
    await page.goto(url + hash);
    await run(page, context);
    assert.equal(complaints.length, expected.length, complaints.join('\n'));
    expected.forEach((pattern, i) => assert.match(complaints[i], pattern));
  } finally {
    await context.close();
  }
}

// ------------------------------------------------------------------------------------------------ waiting

/** The plan on the page is the last that there will be of what is written. */
export const shown = (page) => page.waitForFunction(() => document.documentElement.dataset.shown);
export const editorReady = (page) => page.waitForSelector('[data-editor=full] .view-line');

export async function shownAnew(page, act) {
  await page.evaluate(() => delete document.documentElement.dataset.shown);
  await act();
  await shown(page);
}

/** The timeline was painted since `act` began. */
export async function painted(page, act = async () => {}) {
  const before = await page.locator('irplan-timeline').evaluate((node) => node.dataset.painted ?? '0');
  await act();
  await page.waitForFunction(
    (count) => {
      const pane = document.querySelector('irplan-plan').shadowRoot.querySelector('irplan-memory');
      return Number(pane.shadowRoot.querySelector('irplan-timeline').dataset.painted ?? 0) >= count;
    },
    Math.max(1, Number(before)),
  );
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

// ------------------------------------------------------------------------------------------------ doing

export async function openExample(page, title) {
  await page.click('#examples');
  await shownAnew(page, () => page.click(`.example:has(b:text-is("${title}"))`));
}

/** The lines that are shown, without the hints that the editor puts behind them. */
const shownLines = (page) =>
  page.evaluate(() => {
    const written = (line) => [...line.querySelectorAll('span > span')].filter((part) => !part.className.includes('dyn-rule')).map((part) => part.textContent);
    return [...document.querySelectorAll('.view-line')].map((line) => written(line).join('').replaceAll('\u00a0', ' '));
  });

export const programText = async (page) => (await shownLines(page)).join('\n');

/** Gives the editor the keyboard, wherever its text is scrolled to. */
export const clickEditor = (page) => page.click('.monaco-editor .overflow-guard', { position: { x: 120, y: 20 } });

/** Replaces all of the shown text by pasting, which leaves it as it is: what is typed, the editor indents. */
export async function replaceAll(page, text) {
  await clickEditor(page);
  await page.keyboard.press('Control+a');
  if (text === '') await page.keyboard.press('Delete');
  else await paste(page, text);
}

async function paste(page, text) {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate((words) => navigator.clipboard.writeText(words), text);
  await page.keyboard.press('Control+v');
}

/** Replaces a word of the shown text by typing, as a person would. */
export async function retype(page, line, from, to) {
  await clickEditor(page);
  await page.keyboard.press('Control+Home');
  for (let i = 1; i < line; i++) await page.keyboard.press('ArrowDown');
  const text = (await shownLines(page))[line - 1];
  const column = text.indexOf(from);
  assert.ok(column >= 0, `line ${line} has no ${from}: ${text}`);
  for (let i = 0; i < column; i++) await page.keyboard.press('ArrowRight');
  for (let i = 0; i < from.length; i++) await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.insertText(to);
}

export async function figure(page, name) {
  const found = page.locator('.figure', { has: page.locator(`.figure-name:text-is("${name}")`) });
  return found.locator('b').textContent();
}

export const figureIs = (page, name, value) =>
  page.waitForSelector(`.figure:has(.figure-name:text-is("${name}")):has(b:text-is("${value}"))`);

export async function setSize(page, dim, value) {
  await page.fill(`[aria-label="${dim} as a number"]`, String(value));
  await page.press(`[aria-label="${dim} as a number"]`, 'Enter');
}

export const look = (page, view) => page.click(`#tab-${view}`);

/** plan.json as a visitor takes it away. */
export async function textOfPlan(page) {
  await look(page, 'json');
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('irplan-json button:text-is("Download")')]);
  return readFileSync(await file.path(), 'utf8');
}

export async function shareLink(page) {
  await page.click('#share');
  const link = await page.inputValue('#share-link');
  await page.keyboard.press('Escape');
  return link;
}

/** The drafts that the browser keeps. */
export const drafts = (page) =>
  page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('irplan.draft.')).map((key) => JSON.parse(localStorage[key])));

export const savedWith = (page, word) =>
  page.waitForFunction(
    (wanted) => Object.keys(localStorage).some((key) => key.startsWith('irplan.draft.') && localStorage[key].includes(wanted)),
    word,
  );

export const focused = (page) =>
  page.evaluate(() => {
    let node = document.activeElement;
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    return `${node?.tagName.toLowerCase()} ${node?.id ?? ''} ${node?.textContent?.trim().slice(0, 40) ?? ''}`;
  });

// ------------------------------------------------------------------------------------------------ looking

/** What share of the timeline's canvas has a token's colour. */
export const colours = (page, token) =>
  page.locator('irplan-timeline').evaluate((node, name) => {
    const canvas = node.shadowRoot.querySelector('canvas');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = `var(${name})`;
    const rgb = getComputedStyle(probe).color.match(/\d+/g).slice(0, 3).map(Number);
    probe.remove();
    let n = 0;
    for (let i = 0; i < data.length; i += 4) if (rgb.every((part, k) => Math.abs(data[i + k] - part) < 3)) n++;
    return n / (data.length / 4);
  }, token);

const axe = readFileSync(createRequire(join(root, 'web/package.json')).resolve('axe-core/axe.min.js'), 'utf8');

/** No finding of axe's rules for WCAG 2.2 AA, in all of the page, shadow roots and editor included. */
export async function accessible(page, where) {
  // Given to the page by the debugger, which no policy of the page hinders.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await globalThis.axe.run(document, { runOnly, resultTypes: ['violations'] });
    const serious = violations.filter((one) => one.impact !== 'minor');
    return serious.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target.flat().join(' ')} ${node.html}`).join(' | ').slice(0, 500)}`);
  });
  assert.deepEqual(found, [], where);
}

/** Controls that stand out of the window to the right. */
export async function nothingCut(page, where) {
  const found = await page.evaluate(() => {
    const all = [];
    const walk = (root) => {
      for (const node of root.querySelectorAll('*')) {
        if (node.shadowRoot) walk(node.shadowRoot);
        const control = node.matches('button, input, select, .figure, .chip');
        if (!control || !node.checkVisibility() || node.closest('.scroll, .monaco-editor, .tablist, .segmented')) continue;
        if (node.getBoundingClientRect().right > document.documentElement.clientWidth)
          all.push(`${node.tagName} ${node.id} ${node.className} ${node.textContent.slice(0, 30)}`);
      }
    };
    walk(document);
    const overflow = document.documentElement.scrollWidth - innerWidth;
    return overflow > 0 ? [...all, `${overflow} px too wide`] : all;
  });
  assert.deepEqual(found, [], where);
}
