// Families of operators, for colour: what a reader tells apart at a glance in a transformer.

export const KINDS = ['linear', 'attention', 'norm', 'elementwise', 'lookup', 'movement'] as const;
export type Kind = (typeof KINDS)[number];

export const KIND_LABEL: Record<Kind, string> = {
  linear: 'linear',
  attention: 'attention',
  norm: 'norm',
  elementwise: 'elementwise',
  lookup: 'lookup and choice',
  movement: 'copy and scratch',
};

const BY_OP: Record<string, Kind> = {
  linear: 'linear',
  matmul: 'linear',
  expert: 'linear',
  dequant: 'linear',
  attention: 'attention',
  rope: 'attention',
  append: 'attention',
  rmsnorm: 'norm',
  layernorm: 'norm',
  embed: 'lookup',
  positions: 'lookup',
  route: 'lookup',
  argmax: 'lookup',
  topk: 'lookup',
  copy: 'movement',
  pack: 'movement',
  view: 'movement',
  transpose: 'movement',
  slice: 'movement',
  split: 'movement',
  concat: 'movement',
};

/** A fused op is of its heaviest part's family. */
export function kindOf(op: string): Kind {
  const known = BY_OP[op];
  if (known) return known;
  if (/linear|matmul|expert|proj|qkv/.test(op)) return 'linear';
  if (/attention|rope|append/.test(op)) return 'attention';
  if (/norm/.test(op)) return 'norm';
  return 'elementwise';
}
