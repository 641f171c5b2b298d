// A button that copies a text and says so.
import { type TemplateResult, html } from 'lit';
import { copyText } from './dom';

const SAID_MS = 1500;

/** `text`: or what makes it, asked when it is copied. */
export function copyButton(name: string, text: string | (() => Promise<string>), kind = 'control'): TemplateResult {
  const copy = async (event: Event): Promise<void> => {
    const button = event.currentTarget as HTMLElement;
    button.textContent = (await copyText(typeof text === 'string' ? text : await text())) ? 'Copied' : 'Copying is not allowed here';
    setTimeout(() => (button.textContent = name), SAID_MS);
  };
  return html`<button type="button" class=${kind} @click=${(event: Event) => void copy(event)}>${name}</button>`;
}
