// <irplan-diff>: the plan beside that of another program, config, target or binding: a table of deltas, both timelines on one
// scale, ops by layer, the texts.
import type { Signal } from '@preact/signals-core';
import { type PropertyDeclarations, type TemplateResult, html, nothing } from 'lit';
import { type Delta, type OpClass, type Side, type Unit, deltasOf, isChanged, opClasses } from '../model/compare';
import { type Against, type Document, commandLine } from '../model/document';
import { type ShownLine, diffLines, withGaps } from '../model/line_diff';
import { bytesText, countText, grouped, percentText } from '../model/numbers';
import { TARGETS, commandOptions, optionsText, parseOptions } from '../model/options';
import { copyButton } from '../parts/copy';
import { h } from '../parts/dom';
import { sheets } from '../parts/view';
import styles from '../styles/diff.css?inline';
import '../timeline/element';
import type { BufferSelected, Timeline } from '../timeline/element';
import { Panel } from './panel';
import type { PlanSession } from './session';

/** A document that can be the other side. */
export interface ChosenBase {
  group: string;
  name: string;
  document: () => Document;
}

/** The other side, as whoever shows the view has it. */
export interface Comparing {
  readonly against: Signal<Against | null>;
  /** Why the other side has no plan. */
  readonly wrong: Signal<string>;
  /** What is edited. */
  readonly current: Signal<Document>;
  readonly session: PlanSession;
  choices(): ChosenBase[];
  choose(document: Document | null): void;
  change(part: Partial<Against>): void;
  swap(): void;
  planText(): Promise<string>;
}

const SHOWN: Record<Unit, (n: number) => string> = { bytes: bytesText, FLOP: (n) => countText(n, 'FLOP'), count: grouped };
const FOLDED_STEPS = 160; // from which layers are folded

function sideOf(session: PlanSession): Side | null {
  const outline = session.outline.value;
  const phase = session.phase.value;
  return outline && phase ? { outline, phase, totals: session.totals.value } : null;
}

/** "+32.0 MiB, +12 %" */
function changeText({ unit, before, after }: Delta): string {
  if (before === null) return 'only in this';
  if (after === null) return 'only in the other';
  const by = after - before;
  if (by === 0) return '';
  const sign = by > 0 ? '+' : '−';
  const share = before > 0 ? `, ${sign}${percentText(Math.abs(by) / before)}` : '';
  return `${sign}${SHOWN[unit](Math.abs(by))}${share}`;
}

const classOf = ({ before, after }: Delta): string => (before === null || after === null || before === after ? '' : after < before ? 'less' : 'more');

export class Diff extends Panel {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = { ...Panel.properties, all: { state: true }, planDiff: { state: true }, typed: { state: true } };
  declare all: boolean; // also the ops that are alike
  declare planDiff: string | null; // null: not asked for
  declare typed: string; // what is wrong with the options

  constructor() {
    super();
    this.all = false;
    this.planDiff = null;
    this.typed = '';
  }

