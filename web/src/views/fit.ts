// <irplan-fit>: whether a model fits into a memory, from its config.json alone: exact bytes, the most context and sequences,
// and what would make it fit. Every number is one that the compiler planned.
import { signal } from '@preact/signals-core';
import type { Fit, FitRequest, Gpu } from 'irplan';
import { type TemplateResult, html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { type FitQuestion, STATES, WEIGHTS, emptyQuestion, fitCommand, fitRequest, withChange } from '../model/fit';
import { bytesText, grouped } from '../model/numbers';
import type { Segments } from '../model/plan';
import { copyButton } from '../parts/copy';
import { debounce } from '../parts/dom';
import { codeSpans } from '../parts/text';
import { View, sheets } from '../parts/view';
import styles from '../styles/fit.css?inline';
import frontierStyles from '../styles/frontier.css?inline';
import stackStyles from '../styles/stack.css?inline';
import { frontierChart } from './frontier';
import { legend, stack } from './stack';

const QUIET_MS = 200; // after the last key

export interface FitHost {
  fit(request: FitRequest): Promise<Fit>;
  gpus(): Promise<Gpu[]>;
  /** Published configs to begin with. */
  configs: { name: string; text: string }[];
  /** The program that serves the config, opened with it at these sizes. */
  open(fit: Fit, question: FitQuestion): void;
  /** The question changed: it is what a link holds. */
  asked(question: FitQuestion): void;
  link(question: FitQuestion): string;
}

const plural = (n: number, name: string): string => `${grouped(n)} ${name}${n === 1 ? '' : 's'}`;

export class FitView extends View {
  static override styles = sheets(stackStyles, frontierStyles, styles);

  host!: FitHost;
  #question = signal<FitQuestion>(emptyQuestion());
  #gpus = signal<Gpu[]>([]);
  #answer = signal<Fit | null>(null);
  #wrong = signal<string | null>(null);
  #round = 0;
  #askSoon = debounce(() => QUIET_MS, () => void this.#ask());

  get question(): FitQuestion {
    return this.#question.value;
  }

  set question(question: FitQuestion) {
    this.#question.value = question;
    this.#answer.value = null;
    void this.#ask();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.host.gpus().then((list) => (this.#gpus.value = list), () => undefined); // a memory can be typed as well
  }

  #change(part: Partial<FitQuestion>): void {
    this.#question.value = { ...this.#question.value, ...part };
    this.host.asked(this.#question.value);
    this.#askSoon();
  }

  /** Of what changes meanwhile only the last is answered. */
  async #ask(): Promise<void> {
    const round = ++this.#round;
    const question = this.#question.value;
    if (!question.config.trim()) {
      this.#answer.value = null;
      this.#wrong.value = null;
      return;
    }
    const read = fitRequest(question);
    if ('wrong' in read) {
      this.#wrong.value = read.wrong;
      return;
    }
    try {
      const fit = await this.host.fit(read.request);
      if (round !== this.#round) return;
      this.#answer.value = fit;
      this.#wrong.value = null;
    } catch (error) {
      if (round !== this.#round) return;
      this.#answer.value = null;
      this.#wrong.value = error instanceof Error ? error.message : String(error);
    }
  }

  async #take(file: File): Promise<void> {
    this.#change({ config: await file.text(), configName: file.name });
  }

  // ---- the question

  #config(question: FitQuestion): TemplateResult {
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      event.stopPropagation();
      const file = event.dataTransfer?.files[0];
      if (file) void this.#take(file);
    };
    const choose = (event: Event): void => {
      const [file] = (event.currentTarget as HTMLInputElement).files ?? [];
      if (file) void this.#take(file);
    };
    const example = (event: Event): void => {
      const select = event.currentTarget as HTMLSelectElement;
      const found = this.host.configs.find((one) => one.name === select.value);
      select.value = '';
      if (found) this.#change({ config: found.text, configName: found.name });
    };
    return html`<fieldset @drop=${drop} @dragover=${(event: Event) => event.preventDefault()}>
      <legend>Model <span class="soft">${question.config.trim() ? question.configName : ''}</span></legend>
      <textarea class="mono" rows="7" spellcheck="false" autocapitalize="off" aria-label="config.json of the model" placeholder="Paste the model's config.json, or drop it here"
        .value=${live(question.config)} @input=${(event: Event) => this.#change({ config: (event.currentTarget as HTMLTextAreaElement).value })}></textarea>
      <div class="row">
        <label class="control file">Open…<input type="file" accept=".json,application/json" class="visually-hidden" @change=${choose} /></label>
        <select class="control" aria-label="a published config" @change=${example}>
          <option value="">a published one</option>
          ${this.host.configs.map((one) => html`<option value=${one.name}>${one.name.replace(/\.json$/, '')}</option>`)}
        </select>
      </div>
    </fieldset>`;
  }

  #field(name: 'context' | 'batch', label: string, placeholder: string): TemplateResult {
    return html`<label>${label}
      <input class="control" inputmode="numeric" aria-label=${label} placeholder=${placeholder} .value=${live(this.#question.value[name])}
        @input=${(event: Event) => this.#change({ [name]: (event.currentTarget as HTMLInputElement).value })} /></label>`;
  }

  #dtype(what: 'state' | 'weights', label: string, choices: string[]): TemplateResult {
    const change = (event: Event): void => {
      const { value } = event.currentTarget as HTMLSelectElement;
      const { [what]: _, ...rest } = this.#question.value.retypes;
      this.#change({ retypes: value ? { ...rest, [what]: value } : rest });
    };
    const now = this.#question.value.retypes[what] ?? '';
    return html`<label>${label}
      <select class="control" aria-label=${label} @change=${change} .value=${live(now)}>
        <option value="" ?selected=${now === ''}>as the config says</option>
        ${[...new Set([...choices, ...(now ? [now] : [])])].map((name) => html`<option value=${name} ?selected=${name === now}>${name}</option>`)}
      </select></label>`;
  }

  #memory(question: FitQuestion): TemplateResult {
    const gpu = (event: Event): void => this.#change({ gpu: (event.currentTarget as HTMLSelectElement).value });
    return html`<fieldset>
      <legend>Memory</legend>
      <label>GPU
        <select class="control" aria-label="GPU" @change=${gpu} .value=${live(question.gpu)}>
          <option value="" ?selected=${question.gpu === ''}>so many bytes</option>
          ${this.#gpus.value.map((one) => html`<option value=${one.name} ?selected=${one.name === question.gpu}>${one.title}, ${bytesText(one.bytes)}</option>`)}
        </select></label>
      ${question.gpu ? nothing : html`<label>Bytes
        <input class="control" aria-label="memory" placeholder="no limit" .value=${live(question.memory)}
          @input=${(event: Event) => this.#change({ memory: (event.currentTarget as HTMLInputElement).value })} /></label>`}
    </fieldset>`;
  }

  // ---- the answer

  #verdict(fit: Fit): TemplateResult {
    const used = plural(fit.batch, 'sequence') + ' of ' + plural(fit.context, 'token');
    const { total } = fit.bytes;
    const beyond = fit.beyond_published_context ? `; the model is made for ${plural(fit.published_context!, 'token')}` : '';
    if (fit.memory === null || fit.fits === null) return html`<p class="verdict"><b>${bytesText(total)}</b> for ${used}${beyond}</p>`;
    const difference = Math.abs(fit.memory - total);
    return html`<p class="verdict ${fit.fits ? 'good' : 'bad'}" role="status">
      <b>${fit.fits ? 'Fits' : 'Does not fit'}</b>: ${used} take ${bytesText(total)} of ${bytesText(fit.memory)},
      ${fit.fits ? `${bytesText(difference)} left` : `${bytesText(difference)} too much`}${beyond}</p>`;
  }

  #limits(fit: Fit): TemplateResult | typeof nothing {
    if (fit.memory === null) return nothing;
    const most = (n: number | null, unit: string, beside: string, none: string): string =>
      n === null ? `no limit with ${beside}` : n === 0 ? none : `${plural(n, unit)} with ${beside}`;
    return html`<dl class="facts">
      <dt>most context</dt><dd>${most(fit.max_context, 'token', plural(fit.batch, 'sequence'), `not one token with ${plural(fit.batch, 'sequence')}`)}</dd>
      <dt>most sequences</dt><dd>${most(fit.max_batch, 'sequence', `${plural(fit.context, 'token')} each`, `not one of ${plural(fit.context, 'token')}`)}</dd>
    </dl>`;
  }

  #bytes(fit: Fit): TemplateResult {
    const row = (name: keyof Segments, note: string): TemplateResult => html`<tr>
      <th scope="row"><i class="swatch part-${name}"></i>${name}</th><td class="num">${bytesText(fit.bytes[name])}</td><td class="num soft">${grouped(fit.bytes[name])}</td><td class="soft">${note}</td></tr>`;
    const largest = fit.steps.reduce((best, one) => (one.arena > best.arena ? one : best), fit.steps[0]!);
    const step = largest && `the largest step, ${largest.phase || 'the only phase'}: ${Object.entries(largest.dims).map(([name, n]) => `${name} = ${n}`).join(', ')}`;
    return html`<table class="bytes">
      <caption class="visually-hidden">bytes by segment</caption>
      ${row('weights', Object.entries(fit.weights_by_dtype).map(([dtype, bytes]) => `${dtype} ${bytesText(bytes)}`).join(', '))}
      ${row('state', `${bytesText(fit.state_bytes_per_token)} a token${fit.state_bytes_per_sequence ? ` and ${bytesText(fit.state_bytes_per_sequence)} a sequence` : ''}`)}
      ${row('inputs', '')} ${row('arena', step ?? '')}
      <tr class="sum"><th scope="row">in all</th><td class="num">${bytesText(fit.bytes.total)}</td><td class="num soft">${grouped(fit.bytes.total)}</td><td class="soft">bytes</td></tr>
    </table>`;
  }

  #changes(fit: Fit): TemplateResult | typeof nothing {
    if (!fit.changes.length) return nothing;
    const take = (change: string): void => this.#change(withChange(this.#question.value, change));
    const list = [...fit.changes].sort((a, b) => Number(b.fits) - Number(a.fits));
    return html`<h3>${fit.fits === false ? 'What would make it fit' : 'What would lower it'} <span class="soft">least loss first</span></h3>
      <dl class="advice">${list.map((one) => html`<dt><button type="button" class="chip mono" @click=${() => take(one.change)}>${one.change}</button></dt>
        <dd>${codeSpans(one.what)}: ${bytesText(one.bytes)}${fit.memory === null ? '' : one.fits ? ', fits' : ', still too much'}</dd>`)}</dl>`;
  }

  #frontier(fit: Fit): TemplateResult | typeof nothing {
    if (fit.frontier.length < 2) return nothing;
    const points = fit.frontier.filter((one) => one.context > 0).map(({ batch, context }): [number, number] => [batch, context]);
    const take = ([batch, context]: [number, number]): void => this.#change({ batch: String(batch), context: String(context) });
    return html`<h3>Sequences against context</h3>
      <figure>${frontierChart({ dims: ['sequences', 'tokens'], points }, [fit.batch, fit.context], take)}
        <figcaption class="soft">each point: the most tokens for so many sequences; choose one to see its bytes</figcaption></figure>`;
  }

  #foot(fit: Fit, question: FitQuestion): TemplateResult {
    const command = fitCommand(question);
    return html`<div class="foot">
      <button type="button" class="control primary" @click=${() => this.host.open(fit, question)}>Open the program</button>
      ${copyButton('Copy link', this.host.link(question))}
      ${copyButton('Copy command', command)}
      <code>${command}</code>
    </div>`;
  }

  #shown(fit: Fit): TemplateResult {
    const { weights, state, inputs, arena } = fit.bytes;
    const segments: Segments = { weights, state, inputs, arena };
    return html`${this.#verdict(fit)} ${stack(segments, fit.memory)} ${legend(segments)} ${this.#limits(fit)} ${this.#bytes(fit)}
      ${this.#changes(fit)} ${this.#frontier(fit)}
      ${[...fit.notes, ...fit.assumptions].map((note) => html`<p class="note soft">${codeSpans(note)}</p>`)}
      ${this.#foot(fit, this.#question.value)}`;
  }

  protected override render(): TemplateResult {
    const question = this.#question.value;
    const fit = this.#answer.value;
    const wrong = this.#wrong.value;
    return html`<div class="sides">
      <form @submit=${(event: Event) => event.preventDefault()}>
        ${this.#config(question)} ${this.#memory(question)}
        <fieldset><legend>Use</legend>${this.#field('context', 'Tokens a sequence', '8192')}${this.#field('batch', 'Sequences', '1')}</fieldset>
        <fieldset><legend>Stored as</legend>${this.#dtype('weights', 'Weights', WEIGHTS)}${this.#dtype('state', 'KV cache', STATES)}</fieldset>
      </form>
      <section class="answer" aria-label="answer" aria-live="polite">
        ${wrong ? html`<p class="verdict bad" role="alert">${codeSpans(wrong)}</p>` : nothing}
        ${fit && !wrong ? this.#shown(fit) : nothing}
        ${!fit && !wrong ? html`<p class="soft">A model's <code>config.json</code> is enough: the bytes are those of the plan that runs, not an estimate. Nothing leaves this page.</p>` : nothing}
      </section>
    </div>`;
  }
}

customElements.define('irplan-fit', FitView);

declare global {
  interface HTMLElementTagNameMap {
    'irplan-fit': FitView;
  }
}
