// The other side of a comparison: its program, compiled by a compiler of its own, beside the one that is edited.
import { type Signal, batch, effect, signal } from '@preact/signals-core';
import { Latest } from '../compiler/latest';
import type { CompilerPool } from '../compiler/pool';
import { type Against, type Document, againstOf, compileRequest } from '../model/document';
import type { ChosenBase, Comparing } from '../views/diff';
import { PlanSession, type Sizes } from '../views/session';

export interface ComparisonHost {
  pool: CompilerPool;
  /** The plan of what is edited. */
  session: PlanSession;
  document: () => Document;
  /** The document's other side is another one. */
  changed: () => void;
  /** Opens the other side to be edited. */
  swap: (document: Document) => void;
  choices: () => ChosenBase[];
}

export class Comparison implements Comparing {
  readonly against = signal<Against | null>(null);
  readonly wrong = signal('');
  readonly current: Signal<Document>;
  readonly session = new PlanSession({ resized: () => {}, markLines: () => {}, goToLine: () => {}, takeChange: () => {}, passes: async () => [], lost: () => this.#compile() });
  #host: ComparisonHost;
  #compiles = new Latest();

  constructor(host: ComparisonHost) {
    this.#host = host;
    this.current = signal(host.document());
    effect(() => {
      const name = host.session.phase.value?.name;
      if (name !== undefined && this.session.phase.value && this.session.phase.value.name !== name) this.session.choosePhase(name);
    });
    effect(() => {
      const chosen = host.session.selected.value;
      if (this.session.phase.value) this.session.selected.value = this.session.phase.value.arenaById.has(chosen ?? '') ? chosen : null;
    });
  }

  choices(): ChosenBase[] {
    return this.#host.choices();
  }

  /** What is edited has changed, or another document is shown. */
  follow(): void {
    const document = this.#host.document();
    const against = document.against ?? null;
    const other = against !== this.against.peek();
    batch(() => {
      this.current.value = { ...document };
      this.against.value = against;
    });
    if (other) this.#compile();
  }

  /** The sizes of what is edited have changed. */
  resized(sizes: Sizes): void {
    const against = this.against.peek();
    if (against && against.sizes === null) this.session.resize(sizes);
  }

  choose(document: Document | null): void {
    this.#take(document && againstOf(document, null));
  }

  change(part: Partial<Against>): void {
    const against = this.against.peek();
    if (against) this.#take({ ...against, ...part });
  }

  swap(): void {
    const against = this.against.peek();
    if (!against) return;
    const { against: _, ...now } = this.#host.document();
    const { sizes, ...rest } = against;
    this.#host.swap({ ...rest, sizes: sizes ?? now.sizes, against: againstOf(now, sizes && now.sizes) });
  }

  /** The core's own diff of both plans. */
  async planText(): Promise<string> {
    const [before, after] = await Promise.all([this.session.text(), this.#host.session.text()]);
    return before && after ? this.#host.pool.beside.ask<'diff'>({ method: 'diff', before, after }) : '';
  }

  #take(against: Against | null): void {
    const document = this.#host.document();
    if (against) document.against = against;
    else delete document.against;
    this.#host.changed();
    this.follow();
  }

  #compile(): void {
    const against = this.against.peek();
    this.wrong.value = '';
    if (!against) return;
    this.#compiles.run(async () => {
      const sizes = against.sizes ?? this.#host.document().sizes;
      try {
        const { pool, session } = this.#host;
        const { compiled, plan } = await pool.compile(compileRequest({ ...against, sizes }, true), pool.beside);
        if (against !== this.against.peek()) return plan?.release();
        const first = compiled.diagnostics.find((one) => one.severity === 'error');
        if (!plan) {
          this.session.outline.value = null;
          this.wrong.value = first ? `${first.file}, line ${first.line}: ${first.message}` : 'it does not compile';
          return;
        }
        const phase = session.phase.peek()?.name;
        this.session.look = phase ? { phase } : {};
        await this.session.open(plan, sizes, compiled.refused);
      } catch (error) {
        this.wrong.value = error instanceof Error ? error.message : String(error);
      }
    });
  }
}
