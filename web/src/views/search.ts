// A field that searches while one types.
import { type TemplateResult, html } from 'lit';
import { live } from 'lit/directives/live.js';

export function searchField(label: string, value: string, change: (text: string) => void, placeholder = label): TemplateResult {
  return html`<input
    type="search"
    class="search"
    aria-label=${label}
    placeholder=${placeholder}
    .value=${live(value)}
    @input=${(event: Event) => change((event.currentTarget as HTMLInputElement).value)}
  />`;
}
