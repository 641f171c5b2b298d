// A plan with its numbers at the chosen sizes, cross-linked for drawing: what lies where, when, and why.
import type { BindReply, BoundPhase } from 'irplan';
import { type Kind, kindOf } from './kinds';
import type { Plan, PlanBuffer, PlanOp, PlanPhase, PlanValue, SegmentName } from './types';

/** An op writing a value into a buffer; steps count from the phase's first op. */
export interface Write {
  step: number;
  op: PlanOp;
  value: PlanValue | null; // null: scratch
}

export interface ArenaBuffer {
  id: string;
  plan: PlanBuffer;
  begin: number;
  end: number;
  offset: number;
  bytes: number;
  size: number; // bytes rounded up to the alignment
  kind: Kind;
  scratch: boolean;
  writes: Write[];
  reads: number[]; // steps
  above: string[];
}

/** A buffer that lives as long as the model: a weight, a state, an input. */
export interface ResidentBuffer {
  id: string;
  plan: PlanBuffer;
  segment: SegmentName;
  offset: number;
  bytes: number;
  size: number;
  uses: number[]; // steps
}

export interface PhaseModel {
  name: string;
  plan: PlanPhase;
  ops: PlanOp[];
  bound: BoundPhase;
  buffers: ArenaBuffer[];
  byId: Map<string, ArenaBuffer>;
  resident: ResidentBuffer[];
  /** Sum of the aligned sizes of what is alive at each step. */
  live: number[];
  arena: number;
  /** The most bytes alive at once, padding aside. */
  lowerBound: number;
  peakStep: number;
}

export interface PlanModel {
  plan: Plan;
  phases: PhaseModel[];
  /** Segments in bytes: arena and inputs at their largest phase. */
  segments: Record<SegmentName, number>;
}

interface Index {
  plan: Plan;
  values: Map<string, PlanValue>;
  arenaOf: Map<string, PlanBuffer[]>; // phase -> its arena buffers, in order
  resident: PlanBuffer[];
}

const indices = new WeakMap<Plan, Index>();

function indexOf(plan: Plan): Index {
  let index = indices.get(plan);
  if (index) return index;
  const arenaOf = new Map<string, PlanBuffer[]>();
  for (const phase of plan.phases) arenaOf.set(phase.name, []);
  for (const buffer of plan.buffers) if (buffer.segment === 'arena') arenaOf.get(buffer.phase ?? '')?.push(buffer);
  index = {
    plan,
    values: new Map(plan.values.map((value) => [value.id, value])),
    arenaOf,
    resident: plan.buffers.filter((buffer) => buffer.segment !== 'arena'),
  };
  indices.set(plan, index);
  return index;
}

function alignUp(bytes: number, align: number): number {
  return Math.ceil(bytes / align) * align;
}

function arenaBuffers(index: Index, phase: PlanPhase, bound: BoundPhase): ArenaBuffer[] {
  const first = phase.ops[0];
  return (index.arenaOf.get(phase.name) ?? []).map((plan, i) => {
    const bytes = bound.bytes[i] ?? 0;
    return {
      id: plan.id,
      plan,
      begin: (plan.live?.[0] ?? first) - first,
      end: (plan.live?.[1] ?? first) - first,
      offset: bound.offsets[i] ?? 0,
      bytes,
      size: alignUp(bytes, index.plan.target.align),
      kind: 'movement',
      scratch: true,
      writes: [],
      reads: [],
      above: plan.above ?? [],
    };
  });
}

function residentBuffers(index: Index, resident: (number | null)[]): ResidentBuffer[] {
  const next: Record<string, number> = {};
  return index.resident.map((plan, i) => {
    const bytes = resident[i] ?? 0;
    const size = alignUp(bytes, index.plan.target.align);
    const offset = next[plan.segment] ?? 0;
    next[plan.segment] = offset + size;
    return { id: plan.id, plan, segment: plan.segment, offset, bytes, size, uses: [] };
  });
}

