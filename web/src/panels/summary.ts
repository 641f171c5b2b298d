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

/** The bytes that a budget counts; none of one over dims. */
function usedNow(budget: PlanBudget, segments: Record<SegmentName, number>): number | null {
  const { counts } = budget;
  return counts ? ORDER.reduce((sum, name) => sum + counts[name] * segments[name], 0) : null;
}

function sizesText(sizes: Record<string, number> | undefined): string {
  return Object.entries(sizes ?? {}).map(([name, n]) => `${name} ≤ ${n}`).join(', ');
}

function changeText(change: NonNullable<PlanBudget['changes']>[number]): string {
  if (change.ok) return `fits, with ${bytesText(change.bytes)}`;
  return sizesText(change.max) || 'fits the smallest sizes';
}

const unfolded = new Set<string>(); // what the reader opened stays open when the numbers move

function foldable(key: string, title: string, body: HTMLElement): HTMLElement {
  const details = h('details', { open: unfolded.has(key) }, h('summary', {}, title), body);
  details.addEventListener('toggle', () => (details.open ? unfolded.add(key) : unfolded.delete(key)));
  return details;
}

/** What the command line takes as an option is a button that takes it. */
function changeName(change: string): HTMLElement {
  if (!change.startsWith('--')) return h('code', {}, change);
  const ask = (event: Event) => event.currentTarget?.dispatchEvent(new CustomEvent('change-asked', { detail: change, bubbles: true }));
  return h('button', { type: 'button', class: 'chip mono', title: 'compile with this option', onclick: ask }, change);
}

function rows(entries: [string, string][]): HTMLElement {
  return h('dl', { class: 'advice' }, ...entries.flatMap(([change, text]) => [h('dt', {}, changeName(change)), h('dd', {}, text)]));
}

function budgetRow(budget: PlanBudget, phase: string, segments: Record<SegmentName, number>): HTMLElement {
  const used = budget.phase && budget.phase !== phase ? null : usedNow(budget, segments);
  const over = used !== null && budget.limit_bytes !== undefined && used > budget.limit_bytes;
  const most = sizesText(budget.max);
  const phases = budget.ok ? [] : (budget.phases ?? []).filter((one) => sizesText(one.max));
  return h(
    'div',
    { class: `budget ${over ? 'over' : ''}` },
    h('code', {}, budget.expr),
    used === null ? null : h('span', {}, over ? `does not fit: ${bytesText(used)}` : `fits: ${bytesText(used)}`),
    most ? h('span', { class: 'soft' }, `largest at the other sizes of the plan: ${most}`) : null,
    ...phases.map((one) => h('span', { class: 'soft' }, `${one.phase} alone: ${sizesText(one.max)}`)),
    budget.changes?.length
      ? foldable(budget.expr, 'what would make it fit', rows(budget.changes.map((one) => [one.change, changeText(one)])))
      : null,
  );
}

/** Single changes that lower the memory of the plan, at its own sizes. */
function lighter(changes: { change: string; what: string; bytes: number }[]): HTMLElement | null {
  if (!changes.length) return null;
  const list = rows(changes.map((one) => [one.change, `${bytesText(one.bytes)}: ${one.what}`]));
  return h('div', { class: 'budget' }, foldable('', 'what would lower the memory', list));
}

export function summary(model: PlanModel, phase: PhaseModel): (HTMLElement | null)[] {
  const { segments } = model;
  const gap = gapNote(phase);
  const total = ORDER.reduce((sum, name) => sum + segments[name], 0);
  const apart = phase.bound.no_reuse;
  const saved = apart !== null && apart > phase.arena ? `${percentText(1 - phase.arena / apart)} saved by reuse` : 'nothing to reuse';
  const wholes = model.plan.budget.filter((one) => one.counts && ORDER.every((name) => one.counts?.[name] === 1));
  const memoryLimit = wholes.find((one) => !one.phase || one.phase === phase.name)?.limit_bytes ?? null;
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
    ...model.plan.budget.map((budget) => budgetRow(budget, phase.name, segments)),
    lighter(model.plan.memory_plan.lighter ?? []),
  ];
}
