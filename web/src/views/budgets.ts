// <irplan-budgets>: each budget: what it counts now, what it admits of each dim and phase, and where two dims trade.
import { type TemplateResult, html, nothing } from 'lit';
import { usedBy } from '../model/budgets';
import { bytesText } from '../model/numbers';
import { type Phase, segmentsIn } from '../model/phase';
import { type Budget, type BudgetAnswer, type Frontier, type Outline, SEGMENTS } from '../model/plan';
import { sheets } from '../parts/view';
import styles from '../styles/budgets.css?inline';
import frontierStyles from '../styles/frontier.css?inline';
import { changeEffect, changeList } from './changes';
import { frontierChart } from './frontier';
import { Panel } from './panel';

const MOST = 12; // largest values told

export class Budgets extends Panel {
  static override styles = sheets(frontierStyles, styles);

  #frontier(frontier: Frontier): TemplateResult {
    const [first, second] = frontier.dims;
    const sizes = this.session.sizes.value;
    const dims = this.session.phase.value?.totals.dims ?? {};
    const at: [number, number] = [sizes[first] ?? dims[first] ?? 0, sizes[second] ?? dims[second] ?? 0];
    const take = ([a, b]: [number, number]): void => this.session.resize({ ...sizes, [first]: a, [second]: b });
    return frontierChart(frontier, at, take);
  }

  #admits(title: string, answer: BudgetAnswer): TemplateResult | typeof nothing {
    const max = Object.entries(answer.max ?? {});
    const beyond = answer.beyond ?? {};
    if (!max.length) return nothing;
    return html`<tr>
      <th scope="row">${title}</th>
      <td>${answer.ok ? 'all declared sizes' : 'a part of them'}</td>
      <td>${max.map(([name, n], i) => html`${i ? ', ' : ''}<code>${name} ≤ ${n}</code>`)}</td>
      <td>${Object.entries(beyond).map(([name, n], i) => html`${i ? ', ' : ''}<code>${name} ≥ ${n}</code>`)}</td>
    </tr>`;
  }

  #budget(budget: Budget, phase: Phase, outline: Outline): TemplateResult {
    const used = budget.phase && budget.phase !== phase.name ? null : usedBy(budget, segmentsIn(outline, phase.totals));
    const over = used !== null && budget.limit_bytes !== undefined && used > budget.limit_bytes;
    const answers = [budget, ...(budget.phases ?? [])];
    const frontiers = answers.flatMap((one) => (one.frontier ?? []).map((frontier) => ({ phase: one.phase ?? '', frontier })));
    const counted = SEGMENTS.filter((name) => budget.counts?.[name]);
    const { line } = budget;
    return html`<section>
      <h3><code>budget ${budget.expr}</code> ${line ? html`<button type="button" class="link" @click=${() => this.session.host.goToLine(line)}>line ${line}</button>` : nothing}</h3>
      ${used === null ? nothing : html`<p class=${over ? 'bad' : 'good'}>${over ? 'does not fit' : 'fits'} in ${phase.name || 'the plan'} at these sizes: ${bytesText(used)}${budget.limit_bytes === undefined ? '' : ` of ${bytesText(budget.limit_bytes)}`}, counting ${counted.join(', ')}</p>`}
      <table>
        <thead><tr><th scope="col">of</th><th scope="col">allows</th><th scope="col">largest, others as planned</th><th scope="col">under no placement</th></tr></thead>
        <tbody>${this.#admits(budget.phase ?? 'all phases', budget)}${(budget.phases ?? []).map((one) => this.#admits(one.phase ?? '', one))}</tbody>
      </table>
      <div class="frontiers">${frontiers.map((one) => html`<figure>${this.#frontier(one.frontier)}<figcaption>${one.phase ? `${one.phase}: ` : ''}the most of ${one.frontier.dims[1]} for each ${one.frontier.dims[0]}</figcaption></figure>`)}</div>
      ${budget.changes?.length ? html`<h4>What would admit more</h4>${changeList(budget.changes.map((one) => [one.change, changeEffect(one)]), this.session.host.takeChange)}` : nothing}
    </section>`;
  }

  /** What takes the most: buffers that stay, and those alive at the peak. */
  #largest(phase: Phase): TemplateResult {
    const resident = phase.resident.map((one) => ({ id: one.id, what: one.segment as string, bytes: phase.residentSize[one.index]! }));
    const alive = phase.buffers.filter((one) => one.begin <= phase.peakStep && phase.peakStep < one.end);
    const arena = alive.map((one) => ({ id: one.id, what: `arena, ${one.label}`, bytes: phase.size[one.index]! }));
    const rows = [...resident, ...arena].sort((a, b) => b.bytes - a.bytes).slice(0, MOST);
    return html`<section>
      <h3>Largest values in ${phase.name || 'the plan'}</h3>
      <table>
        <thead><tr><th scope="col">buffer</th><th scope="col">in</th><th scope="col" class="num">size</th></tr></thead>
        <tbody>${rows.map((row) => html`<tr><th scope="row"><button type="button" class="plain mono" @click=${() => this.session.select(row.id)}>${row.id}</button></th><td>${row.what}</td><td class="num">${bytesText(row.bytes)}</td></tr>`)}</tbody>
      </table>
    </section>`;
  }

  protected override render(): TemplateResult | typeof nothing {
    const outline = this.session.outline.value;
    const phase = this.session.phase.value;
    if (!outline || !phase) return nothing;
    const none = html`<p class="soft">The program has no budget. <code>budget memory &lt;= 24GiB</code> says what a machine has, and this view then says what fits.</p>`;
    return html`<div class="scroll" tabindex="0" role="region" aria-label="Budgets">
      ${outline.budget.length ? outline.budget.map((budget) => this.#budget(budget, phase, outline)) : none}
      ${this.#largest(phase)}
    </div>`;
  }
}

customElements.define('irplan-budgets', Budgets);
