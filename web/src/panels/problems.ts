// The diagnostics as a list: what is wrong, where, which rule, and what would fix it.
import type { Diagnostic } from 'irplan';
import { codeSpans, h } from '../base/dom';

/** What the compiler calls the text of an option, where a place in it is told. */
export const COMMAND_LINE = 'command line';

/** A place in the program, in the config or on the command line. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

export interface ProblemActions {
  reveal: (place: Place) => void;
  apply: (diagnostic: Diagnostic, fix: number) => void;
}

function fixNode(diagnostic: Diagnostic, i: number, actions: ProblemActions): HTMLElement {
  const fix = diagnostic.fixes[i]!;
  if (fix.edits.length === 0) return h('div', { class: 'note' }, h('b', {}, 'help '), ...codeSpans(fix.message));
  return h(
    'button',
    { type: 'button', class: 'fix', onclick: () => actions.apply(diagnostic, i) },
    ...codeSpans(fix.message),
  );
}

function problem(diagnostic: Diagnostic, actions: ProblemActions): HTMLElement {
  const { file, line, column } = diagnostic;
  const inOther = /\.json$/.test(file) || file === COMMAND_LINE ? `${file}:` : '';
  const labels = diagnostic.labels.map((label) =>
    h(
      'button',
      { type: 'button', class: 'label-place', onclick: () => actions.reveal(label) },
      h('span', { class: 'place' }, `${label.line}:${label.column}`),
      label.message,
    ),
  );
  return h(
    'li',
    { class: `problem ${diagnostic.severity}` },
    h(
      'button',
      { type: 'button', class: 'problem-title', onclick: () => actions.reveal(diagnostic) },
      h('span', { class: 'severity', 'aria-label': diagnostic.severity }),
      h('span', { class: 'message' }, ...codeSpans(diagnostic.message)),
      h('span', { class: 'place' }, `${diagnostic.code}  ${inOther}${line}:${column}`),
    ),
    ...labels,
    ...diagnostic.notes.map((note) => h('div', { class: 'note' }, ...codeSpans(note))),
    ...diagnostic.fixes.map((_, i) => fixNode(diagnostic, i, actions)),
  );
}

export function problemList(diagnostics: Diagnostic[], actions: ProblemActions): HTMLElement[] {
  return diagnostics.map((diagnostic) => problem(diagnostic, actions));
}

export function problemCount(diagnostics: Diagnostic[]): string {
  const count = (severity: string, name: string): string => {
    const n = diagnostics.filter((one) => one.severity === severity).length;
    return n === 0 ? '' : `${n} ${name}${n === 1 ? '' : 's'}`;
  };
  return [count('error', 'error'), count('warning', 'warning')].filter(Boolean).join(', ') || 'no problems';
}
