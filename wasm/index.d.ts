// Types of the IRPlanner compiler's replies. Where `error` is there, nothing else is. Lines and columns count from 1,
// columns in UTF-8 bytes.
export type * from './plan.js';

export interface Span {
  file: string;
  line: number;
  column: number;
  end_line: number;
  end_column: number;
}

export interface Diagnostic extends Span {
  code: string;
  severity: 'error' | 'warning';
  message: string;
  labels: (Span & { message: string })[];
  notes: string[];
  fixes: { message: string; edits: (Span & { text: string })[] }[];
}

export type Strength = 'portfolio' | 'limited' | 'exact';

export interface CompileRequest {
  file?: string;
  text: string;
  /** The text of a Hugging Face config.json. */
  config?: string | null;
  config_name?: string;
  options?: {
    dims?: Record<string, number>;
    /** Values as the command line takes them: an expression's text. */
    lets?: Record<string, string | number>;
    /** Another dtype for all states, or for the weights of products: `{ state: 'f8e4m3', weights: 'q8_0' }`. */
    retypes?: Partial<Record<'state' | 'weights', string>>;
    /** Budgets beside the program's own: `['memory <= 24GiB']`. */
    budgets?: string[];
    target?: string;
    deny_warnings?: boolean;
    /** Run ops as they are written, not in the order of least memory. */
    keep_order?: boolean;
    /** How hard placements are searched for where the first ones leave a gap to the bound; `exact` may take very long. */
    strength?: Strength;
    /** Where a budget is missed, plan under other choices and say what would fit (unless false); takes several times as long. */
    advise?: boolean;
  };
}

export interface CompileReply {
  ok: boolean;
  /** The exact bytes of plan.json, as UTF-8 text: of a `Plan`. */
  plan: string | null;
  diagnostics: Diagnostic[];
  /** What a terminal would show. */
  rendered: string;
  unread_config_keys: string[];
}

export interface BindRequest {
  /** Absent: the plan that was compiled or bound last. */
  plan?: string;
  dims: Record<string, number>;
}

/** A phase's numbers at the chosen sizes; null where a number exceeds 2^53 - 1. */
export interface BoundPhase {
  name: string;
  /** The sizes it was bound at, after its own range. */
  dims: Record<string, number>;
  arena: number | null;
  inputs: number | null;
  state: number | null;
  /** What the temps and scratch would take, each by itself. */
  no_reuse: number | null;
  /** Of the phase's arena buffers, in the plan's order. */
  offsets: number[];
  bytes: (number | null)[];
  /** Of the phase's ops. */
  flops: (number | null)[];
  op_bytes: (number | null)[];
  /** Indices into the plan's `guards`. */
  broken_guards: number[];
}

export interface BindReply {
  ok?: boolean;
  error?: string;
  phases: BoundPhase[];
  /** Bytes of the buffers that lie outside of the arena, in the plan's order. */
  resident: (number | null)[];
}

/** What `irplan explain` tells of a plan. */
export interface ExplainRequest {
  /** Absent: the plan that was compiled or bound last. */
  plan?: string;
  /** One phase; all of them unless given. */
  phase?: string;
  /** Columns of the text (100). */
  width?: number;
}

export interface ExplainReply {
  error?: string;
  text: string;
  /** The same as data: what `irplan explain --format json` prints. */
  report: Record<string, unknown>;
}

export interface PictureReply {
  error?: string;
  /** The memory of the phase over its steps. */
  svg: string;
  /** The phase that is drawn: the one with the largest peak unless one is asked for. */
  phase: string;
}

export interface DiffReply {
  error?: string;
  changes: { part: string; name: string; field: string; before: string | null; after: string | null }[];
  text: string;
}

export interface FitRequest {
  /** The text of a Hugging Face config.json. */
  config: string;
  config_name?: string;
  /** Bytes, or text with a unit: `'23.58GiB'`. Neither this nor `gpu`: what it takes is told. */
  memory?: number | string;
  /** A known GPU by name, `'h200'`: its memory less what driver and context are taken to keep. */
  gpu?: string;
  /** Tokens that each sequence may keep (8192, or fewer where the config names fewer). */
  context?: number;
  /** Sequences at once (1). */
  batch?: number;
  /** The most tokens of one step, over all sequences (8192). */
  step?: number;
  lets?: Record<string, string | number>;
  retypes?: Partial<Record<'state' | 'weights', string>>;
  budgets?: string[];
  target?: string;
}

export interface Fit {
  config: string;
  /** The example program whose plan the numbers are of. */
  example: string;
  /** Null where nothing limits it. */
  fits: boolean | null;
  memory: number | null;
  /** The budget, or the memory, that is exceeded. */
  broken: string | null;
  context: number;
  batch: number;
  bytes: { weights: number; state: number; inputs: number; arena: number; total: number };
  /** The largest step of each phase. */
  steps: { phase: string; dims: Record<string, number>; arena: number }[];
  weights_by_dtype: Record<string, number>;
  state_bytes_per_token: number;
  state_bytes_per_sequence: number;
  published_context: number | null;
  beyond_published_context: boolean;
  /** With the batch as it is; 0 where not one token fits, null where nothing limits it. */
  max_context: number | null;
  max_batch: number | null;
  frontier: { batch: number; context: number }[];
  /** What would make it fit, or lower it: what gives up least first. */
  changes: { change: string; what: string; bytes: number; fits: boolean }[];
  assumptions: string[];
  notes: string[];
  /** Of the command line, that make the plan with these numbers. */
  commands: string[];
}

