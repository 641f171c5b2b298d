// The layers of a phase: runs of ops that one round of a loop made, as an axis that folds.
import type { OpRecord } from './phase';

/** Ops from `begin` to before `end` of one round of a loop at the top level; `loop` is empty outside of loops. */
export interface Section {
  loop: string;
  round: number;
  begin: number;
  end: number;
}

const ROUND = /^([^/.]+)\.(\d+)(?:\/|$)/;

/** Names of what the program binds outside of loops: `logits.1` is the first call within `logits`, not a round. */
function boundNames(ops: OpRecord[]): Set<string> {
  const names = new Set<string>();
  for (const op of ops)
    for (const value of [...op.ins, ...op.outs]) {
      const phase = value?.id.indexOf('/') ?? 0;
      if (value && value.id.indexOf('/', phase + 1) < 0) names.add(value.id.slice(phase + 1));
    }
  return names;
}

export function sectionsOf(ops: OpRecord[]): Section[] {
  const sections: Section[] = [];
  const bound = boundNames(ops);
  for (const op of ops) {
    const [, name = '', number = '0'] = ROUND.exec(op.scope) ?? [];
    const [loop, round] = bound.has(name) ? ['', '0'] : [name, number];
    const last = sections.at(-1);
    if (last && last.loop === loop && last.round === Number(round)) last.end = op.step + 1;
    else sections.push({ loop, round: Number(round), begin: op.step, end: op.step + 1 });
  }
  return sections;
}

/** Rounds that are alike to a reader, and are folded: all but the first two and the last of a loop. */
export interface Fold {
  begin: number; // steps
  end: number;
  rounds: number;
}

const KEPT = 3;

export function foldsOf(sections: Section[]): Fold[] {
  const folds: Fold[] = [];
  for (let i = 0; i < sections.length; ) {
    const { loop } = sections[i]!;
    let next = i + 1;
    while (next < sections.length && sections[next]!.loop === loop) next++;
    if (loop && next - i > KEPT + 1)
      folds.push({ begin: sections[i + 2]!.begin, end: sections[next - 2]!.end, rounds: next - i - KEPT });
    i = next;
  }
  return folds;
}

const FOLDED_WIDTH = 2.5; // steps that a fold is as wide as

/** Where each step lies along the axis, in units of one step, with folds drawn together. */
export class StepAxis {
  readonly steps: number;
  readonly folds: Fold[];
  #units: Float64Array; // where each step begins, and where the last ends
  #fold: (Fold | null)[] = []; // of each step

  constructor(steps: number, folds: Fold[]) {
    this.steps = steps;
    this.folds = folds;
    this.#units = new Float64Array(steps + 1);
    let fold = 0;
    for (let step = 0, unit = 0; step < steps; step++) {
      while (folds[fold] && step >= folds[fold]!.end) fold++;
      const inside = folds[fold] && step >= folds[fold]!.begin ? folds[fold]! : null;
      this.#fold.push(inside);
      unit += inside ? FOLDED_WIDTH / (inside.end - inside.begin) : 1;
      this.#units[step + 1] = unit;
    }
  }

  get length(): number {
    return this.#units[this.steps]!;
  }

  unitOf(step: number): number {
    const whole = Math.min(this.steps, Math.max(0, Math.floor(step)));
    const at = this.#units[whole]!;
    return step === whole || whole === this.steps ? at : at + (step - whole) * (this.#units[whole + 1]! - at);
  }

  stepAt(unit: number): number {
    let low = 0;
    let high = this.steps;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#units[middle]! <= unit) low = middle;
      else high = middle;
    }
    const begin = this.#units[low] ?? 0;
    return low + (unit - begin) / Math.max(1e-9, (this.#units[low + 1] ?? begin + 1) - begin);
  }

  foldAt(step: number): Fold | null {
    return this.#fold[Math.floor(step)] ?? null;
  }
}
