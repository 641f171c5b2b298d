// plan.json as it is written; made from the table of its fields (core/src/plan/fields.h). What the keys
// mean: core/plan.md.
import type { Diagnostic } from './index.js';

/** the program; base name only */
export interface PlanSource {
  file: string;
  sha256: string;
  config_sha256: string | null;
}

/** where the kernels run */
export interface PlanTarget {
  name: string;
  arch: string;
  /** bytes; a power of two */
  align: number;
}

/** a run-time size; the plan's numbers are evaluated at `value` */
export interface PlanDim {
  name: string;
  min: number;
  max: number | null;
  value: number;
  /** nothing bounds the dim, and `value` is 4096 */
  assumed?: true;
  /** the dim is ragged: one value for each row of that dim */
  per?: string;
}

/** what ranges cannot say; checked before a run */
export interface PlanGuard {
  expr: string;
  line: number;
  phase?: string;
  budget?: true;
}

/** the sizes of a dim */
export interface PlanRange {
  min: number;
  max: number | null;
  value: number;
}

/** a buffer that is alive where the most bytes are */
export interface PlanAtPeak {
  buffer: string;
  bytes: number;
  /** of the op that writes it first */
  line: number;
}

/** what a token takes at `value`; a step's tokens are sequences by new tokens */
export interface PlanTokens {
  a_step: number;
  /** of the peak, for each token of a step */
  arena_bytes_each: number;
  /** for each token that a sequence may keep */
  state_bytes_each: number;
  /** of states that only keep a window */
  ring_bytes_each_sequence: number;
}

/** one way to run the program */
export interface PlanPhase {
  name: string;
  /** the dims that the phase narrows or fixes */
  dims: Record<string, PlanRange>;
  ops: [number, number];
  peak_bytes: number;
  peak: string | null;
  flops: string;
  /** that its ops move */
  bytes: string;
  /** the first op at which the most bytes are alive */
  peak_op?: string;
  /** the buffers that are alive there, the largest first */
  at_peak?: PlanAtPeak[];
  tokens?: PlanTokens;
  /** of the arena, were ops run in the order that the program has them in */
  as_written_bytes?: number;
}

/** a result of the program */
export interface PlanOutput {
  name: string;
  value: string;
  phase: string;
}

/** a tensor: a type, and a window on a buffer */
export interface PlanValue {
  id: string;
  kind: 'input' | 'param' | 'state' | 'folded' | 'temp';
  phase?: string;
  dtype: string;
  shape: string[];
  buffer: string;
  /** bytes inside the buffer; absent: 0 */
  offset?: string;
  /** elements; absent: row-major */
  strides?: string[];
  /** no op writes it: the values that it is a window on */
  of?: string[];
  /** the checkpoint's name */
  source?: string;
  layout?: 'contiguous' | 'ring' | 'panels16' | 'panels16_blocks';
  /** of a state: the declared extent of axis 1 */
  capacity?: string;
}

/** bytes of memory; only the arena's have a life and a place */
export interface PlanBuffer {
  id: string;
  segment: 'inputs' | 'weights' | 'state' | 'arena';
  phase?: string;
  bytes: string;
  live?: [number, number];
  /** the buffers that this one lies directly above: its placement */
  above?: string[];
  /** bytes from the arena's start, at `value` */
  offset?: number;
}

/** one kernel call; flat, in execution order */
export interface PlanOp {
  id: string;
  op: string;
  kernel: string;
  /** "" stands for an absent optional operand */
  in: string[];
  out: string[];
  attrs: Record<string, unknown>;
  flops: string;
  /** that it moves */
  bytes: string;
  line: number;
  scope: string;
  phase: string;
  /** the ids that a fused op swallowed */
  parts?: string[];
  /** buffers that the kernel needs besides its results */
  scratch?: string[];
}

/** peak over lower bound, over all declared ranges */
export interface PlanRatio {
  worst_ratio: number;
  /** for all sizes; false: from samples */
  proven: boolean;
}

/** a number for each segment */
export interface PlanSegments {
  weights: number;
  state: number;
  inputs: number;
  arena: number;
}

/** a single change that lowers the memory */
export interface PlanLighter {
  /** as the command line takes it */
  change: string;
  what: string;
  /** of all segments with it, at `value` */
  bytes: number;
}

/** what the arena needs */
export interface PlanMemory {
  peak_bytes: number;
  reuse_buffers: boolean;
  peak: string | null;
  peak_op: string | null;
  lower_bound_bytes: number;
  lower_bound: string | null;
  optimal: boolean;
  no_reuse_bytes: number;
  range: PlanRatio;
  /** how the placement was found */
  strength: 'portfolio' | 'limited' | 'exact';
  /** bytes at `value`, every buffer rounded up to `align` */
  segments: PlanSegments;
  /** the lightest first */
  lighter?: PlanLighter[];
  /** the most that a phase takes, were ops run in the order that the program has them in */
  as_written_bytes?: number;
}

/** the most of the second dim for sizes of the first, all others at their value */
export interface PlanFrontier {
  dims: [string, string];
  points: [number, number][];
}

/** what one phase by itself allows */
export interface PlanAnswer {
  phase: string;
  ok: boolean;
  used_bytes?: number;
  /** the largest value of each dim, with the others at theirs */
  max: Record<string, number>;
  /** the least size that fits under no placement of this order of ops */
  beyond?: Record<string, number>;
  frontier?: PlanFrontier[];
}

/** one thing to do differently: the budget then holds (`ok`), or up to `max` of one dim */
export interface PlanChange {
  /** as it is written: "--let C=4096" */
  change: string;
  ok: boolean;
  /** of what the budget limits, then at the largest sizes */
  bytes?: number;
  max?: Record<string, number>;
}

/** what the program promises to stay within */
export interface PlanBudget {
  expr: string;
  line: number;
  /** the only phase that it is about */
  phase?: string;
  /** over all declared ranges */
  ok: boolean;
  used_bytes?: number;
  limit_bytes?: number;
  /** of bytes: the most that what is counted may take */
  limit?: string;
  /** of bytes: how often each segment is counted */
  counts?: PlanSegments;
  /** the largest value of each dim, with the others at theirs */
  max: Record<string, number>;
  /** the least size that fits under no placement of this order of ops */
  beyond?: Record<string, number>;
  frontier?: PlanFrontier[];
  /** of each phase by itself, where the budget speaks of several */
  phases?: PlanAnswer[];
  changes?: PlanChange[];
}

/** What a runtime executes, a scheduler admits requests by, and a page draws. Unknown keys are additions that a reader may ignore. */
export interface Plan {
  /** of the format */
  version: string;
  producer: string;
  source: PlanSource;
  target: PlanTarget;
  dims: PlanDim[];
  guards: PlanGuard[];
  phases: PlanPhase[];
  outputs: PlanOutput[];
  values: PlanValue[];
  buffers: PlanBuffer[];
  ops: PlanOp[];
  memory_plan: PlanMemory;
  budget: PlanBudget[];
  /** what the compiler said */
  diagnostics: Diagnostic[];
}
