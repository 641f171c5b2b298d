// The plan in a line: how much memory, how near to the least possible, and what takes it.
import { h } from '../base/dom';
import { bytesText, percentText } from '../base/numbers';
import type { PhaseModel, PlanModel } from '../plan/model';
import type { PlanBudget, SegmentName } from '../plan/types';

const ORDER: SegmentName[] = ['weights', 'state', 'inputs', 'arena'];

function figure(name: string, value: string, note: string | Node, mood = ''): HTMLElement {
  return h(
    'div',
    { class: `figure ${mood}` },
    h('span', { class: 'figure-name' }, name),
    h('b', { class: 'figure-value' }, value),
    h('span', { class: 'figure-note' }, note),
  );
}

function plural(n: number, name: string): string {
  return `${n} ${name}${n === 1 ? '' : 's'}`;
}

function gapNote(phase: PhaseModel): { text: string; mood: string } {
  const gap = phase.arena - phase.lowerBound;
  if (phase.arena === 0) return { text: 'no memory needed', mood: 'good' };
  if (gap < 0.0005 * phase.arena) return { text: 'met: no placement is smaller', mood: 'good' };
  return { text: `${percentText(gap / phase.lowerBound)} above it, padding included`, mood: '' };
}

function stack(segments: Record<SegmentName, number>, limit: number | null): HTMLElement {
  const total = ORDER.reduce((sum, name) => sum + segments[name], 0);
  const near = limit !== null && total > 0.1 * limit; // a far limit would leave nothing of the bar
  const scale = Math.max(total, near ? limit : 0, 1);
  const parts = ORDER.filter((name) => segments[name] > 0).map((name) =>
    h('span', {
      class: `part part-${name}`,
      style: `width:${Math.max(0.3, (100 * segments[name]) / scale)}%`,
      title: `${name} ${bytesText(segments[name])}`,
    }),
  );
  const mark = !near ? null : h('span', { class: 'limit', style: `left:${(100 * limit) / scale}%`, title: `budget ${bytesText(limit)}` });
  return h('div', { class: 'stack', role: 'img', 'aria-label': 'memory by segment' }, ...parts, mark);
}

function legend(segments: Record<SegmentName, number>): HTMLElement {
  return h(
    'div',
    { class: 'stack-legend' },
    ...ORDER.map((name) =>
      h('span', {}, h('i', { class: `swatch part-${name}` }), `${name} `, h('b', {}, bytesText(segments[name]))),
    ),
  );
}

/** The bytes that a budget speaks of, where it is one quantity against a number. */
function usedNow(budget: PlanBudget, segments: Record<SegmentName, number>): number | null {
  const [, quantity] = /^\s*(memory|weights|state|inputs|arena)\s*<=?/.exec(budget.expr) ?? [];
  if (!quantity || budget.limit_bytes === undefined) return null;
  return quantity === 'memory' ? ORDER.reduce((sum, name) => sum + segments[name], 0) : segments[quantity as SegmentName];
}

function budgetRow(budget: PlanBudget, segments: Record<SegmentName, number>): HTMLElement {
  const used = usedNow(budget, segments);
  const over = used !== null && budget.limit_bytes !== undefined && used > budget.limit_bytes;
  const most = Object.entries(budget.max ?? {}).map(([name, n]) => `${name} ≤ ${n}`);
  return h(
    'div',
    { class: `budget ${over ? 'over' : ''}` },
    h('code', {}, budget.expr),
    used === null ? null : h('span', {}, over ? `does not fit: ${bytesText(used)}` : `fits: ${bytesText(used)}`),
    most.length ? h('span', { class: 'soft' }, `largest at the other sizes of the plan: ${most.join(', ')}`) : null,
  );
}

export function summary(model: PlanModel, phase: PhaseModel): HTMLElement[] {
  const { segments } = model;
  const gap = gapNote(phase);
  const total = ORDER.reduce((sum, name) => sum + segments[name], 0);
  const apart = phase.bound.no_reuse;
  const saved = apart !== null && apart > phase.arena ? `${percentText(1 - phase.arena / apart)} saved by reuse` : 'nothing to reuse';
  const memoryLimit = model.plan.budget.find((one) => /^\s*memory\s*<=?/.test(one.expr))?.limit_bytes ?? null;
  const title = model.phases.length > 1 ? `peak of ${phase.name}` : 'peak';
  return [
    h(
      'div',
      { class: 'figures' },
      figure(title, bytesText(phase.arena), `${plural(phase.buffers.length, 'buffer')}, ${plural(phase.ops.length, 'op')}`),
      figure('lower bound', bytesText(phase.lowerBound), gap.text, gap.mood),
      figure('without reuse', bytesText(apart), saved),
      figure('whole model', bytesText(total), `${model.plan.target.name} ${model.plan.target.arch}`),
    ),
    stack(segments, memoryLimit),
    legend(segments),
    ...model.plan.budget.map((budget) => budgetRow(budget, segments)),
  ];
}
