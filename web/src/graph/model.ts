// The ops of a phase as a graph: an edge where an op reads what another wrote, also through a view; rounds of a loop that
// are alike are one node.
import { type Kind, kindOf } from '../model/kinds';
import { writeLabel } from '../model/labels';
import { type Fold, foldsOf } from '../model/layers';
import type { OpRecord, PhaseRecords, ValueRecord } from '../model/phase';

export interface GraphNode {
  id: number;
  label: string;
  /** Beside it: the parameter, the shape. */
  note: string;
  kind: Kind;
  op: OpRecord | null; // null: folded rounds
  fold: Fold | null;
}

export interface Graph {
  nodes: GraphNode[];
  edges: [number, number][]; // ids
}

export function graphOf(phase: PhaseRecords, folded: boolean): Graph {
  const folds = folded ? foldsOf(phase.sections) : [];
  const foldOf = (step: number): Fold | null => folds.find((fold) => step >= fold.begin && step < fold.end) ?? null;
  const nodes: GraphNode[] = [];
  const nodeOf: number[] = []; // by step
  for (const op of phase.ops) {
    const fold = foldOf(op.step);
    const before = fold && op.step > fold.begin ? nodeOf[fold.begin] : undefined;
    nodeOf.push(before ?? nodes.length);
    if (before !== undefined) continue;
    const loop = phase.sections.find((section) => op.step >= section.begin && op.step < section.end)?.loop ?? '';
    nodes.push(
      fold
        ? { id: nodes.length, label: `+${fold.rounds} rounds of ${loop}`, note: `${fold.end - fold.begin} ops`, kind: 'movement', op: null, fold }
        : { id: nodes.length, label: op.op, note: noteOf(op), kind: kindOf(op.op), op, fold: null },
    );
  }
  return { nodes, edges: edgesOf(phase, nodeOf) };
}

function noteOf(op: OpRecord): string {
  const [value] = op.outs;
  return value ? writeLabel(value.id, op, false) : '';
}

function edgesOf(phase: PhaseRecords, nodeOf: number[]): [number, number][] {
  const writer = new Map<ValueRecord, number>();
  const writersOf = new Map<number, number[]>(); // by place: who wrote what stands there
  const seen = new Set<string>();
  const edges: [number, number][] = [];
  const join = (from: number, to: number): void => {
    if (from === to || seen.has(`${from} ${to}`)) return;
    seen.add(`${from} ${to}`);
    edges.push([from, to]);
  };
  for (const op of phase.ops) {
    const to = nodeOf[op.step]!;
    for (const value of op.ins) {
      if (!value) continue;
      const from = writer.get(value);
      // No op writes a view: it shows bytes that others wrote.
      for (const one of from === undefined ? (writersOf.get(value.place) ?? []) : [from]) join(one, to);
    }
    for (const value of op.outs) {
      writer.set(value, to);
      writersOf.set(value.place, value.window ? [...(writersOf.get(value.place) ?? []), to] : [to]);
    }
  }
  return edges;
}
