// <irplan-report>: the plan told to a person, as `irplan explain` tells it, at the plan's own sizes.
import { type PropertyDeclarations, type TemplateResult, html } from 'lit';
import type { PlanHandle } from '../compiler/pool';
import { copyButton } from '../parts/copy';
import { download } from '../parts/dom';
import '../parts/lines';
import { sheets } from '../parts/view';
import styles from '../styles/json.css?inline';
import { Panel } from './panel';

export class Report extends Panel {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = { ...Panel.properties, text: { state: true } };
  declare text: string;
  #of: { plan: PlanHandle; phase: string } | null = null;

  constructor() {
    super();
    this.text = '';
  }

  async #load(phase: string): Promise<void> {
    const { handle: plan } = this.session;
    if (!plan || (this.#of?.plan === plan && this.#of.phase === phase)) return;
    this.#of = { plan, phase };
    const text = await plan.ask<'report'>({ method: 'report', phase }).catch(() => null);
    if (text !== null && this.#of.plan === plan && this.#of.phase === phase) this.text = text;
  }

  protected override render(): TemplateResult {
    void this.session.outline.value;
    void this.#load(this.session.phase.value?.name ?? '');
    const lines = this.text.split('\n');
    return html`<div class="tools">
        <span class="soft">as <code>irplan explain</code> tells it, at the plan's own sizes</span>
        <span class="spring"></span>
        ${copyButton('Copy', this.text, 'quiet')}
        <button type="button" class="quiet" @click=${() => download('report.txt', this.text)}>Download</button>
      </div>
      <irplan-lines .count=${lines.length} .label=${'Report'} .line=${(row: number) => lines[row]}></irplan-lines>`;
  }
}

customElements.define('irplan-report', Report);
