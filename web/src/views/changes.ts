// What would lower the memory or make a budget fit, each a button where the page can take it.
import { type TemplateResult, html } from 'lit';
import { sizesText } from '../model/budgets';
import { bytesText } from '../model/numbers';
import type { BudgetChange } from '../model/plan';
import { codeSpans } from '../parts/text';

/** An option, or a line of the program. */
export function changeButton(change: string, take: (change: string) => void): TemplateResult {
  if (!/^(--|budget )/.test(change)) return html`<code>${change}</code>`;
  const title = change.startsWith('--') ? 'compile with this option' : 'add this line to the program';
  return html`<button type="button" class="chip mono" title=${title} @click=${() => take(change)}>${change}</button>`;
}

export function changeEffect(change: BudgetChange): string {
  if (change.ok) return change.bytes === undefined ? 'fits' : `fits, with ${bytesText(change.bytes)}`;
  return sizesText(change.max) || 'fits the smallest sizes';
}

export function changeList(entries: [string, string][], take: (change: string) => void): TemplateResult {
  return html`<dl class="advice">
    ${entries.map(([change, text]) => html`<dt>${changeButton(change, take)}</dt><dd>${codeSpans(text)}</dd>`)}
  </dl>`;
}
