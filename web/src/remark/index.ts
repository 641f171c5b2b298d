// irplan/remark: fenced blocks of the language ```irplan become static HTML when Markdown is built: the program in colours, what the
// compiler says of it, its memory drawn. A program that does not compile ends the build, unless its fence expects the error.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { load } from 'irplan';
import type { Problem, RemarkIrplanOptions } from 'irplan/remark';
import type { Document } from '../model/document';
import { type Fence, readMeta } from './meta';
import { type Markdown, nodesOf } from './nodes';
import { type Compiled, type Site, compile, figureOf } from './snippet';

/** All that is wrong with the snippets of one document. */
export class SnippetError extends Error {
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(problems.map((one) => `${one.file}:${one.line}:${one.column}: ${one.code ? `error[${one.code}]: ` : ''}${one.message}`).join('\n'));
    this.name = 'SnippetError';
    this.problems = problems;
  }
}

interface Place {
  /** Of the document. */
  path: string;
  /** Of the fence. */
  line: number;
  column: number;
}

function documentOf(fence: Fence, text: string, path: string): Document {
  const read = (name: string): string => readFileSync(resolve(dirname(path), name), 'utf8');
  const config = fence.config === null ? '' : read(fence.config);
  const configName = fence.config?.replace(/^.*\//, '') ?? 'config.json';
  return { file: fence.file, text: fence.from === null ? `${text}\n` : read(fence.from), config, configName, options: fence.options, sizes: {} };
}

/** Where the document, or the file that the fence names, has it. */
function problemsOf({ wrong, missing }: Compiled, document: Document, fence: Fence, { path, line, column }: Place): Problem[] {
  const fenceAt = { file: path, line, column };
  const told = wrong.map((one): Problem => {
    const message = [one.message, ...one.labels.map((label) => label.message), ...one.notes, ...one.fixes.map((fix) => fix.message)].join('; ');
    if (one.file !== document.file) return { ...fenceAt, code: one.code, message: `${one.file}:${one.line}:${one.column}: ${message}` };
    if (fence.from !== null) return { file: resolve(dirname(path), fence.from), line: one.line, column: one.column, code: one.code, message };
    return { file: path, line: line + one.line, column: column - 1 + one.column, code: one.code, message };
  });
  return [...told, ...missing.map((code) => ({ ...fenceAt, code: '', message: `the fence expects ${code}, and the compiler does not say it` }))];
}

/** The unified plugin. */
export default function remarkIrplan(options: RemarkIrplanOptions = {}): (tree: Markdown, file?: { path?: string }) => Promise<void> {
  const compiler = Promise.resolve(options.irplan ?? load());
  return async (tree, file) => {
    const fences = [...nodesOf(tree, 'code')].filter((node) => node.lang === 'irplan');
    if (!fences.length) return;
    const irplan = await compiler;
    const site: Site = { irplan, version: irplan.version().version, playground: options.playground ?? '' };
    const path = file?.path ?? 'document.md';
    const problems: Problem[] = [];
    fences.forEach((node, i) => {
      const place = { path, line: node.position?.start.line ?? 1, column: node.position?.start.column ?? 1 };
      try {
        const fence = readMeta(node.meta ?? '', options.embed ?? 'link');
        const document = documentOf(fence, node.value ?? '', path);
        const compiled = compile(irplan, document, fence);
        const wrong = problemsOf(compiled, document, fence, place);
        problems.push(...wrong);
        if (!wrong.length) become(node, site, document, fence, compiled, `irplan-${i + 1}`);
      } catch (error) {
        problems.push({ file: path, line: place.line, column: place.column, code: '', message: error instanceof Error ? error.message : String(error) });
      }
    });
    if (problems.length) throw new SnippetError(problems);
  };
}

/** In place: remark-rehype and MDX read the element from `data`. */
function become(node: Markdown, site: Site, document: Document, fence: Fence, compiled: Compiled, name: string): void {
  const figure = figureOf(site, document, fence, compiled, name);
  node.type = 'irplan';
  node.children = [];
  delete node.value; // else remark-rehype would take the text
  node.data = { hName: figure.tagName, hProperties: figure.properties, hChildren: figure.children };
}