  get #comparing(): Comparing {
    return this.session.host.comparing!;
  }

  // ---- choosing

  #choices(): TemplateResult {
    const choices = this.#comparing.choices();
    const groups = [...new Set(choices.map((one) => one.group))];
    const current = this.#comparing.current.value;
    const targets = TARGETS.filter((name) => name !== current.options.target);
    const choose = (event: Event): void => {
      const select = event.currentTarget as HTMLSelectElement;
      const [kind, at = ''] = select.value.split(' ', 2) as [string, string?];
      select.value = '';
      if (kind === 'now') this.#comparing.choose(current);
      if (kind === 'target') this.#comparing.choose({ ...current, options: { ...current.options, target: at } });
      if (kind === 'file') this.#chooseFiles();
      if (kind === 'other') this.#comparing.choose(choices[Number(at)]!.document());
    };
    return html`<select class="control" aria-label="Compare with" @change=${choose}>
      <option value="">Compare with…</option>
      <option value="now">this, as it is now</option>
      <option value="file">files…</option>
      <optgroup label="this for another target">${targets.map((name) => html`<option value=${`target ${name}`}>${name}</option>`)}</optgroup>
      ${groups.map((group) => html`<optgroup label=${group}>${choices.map((one, i) => (one.group === group ? html`<option value=${`other ${i}`}>${one.name}</option>` : nothing))}</optgroup>`)}
    </select>`;
  }

  /** Another program, another config of this one, or both. */
  #chooseFiles(): void {
    const input = h('input', { type: 'file', accept: '.irplan,.json', multiple: true });
    input.addEventListener('change', () => void this.#openFiles([...(input.files ?? [])]));
    input.click();
  }

  async #openFiles(files: File[]): Promise<void> {
    const program = files.find((file) => file.name.endsWith('.irplan'));
    const config = files.find((file) => file.name.endsWith('.json'));
    if (!program && !config) return;
    this.#comparing.choose({
      ...this.#comparing.current.value,
      ...(program ? { file: program.name, text: await program.text() } : {}),
      ...(config ? { config: await config.text(), configName: config.name } : {}),
    });
  }

  #base(against: Against): TemplateResult {
    const { options, sizes } = against;
    const comparing = this.#comparing;
    const retarget = (event: Event): void => comparing.change({ options: { ...options, target: (event.currentTarget as HTMLSelectElement).value } });
    const reoption = (event: Event): void => {
      const read = parseOptions((event.currentTarget as HTMLInputElement).value, options.target);
      this.typed = read.wrong?.replaceAll('`', '') ?? '';
      if (read.wrong === null) comparing.change({ options: read.options });
    };
    const resize = (event: Event): void => comparing.change({ sizes: (event.currentTarget as HTMLInputElement).checked ? null : { ...comparing.current.value.sizes } });
    const targets = TARGETS.includes(options.target) ? TARGETS : [...TARGETS, options.target];
    return html`
      <label class="field">Target <select class="control" id="base-target" .value=${options.target} @change=${retarget}>${targets.map((name) => html`<option value=${name} ?selected=${name === options.target}>${name}</option>`)}</select></label>
      <label class="field">Options <input class="control mono" id="base-options" spellcheck="false" .value=${optionsText(options)} aria-invalid=${Boolean(this.typed)} title=${this.typed} placeholder="--let C=4096" @change=${reoption} /></label>
      <label class="field" title="off: the other side stays at the sizes that it has now"><input type="checkbox" id="same-sizes" .checked=${sizes === null} @change=${resize} /> at the same sizes</label>
      <button type="button" class="quiet" title="edit the other side instead" @click=${() => comparing.swap()}>Swap</button>
      <button type="button" class="quiet" @click=${() => comparing.choose(null)}>Remove</button>`;
  }

  // ---- what differs

  #deltas(before: Side, after: Side): TemplateResult {
    const row = (one: Delta): TemplateResult => {
      const cell = (n: number | null): string => (n === null ? '–' : SHOWN[one.unit](n));
      return html`<tr class=${classOf(one)}><th scope="row">${one.name}</th><td class="num">${cell(one.before)}</td><td class="num">${cell(one.after)}</td><td class="num change">${changeText(one)}</td></tr>`;
    };
    return html`<table class="deltas">
      <caption class="visually-hidden">What differs in numbers</caption>
      <thead><tr><th scope="col">${after.phase.name ? `phase ${after.phase.name}` : ''}</th><th scope="col" class="num">other</th><th scope="col" class="num">this</th><th scope="col" class="num">change</th></tr></thead>
      ${deltasOf(before, after).map(({ title, rows }) => html`<tbody><tr class="group"><th scope="rowgroup" colspan="4">${title}</th></tr>${rows.map(row)}</tbody>`)}
    </table>`;
  }

  #timeline(name: string, side: Side): TemplateResult {
    const { phase } = side;
    const sizes = Object.entries(phase.totals.dims).map(([dim, n]) => `${dim} = ${n}`).join(', ');
    const select = ({ detail }: CustomEvent<BufferSelected>): void => this.session.select(detail.id);
    const moved = (event: Event): void => {
      for (const other of this.renderRoot.querySelectorAll<Timeline>('irplan-timeline')) if (other !== event.currentTarget) other.viewport = (event.currentTarget as Timeline).viewport;
    };
    return html`<figure>
      <figcaption>${name}: ${phase.name} ${sizes ? `at ${sizes}` : ''}, peak <b>${bytesText(phase.arena)}</b> in ${phase.ops.length} ops</figcaption>
      <irplan-timeline data-side=${name} @bufferselect=${select} @viewchange=${moved}></irplan-timeline>
    </figure>`;
  }

  #ops(before: Side, after: Side): TemplateResult {
    const classes = opClasses(before, after);
    const changed = classes.filter(isChanged);
    const shown = this.all ? classes : changed;
    const row = (one: OpClass): TemplateResult => {
      const work = { name: '', unit: 'FLOP', before: one.before.flops, after: one.after.flops } as const;
      const moved = { name: '', unit: 'bytes', before: one.before.traffic, after: one.after.traffic } as const;
      return html`<tr class=${one.before.count === 0 ? 'new' : one.after.count === 0 ? 'gone' : ''}>
        <th scope="row"><code>${one.layer || '·'}</code></th>
        <td><i class="swatch kind-${one.kind}"></i>${one.op}</td>
        <td class="num">${one.before.count} → ${one.after.count}</td>
        <td class="num">${countText(one.after.flops, 'FLOP')} <span class="soft">${changeText(work)}</span></td>
        <td class="num">${bytesText(one.after.traffic)} <span class="soft">${changeText(moved)}</span></td>
      </tr>`;
    };
    return html`<h3>Ops by layer <span class="soft">${changed.length} of ${classes.length} kinds differ</span>
        <button type="button" class="quiet" aria-pressed=${this.all} @click=${() => (this.all = !this.all)}>All kinds</button></h3>
      ${shown.length
        ? html`<table class="ops"><caption class="visually-hidden">Ops by layer and operator</caption>
            <thead><tr><th scope="col">layer</th><th scope="col">operator</th><th scope="col" class="num">ops</th><th scope="col" class="num">work</th><th scope="col" class="num">traffic</th></tr></thead>
            <tbody>${shown.map(row)}</tbody></table>`
        : html`<p class="soft">The same ops, with the same work.</p>`}`;
  }

  #text(title: string, before: string, after: string): TemplateResult | typeof nothing {
    if (before === after) return before.trim() && before !== 'none' ? html`<p class="soft">${title}: the same.</p>` : nothing;
    const lines = withGaps(diffLines(before, after));
    const line = (one: ShownLine): TemplateResult =>
      one.kind === 'gap' ? html`<span class="gap">… ${one.hidden} lines alike\n</span>` : html`<span class=${one.kind}>${one.kind === 'added' ? '+ ' : one.kind === 'removed' ? '− ' : '  '}${one.text}\n</span>`;
    return html`<h3>${title}</h3><pre class="text mono" tabindex="0" aria-label=${`${title}, what differs`}>${lines.map(line)}</pre>`;
  }

  #texts(against: Against, current: Document): TemplateResult {
    const names = against.file === current.file ? current.file : `${against.file} → ${current.file}`;
    return html`${this.#text(names, against.text, current.text)}${this.#text('config.json', against.config, current.config)}${this.#text('Options', commandOptions(against.options) || 'none', commandOptions(current.options) || 'none')}`;
  }

  #planDiff(against: Against, current: Document): TemplateResult {
    const opened = async (event: Event): Promise<void> => {
      if (!(event.currentTarget as HTMLDetailsElement).open) return;
      this.planDiff = 'comparing';
      try {
        this.planDiff = (await this.#comparing.planText()) || 'the plans are the same';
      } catch (error) {
        this.planDiff = error instanceof Error ? error.message : String(error);
      }
    };
    const command = `${commandLine({ ...against, sizes: {} })} -o before.json && ${commandLine(current)} -o after.json && irplan diff before.json after.json`;
    return html`<details @toggle=${opened}>
      <summary>Everything that differs in plan.json</summary>
      <p><code>${command}</code> ${copyButton('Copy', command, 'quiet')}</p>
      <pre class="text mono" tabindex="0" aria-label="what differs in plan.json">${this.planDiff ?? ''}</pre>
    </details>`;
  }

  protected override updated(): void {
    const timelines = [...this.renderRoot.querySelectorAll<Timeline>('irplan-timeline')];
    if (timelines.length < 2) return;
    const phases = [this.#comparing.session.phase.peek(), this.session.phase.peek()];
    const folded = phases.some((phase) => (phase?.ops.length ?? 0) > FOLDED_STEPS);
    timelines.forEach((timeline, i) => {
      timeline.show(phases[i] ?? null);
      timeline.folded = folded && timeline.canFold;
      timeline.select(this.session.selected.peek());
    });
    const bytes = Math.max(...phases.map((phase) => phase?.arena ?? 0));
    const units = Math.max(...timelines.map((one) => one.units));
    for (const timeline of timelines) timeline.scale = { bytes, units };
  }

  protected override render(): TemplateResult {
    const comparing = this.#comparing;
    const against = comparing.against.value;
    const current = comparing.current.value;
    const wrong = comparing.wrong.value;
    void this.session.selected.value;
    if (!against)
      return html`<div class="scroll"><div class="tools">${this.#choices()}</div>
        <p>Choose what to compare with: this program as it is now, to see what your next edits, options or sizes change; the same for another target; a draft, an example, or files. Both are planned, and drawn on one scale; a link holds both.</p></div>`;
    const before = wrong ? null : sideOf(comparing.session);
    const after = sideOf(this.session);
    return html`<div class="scroll">
      <div class="tools">${this.#choices()}<span class="other">with <b>${against.file}</b>${against.config ? html`, ${against.configName}` : nothing}</span>${this.#base(against)}</div>
      ${wrong ? html`<p class="bad" role="alert">The other has no plan: ${wrong.replaceAll('`', '')}</p>` : nothing}
      ${before && after
        ? html`${this.#deltas(before, after)}
            <h3>Memory on one scale</h3>
            <div class="timelines">${this.#timeline('other', before)}${this.#timeline('this', after)}</div>
            ${this.#ops(before, after)}`
        : wrong ? nothing : html`<p class="soft" role="status">planning the other side</p>`}
      ${this.#texts(against, current)}
      ${before && after ? this.#planDiff(against, current) : nothing}
    </div>`;
  }
}

customElements.define('irplan-diff', Diff);
