// The ops of a phase in the order in which they run.
import { h } from '../base/dom';
import { bytesText, countText } from '../base/numbers';
import { kindOf } from '../plan/kinds';
import type { PhaseModel } from '../plan/model';

const MOST = 400; // rows shown before the reader asks for more

export interface OpActions {
  goToLine: (line: number) => void;
  selectBufferOf: (step: number) => void;
}

function row(phase: PhaseModel, step: number, actions: OpActions): HTMLElement {
  const op = phase.ops[step]!;
  return h(
    'tr',
    { 'data-step': step },
    h('td', { class: 'num soft' }, String(step)),
    h(
      'th',
      { scope: 'row' },
      h('button', { type: 'button', class: 'plain mono', onclick: () => actions.selectBufferOf(step) }, op.id),
    ),
    h('td', {}, h('i', { class: `swatch kind-${kindOf(op.op)}` }), op.op),
    h('td', { class: 'mono' }, op.kernel),
    h('td', { class: 'mono clip' }, op.in.join(', ')),
    h('td', { class: 'num' }, countText(phase.bound.flops[step] ?? null, 'FLOP')),
    h('td', { class: 'num' }, bytesText(phase.bound.op_bytes[step] ?? null)),
    h('td', { class: 'num' }, bytesText(phase.live[step] ?? 0)),
    h('td', { class: 'num' }, op.line > 0 ? h('button', { type: 'button', class: 'link', onclick: () => actions.goToLine(op.line) }, String(op.line)) : ''),
  );
}

const HEADERS = ['step', 'op', 'operator', 'kernel', 'reads', 'work', 'traffic', 'live', 'line'];
const NUMERIC = new Set(['step', 'work', 'traffic', 'live', 'line']);

export function opsTable(phase: PhaseModel, actions: OpActions, all = false): HTMLElement {
  const shown = all ? phase.ops.length : Math.min(MOST, phase.ops.length);
  const rows = Array.from({ length: shown }, (_, step) => row(phase, step, actions));
  const table = h(
    'table',
    {},
    h('caption', { class: 'visually-hidden' }, `Ops of phase ${phase.name} in order`),
    h('thead', {}, h('tr', {}, ...HEADERS.map((name) => h('th', { scope: 'col', class: NUMERIC.has(name) ? 'num' : null }, name)))),
    h('tbody', {}, ...rows),
  );
  const box = h('div', { class: 'table-scroll' }, table);
  if (shown < phase.ops.length) {
    const more = h('button', { type: 'button', class: 'quiet', onclick: () => box.replaceWith(opsTable(phase, actions, true)) }, `Show all ${phase.ops.length} ops`);
    box.append(more);
  }
  return box;
}
