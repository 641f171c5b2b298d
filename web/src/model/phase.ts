// One phase of a plan for drawing: its records, linked with one another once, and its numbers at the chosen sizes.
import { type Kind, kindOf } from './kinds';
import { writeLabel } from './labels';
import { type Section, sectionsOf } from './layers';
import type { Bound, Outline, PhaseSlice, PhaseTotals, SegmentName, Segments } from './plan';

export interface ValueRecord {
  id: string;
  /** "f16[1, S, D]" */
  type: string;
  kind: string;
  /** Of params and states: the checkpoint's name. */
  source: string;
  /** The index of its arena buffer, or -1 - the index of its resident buffer. */
  place: number;
  window: boolean;
}

export interface OpRecord {
  step: number;
  id: string;
  op: string;
  kernel: string;
  /** Of the program; 0 where none. */
  line: number;
  scope: string;
  parts: string;
  ins: (ValueRecord | null)[];
  outs: ValueRecord[];
}

/** An op writing a value into a buffer; steps count from the phase's first op. */
export interface Write {
  step: number;
  op: OpRecord;
  value: ValueRecord | null; // null: scratch
  /** What a reader calls what is written: the parameter that makes it, or its own name. */
  label: string;
}

export interface BufferRecord {
  index: number;
  id: string;
  /** Of its first write. */
  label: string;
  formula: string;
  begin: number;
  end: number;
  above: number[];
  kind: Kind;
  scratch: boolean;
  writes: Write[];
  reads: number[]; // steps
  line: number;
}

/** A buffer that lives as long as the model: a weight, a state, an input. */
export interface ResidentRecord {
  index: number;
  id: string;
  formula: string;
  segment: SegmentName;
  type: string;
  source: string;
  uses: number[]; // steps
}

export interface PhaseRecords {
  name: string;
  ops: OpRecord[];
  buffers: BufferRecord[];
  resident: ResidentRecord[];
  arenaById: Map<string, BufferRecord>;
  residentById: Map<string, ResidentRecord>;
  sections: Section[];
}

function readValues(slice: PhaseSlice): ValueRecord[] {
  const { texts, values } = slice;
  return Array.from(values.id, (id, i) => ({
    id: texts[id]!,
    type: texts[values.type[i]!]!,
    kind: texts[values.kind[i]!]!,
    source: texts[values.source[i]!]!,
    place: values.place[i]!,
    window: values.window[i] === 1,
  }));
}

function readOps(slice: PhaseSlice, values: ValueRecord[]): OpRecord[] {
  const { texts, ops } = slice;
  const valuesAt = (at: Int32Array, list: Int32Array, i: number): (ValueRecord | null)[] =>
    Array.from(list.subarray(at[i], at[i + 1]), (v) => values[v] ?? null);
  return Array.from(ops.id, (id, i) => ({
    step: i,
    id: texts[id]!,
    op: texts[ops.op[i]!]!,
    kernel: texts[ops.kernel[i]!]!,
    line: ops.line[i]!,
    scope: texts[ops.scope[i]!]!,
    parts: texts[ops.parts[i]!]!,
    ins: valuesAt(ops.in_at, ops.in, i),
    outs: valuesAt(ops.out_at, ops.out, i).filter((value) => value !== null),
  }));
}

function readBuffers(slice: PhaseSlice): BufferRecord[] {
  const { texts, buffers } = slice;
  return Array.from(buffers.id, (id, i) => ({
    index: i,
    id: texts[id]!,
    label: texts[id]!,
    formula: texts[buffers.bytes[i]!]!,
    begin: buffers.begin[i]!,
    end: buffers.end[i]!,
    above: Array.from(buffers.above.subarray(buffers.above_at[i], buffers.above_at[i + 1])),
    kind: 'movement',
    scratch: true,
    writes: [],
    reads: [],
    line: 0,
  }));
}

function readResident(slice: PhaseSlice): ResidentRecord[] {
  const { texts, resident } = slice;
  return Array.from(resident.id, (id, i) => ({
    index: i,
    id: texts[id]!,
    formula: texts[resident.bytes[i]!]!,
    segment: texts[resident.segment[i]!] as SegmentName,
    type: texts[resident.type[i]!]!,
    source: texts[resident.source[i]!]!,
    uses: [],
  }));
}

/** Tells every buffer who writes and reads it. */
function link(slice: PhaseSlice, ops: OpRecord[], buffers: BufferRecord[], resident: ResidentRecord[]): void {
  const use = (place: number, step: number): void => {
    const uses = resident[-1 - place]?.uses;
    if (uses && uses.at(-1) !== step) uses.push(step);
  };
  for (const op of ops) {
    const { step } = op;
    for (const value of op.ins) {
      if (!value) continue;
      const reads = buffers[value.place]?.reads;
      if (reads && reads.at(-1) !== step) reads.push(step);
      use(value.place, step);
    }
    for (const value of op.outs) {
      const label = writeLabel(value.id, op, false);
      buffers[value.place]?.writes.push({ step, op, value, label });
      use(value.place, step);
    }
    const { scratch, scratch_at: at } = slice.ops;
    for (const place of scratch.subarray(at[step], at[step + 1]))
      buffers[place]?.writes.push({ step, op, value: null, label: writeLabel('', op, true) });
  }
  for (const buffer of buffers) {
    const writer = buffer.writes[0];
    buffer.scratch = buffer.writes.every((write) => write.value === null);
    if (!writer) continue;
    buffer.line = writer.op.line;
    if (!buffer.scratch) buffer.kind = kindOf(writer.op.op);
    buffer.label = writer.label;
  }
}

