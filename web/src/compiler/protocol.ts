// What the page and its compiler worker say to each other.
import type { BindReply, CompileReply, FormatReply, OpsReply, VersionReply } from 'irplan';
import type { CompileRequest } from 'irplan';

export interface Compiled extends CompileReply {
  /** Of the plan's bytes; empty without a plan. */
  sha256: string;
  /** Time in the compiler, ms. */
  ms: number;
}

export interface Started {
  version: VersionReply;
  ops: OpsReply;
}

export type Request =
  | { method: 'start'; wasm: WebAssembly.Module }
  | { method: 'compile'; request: CompileRequest }
  | { method: 'bind'; plan: string | null; dims: Record<string, number> }
  | { method: 'format'; text: string; file: string };

export interface Replies {
  start: Started;
  compile: Compiled;
  bind: BindReply;
  format: FormatReply;
}

export type ToWorker = Request & { id: number };
export type FromWorker = { id: number; reply: unknown } | { id: number; crash: string };
