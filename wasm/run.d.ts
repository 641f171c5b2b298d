// Types of `irplan/run`: a plan run in WebAssembly, by the kernels of the CPU.

/** Bytes of a file: .npy or safetensors. */
export type FileBytes = ArrayBuffer | ArrayBufferView;

export interface NamedFile {
  name: string;
  bytes: FileBytes;
}

/** Numbers of an input: made from a seed, all the same, or of a file (of several tensors the one that is named). */
export type InputNumbers = { seed: number } | { value: number } | FileBytes | { bytes: FileBytes; name?: string; tensor?: string };

export interface RunRequest {
  /** plan.json's text; for the backend `cpu` compiled with the target `cpu`. */
  plan: string;
  /** Which phase; may be left out where there is one. */
  phase?: string;
  /** Sizes of the step; dims that are not given have those of the phase, or of the plan. */
  dims?: Record<string, number>;
  /** A seed (1), or safetensors files: the numbers that `irplan-run --weights random:1`, or with those files, has. */
  weights?: { seed: number } | FileBytes | NamedFile[];
  /** By name; those that are missing have the seed 2, as `--input x=random:2`. */
  inputs?: Record<string, InputNumbers>;
  /** What states hold before: 0xff in every byte, as with `irplan-run` (of floats NaN), or zeros. */
  states?: 'unset' | 'zeros';
  /** The kernels of the CPU, or the reference, which runs a plan of any target, slowly. */
  backend?: 'cpu' | 'reference';
}

/** What a step takes, told before anything of it is allocated. */
export interface RunNeed {
  phase: string;
  dims: Record<string, number>;
  /** `results`: the largest input or output as plain numbers. */
  bytes: { weights: number; state: number; inputs: number; arena: number; results: number; total: number };
  /** Bytes that WebAssembly can still have. */
  room: number;
  ops: number;
  flops: number;
  inputs: { name: string; dtype: string; shape: number[] }[];
  outputs: string[];
}

/** Bytes of weights that are loaded, or ops that are done; `op` comes next, of that much work. */
export interface RunProgress {
  stage: 'weights' | 'ops';
  done: number;
  of: number;
  op: string | null;
  flops: number | null;
}

/** Of the finite numbers; `deviation` is that of all of them, not of a sample. */
export interface Statistics {
  count: number;
  nan: number;
  infinite: number;
  least: number;
  largest: number;
  mean: number;
  deviation: number;
}

export interface RunOutput {
  name: string;
  dtype: string;
  shape: number[];
  /** Row by row; of floats as f32. */
  values: Float32Array | BigInt64Array;
  statistics: Statistics;
  /** Finite numbers in each of 64 equal parts from `least` to `largest`. */
  histogram: number[];
  /** The bytes that `irplan-run --output NAME=@x.npy` writes. Made when asked for: as long as an output is kept, so is the memory of its run. */
  npy(): Uint8Array;
}

export interface RunResult {
  phase: string;
  dims: Record<string, number>;
  /** As they were allocated. */
  bytes: { weights: number; state: number; inputs: number; arena: number; loading: number };
  /** What somebody should know of the weights. */
  notes: string[];
  ms: { load: number; run: number };
  outputs: RunOutput[];
}

export interface RunOptions {
  /** irplan-run.wasm; the package's own file unless given. */
  source?: WebAssembly.Module | BufferSource | Response | Promise<WebAssembly.Module | BufferSource | Response>;
  onNeed?: (need: RunNeed) => void;
  onProgress?: (progress: RunProgress) => void;
  /** Ends the run between two ops. */
  signal?: AbortSignal;
}

/** The plan cannot be run so: it is no true plan, sizes, files or memory do not fit. The message says why. */
export class RunRefused extends Error {}
/** The module's own fault, or memory that the browser did not give. The next run is not touched by it. */
export class RunFault extends Error {}

export function run(request: RunRequest, options?: RunOptions): Promise<RunResult>;
