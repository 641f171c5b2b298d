// <irplan-problems>: the diagnostics as a list: what is wrong, where, which rule, and what would fix it.
import type { Diagnostic } from 'irplan';
import { type PropertyDeclarations, type TemplateResult, html, nothing } from 'lit';
import { codeSpans } from '../parts/text';
import { View, sheets } from '../parts/view';
import styles from '../styles/problems.css?inline';
import { changeButton } from './changes';

/** What the compiler calls the text of an option, where a place in it is told. */
export const COMMAND_LINE = 'command line';

/** A place in the program, in the config or on the command line. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

export interface ProblemActions {
  reveal: (place: Place) => void;
  apply: (diagnostic: Diagnostic, fix: number) => void;
  takeChange: (change: string) => void;
}

export class Problems extends View {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = { diagnostics: { attribute: false }, actions: { attribute: false } };
  declare diagnostics: Diagnostic[];
  declare actions: ProblemActions;

  constructor() {
    super();
    this.diagnostics = [];
  }

  /** Advice; an option or a line that it names is a button. */
  #help(message: string): TemplateResult {
    const parts = message.split(/`([^`]*)`/).map((part, i) => {
      if (i % 2 === 0) return part;
      return /^(--(let|dim|retype)|budget) /.test(part) ? changeButton(part, this.actions.takeChange) : html`<code>${part}</code>`;
    });
    return html`<div class="note help"><b>help</b> ${parts}</div>`;
  }

  #problem(diagnostic: Diagnostic): TemplateResult {
    const { file, line, column, code, severity, message } = diagnostic;
    const inOther = /\.json$/.test(file) || file === COMMAND_LINE ? `${file}:` : '';
    const place = file === COMMAND_LINE ? file : `${inOther}${line}:${column}`;
    return html`<li class="problem ${severity}">
      <button type="button" class="problem-title" @click=${() => this.actions.reveal(diagnostic)}>
        <span class="severity" role="img" aria-label=${severity}></span>
        <span class="message">${codeSpans(message)}</span>
        <span class="place">${code}  ${place}</span>
      </button>
      ${diagnostic.labels.map(
        (label) => html`<button type="button" class="label-place" @click=${() => this.actions.reveal(label)}>
          <span class="place">${label.line}:${label.column}</span><span>${codeSpans(label.message)}</span>
        </button>`,
      )}
      ${diagnostic.notes.map((note) => html`<div class="note">${codeSpans(note)}</div>`)}
      ${diagnostic.fixes.map((fix, i) =>
        fix.edits.length
          ? html`<button type="button" class="fix" @click=${() => this.actions.apply(diagnostic, i)}>${codeSpans(fix.message)}</button>`
          : this.#help(fix.message),
      )}
    </li>`;
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.diagnostics.length) return nothing;
    return html`<ul aria-label="Problems" tabindex="0">${this.diagnostics.map((one) => this.#problem(one))}</ul>`;
  }
}

customElements.define('irplan-problems', Problems);

export function problemCount(diagnostics: Diagnostic[]): string {
  const count = (severity: string): string => {
    const n = diagnostics.filter((one) => one.severity === severity).length;
    return n === 0 ? '' : `${n} ${severity}${n === 1 ? '' : 's'}`;
  };
  return [count('error'), count('warning')].filter(Boolean).join(', ') || 'no problems';
}
