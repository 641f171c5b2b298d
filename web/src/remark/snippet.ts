// One fenced program: compiled, held against what its fence expects, and shown.
import type { Diagnostic, ExplainReply, Irplan, PictureReply } from 'irplan';
import { type Document, besideText, commandLine, compileRequest } from '../model/document';
import { encodeLink } from '../model/link';
import { commandOptions } from '../model/options';
import { frame } from '../model/shared';
import type { Fence } from './meta';
import { type Element, type Html, element } from './nodes';
import { pictureOf } from './picture';
import { sourceOf } from './source';

export interface Site {
  irplan: Irplan;
  version: string;
  /** The playground's address, `https://…/playground/`; empty: links and frames are not made. */
  playground: string;
}

interface Kept {
  handle: number | null;
  diagnostics: Diagnostic[];
}

export interface Compiled extends Kept {
  /** What is not as the fence expects; empty where all is well. */
  wrong: Diagnostic[];
  missing: string[];
}

/** A reply of a method that has no function of its own type. */
function ask<Reply>(irplan: Irplan, request: object): Reply {
  const reply = JSON.parse(irplan.call(JSON.stringify(request))) as Reply & { error?: string };
  if (typeof reply.error === 'string') throw new Error(reply.error);
  return reply;
}

export function compile(irplan: Irplan, document: Document, { expect }: Fence): Compiled {
  const { handle, diagnostics } = ask<Kept>(irplan, { ...compileRequest(document, true), method: 'compile', keep: true });
  const wrong = diagnostics.filter((one) => one.severity === 'error' && !expect.includes(one.code));
  return { handle, diagnostics, wrong, missing: expect.filter((code) => !diagnostics.some((one) => one.code === code)) };
}

/** `x` in text is code. */
const withCode = (text: string): Html[] => text.split('`').map((part, i) => (i % 2 ? element('code', {}, part) : { type: 'text', value: part }));

function problemsOf(diagnostics: Diagnostic[], file: string): Element | null {
  if (!diagnostics.length) return null;
  const told = diagnostics.map((one) => {
    const place = one.file === file ? `line ${one.line}` : one.file;
    const more = [...one.labels.map((label) => label.message), ...one.notes, ...one.fixes.map((fix) => fix.message)];
    const notes = more.map((note) => element('span', { className: ['irplan-note'] }, ...withCode(note)));
    return element('li', {}, element('b', { className: [`irplan-${one.severity}-code`] }, `${one.severity} ${one.code}`), `, ${place}: `, ...withCode(one.message), ...notes);
  });
  return element('ul', { className: ['irplan-problems'] }, ...told);
}

/** What is drawn of the plan; `name`: of the snippet on its page. */
function planOf({ irplan }: Site, handle: number | null, { view, phase, file }: Fence, name: string): Element | null {
  if (handle === null || view === 'none') return null;
  const asked = { handle, ...(phase ? { phase } : {}) };
  if (view === 'report') {
    const { text } = ask<ExplainReply>(irplan, { ...asked, method: 'explain', width: 90 });
    return element('pre', { className: ['irplan-report'], tabIndex: 0, ariaLabel: `report of ${file}` }, element('code', {}, text));
  }
  const picture = pictureOf(ask<PictureReply>(irplan, { ...asked, method: 'picture' }).svg, name);
  return element('div', { className: ['irplan-memory'], tabIndex: 0, role: 'group', ariaLabel: `memory of ${file}` }, picture);
}

/** A frame that is loaded when its reader unfolds it: not a byte before. */
function foldedFrame(link: string, file: string): Element {
  const [, src = ''] = /src="([^"]*)"/.exec(frame({ link, file })) ?? [];
  return element(
    'details',
    { className: ['irplan-live'] },
    element('summary', {}, 'Edit and plan'),
    element('iframe', { src, title: `${file}, to edit`, width: 720, height: 640, loading: 'lazy' }),
  );
}

/** The element's attributes (web/src/embed/element.ts). */
function liveElement(document: Document, { phase, view }: Fence, children: (Html | null)[]): Element {
  const options = commandOptions(document.options);
  const attributes = {
    file: document.file,
    ...(options ? { options } : {}),
    ...(view === 'report' ? { view } : {}),
    ...(phase ? { phase } : {}),
    ...(document.config ? { config: document.config, 'config-name': document.configName } : {}),
  };
  return element('irplan-embed', attributes, ...children);
}

export function figureOf(site: Site, document: Document, fence: Fence, { handle, diagnostics }: Compiled, name: string): Element {
  const { irplan, playground, version } = site;
  const own = diagnostics.filter((one) => one.file === document.file);
  const source = sourceOf(irplan, { text: document.text, ...besideText(document) }, own);
  const shown = [source, problemsOf(diagnostics, document.file), planOf(site, handle, fence, name)];
  const look = { ...(fence.phase ? { phase: fence.phase } : {}), ...(fence.view === 'report' ? { view: 'report' } : {}) };
  const link = playground + encodeLink(document, version, look);
  const linked = playground && fence.embed !== 'none';
  const caption = element(
    'figcaption',
    {},
    element('code', {}, commandLine(document)),
    linked ? element('a', { href: link }, 'Open in the playground') : null,
  );
  if (handle !== null) ask(irplan, { method: 'release', handle });
  const inside = fence.embed === 'element' ? [liveElement(document, fence, shown)] : shown;
  return element('figure', { className: ['irplan'] }, ...inside, caption, linked && fence.embed === 'frame' ? foldedFrame(link, document.file) : null);
}
