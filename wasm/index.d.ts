// Types of the IRPlan compiler's replies. Lines and columns count from 1, columns in UTF-8 bytes.
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
    target?: string;
    deny_warnings?: boolean;
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

export interface FormatReply {
  text: string | null;
  diagnostics: Diagnostic[];
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
  /** One request as JSON text, one reply as JSON text. */
  call(request: string): string;
  compile(request: CompileRequest): CompileReply;
  bind(request: BindRequest): BindReply;
  format(request: { text: string; file?: string }): FormatReply;
  ops(): OpsReply;
  version(): VersionReply;
}

type Source = WebAssembly.Module | BufferSource | Response;

export function load(source: Source | Promise<Source>): Promise<Irplan>;
