// What the compiler tells of a whole plan (plan.json without its values, buffers and ops), and of one phase: its
// records as columns, and its numbers at chosen sizes.

export interface PlanDim {
  name: string;
  min: number;
  max: number | null;
  value: number;
  assumed?: boolean;
  per?: string;
}

export interface PhaseOutline {
  name: string;
  dims: Record<string, { min: number; max: number | null; value: number }>;
  ops: [number, number];
  peak_bytes: number;
  peak: string | null;
  flops: string;
  bytes: string;
  tokens?: { a_step: number; arena_bytes_each: number; state_bytes_each: number; ring_bytes_each_sequence: number };
}

export const SEGMENTS = ['weights', 'state', 'inputs', 'arena'] as const;
export type SegmentName = (typeof SEGMENTS)[number];
export type Segments = Record<SegmentName, number>;

export interface Frontier {
  dims: [string, string];
  points: [number, number][];
}

/** What a budget admits, of all phases that it speaks of or of one. */
export interface BudgetAnswer {
  phase?: string;
  ok: boolean;
  used_bytes?: number;
  max?: Record<string, number>;
  /** The least size of a dim that fits under no placement of this order of ops. */
  beyond?: Record<string, number>;
  frontier?: Frontier[];
}

/** What would make it fit, or admit more: "--let C=4096". */
export interface BudgetChange {
  change: string;
  ok: boolean;
  bytes: number;
  max?: Record<string, number>;
}

export interface Budget extends BudgetAnswer {
  expr: string;
  line: number;
  limit_bytes?: number;
  /** Of bytes: how often each segment is counted. */
  counts?: Segments;
  /** Of each phase by itself, where the budget speaks of several. */
  phases?: BudgetAnswer[];
  changes?: BudgetChange[];
}

export interface Outline {
  version: string;
  producer: string;
  source: { file: string; sha256: string; config_sha256: string | null };
  target: { name: string; arch: string; align: number };
  dims: PlanDim[];
  guards: { expr: string; line: number; phase?: string; budget?: boolean }[];
  phases: PhaseOutline[];
  outputs: { name: string; value: string; phase: string }[];
  memory_plan: {
    peak_bytes: number;
    peak: string | null;
    peak_op: string | null;
    lower_bound_bytes: number;
    lower_bound: string | null;
    optimal: boolean;
    no_reuse_bytes: number;
    range: { worst_ratio: number; proven: boolean };
    strength: string;
    segments: Segments;
    /** Single changes that lower the memory, the lightest first, and the bytes of all segments with each. */
    lighter?: { change: string; what: string; bytes: number }[];
  };
  budget: Budget[];
}

/** The records of a phase: columns of indices into `texts`, of steps and of places. service/phase_slice.h has the contract. */
export interface PhaseSlice {
  texts: string[];
  buffers: Record<'id' | 'bytes' | 'begin' | 'end' | 'above_at' | 'above', Int32Array>;
  resident: Record<'id' | 'bytes' | 'segment' | 'type' | 'source', Int32Array>;
  values: Record<'id' | 'type' | 'kind' | 'source' | 'place' | 'window', Int32Array>;
  ops: Record<
    'id' | 'op' | 'kernel' | 'line' | 'scope' | 'parts' | 'in_at' | 'in' | 'out_at' | 'out' | 'scratch_at' | 'scratch',
    Int32Array
  >;
}

/** A phase's totals at the chosen sizes; null where a number exceeds 2^53 - 1. */
export interface PhaseTotals {
  name: string;
  /** The sizes it was bound at, after its own range. */
  dims: Record<string, number>;
  arena: number | null;
  inputs: number | null;
  state: number | null;
  no_reuse: number | null;
  /** Indices into the plan's `guards`. */
  broken_guards: number[];
}

/** All totals, and the lists of one phase: NaN where a number is too large. */
export interface Bound {
  phases: PhaseTotals[];
  phase: string;
  offsets: Float64Array;
  bytes: Float64Array;
  flops: Float64Array;
  op_bytes: Float64Array;
  resident: Float64Array;
}
