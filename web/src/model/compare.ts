// Two plans in numbers: what each takes, and by how much they differ. Both at the sizes that they are bound at.
import { total, usedBy } from './budgets';
import { KINDS, KIND_LABEL, kindOf } from './kinds';
import { type OpRecord, type Phase, type ValueRecord, segmentsIn } from './phase';
import { type Outline, type PhaseTotals, SEGMENTS } from './plan';

/** A plan as it is looked at. */
export interface Side {
  outline: Outline;
  phase: Phase;
  totals: PhaseTotals[];
}

export type Unit = 'bytes' | 'FLOP' | 'count';

/** A number of both; null where one has none. */
export interface Delta {
  name: string;
  unit: Unit;
  before: number | null;
  after: number | null;
}

export interface DeltaGroup {
  title: string;
  rows: Delta[];
}

const sum = (list: Iterable<number>): number => {
  let all = 0;
  for (const n of list) all += Number.isNaN(n) ? 0 : n;
  return all;
};

/** The values that the ops of a phase read and write, each once. */
function valuesOf(phase: Phase): Map<string, ValueRecord> {
  return new Map(phase.ops.flatMap((op) => [...op.ins, ...op.outs]).flatMap((value) => (value ? [[value.id, value]] : [])));
}

type Numbers = Map<string, number>;

/** Rows in the order in which the names come first; what neither has is left out. */
function rowsOf(unit: Unit, before: Numbers, after: Numbers): Delta[] {
  const names = [...new Set([...after.keys(), ...before.keys()])];
  const rows = names.map((name): Delta => ({ name, unit, before: before.get(name) ?? null, after: after.get(name) ?? null }));
  return rows.filter((row) => row.before || row.after);
}

function memoryOf({ outline, phase }: Side): Numbers {
  const segments = segmentsIn(outline, phase.totals);
  return new Map([
    ['all memory', total(segments)],
    ...SEGMENTS.map((name): [string, number] => [name, segments[name]]),
    ['lower bound of the arena', phase.lowerBound],
    ['arena without reuse', phase.totals.no_reuse ?? 0],
  ]);
}

const arenasOf = ({ totals }: Side): Numbers => new Map(totals.map((one) => [`arena of ${one.name}`, one.arena ?? 0]));

function valueKinds({ phase }: Side): Numbers {
  const count: Numbers = new Map();
  for (const { kind } of valuesOf(phase).values()) count.set(kind, (count.get(kind) ?? 0) + 1);
  return count;
}

/** Bytes of the arena's buffers by the family of the op that writes them first. */
function arenaByKind({ phase }: Side): Numbers {
  const bytes = (kind: string): number => sum(phase.buffers.flatMap((one) => (one.kind === kind ? phase.size[one.index]! : [])));
  return new Map(KINDS.map((kind) => [`arena's buffers of ${KIND_LABEL[kind]}`, bytes(kind)]));
}

function budgetsOf({ outline, phase }: Side, of: 'used' | 'largest'): Numbers {
  const segments = segmentsIn(outline, phase.totals);
  const numbers: Numbers = new Map();
  for (const budget of outline.budget) {
    const used = usedBy(budget, segments);
    if (of === 'used' && used !== null) numbers.set(`${budget.expr}: counts`, used);
    if (of === 'largest') for (const [dim, most] of Object.entries(budget.max ?? {})) numbers.set(`${budget.expr}: most of ${dim}`, most);
  }
  return numbers;
}

const workOf = (side: Side, by: 'flops' | 'traffic'): number => sum(side.phase[by]);

/** Everything of the table, most asked for first; groups without a row are left out. */
export function deltasOf(before: Side, after: Side): DeltaGroup[] {
  const rows = (unit: Unit, of: (side: Side) => Numbers): Delta[] => rowsOf(unit, of(before), of(after));
  const one = (name: string, unit: Unit, of: (side: Side) => number): Delta => ({ name, unit, before: of(before), after: of(after) });
  const groups: DeltaGroup[] = [
    { title: 'Memory', rows: rows('bytes', memoryOf) },
    { title: 'Phases', rows: before.totals.length + after.totals.length > 2 ? rows('bytes', arenasOf) : [] },
    {
      title: 'Work of a step',
      rows: [
        one('ops', 'count', (side) => side.phase.ops.length),
        one('arithmetic', 'FLOP', (side) => workOf(side, 'flops')),
        one('bytes read and written', 'bytes', (side) => workOf(side, 'traffic')),
      ],
    },
    {
      title: 'Budgets',
      rows: [...rows('bytes', (side) => budgetsOf(side, 'used')), ...rows('count', (side) => budgetsOf(side, 'largest'))],
    },
    {
      title: 'Values by class',
      rows: [...rows('count', valueKinds), one('buffers of the arena', 'count', (side) => side.phase.buffers.length), ...rows('bytes', arenaByKind)],
    },
  ];
  return groups.filter((group) => group.rows.length > 0);
}

/** Ops of one operator in layers that are alike: "i/mlp" for each round of the loop over i. */
export interface OpClass {
  layer: string;
  op: string;
  kind: string;
  /** How often, and how much work all of them are. */
  before: OpTally;
  after: OpTally;
}

export interface OpTally {
  count: number;
  flops: number;
  traffic: number;
}

const layerOf = (op: OpRecord): string => op.scope.replaceAll(/\.\d+(?=\/|$)/g, '');

export function opClasses(before: Side, after: Side): OpClass[] {
  const classes = new Map<string, OpClass>();
  const nothing = (): OpTally => ({ count: 0, flops: 0, traffic: 0 });
  for (const [name, { phase }] of [['after', after], ['before', before]] as const)
    for (const op of phase.ops) {
      const layer = layerOf(op);
      const key = `${layer} ${op.op}`;
      const known = classes.get(key) ?? { layer, op: op.op, kind: kindOf(op.op), before: nothing(), after: nothing() };
      classes.set(key, known);
      known[name].count++;
      known[name].flops += phase.flops[op.step] || 0;
      known[name].traffic += phase.traffic[op.step] || 0;
    }
  return [...classes.values()];
}

export function isChanged({ before, after }: { before: OpTally; after: OpTally }): boolean {
  return before.count !== after.count || before.flops !== after.flops || before.traffic !== after.traffic;
}
