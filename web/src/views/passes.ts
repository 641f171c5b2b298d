// <irplan-passes>: the graph after each pass that changed it, and what the pass changed.
import { type PropertyDeclarations, type TemplateResult, html, nothing } from 'lit';
import type { PlanHandle } from '../compiler/pool';
import type { PassText } from '../compiler/protocol';
import { type ShownLine, diffLines, withGaps } from '../model/line_diff';
import '../parts/lines';
import { radioGroup } from '../parts/tabs';
import { sheets } from '../parts/view';
import styles from '../styles/passes.css?inline';
import { Panel } from './panel';

export class Passes extends Panel {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = {
    ...Panel.properties,
    passes: { state: true },
    chosen: { state: true },
    whole: { state: true },
    wrong: { state: true },
  };
  declare passes: PassText[];
  declare chosen: number;
  declare whole: boolean;
  declare wrong: string;
  #of: PlanHandle | null = null;
  #diffs = new Map<number, ShownLine[]>(); // by pass

  constructor() {
    super();
    this.passes = [];
    this.chosen = 1;
    this.whole = false;
    this.wrong = '';
  }

  async #load(): Promise<void> {
    const { handle: plan } = this.session;
    if (!plan || this.#of === plan) return;
    this.#of = plan;
    try {
      const passes = await this.session.host.passes();
      if (this.#of !== plan) return;
      this.passes = passes;
      this.#diffs.clear();
      this.wrong = '';
      this.chosen = Math.min(this.chosen, passes.length - 1);
    } catch (error) {
      this.wrong = error instanceof Error ? error.message : String(error);
    }
  }

  #lines(at: number): ShownLine[] {
    const text = this.passes[at]?.text ?? '';
    if (this.whole || at === 0) return text.split('\n').map((line) => ({ kind: 'same', text: line }));
    let lines = this.#diffs.get(at);
    if (!lines) {
      lines = withGaps(diffLines(this.passes[at - 1]!.text, text));
      this.#diffs.set(at, lines);
    }
    return lines;
  }

  protected override render(): TemplateResult {
    void this.session.outline.value;
    void this.#load();
    const pass = this.passes[this.chosen];
    if (!pass) return html`<p class="wait soft">${this.wrong || 'running the passes again'}</p>`;
    const lines = this.#lines(this.chosen);
    const count = (kind: string): number => lines.filter((line) => line.kind === kind).length;
    const choices = this.passes.map((one, i) => ({ name: String(i), label: one.name }));
    const draw = (row: number): unknown => {
      const line = lines[row]!;
      if (line.kind === 'gap') return html`<span class="gap">… ${line.hidden} lines alike</span>`;
      const sign = line.kind === 'added' ? '+ ' : line.kind === 'removed' ? '− ' : '  ';
      return html`<span class=${line.kind}>${sign}${line.text}</span>`;
    };
    const compared = this.chosen > 0 && !this.whole;
    return html`<div class="tools">
        ${radioGroup('Passes that changed something', choices, String(this.chosen), (name) => (this.chosen = Number(name)))}
        <span class="spring"></span>
        ${compared ? html`<span class="soft">${count('added')} added, ${count('removed')} removed</span>` : nothing}
        <button type="button" class="quiet" aria-pressed=${this.whole} @click=${() => (this.whole = !this.whole)}>Whole graph</button>
      </div>
      <p class="contract">${pass.contract}</p>
      <irplan-lines .count=${lines.length} .label=${`The graph after ${pass.name}`} .line=${draw}></irplan-lines>`;
  }
}

customElements.define('irplan-passes', Passes);
