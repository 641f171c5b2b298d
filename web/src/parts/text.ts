// Text with names in it.
import { type TemplateResult, html } from 'lit';

/** "`w` is unused": what stands between backticks as code. */
export function codeSpans(text: string): (string | TemplateResult)[] {
  return text.split(/`([^`]*)`/).map((part, i) => (i % 2 ? html`<code>${part}</code>` : part));
}
