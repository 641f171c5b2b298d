// <irplan-summary>: the plan in a line: how much memory, how near to the least possible, what takes it, and whether budgets
// are kept. Of a program that its budgets refuse: what breaks them, and what would help.
import { type TemplateResult, html, nothing } from 'lit';
import { memoryBudget, sizesText, total, usedBy } from '../model/budgets';
import { bytesText, percentText } from '../model/numbers';
import { type Phase, segmentsIn, segmentsOf } from '../model/phase';
import type { Budget, Outline, Segments } from '../model/plan';
import { sheets } from '../parts/view';
import stackStyles from '../styles/stack.css?inline';
import styles from '../styles/summary.css?inline';
import { changeEffect, changeList } from './changes';
import { Panel } from './panel';
import { legend, stack } from './stack';

function figure(name: string, value: string, note: string, mood = ''): TemplateResult {
  return html`<div class="figure ${mood}">
    <span class="figure-name">${name}</span><b class="figure-value">${value}</b><span class="figure-note">${note}</span>
  </div>`;
}

const plural = (n: number, name: string): string => `${n} ${name}${n === 1 ? '' : 's'}`;

function gapNote(phase: Phase): { text: string; mood: string } {
  const gap = phase.arena - phase.lowerBound;
  if (phase.arena === 0) return { text: 'no memory needed', mood: 'good' };
  if (gap < 0.0005 * phase.arena) return { text: 'met: no placement is smaller', mood: 'good' };
  return { text: `${percentText(gap / phase.lowerBound)} above it, padding included`, mood: '' };
}

export class Summary extends Panel {
  static override styles = sheets(stackStyles, styles);

  /** A budget at these sizes, and over the sizes that are declared: two answers. */
  #budget(budget: Budget, phase: Phase, segments: Segments): TemplateResult {
    const used = budget.phase && budget.phase !== phase.name ? null : usedBy(budget, segments);
    const over = used !== null && budget.limit_bytes !== undefined && used > budget.limit_bytes;
    const here = used === null ? '' : over ? `does not fit these sizes: ${bytesText(used)}` : `fits these sizes: ${bytesText(used)}`;
    const most = sizesText(budget.max);
    const phases = budget.ok ? [] : (budget.phases ?? []).filter((one) => sizesText(one.max));
    const declared = budget.ok ? 'and all that are declared' : 'not all that are declared';
    return html`<div class="budget ${over ? 'over' : ''}">
      <code>${budget.expr}</code>
      ${here ? html`<span>${here}${over ? '' : `, ${declared}`}</span>` : nothing}
      ${most ? html`<span class="soft">largest at the other sizes of the plan: ${most}</span>` : nothing}
      ${phases.map((one) => html`<span class="soft">${one.phase} alone: ${sizesText(one.max)}</span>`)}
    </div>`;
  }

  #changes(outline: Outline): (TemplateResult | typeof nothing)[] {
    const take = this.session.host.takeChange;
    const refused = this.session.refused.value;
    const missed = outline.budget.filter((budget) => budget.changes?.length);
    const ofBudgets = missed.map((budget) => {
      const title = refused ? `what would meet ${budget.expr}` : 'what would make all declared sizes fit';
      const list = changeList(budget.changes!.map((one) => [one.change, changeEffect(one)]), take);
      return html`<details class="changes" ?open=${refused}><summary>${title}</summary>${list}</details>`;
    });
    const lighter = outline.memory_plan.lighter ?? [];
    if (!lighter.length) return ofBudgets;
    const list = changeList(lighter.map((one) => [one.change, `${bytesText(one.bytes)}: ${one.what}`]), take);
    return [...ofBudgets, html`<details class="changes"><summary>what would lower the memory</summary>${list}</details>`];
  }

  #figures(outline: Outline, phase: Phase, whole: Segments): TemplateResult {
    const gap = gapNote(phase);
    const apart = phase.totals.no_reuse;
    const saved = apart !== null && apart > phase.arena ? `${percentText(1 - phase.arena / apart)} saved by reuse` : 'nothing to reuse';
    const title = outline.phases.length > 1 ? `peak of ${phase.name}` : 'peak';
    const own = outline.phases.find((one) => one.name === phase.name);
    const written = own?.as_written_bytes ?? 0; // at the plan's own sizes alone
    const order = `${bytesText(own?.peak_bytes ?? 0)} as run, at the plan's own sizes`;
    return html`<div class="figures">
      ${figure(title, bytesText(phase.arena), `${plural(phase.buffers.length, 'buffer')}, ${plural(phase.ops.length, 'op')}`)}
      ${figure('lower bound', bytesText(phase.lowerBound), gap.text, gap.mood)}
      ${own && written > own.peak_bytes ? figure('as written', bytesText(written), order) : nothing}
      ${figure('without reuse', bytesText(apart), saved)}
      ${figure('whole model', bytesText(total(whole)), `${outline.target.name} ${outline.target.arch}`)}
    </div>`;
  }

  /** What a refusal is about: the missed budgets, by how much, and the largest that they count. */
  #refusal(outline: Outline, phase: Phase): TemplateResult {
    const missed = outline.budget.filter((budget) => !budget.ok && budget.limit_bytes !== undefined);
    const segments = segmentsIn(outline, phase.totals);
    const largest = this.#largest(phase);
    return html`<div class="refusal" role="note">
      <b>No plan: ${missed.map((one) => one.expr).join(', ')}: no allowed sizes meet it.</b>
      <span>What the program would take is drawn here, at ${Object.entries(phase.totals.dims).map(([name, n]) => `${name} = ${n}`).join(', ') || 'its sizes'}.</span>
      ${missed.map((one) => {
        const used = usedBy(one, segments);
        return used === null || used <= one.limit_bytes! ? nothing : html`<span class="bad">${bytesText(used - one.limit_bytes!)} too much</span>`;
      })}
      <span class="causes">Largest: ${largest.map(([id, bytes], i) => html`${i ? ', ' : ''}<button type="button" class="link" @click=${() => this.session.select(id)}>${id}</button> ${bytesText(bytes)}`)}</span>
    </div>`;
  }

  #largest(phase: Phase): [string, number][] {
    const resident = phase.resident.map((one): [string, number] => [one.id, phase.residentSize[one.index]!]);
    const atPeak = phase.buffers.filter((one) => one.begin <= phase.peakStep && phase.peakStep < one.end);
    const arena = atPeak.map((one): [string, number] => [one.id, phase.size[one.index]!]);
    return [...resident, ...arena].sort((a, b) => b[1] - a[1]).slice(0, 3);
  }

  protected override render(): TemplateResult | typeof nothing {
    const outline = this.session.outline.value;
    const phase = this.session.phase.value;
    if (!outline || !phase) return nothing;
    const whole = segmentsOf(outline, this.session.totals.value);
    const broken = phase.totals.broken_guards.map((i) => outline.guards[i]?.expr ?? '');
    const refused = this.session.refused.value;
    return html`${refused ? this.#refusal(outline, phase) : nothing} ${this.#figures(outline, phase, whole)}
      ${stack(whole, memoryBudget(outline, phase.name)?.limit_bytes ?? null)} ${legend(whole)}
      ${outline.budget.map((budget) => this.#budget(budget, phase, segmentsIn(outline, phase.totals)))}
      ${this.#changes(outline)}
      <div role="status">${broken.length && !refused ? html`<span class="guards">These sizes break ${broken.join(', ')}: a run would be refused.</span>` : nothing}</div>`;
  }
}

customElements.define('irplan-summary', Summary);
