// The documentation beside the playground: Markdown of this folder and of the repository, made static by irplan/remark, into dist/docs;
// the same as Markdown, and llms.txt, which lists it. A program that does not compile, or a link that leads nowhere, ends the build.
//
//   npm --prefix web run docs [-- FOLDER OF THE PAGE]
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import rehypeSlug from 'rehype-slug';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { PAGES } from './pages.mjs';

const root = join(import.meta.dirname, '../..');
const compiler = process.env.IRPLAN_WASM ?? join(root, 'wasm');
const COPIED = new Set(['.json', '.py', '.ts']); // what a page may link of the repository; other files it only names

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'";
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

function* walk(node) {
  yield node;
  for (const child of node.children ?? []) yield* walk(child);
}

/** Where a relative link of a page leads: to a page, to a copied file, or nowhere in the site (null). */
function targetOf(url, source, ending, files) {
  const [path, fragment] = url.split('#', 2);
  const file = relative(root, resolve(root, dirname(source), path));
  const page = PAGES.find((one) => one.source === file);
  if (page) return `${page.name}.${ending}${fragment ? `#${fragment}` : ''}`;
  if (!existsSync(join(root, file))) throw new Error(`${source}: the link to ${url} leads nowhere`);
  if (!COPIED.has(extname(file))) return null;
  files.add(file);
  return `files/${basename(file)}`;
}

const isOwn = (url) => url !== '' && !/^([a-z]+:|#)/i.test(url);

/** Links between files of the repository, as links between pages. */
function links(files) {
  return (tree, { path }) => {
    for (const node of walk(tree)) {
      if (node.type !== 'link' || !isOwn(node.url)) continue;
      const target = targetOf(node.url, path, 'html', files);
      if (target) node.url = target;
      else Object.assign(node, { type: 'emphasis', url: undefined });
    }
  };
}

/** What is wider than a small screen scrolls by itself, also by the keyboard. */
function scrolling() {
  return (tree) => {
    for (const node of walk(tree)) {
      if (!node.children || node.properties?.className?.includes('table')) continue;
      node.children = node.children.map((child) =>
        child.tagName === 'table'
          ? { type: 'element', tagName: 'div', properties: { className: ['table'], tabIndex: 0, role: 'group', ariaLabel: 'table' }, children: [child] }
          : child,
      );
      if (node.tagName === 'pre') node.properties.tabIndex = 0;
    }
  };
}

const textOf = (node) => (node.type === 'text' ? node.value : (node.children ?? []).map(textOf).join(''));

/** Headings and whether the page needs the element's script. */
function outlineOf(tree) {
  const nodes = [...walk(tree)];
  const headings = nodes.filter((node) => node.tagName === 'h2').map((node) => ({ id: node.properties.id, text: textOf(node) }));
  return { headings, live: nodes.some((node) => node.tagName === 'irplan-embed') };
}

function html({ name, title }, body, { headings, live }) {
  const entry = (one) => `<li><a href="${one.name}.html"${one.name === name ? ' aria-current="page"' : ''}>${one.title}</a></li>`;
  const inside = headings.length > 2 ? `<details class="inside"><summary>On this page</summary><ul>${headings.map(({ id, text }) => `<li><a href="#${id}">${escaped(text)}</a></li>`).join('')}</ul></details>` : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · IRPlanner</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="remark.css">
<link rel="stylesheet" href="docs.css">
${live ? '<script type="module" src="../embed/irplan-embed.js"></script>\n' : ''}</head>
<body>
<a class="skip" href="#text">To the text</a>
<header><a class="brand" href="index.html">IRPlanner</a><a href="../">Playground</a></header>
<nav aria-label="Documentation"><ul>${PAGES.map(entry).join('')}</ul></nav>
<main id="text">${inside}
${body}
</main>
</body>
</html>
`;
}

/** One page of Markdown; `files`: what it links of the repository is added there. */
export async function renderPage(page, text, { remarkIrplan, irplan }, files = new Set()) {
  let outline = { headings: [], live: false };
  const file = await unified()
    .use(remarkParse)
    .use(remarkGfm)
    .use(links, files)
    .use(remarkIrplan, { playground: '../', embed: 'frame', irplan })
    .use(remarkRehype)
    .use(rehypeSlug)
    .use(scrolling)
    .use(() => (tree) => void (outline = outlineOf(tree)))
    .use(rehypeStringify)
    .process({ value: text, path: page.source });
  return html(page, String(file), outline);
}

/** The Markdown as it is read without the site: programs of files are there, and links lead to Markdown. */
function markdownOf({ source }, text) {
  const filled = text.replaceAll(/^(```irplan .*\bfrom=(\S+).*\n)(?=```)/gm, (_, fence, path) => fence + readFileSync(resolve(root, dirname(source), path), 'utf8'));
  return filled.replaceAll(/\]\(([^)\s]+)\)/g, (whole, url) => {
    const target = isOwn(url) ? targetOf(url, source, 'md', new Set()) : url;
    return target === null ? ']' : whole.replace(url, target);
  });
}

/** The list that language models are given (llmstxt.org). */
function llms(overview) {
  const [summary] = /^\w[^\n]*(?:\n[^\n]+)*/m.exec(overview);
  const listed = PAGES.map(({ name, title, about }) => `- [${title}](docs/${name}.md): ${about}`);
  return `# IRPlanner\n\n> ${summary.replaceAll('\n', ' ')}\n\n## Docs\n\n${listed.join('\n')}\n`;
}

export async function compilerOf(folder = compiler) {
  const from = (name) => import(pathToFileURL(join(folder, name)).href);
  const [{ load }, { default: remarkIrplan }] = await Promise.all([from('node.js'), from('dist/remark.js')]);
  return { remarkIrplan, irplan: await load() };
}

async function build(out) {
  process.chdir(root); // messages and links name files from here
  const begin = performance.now();
  const tools = await compilerOf();
  mkdirSync(join(out, 'docs/files'), { recursive: true });
  const files = new Set();
  for (const page of PAGES) {
    const text = page.text ? page.text(tools.irplan) : readFileSync(page.source, 'utf8');
    writeFileSync(join(out, 'docs', `${page.name}.html`), await renderPage(page, text, tools, files));
    writeFileSync(join(out, 'docs', `${page.name}.md`), markdownOf(page, text));
  }
  for (const file of files) copyFileSync(file, join(out, 'docs/files', basename(file)));
  copyFileSync(join(import.meta.dirname, 'docs.css'), join(out, 'docs/docs.css'));
  copyFileSync(join(compiler, 'dist/remark.css'), join(out, 'docs/remark.css'));
  writeFileSync(join(out, 'llms.txt'), llms(readFileSync('web/docs/index.md', 'utf8')));
  console.log(`${PAGES.length} pages of documentation in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
}

if (process.argv[1] === import.meta.filename)
  build(resolve(process.argv[2] ?? join(root, 'web/dist'))).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
