// plan.json as this page reads it; the format's contract says what each key means.

export interface PlanDim {
  name: string;
  min: number;
  max: number | null;
  value: number;
  assumed?: boolean;
  per?: string;
}

export interface PlanPhase {
  name: string;
  dims: Record<string, { min: number; max: number | null; value: number }>;
  ops: [number, number];
  peak_bytes: number;
  peak: string | null;
  flops: string;
  bytes: string;
}

export interface PlanValue {
  id: string;
  kind: 'input' | 'param' | 'state' | 'folded' | 'temp';
  dtype: string;
  shape: string[];
  buffer: string;
  phase?: string;
  of?: string[];
  source?: string;
}

export type SegmentName = 'inputs' | 'weights' | 'state' | 'arena';

export interface PlanBuffer {
  id: string;
  segment: SegmentName;
  bytes: string;
  phase?: string;
  live?: [number, number];
  above?: string[];
  offset?: number;
}

export interface PlanOp {
  id: string;
  op: string;
  kernel: string;
  in: string[];
  out: string[];
  attrs: Record<string, unknown>;
  flops: string;
  bytes: string;
  line: number;
  scope: string;
  phase: string;
  parts?: string[];
  scratch?: string[];
}

/** What a budget admits, of all phases that it speaks of or of one. */
export interface PlanAnswer {
  phase?: string;
  ok: boolean;
  used_bytes?: number;
  max?: Record<string, number>;
  /** The least size of a dim that fits under no placement of this order of ops. */
  beyond?: Record<string, number>;
  frontier?: { dims: [string, string]; points: [number, number][] }[];
}

export interface PlanBudget extends PlanAnswer {
  expr: string;
  line: number;
  limit_bytes?: number;
  /** Of bytes: how often each segment is counted. */
  counts?: Record<SegmentName, number>;
  /** Of each phase by itself, where the budget speaks of several. */
  phases?: PlanAnswer[];
  /** What would make it fit, or admit more: "--let C=4096". */
  changes?: { change: string; ok: boolean; bytes: number; max?: Record<string, number> }[];
}

export interface Plan {
  version: string;
  producer: string;
  source: { file: string; sha256: string; config_sha256: string | null };
  target: { name: string; arch: string; align: number };
  dims: PlanDim[];
  guards: { expr: string; line: number; phase?: string; budget?: boolean }[];
  phases: PlanPhase[];
  outputs: { name: string; value: string; phase: string }[];
  values: PlanValue[];
  buffers: PlanBuffer[];
  ops: PlanOp[];
  memory_plan: {
    peak_bytes: number;
    reuse_buffers: boolean;
    peak: string | null;
    peak_op: string | null;
    lower_bound_bytes: number;
    lower_bound: string | null;
    optimal: boolean;
    no_reuse_bytes: number;
    range: { worst_ratio: number; proven: boolean };
    strength: string;
    segments: Record<SegmentName, number>;
    /** Single changes that lower the memory, the lightest first, and the bytes of all segments with each. */
    lighter?: { change: string; what: string; bytes: number }[];
  };
  budget: PlanBudget[];
}
