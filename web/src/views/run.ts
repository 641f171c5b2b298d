// <irplan-run>: the plan run in this page, at the sizes that are looked at, on random numbers or on the reader's files.
import { type TemplateResult, html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { total } from '../model/budgets';
import { bytesText, countText, grouped } from '../model/numbers';
import { type Phase, segmentsIn } from '../model/phase';
import type { Outline } from '../model/plan';
import { type Filling, type InputChoice, type ShownResult, newInput, runCommand, timeText } from '../model/run';
import { copyButton } from '../parts/copy';
import { sheets } from '../parts/view';
import styles from '../styles/run.css?inline';
import { Panel } from './panel';
import './run_output';
import { type RunSession, type RunState, runOf } from './run_session';

const FILLINGS: [Filling, string][] = [['random', 'random'], ['value', 'one value'], ['file', 'a file']];

const sizes = (dims: Record<string, number>): string => Object.entries(dims).map(([name, n]) => `${name} = ${n}`).join(', ');

/** The last of the inputs' types, without what the plan calls its own: "i32[B, S]". */
const inputsOf = (phase: Phase): { name: string; type: string }[] =>
  phase.resident.flatMap((one) => (one.segment === 'inputs' ? [{ name: one.id, type: one.type }] : []));

export class RunView extends Panel {
  static override styles = sheets(styles);

  get #run(): RunSession {
    return runOf(this.session);
  }

  #take(event: Event): void {
    const field = event.currentTarget as HTMLInputElement;
    const files = [...(field.files ?? [])];
    field.value = '';
    const phase = this.session.phase.value;
    if (files.length && phase) void this.#run.take(files, inputsOf(phase).map((one) => one.name));
  }

  #drop(event: DragEvent): void {
    event.preventDefault();
    event.stopPropagation(); // the page would take them for programs
    const files = [...(event.dataTransfer?.files ?? [])];
    const phase = this.session.phase.value;
    if (files.length && phase) void this.#run.take(files, inputsOf(phase).map((one) => one.name));
  }

  // ---- what is asked

  #field(label: string, value: string, change: (text: string) => void): TemplateResult {
    return html`<input class="control number" inputmode="numeric" aria-label=${label} .value=${live(value)}
      @input=${(event: Event) => change((event.currentTarget as HTMLInputElement).value)} />`;
  }

  #file(label: string, accept: string, several: boolean, change: (event: Event) => void): TemplateResult {
    return html`<label class="control file">Open…<input type="file" accept=${accept} ?multiple=${several} class="visually-hidden" aria-label=${label} @change=${change} /></label>`;
  }

  #weights(outline: Outline, phase: Phase): TemplateResult | typeof nothing {
    const weights = phase.resident.filter((one) => one.segment === 'weights');
    if (!weights.length) return nothing;
    const { seed, files } = this.#run.choice.value;
    const chosen = files.length
      ? html`<span class="mono clip">${files.map((file) => file.name).join(', ')}</span>
          <button type="button" class="quiet" @click=${() => this.#run.change({ files: [] })}>Random instead</button>`
      : html`<span>random, seed</span>${this.#field('seed of the weights', seed, (text) => this.#run.change({ seed: text }))}`;
    return html`<tr><th scope="row">weights</th><td class="soft">${grouped(weights.length)}, ${bytesText(outline.memory_plan.segments.weights)}</td>
      <td><div class="choice">${chosen}${this.#file('weights from safetensors files', '.safetensors', true, (event) => this.#take(event))}</div></td></tr>`;
  }

  #input({ name, type }: { name: string; type: string }): TemplateResult {
    const choice = this.#run.choice.value.inputs[name] ?? newInput();
    const change = (part: Partial<InputChoice>): void =>
      this.#run.change({ inputs: { ...this.#run.choice.value.inputs, [name]: { ...choice, ...part } } });
    const open = async (event: Event): Promise<void> => {
      const [file] = (event.currentTarget as HTMLInputElement).files ?? [];
      if (file) change({ file: { name: file.name, bytes: await file.arrayBuffer() }, tensor: '' });
    };
    const safetensors = choice.file?.name.endsWith('.safetensors');
    const fields: Record<Filling, () => TemplateResult> = {
      random: () => html`<span>seed</span>${this.#field(`seed of ${name}`, choice.seed, (seed) => change({ seed }))}`,
      value: () => this.#field(`value of ${name}`, choice.value, (value) => change({ value })),
      file: () => html`<span class="mono clip">${choice.file?.name ?? 'none yet'}</span>
        ${this.#file(`file of ${name}`, '.npy,.safetensors', false, (event) => void open(event))}
        ${safetensors ? html`<label class="soft">tensor <input class="control mono" .value=${live(choice.tensor)} @input=${(event: Event) => change({ tensor: (event.currentTarget as HTMLInputElement).value })} /></label>` : nothing}`,
    };
    return html`<tr><th scope="row" class="mono">${name}</th><td class="mono soft">${type}</td>
      <td><div class="choice"><select class="control" aria-label=${`numbers of ${name}`} @change=${(event: Event) => change({ filling: (event.currentTarget as HTMLSelectElement).value as Filling })}>
        ${FILLINGS.map(([filling, label]) => html`<option value=${filling} ?selected=${filling === choice.filling}>${label}</option>`)}
      </select>${fields[choice.filling]()}</div></td></tr>`;
  }

  #states(phase: Phase): TemplateResult | typeof nothing {
    const states = phase.resident.filter((one) => one.segment === 'state');
    if (!states.length) return nothing;
    const { states: now } = this.#run.choice.value;
    const change = (event: Event): void => this.#run.change({ states: (event.currentTarget as HTMLSelectElement).value as 'unset' | 'zeros' });
    return html`<tr><th scope="row">states</th><td class="soft">${grouped(states.length)}, ${bytesText(phase.totals.state)}</td>
      <td><div class="choice"><select class="control" aria-label="what states hold before" @change=${change}>
        <option value="zeros" ?selected=${now === 'zeros'}>zeros</option><option value="unset" ?selected=${now === 'unset'}>unset: NaN where nothing wrote</option>
      </select></div></td></tr>`;
  }

  // ---- how it goes, and what came of it

  #progress({ need, progress }: Extract<RunState, { kind: 'running' }>): TemplateResult {
    const share = progress && progress.of > 0 ? progress.done / progress.of : null;
    const text = !need
      ? 'loading what runs plans, and proving the plan'
      : !progress
        ? `taking ${bytesText(need.bytes.total)}`
        : progress.stage === 'weights'
          ? `weights: ${bytesText(progress.done)} of ${bytesText(progress.of)}`
          : `ops: ${progress.done} of ${progress.of}${progress.op ? `, next ${progress.op}` : ''}`;
    return html`<div class="progress">
      <progress aria-label="how far the run is" max="1" .value=${share ?? 0}></progress>
      <span role="status" class="soft clip">${text}</span>
    </div>`;
  }

  #result(result: ShownResult, old: boolean): TemplateResult {
    const { weights, state, inputs, arena, loading } = result.bytes;
    const taken = bytesText(weights + state + inputs + arena + loading);
    return html`<div class="result ${old ? 'old' : ''}">
      <p role="status">Ran <b>${result.phase}</b>${Object.keys(result.dims).length ? html` at ${sizes(result.dims)}` : nothing} in <b>${timeText(result.ms.run)}</b>, weights and inputs
        ${timeText(result.ms.load)}; it took ${taken}, as planned.${old ? ' The plan or its sizes are others by now.' : ''}</p>
      ${result.notes.map((note) => html`<p class="soft">${note}</p>`)}
      ${result.outputs.map((output) => html`<irplan-run-output .output=${output} .save=${(name: string) => this.#run.npy(name)}></irplan-run-output>`)}
    </div>`;
  }

  #state(old: boolean): TemplateResult | typeof nothing {
    const state = this.#run.state.value;
    switch (state.kind) {
      case 'running':
        return this.#progress(state);
      case 'done':
        return this.#result(state.result, old);
      case 'ended':
        return html`<p class="wrong" role="alert">${state.fault ? html`<b>The run came to no end.</b> ` : nothing}${state.why}</p>`;
      default:
        return nothing;
    }
  }

  protected override render(): TemplateResult {
    const outline = this.session.outline.value;
    const phase = this.session.phase.value;
    if (!outline || !phase) return html``;
    if (this.session.refused.value) return html`<p class="wait soft">A program that its budgets refuse has no plan to run.</p>`;
    const run = this.#run;
    const { dims } = phase.totals;
    const inputs = inputsOf(phase);
    const names = inputs.map((one) => one.name);
    const running = run.state.value.kind === 'running';
    const states = phase.resident.some((one) => one.segment === 'state');
    const command = runCommand(phase.name, dims, run.choice.value, names, states);
    const flops = phase.flops.reduce((sum, n) => sum + n, 0);
    return html`<div class="all" @dragover=${(event: Event) => event.preventDefault()} @drop=${(event: DragEvent) => this.#drop(event)}>
      <div class="tools">
        ${running
          ? html`<button type="button" id="cancel" class="control" @click=${() => run.cancel()}>Cancel</button>`
          : html`<button type="button" id="run" class="control primary" @click=${() => void run.start(phase.name, dims, names)}>Run ${phase.name}</button>`}
        <span class="soft">takes about ${bytesText(total(segmentsIn(outline, phase.totals)))}, ${countText(Number.isFinite(flops) ? flops : null, 'FLOP')}, in this page alone</span>
        <span class="spring"></span>
        ${copyButton('Copy command', command, 'quiet')}
      </div>
      <table class="asked">
        <caption class="visually-hidden">What the run is given</caption>
        <tbody>${this.#weights(outline, phase)}${inputs.map((one) => this.#input(one))}${this.#states(phase)}</tbody>
      </table>
      <p class="soft hint">Drop .safetensors or .npy files here. The same bytes come from <code>${command}</code></p>
      ${this.#state(run.old(phase.name, dims))}
    </div>`;
  }
}

customElements.define('irplan-run', RunView);