export interface FitReply {
  error?: string;
  text: string;
  fit: Fit;
}

/** A GPU as `gpu` of a fit takes it. */
export interface Gpu {
  name: string;
  title: string;
  arch: string;
  /** Of memory. */
  bytes: number;
  /** Less what driver and context are taken to keep. */
  left: number;
}

export interface NewReply {
  error?: string;
  /** The program. */
  text: string;
  example: string;
  /** Whether the example says that it serves this config; else it is the nearest. */
  fits: boolean;
  unread_config_keys: string[];
  errors: string[];
}

/** A buffer is alive in [lower, upper). */
export interface PackBuffer {
  id: string;
  lower: number;
  upper: number;
  size: number;
  alignment?: number;
  /** Where others may have its bytes, but for those of `window`. */
  gaps?: { lower: number; upper: number; window?: [number, number] }[];
  /** Where it must lie; in a reply, where it lies. */
  offset?: number;
}

export interface PackProblem {
  capacity?: number;
  buffers: PackBuffer[];
}

/** A table, or a problem. */
export interface PackRequest {
  /** `id,lower,upper,size`, a line a buffer. */
  csv?: string;
  problem?: PackProblem | PackBuffer[];
  /** Stop at a placement that fits. */
  capacity?: number;
  strength?: Strength;
}

export interface PackReply {
  error?: string;
  verdict: 'optimal' | 'feasible' | 'infeasible' | 'undecided';
  height: number;
  bound: number;
  /** No placement is lower. */
  proven: boolean;
  offsets: number[];
  /** The table with its offsets, of a table. */
  csv?: string;
  /** The problem with its offsets, of a problem. */
  problem?: PackProblem & { height: number; bound: number; verdict: string };
  /** Where the capacity is not met, or fixed offsets share bytes: buffers that prevent it. */
  conflict?: string[];
  irreducible?: boolean;
}

export interface FormatReply {
  text: string | null;
  diagnostics: Diagnostic[];
}

/** What an editor asks, as the Language Server Protocol 3.17 has it; places count UTF-16 units. */
export interface LanguageRequest {
  /** "textDocument/hover", …; "capabilities", "irplan/words" and "irplan/diagnostics" (which compiles) besides. */
  ask: string;
  params?: object;
  /** The program as it stands. */
  text: string;
  file?: string;
  /** Stands in edits and places; `file` unless given. */
  uri?: string;
  config?: string | null;
  config_name?: string;
  encoding?: 'utf-8' | 'utf-16';
}

export interface LanguageReply {
  error?: string;
  /** Of the method, as the protocol has it. */
  result: unknown;
  /** Why what the person asked for cannot be done. */
  refused?: string;
}

export interface OpInfo {
  name: string;
  operands: { name: string; optional: boolean }[];
  attributes: { name: string; kind: string; fallback: string | null; choices: string | null }[];
  operand_text: string | null;
  shape_text: string | null;
  doc: string | null;
  variadic: boolean;
  in_place: boolean;
  /** Made by the compiler; has no syntax of its own. */
  fused: boolean;
}

export interface OpsReply {
  ops: OpInfo[];
  dtypes: { name: string; elements: number; bytes: number }[];
}

export interface VersionReply {
  version: string;
  plan_version: string;
}

/** A fault of the compiler's own, or memory that is missing, is thrown; from then on every call throws it: `load` anew. */
export interface Irplan {
  /**
   * One request as JSON text, one reply as JSON text. Beside what has a function here: plans that stay with the compiler, by
   * handle (`compile` with `keep`, then `outline`, `slice`, `bind`, `proof`, `text`, `release`; `explain` and `picture` take one), and
   * `passes`; core/src/service/serve.h has the contract.
   */
  call(request: string): string;
  compile(request: CompileRequest): CompileReply;
  bind(request: BindRequest): BindReply;
  explain(request?: ExplainRequest): ExplainReply;
  picture(request?: { plan?: string; phase?: string }): PictureReply;
  diff(request: { before: string; after: string }): DiffReply;
  /** Whether a model fits into a memory, from its config alone. */
  fit(request: FitRequest): FitReply;
  /** The GPUs that a fit knows by name, the smaller memory first. */
  gpus(): { gpus: Gpu[] };
  /** The example program that serves a config. */
  new(request: { config: string }): NewReply;
  pack(request: PackRequest): PackReply;
  format(request: { text: string; file?: string }): FormatReply;
  language(request: LanguageRequest): LanguageReply;
  ops(): OpsReply;
  version(): VersionReply;
}

type Source = WebAssembly.Module | BufferSource | Response;

export interface LoadOptions {
  /** Told the name of each pass of a compilation when it is done. */
  onPass?: (pass: string) => void;
}

/** `source`: irplan.wasm; the package's own file unless given. */
export function load(source?: Source | Promise<Source>, options?: LoadOptions): Promise<Irplan>;
