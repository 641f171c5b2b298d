// What is said beside the pointer, and aloud, of what it is on.
import { bytesText, grouped } from '../model/numbers';
import type { BufferRecord, Phase, ResidentRecord } from '../model/phase';
import { h } from '../parts/dom';
import type { Hit } from './scene';

function row(name: string, value: string): HTMLElement {
  return h('div', { class: 'tip-row' }, h('span', {}, name), h('b', {}, value));
}

function title(label: string, id: string): HTMLElement {
  return h('div', { class: 'tip-title' }, label, label === id ? null : h('code', {}, id));
}

function usesText(buffer: ResidentRecord): string {
  const shown = buffer.uses.slice(0, 6).join(', ');
  return buffer.uses.length === 0 ? 'none' : buffer.uses.length > 6 ? `${shown}, …` : shown;
}

function chainRow(buffer: BufferRecord): HTMLElement[] {
  const ops = buffer.writes.map((write) => write.op.op);
  return ops.length > 1 ? [row('in place', ops.length > 6 ? `${ops.slice(0, 6).join(' → ')} → …` : ops.join(' → '))] : [];
}

function sizeRow(bytes: number): HTMLElement {
  return row('size', `${bytesText(bytes)}  (${grouped(bytes)} B)`);
}

export function tipOf(hit: Hit, phase: Phase): HTMLElement[] {
  if (hit.kind === 'layer') {
    const { loop, round, begin, end } = hit.section;
    if (hit.fold)
      return [title(`${hit.fold.rounds} rounds of ${loop}`, ''), row('steps', `${hit.fold.begin} to ${hit.fold.end - 1}`), row('click', 'unfolds')];
    return [title(`${loop} = ${round}`, `${loop} = ${round}`), row('steps', `${begin} to ${end - 1}`)];
  }
  const op = phase.ops[hit.step];
  const live = phase.live[hit.step] ?? 0;
  const line = op?.line ? `, line ${op.line}` : '';
  const here = h('div', { class: 'tip-step' }, `step ${hit.step}: ${op?.op ?? ''} `, h('span', {}, `${op?.id ?? ''}${line}`));
  if (hit.kind === 'step') return [here, row('live', bytesText(live))];
  if (hit.kind === 'resident') {
    const { buffer } = hit;
    return [
      title(buffer.id, buffer.id),
      sizeRow(phase.residentBytes[buffer.index] ?? 0),
      row('segment', buffer.segment),
      row('touched at steps', usesText(buffer)),
      here,
    ];
  }
  const { buffer } = hit;
  return [
    title(buffer.label, buffer.id),
    sizeRow(phase.bytes[buffer.index] ?? 0),
    row('at', `+${bytesText(phase.offset[buffer.index] ?? 0)}`),
    row('alive', `steps ${buffer.begin} to ${buffer.end - 1}`),
    ...(buffer.line ? [row('made at line', String(buffer.line))] : []),
    ...chainRow(buffer),
    here,
    row('live here', bytesText(live)),
  ];
}

export function spokenBuffer(phase: Phase, buffer: BufferRecord): string {
  const size = bytesText(phase.size[buffer.index] ?? 0);
  const name = buffer.label === buffer.id ? buffer.id : `${buffer.label}, ${buffer.id}`;
  return `${name}, ${size}, steps ${buffer.begin} to ${buffer.end - 1}, at ${bytesText(phase.offset[buffer.index] ?? 0)}`;
}

export function spokenStep(phase: Phase, step: number): string {
  const op = phase.ops[step];
  return op ? `step ${step}, ${op.op} ${op.id}, ${bytesText(phase.live[step] ?? 0)} live` : '';
}