/** Tells every buffer of the phase who writes and reads it. */
function link(index: Index, ops: PlanOp[], byId: Map<string, ArenaBuffer>, resident: Map<string, ResidentBuffer>): void {
  ops.forEach((op, step) => {
    const touch = (id: string, write: boolean): void => {
      const value = index.values.get(id);
      if (!value) return;
      const buffer = byId.get(value.buffer);
      if (buffer && write) buffer.writes.push({ step, op, value });
      else if (buffer && buffer.reads.at(-1) !== step) buffer.reads.push(step);
      const kept = resident.get(value.buffer);
      if (kept && kept.uses.at(-1) !== step) kept.uses.push(step);
    };
    for (const id of op.in) touch(id, false);
    for (const id of op.out) touch(id, true);
    for (const id of op.scratch ?? []) byId.get(id)?.writes.push({ step, op, value: null });
  });
  for (const buffer of byId.values()) {
    buffer.scratch = buffer.writes.every((write) => write.value === null);
    const writer = buffer.writes[0];
    if (writer && !buffer.scratch) buffer.kind = kindOf(writer.op.op);
  }
}

function liveProfile(buffers: ArenaBuffer[], steps: number, size: (buffer: ArenaBuffer) => number): number[] {
  const change = new Array<number>(steps + 1).fill(0);
  for (const buffer of buffers) {
    change[buffer.begin]! += size(buffer);
    change[buffer.end]! -= size(buffer);
  }
  const live: number[] = [];
  let sum = 0;
  for (let step = 0; step < steps; step++) live.push((sum += change[step]!));
  return live;
}

function phaseModel(index: Index, phase: PlanPhase, bound: BoundPhase, resident: ResidentBuffer[]): PhaseModel {
  const ops = index.plan.ops.slice(phase.ops[0], phase.ops[1]);
  const buffers = arenaBuffers(index, phase, bound);
  const byId = new Map(buffers.map((buffer) => [buffer.id, buffer]));
  const own = resident.map((buffer) => ({ ...buffer, uses: [] }));
  link(index, ops, byId, new Map(own.map((buffer) => [buffer.id, buffer])));
  const live = liveProfile(buffers, ops.length, (buffer) => buffer.size);
  const bare = liveProfile(buffers, ops.length, (buffer) => buffer.bytes);
  const most = Math.max(0, ...live);
  return {
    name: phase.name,
    plan: phase,
    ops,
    bound,
    buffers,
    byId,
    resident: own,
    live,
    arena: bound.arena ?? 0,
    lowerBound: Math.max(0, ...bare),
    peakStep: Math.max(0, live.indexOf(most)),
  };
}

export function planModel(plan: Plan, bound: BindReply): PlanModel {
  const index = indexOf(plan);
  const resident = residentBuffers(index, bound.resident);
  const phases = plan.phases.flatMap((phase, i) => {
    const own = bound.phases[i];
    return own ? [phaseModel(index, phase, own, resident)] : [];
  });
  const largest = (of: (phase: PhaseModel) => number | null): number => Math.max(0, ...phases.map((p) => of(p) ?? 0));
  return {
    plan,
    phases,
    segments: {
      weights: plan.memory_plan.segments.weights,
      state: largest((phase) => phase.bound.state),
      inputs: largest((phase) => phase.bound.inputs),
      arena: largest((phase) => phase.arena),
    },
  };
}

/** Buffers that held bytes of this one before it, nearest first. */
export function earlierTenants(phase: PhaseModel, buffer: ArenaBuffer): ArenaBuffer[] {
  return phase.buffers
    .filter((other) => other.end <= buffer.begin && overlapsInSpace(other, buffer))
    .sort((a, b) => b.end - a.end);
}

function overlapsInSpace(a: ArenaBuffer, b: ArenaBuffer): boolean {
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

/** Buffers that an op of this source line writes. */
export function buffersOfLine(phase: PhaseModel, line: number): Set<string> {
  return new Set(
    phase.buffers.filter((buffer) => buffer.writes.some((write) => write.op.line === line)).map((buffer) => buffer.id),
  );
}
