// <irplan-plan>: everything about one plan: its numbers, its sizes, its views, and the proof that the command line gives the
// same bytes.
import { type PropertyDeclarations, type TemplateResult, html, nothing } from 'lit';
import { bytesText } from '../model/numbers';
import { copyButton } from '../parts/copy';
import { type Choice, radioGroup, tabList } from '../parts/tabs';
import { sheets } from '../parts/view';
import styles from '../styles/plan.css?inline';
import './budgets';
import './buffers';
import './detail';
import './graph';
import './json';
import './memory';
import './ops';
import { Panel } from './panel';
import './passes';
import './report';
import { VIEWS, type ViewName } from './session';
import './sliders';
import './summary';

export interface ProofText {
  sha256: string;
  command: string;
}

const LABELS: Record<ViewName, string> = {
  memory: 'Memory',
  buffers: 'Buffers',
  ops: 'Ops',
  graph: 'Graph',
  budgets: 'Budgets',
  passes: 'Passes',
  report: 'Report',
  run: 'Run',
  diff: 'Diff',
  json: 'plan.json',
};

export class PlanPane extends Panel {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = {
    ...Panel.properties,
    proof: { attribute: false },
    short: { state: true },
  };
  declare proof: ProofText | null;
  declare short: boolean; // the numbers are put away

  constructor() {
    super();
    this.proof = null;
    this.short = false;
  }

  #view(view: ViewName): TemplateResult {
    const { session } = this;
    switch (view) {
      case 'buffers':
        return html`<irplan-buffers .session=${session}></irplan-buffers>`;
      case 'ops':
        return html`<irplan-ops .session=${session}></irplan-ops>`;
      case 'budgets':
        return html`<irplan-budgets .session=${session}></irplan-budgets>`;
      case 'graph':
        return html`<irplan-graph .session=${session}></irplan-graph>`;
      case 'passes':
        return html`<irplan-passes .session=${session}></irplan-passes>`;
      case 'report':
        return html`<irplan-report .session=${session}></irplan-report>`;
      case 'run':
        void import('./run'); // few readers of an embedded plan run it
        return html`<irplan-run .session=${session}></irplan-run>`;
      case 'diff':
        void import('./diff');
        return html`<irplan-diff .session=${session}></irplan-diff>`;
      case 'json':
        return html`<irplan-json .session=${session}></irplan-json>`;
      default:
        return html`<irplan-memory .session=${session}></irplan-memory>`;
    }
  }

  #phases(): TemplateResult | typeof nothing {
    const totals = this.session.totals.value;
    if (totals.length < 2) return nothing;
    const choices = totals.map((one): Choice<string> => ({
      name: one.name,
      label: html`${one.name} <span class="soft">${bytesText(one.arena)}</span>`,
    }));
    return radioGroup('Phase', choices, this.session.phase.value?.name ?? '', (name) => this.session.choosePhase(name));
  }

  #proof(): TemplateResult {
    const { proof } = this;
    if (this.session.refused.value || this.session.stale.value || !proof) {
      const why = this.session.refused.value
        ? 'a refused program has no plan.json'
        : this.session.stale.value
          ? 'the program has errors: what is shown is the last plan'
          : 'no sha256 yet';
      return html`<footer class="proof"><span class="soft">${why}</span></footer>`;
    }
    return html`<footer class="proof">
      <span class="soft">sha256</span> <code id="sha" title=${proof.sha256}>${proof.sha256}</code>
      <span class="soft">the same from</span> <code id="command" title=${proof.command}>${proof.command}</code>
      ${copyButton('Copy', proof.command, 'quiet')}
    </footer>`;
  }

  protected override render(): TemplateResult {
    const { session } = this;
    const views = VIEWS.filter((name) => name !== 'diff' || session.host.comparing);
    const view = views.find((name) => name === session.view.value) ?? views[0]!;
    this.toggleAttribute('stale', session.stale.value);
    const choices = views.map((name): Choice<ViewName> => ({ name, label: LABELS[name], controls: 'panel' }));
    return html`
      <h2 class="visually-hidden">Plan</h2>
      ${session.stale.value ? html`<p class="stale-note" role="note">The last plan that compiled. It follows when the errors are mended.</p>` : nothing}
      <div class="numbers" ?hidden=${this.short}>
        <irplan-summary .session=${session}></irplan-summary>
        <irplan-sliders .session=${session}></irplan-sliders>
      </div>
      <div class="tabs">
        ${tabList('Views of the plan', choices, view, (name) => (session.view.value = name))}
        <span class="spring"></span>
        ${this.#phases()}
        <button type="button" class="quiet" aria-expanded=${!this.short} title=${this.short ? 'show the numbers' : 'more room for the view'} aria-label="Numbers and sizes" @click=${() => (this.short = !this.short)}>${this.short ? '▾' : '▴'}</button>
      </div>
      <div class="body">
        <div class="panel" id="panel" role="tabpanel" aria-labelledby=${`tab-${view}`}>${this.#view(view)}</div>
        <irplan-detail .session=${session}></irplan-detail>
      </div>
      ${this.#proof()}
    `;
  }
}

customElements.define('irplan-plan', PlanPane);
