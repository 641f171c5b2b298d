// One plan as it is looked at: what the compiler keeps of it, the sizes, the phase, and what is chosen. Every view is given
// a session; a page, a frame or each side of a comparison has its own.
import { batch, signal } from '@preact/signals-core';
import { Latest } from '../compiler/latest';
import type { PlanHandle } from '../compiler/pool';
import type { Opened, PassText, Proof } from '../compiler/protocol';
import { type Phase, type PhaseRecords, bindPhase, buffersOfLine, linesOf, phaseRecords } from '../model/phase';
import type { Look } from '../model/link';
import type { Bound, Outline, PhaseTotals } from '../model/plan';
import type { Comparing } from './diff';

export type Sizes = Record<string, number>;
export const VIEWS = ['memory', 'buffers', 'ops', 'graph', 'budgets', 'passes', 'report', 'run', 'diff', 'json'] as const;
export type ViewName = (typeof VIEWS)[number];

/** What a view may ask of whoever shows it. */
export interface SessionHost {
  /** Sizes of the sliders that stand elsewhere than in the plan. */
  resized: (sizes: Sizes) => void;
  /** Lines of the program that made what is chosen. */
  markLines: (lines: number[]) => void;
  goToLine: (line: number) => void;
  /** To compile with what a plan offers: "--let C=4096", "budget S <= 512". */
  takeChange: (change: string) => void;
  /** The graph after each pass that changed it. */
  passes: () => Promise<PassText[]>;
  /** The compiler that kept the plan is gone. */
  lost: () => void;
  /** What the plan is compared with, where it can be. */
  comparing?: Comparing;
}

export class PlanSession {
  readonly outline = signal<Outline | null>(null);
  readonly phase = signal<Phase | null>(null);
  readonly totals = signal<PhaseTotals[]>([]);
  readonly sizes = signal<Sizes>({});
  readonly stale = signal(false);
  /** What is shown is refused by its budgets: no plan to run. */
  readonly refused = signal(false);
  readonly selected = signal<string | null>(null);
  readonly highlighted = signal<ReadonlySet<string>>(new Set());
  readonly view = signal<ViewName>('memory');
  readonly host: SessionHost;
  #plan: PlanHandle | null = null;
  #records = new Map<string, PhaseRecords>();
  #wantedPhase = '';
  #binds = new Latest();

  constructor(host: SessionHost) {
    this.host = host;
  }

  /** Shows another plan; the phase and what is chosen stay where it has them. */
  async open(plan: PlanHandle, sizes: Sizes, refused: boolean): Promise<void> {
    const sizesBefore = this.sizes.value;
    const opened = await plan.ask<'open'>({ method: 'open', dims: sizes, phase: this.#wantedPhase });
    const before = this.#plan;
    this.#plan = plan;
    this.#records.clear();
    batch(() => {
      this.outline.value = opened.outline;
      this.refused.value = refused;
      this.stale.value = false;
      if (this.sizes.value === sizesBefore) this.sizes.value = sizes;
      this.#take(opened, opened.outline);
      this.#keepSelection();
    });
    if (this.sizes.value !== sizes) this.#bind(); // a slider was moved meanwhile
    before?.release();
  }

  get handle(): PlanHandle | null {
    return this.#plan;
  }

  /** The same plan at other sizes. */
  resize(sizes: Sizes): void {
    this.sizes.value = sizes;
    this.host.resized(sizes);
    this.#bind();
  }

  choosePhase(name: string): void {
    this.#wantedPhase = name;
    this.selected.value = null;
    this.#bind();
  }

  select(id: string | null): void {
    this.selected.value = id;
    const phase = this.phase.value;
    this.host.markLines(phase && id !== null ? linesOf(phase, id) : []);
  }

  /** What a link says of what is looked at. */
  get look(): Look {
    const view = this.view.value;
    const buffer = this.selected.value;
    return {
      ...(view === VIEWS[0] ? {} : { view }),
      ...(this.#wantedPhase ? { phase: this.#wantedPhase } : {}),
      ...(buffer === null ? {} : { buffer }),
    };
  }

  /** Looks at the next plan as a link says. */
  set look({ view, phase, buffer }: Look) {
    this.view.value = VIEWS.find((one) => one === view) ?? VIEWS[0];
    this.#wantedPhase = phase ?? '';
    this.selected.value = buffer ?? null;
  }

  /** Marks what a line of the program makes. */
  highlightLine(line: number): void {
    const phase = this.phase.value;
    const ids = phase ? buffersOfLine(phase, line) : new Set<string>();
    if (ids.size || this.highlighted.value.size) this.highlighted.value = ids;
  }

  /** plan.json's exact bytes, as text. */
  async text(): Promise<string> {
    const plan = this.#plan;
    return plan ? plan.ask<'text'>({ method: 'text' }) : '';
  }

  async proof(): Promise<Proof | null> {
    const plan = this.#plan;
    return plan ? plan.ask<'proof'>({ method: 'proof' }) : null;
  }

  /** The memory over the steps as SVG, at the plan's own sizes. */
  async picture(): Promise<string> {
    const plan = this.#plan;
    const phase = this.phase.value?.name ?? '';
    return plan ? plan.ask<'picture'>({ method: 'picture', phase }) : '';
  }

  #take(opened: Omit<Opened, 'outline'>, outline: Outline): void {
    const { bound, slice } = opened;
    const records = phaseRecords(bound.phase, slice);
    this.#records.set(bound.phase, records);
    this.#show(records, bound, outline);
  }

  #show(records: PhaseRecords, bound: Bound, outline: Outline): void {
    this.totals.value = bound.phases;
    this.phase.value = bindPhase(records, bound, outline.target.align);
  }

  #keepSelection(): void {
    const id = this.selected.value;
    const phase = this.phase.value;
    if (id === null) return;
    this.select(phase?.arenaById.has(id) || phase?.residentById.has(id) ? id : null);
  }

  #bind(): void {
    this.#binds.run(async () => {
      const plan = this.#plan;
      const outline = this.outline.value;
      if (!plan || !outline) return;
      const phase = outline.phases.some((one) => one.name === this.#wantedPhase)
        ? this.#wantedPhase
        : (this.phase.value?.name ?? '');
      const request = { dims: this.sizes.value, phase };
      try {
        const records = this.#records.get(phase);
        if (records) {
          const bound = await plan.ask<'bind'>({ method: 'bind', ...request });
          if (plan === this.#plan) batch(() => this.#show(records, bound, outline));
        } else {
          const opened = await plan.ask<'slice'>({ method: 'slice', ...request });
          if (plan === this.#plan) batch(() => this.#take(opened, outline));
        }
      } catch {
        if (plan === this.#plan) this.host.lost(); // the compiler is gone, and with it the plan
      }
    });
  }
}
