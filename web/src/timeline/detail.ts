// What is known about the chosen buffer: its bytes, its life, who writes and reads it, what it stands on.
import { h } from '../base/dom';
import { bytesText, grouped } from '../base/numbers';
import { type ArenaBuffer, type PhaseModel, type ResidentBuffer, earlierTenants } from '../plan/model';
import type { PlanModel } from '../plan/model';

export interface DetailActions {
  goToLine: (line: number) => void;
  select: (id: string) => void;
}

function fact(name: string, ...value: (Node | string)[]): HTMLElement[] {
  return [h('dt', {}, name), h('dd', {}, ...value)];
}

function bufferLink(id: string, actions: DetailActions): HTMLElement {
  return h('button', { class: 'link mono', type: 'button', onclick: () => actions.select(id) }, id);
}

function lineLink(line: number, actions: DetailActions): HTMLElement {
  return h('button', { class: 'link', type: 'button', onclick: () => actions.goToLine(line) }, `line ${line}`);
}

function listed(nodes: Node[], most: number): (Node | string)[] {
  const shown: (Node | string)[] = [];
  nodes.slice(0, most).forEach((node, i) => shown.push(...(i ? [', '] : []), node));
  if (nodes.length > most) shown.push(`, and ${nodes.length - most} more`);
  return shown;
}

function sizeFacts(buffer: ArenaBuffer | ResidentBuffer): HTMLElement[] {
  const padding = buffer.size - buffer.bytes;
  return fact(
    'size',
    `${bytesText(buffer.bytes)} `,
    h('span', { class: 'soft' }, `${grouped(buffer.bytes)} B = `),
    h('code', {}, buffer.plan.bytes),
    ...(padding > 0 ? [h('span', { class: 'soft' }, `, and ${padding} B of padding`)] : []),
  );
}

function writesOf(buffer: ArenaBuffer, actions: DetailActions): HTMLElement {
  const rows = buffer.writes.slice(0, 40).map((write, i) =>
    h(
      'li',
      {},
      h('span', { class: 'soft num' }, String(write.step)),
      h('b', {}, write.op.op),
      h('code', {}, write.value ? `${write.value.id}: ${write.value.dtype}[${write.value.shape.join(', ')}]` : 'scratch'),
      i > 0 && write.value ? h('span', { class: 'chip' }, 'in place') : null,
      write.op.line > 0 ? lineLink(write.op.line, actions) : null,
    ),
  );
  return h('ol', { class: 'writes' }, ...rows);
}

function arenaDetail(phase: PhaseModel, buffer: ArenaBuffer, actions: DetailActions): HTMLElement[] {
  const tenants = earlierTenants(phase, buffer).map((one) => bufferLink(one.id, actions));
  const below = buffer.above.map((id) => bufferLink(id, actions));
  const readers = buffer.reads.map((step) => `${phase.ops[step]?.op ?? ''} at ${step}`);
  return [
    h(
      'dl',
      { class: 'facts' },
      ...sizeFacts(buffer),
      ...fact('place', `+${grouped(buffer.offset)} B `, h('span', { class: 'soft' }, `(${bytesText(buffer.offset)})`)),
      ...fact('alive', `steps ${buffer.begin} to ${buffer.end - 1}`),
      ...fact('stands on', ...(below.length ? listed(below, 8) : ['the floor of the arena'])),
      ...fact('reuses bytes of', ...(tenants.length ? listed(tenants, 8) : ['nothing before it'])),
      ...fact('read by', readers.length ? readers.slice(0, 8).join(', ') + (readers.length > 8 ? ', …' : '') : 'nothing'),
    ),
    h('h4', {}, buffer.writes.length > 1 ? 'Written by, in this order' : 'Written by'),
    writesOf(buffer, actions),
  ];
}

function residentDetail(model: PlanModel, phase: PhaseModel, buffer: ResidentBuffer): HTMLElement[] {
  const value = model.plan.values.find((one) => one.buffer === buffer.id);
  const ops = buffer.uses.map((step) => `${phase.ops[step]?.op ?? ''} at ${step}`);
  return [
    h(
      'dl',
      { class: 'facts' },
      ...sizeFacts(buffer),
      ...fact('segment', buffer.segment),
      ...fact('place', `+${grouped(buffer.offset)} B in ${buffer.segment}`),
      ...(value ? fact('type', h('code', {}, `${value.dtype}[${value.shape.join(', ')}]`)) : []),
      ...(value?.source ? fact('stored as', h('code', {}, value.source)) : []),
      ...fact('touched by', ops.length ? ops.slice(0, 8).join(', ') + (ops.length > 8 ? ', …' : '') : 'nothing'),
    ),
  ];
}

export function bufferDetail(model: PlanModel, phase: PhaseModel, id: string, actions: DetailActions): HTMLElement[] {
  const title = h('h3', { class: 'mono' }, id);
  const arena = phase.byId.get(id);
  if (arena) return [title, ...arenaDetail(phase, arena, actions)];
  const resident = phase.resident.find((buffer) => buffer.id === id);
  return resident ? [title, ...residentDetail(model, phase, resident)] : [];
}
