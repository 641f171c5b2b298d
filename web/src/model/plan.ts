// What the compiler tells of a whole plan (plan.json without its values, buffers and ops), and of one phase: its
// records as columns, and its numbers at chosen sizes.

import type { Plan, PlanAnswer, PlanBudget, PlanChange, PlanDim, PlanFrontier, PlanSegments } from 'irplan';

export type Outline = Omit<Plan, 'values' | 'buffers' | 'ops'>;
export type Budget = PlanBudget;
/** Of all phases that it speaks of, or of one. */
export type BudgetAnswer = Omit<PlanAnswer, 'phase'> & { phase?: string };
export type BudgetChange = PlanChange;
export type Frontier = PlanFrontier;
export type Segments = PlanSegments;
export type { PlanDim };

export const SEGMENTS = ['weights', 'state', 'inputs', 'arena'] as const;
export type SegmentName = (typeof SEGMENTS)[number];

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