export function phaseRecords(name: string, slice: PhaseSlice): PhaseRecords {
  const ops = readOps(slice, readValues(slice));
  const buffers = readBuffers(slice);
  const resident = readResident(slice);
  link(slice, ops, buffers, resident);
  return {
    name,
    ops,
    buffers,
    resident,
    arenaById: new Map(buffers.map((buffer) => [buffer.id, buffer])),
    residentById: new Map(resident.map((buffer) => [buffer.id, buffer])),
    sections: sectionsOf(ops),
  };
}

/** A phase at the chosen sizes; lists follow the records. Bytes; NaN where a number is too large to be told. */
export interface Phase extends PhaseRecords {
  totals: PhaseTotals;
  offset: Float64Array;
  bytes: Float64Array;
  size: Float64Array; // bytes rounded up to the alignment
  flops: Float64Array;
  traffic: Float64Array;
  residentBytes: Float64Array;
  residentOffset: Float64Array; // within the segment
  residentSize: Float64Array;
  /** Sum of the aligned sizes of what is alive at each step. */
  live: Float64Array;
  arena: number;
  /** The most bytes alive at once, padding aside. */
  lowerBound: number;
  peakStep: number;
}

function alignedUp(bytes: Float64Array, align: number): Float64Array {
  return bytes.map((n) => Math.ceil((Number.isNaN(n) ? 0 : n) / align) * align);
}

function liveProfile(buffers: BufferRecord[], steps: number, size: Float64Array): Float64Array {
  const live = new Float64Array(steps + 1);
  for (const buffer of buffers) {
    live[buffer.begin]! += size[buffer.index]!;
    live[buffer.end]! -= size[buffer.index]!;
  }
  for (let step = 1; step < steps; step++) live[step]! += live[step - 1]!;
  return live.subarray(0, steps);
}

function largest(list: Float64Array): number {
  let most = 0;
  for (const n of list) if (n > most) most = n;
  return most;
}

export function bindPhase(records: PhaseRecords, bound: Bound, align: number): Phase {
  const totals = bound.phases.find((phase) => phase.name === records.name)!;
  const bytes = bound.bytes.map((n) => (Number.isNaN(n) ? 0 : n));
  const size = alignedUp(bytes, align);
  const residentSize = alignedUp(bound.resident, align);
  const next: Partial<Segments> = {};
  const residentOffset = residentSize.map((n, i) => {
    const { segment } = records.resident[i]!;
    const offset = next[segment] ?? 0;
    next[segment] = offset + n;
    return offset;
  });
  const live = liveProfile(records.buffers, records.ops.length, size);
  const most = largest(live);
  return {
    ...records,
    totals,
    offset: bound.offsets,
    bytes,
    size,
    flops: bound.flops,
    traffic: bound.op_bytes,
    residentBytes: bound.resident,
    residentOffset,
    residentSize,
    live,
    arena: totals.arena ?? 0,
    lowerBound: largest(liveProfile(records.buffers, records.ops.length, bytes)),
    peakStep: Math.max(0, live.indexOf(most)),
  };
}

/** Segments in bytes: arena, state and inputs at their largest phase. */
export function segmentsOf(outline: Outline, phases: PhaseTotals[]): Segments {
  const most = (of: (phase: PhaseTotals) => number | null): number => Math.max(0, ...phases.map((one) => of(one) ?? 0));
  return {
    weights: outline.memory_plan.segments.weights,
    state: most((phase) => phase.state),
    inputs: most((phase) => phase.inputs),
    arena: most((phase) => phase.arena),
  };
}

/** Segments as one phase has them. */
export function segmentsIn(outline: Outline, phase: PhaseTotals): Segments {
  return {
    weights: outline.memory_plan.segments.weights,
    state: phase.state ?? 0,
    inputs: phase.inputs ?? 0,
    arena: phase.arena ?? 0,
  };
}

function overlapInSpace(phase: Phase, a: number, b: number): boolean {
  return phase.offset[a]! < phase.offset[b]! + phase.size[b]! && phase.offset[b]! < phase.offset[a]! + phase.size[a]!;
}

/** Buffers that held bytes of this one before it, nearest first. */
export function earlierTenants(phase: Phase, buffer: BufferRecord): BufferRecord[] {
  return phase.buffers
    .filter((other) => other.end <= buffer.begin && overlapInSpace(phase, other.index, buffer.index))
    .sort((a, b) => b.end - a.end);
}

/** Buffers that an op of this source line writes. */
export function buffersOfLine(phase: PhaseRecords, line: number): Set<string> {
  const ids = phase.buffers.filter((buffer) => buffer.writes.some((write) => write.op.line === line));
  return new Set(ids.map((buffer) => buffer.id));
}

/** Lines of the program that made a buffer. */
export function linesOf(phase: PhaseRecords, id: string): number[] {
  return [...new Set(phase.arenaById.get(id)?.writes.map((write) => write.op.line) ?? [])];
}
