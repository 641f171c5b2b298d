// What the page and a compiler's worker say to each other.
import type { CompileRequest, Diagnostic, Fit, FitRequest, FormatReply, Gpu, NewReply, VersionReply } from 'irplan';
import type { Bound, Outline, PhaseSlice } from '../model/plan';

export type Handle = number;

export interface Compiled {
  ok: boolean;
  /** The plan stays with the compiler; null where there is none. */
  handle: Handle | null;
  /** Budgets alone are wrong: what the handle stands for can be drawn, and is no plan to run. */
  refused: boolean;
  diagnostics: Diagnostic[];
  unread_config_keys: string[];
  /** Time in the compiler, ms. */
  ms: number;
}

export interface Started {
  version: VersionReply;
}

/** A plan as far as a first look needs it. */
export interface Opened {
  outline: Outline;
  slice: PhaseSlice;
  bound: Bound;
}

export interface Proof {
  sha256: string;
  bytes: number;
}

export interface PassText {
  name: string;
  contract: string;
  text: string;
}

type Sizes = Record<string, number>;

export type Request =
  | { method: 'start'; wasm: WebAssembly.Module }
  | { method: 'compile'; request: CompileRequest }
  | { method: 'open'; handle: Handle; dims: Sizes; phase: string }
  | { method: 'slice'; handle: Handle; dims: Sizes; phase: string }
  | { method: 'bind'; handle: Handle; dims: Sizes; phase: string }
  | { method: 'proof'; handle: Handle }
  | { method: 'text'; handle: Handle }
  | { method: 'report'; handle: Handle; phase: string }
  | { method: 'picture'; handle: Handle; phase: string }
  | { method: 'diff'; before: string; after: string }
  | { method: 'release'; handle: Handle }
  | { method: 'passes'; request: CompileRequest }
  | { method: 'format'; text: string; file: string }
  | { method: 'fit'; request: FitRequest }
  | { method: 'gpus' }
  | { method: 'new'; config: string }
  | { method: 'language'; question: object };

export interface Replies {
  start: Started;
  compile: Compiled;
  open: Opened;
  slice: Omit<Opened, 'outline'>;
  bind: Bound;
  proof: Proof;
  text: string;
  report: string;
  /** SVG. */
  picture: string;
  /** Of two plans, as text. */
  diff: string;
  release: null;
  passes: PassText[];
  format: FormatReply;
  fit: Fit;
  gpus: Gpu[];
  new: NewReply;
  language: { result: unknown; refused?: string };
}

export type Method = Request['method'];
export type Reply<M extends Method> = Replies[M];

export type ToWorker = Request & { id: number };
/** `error`: the request cannot be answered, and the compiler is well; `pass`: a compilation has come so far. */
export type FromWorker = { id: number } & ({ reply: unknown } | { error: string } | { crash: string } | { pass: string });

