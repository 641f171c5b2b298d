// What a reader calls a buffer: by the parameter that makes it ("gate_proj"), since names within functions are the
// compiler's own ("y.1").
import type { OpRecord } from './phase';

/** Names that the compiler made: numbers, and a name with a number or a path behind it. */
const MADE = /^\d+$|[.~]\d/;

function lastPart(path: string, separator: string): string {
  return path.slice(path.lastIndexOf(separator) + 1);
}

/** "model.layers.0.mlp.gate_proj.weight": "gate_proj". */
export function parameterName(source: string): string {
  return lastPart(source.replace(/\.(weight|weight_packed|bias|qweight|blocks)$/, ''), '.');
}

export function writeLabel(id: string, op: OpRecord, scratch: boolean): string {
  if (scratch) return `${op.op} scratch`;
  const own = lastPart(id, '/');
  if (!MADE.test(own)) return own;
  const sources = op.ins.flatMap((value) => (value?.kind === 'param' && value.source ? [parameterName(value.source)] : []));
  const names = [...new Set(sources)].filter((name) => !/^\d+$/.test(name));
  return names.length ? names.slice(0, 3).join('+') : op.op;
}
