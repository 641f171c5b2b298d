// What somebody asks of "what fits", as it is typed: a model's config, a memory, and how it is to be used.
import type { FitRequest } from 'irplan';

export interface FitQuestion {
  config: string;
  configName: string;
  /** A known GPU's name, or empty: `memory` counts. */
  gpu: string;
  /** With a unit, "24GiB"; empty: nothing limits it. */
  memory: string;
  /** Tokens a sequence; empty: the compiler's choice. */
  context: string;
  /** Sequences at once. */
  batch: string;
  retypes: Partial<Record<'state' | 'weights', string>>;
}

export function emptyQuestion(): FitQuestion {
  return { config: '', configName: 'config.json', gpu: '', memory: '24GiB', context: '', batch: '', retypes: {} };
}

/** Kinds of numbers that weights can be stored in, what gives up least first. */
export const WEIGHTS = ['bf16', 'f8e4m3', 'q8_0', 'mxfp4', 'q4_0'];
export const STATES = ['bf16', 'f8e4m3', 'q8_0', 'q4_0'];

/** "8 192" and "8_192" are 8192; null is no whole number above 0. */
function count(typed: string): number | null {
  const digits = typed.replaceAll(/[\s_,\u2009]/g, '');
  return /^\d{1,9}$/.test(digits) && Number(digits) > 0 ? Number(digits) : null;
}

/** The request, or the field that cannot be read and what it takes. */
export function fitRequest(question: FitQuestion): { request: FitRequest } | { field: keyof FitQuestion; wrong: string } {
  const request: FitRequest = { config: question.config, config_name: question.configName, retypes: question.retypes };
  for (const field of ['context', 'batch'] as const) {
    if (!question[field].trim()) continue;
    const n = count(question[field]);
    if (n === null) return { field, wrong: `${field} is a number from 1 on, not "${question[field]}"` };
    request[field] = n;
  }
  if (question.gpu) request.gpu = question.gpu;
  else if (question.memory.trim()) {
    const memory = question.memory.replaceAll(/\s/g, '');
    if (!/^\d+(\.\d+)?([KMGT]i?B|B)$/i.test(memory)) return { field: 'memory', wrong: `memory is bytes with a unit, 24GiB or 23.58GiB, not "${question.memory}"` };
    request.memory = memory;
  }
  return { request };
}

/** The command that gives the same answer. */
export function fitCommand({ configName, gpu, memory, context, batch, retypes }: FitQuestion): string {
  const parts = ['irplan', 'fit', configName];
  if (gpu) parts.push('--gpu', gpu);
  else if (memory.trim()) parts.push('--memory', memory.replaceAll(/\s/g, ''));
  if (context.trim()) parts.push('--context', String(count(context) ?? context));
  if (batch.trim()) parts.push('--batch', String(count(batch) ?? batch));
  for (const [what, dtype] of Object.entries(retypes)) parts.push('--retype', `${what}=${dtype}`);
  return parts.join(' ');
}

/** The config with keys as they stand in JSON: `"quantization_config": {"quant_method": "mxfp4"}`. */
function withKeys(config: string, keys: string): string {
  try {
    return JSON.stringify({ ...JSON.parse(config), ...JSON.parse(`{${keys}}`) }, null, 2);
  } catch {
    return config; // Infinity and NaN, which Python writes, are not read here
  }
}

/** The question with a change as the compiler words it: "--retype state=f8e4m3", "--gpu a10", "--context 4096", or keys of the config. */
export function withChange(question: FitQuestion, change: string): FitQuestion {
  const next: FitQuestion = { ...question, retypes: { ...question.retypes } };
  if (change.startsWith('"')) next.config = withKeys(question.config, change);
  for (const [, option, value] of change.matchAll(/--(\w+) (\S+)/g)) {
    const [name, text] = value!.split('=', 2) as [string, string | undefined];
    if (option === 'gpu') next.gpu = name;
    else if (option === 'context' || option === 'batch' || option === 'memory') next[option] = name;
    else if (option === 'retype' && (name === 'state' || name === 'weights')) next.retypes[name] = text ?? '';
  }
  return next;
}
