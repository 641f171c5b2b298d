// What can be opened: drafts that were left, templates, examples.
import { type TemplateResult, html, nothing } from 'lit';
import type { Draft } from '../model/drafts';
import { Dialog } from '../parts/dialog';
import { codeSpans } from '../parts/text';
import { searchField } from '../views/search';
import { type Example, examples, startingPoints } from './examples';

const MOST_USED = 'llama.irplan'; // stands first

export interface GalleryHost {
  drafts: () => Draft[];
  openExample: (example: Example) => void;
  openDraft: (draft: Draft) => void;
  removeDraft: (draft: Draft) => void;
}

function card(example: Example, open: (example: Example) => void): TemplateResult {
  const files = example.config ? `${example.file} + ${example.configName}` : example.file;
  return html`<button type="button" class="example" @click=${() => open(example)}>
    <b>${example.title}</b>
    <span>${example.size || codeSpans(example.about)}</span>
    <code>${files}</code>
  </button>`;
}

export function templateCards(open: (example: Example) => void): TemplateResult {
  return html`<div class="gallery">${startingPoints.map((one) => card(one, open))}</div>`;
}

const ago = (at: number): string => new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export class Gallery {
  #dialog = new Dialog('gallery', 'Examples');
  #host: GalleryHost;
  #search = '';

  constructor(host: GalleryHost) {
    this.#host = host;
  }

  open(): void {
    this.#search = '';
    this.#show();
  }

  #show(): void {
    const wanted = this.#search.toLowerCase();
    const matches = (one: Example): boolean => `${one.title} ${one.about} ${one.file} ${one.configName}`.toLowerCase().includes(wanted);
    const open = (example: Example): void => {
      this.#dialog.close();
      this.#host.openExample(example);
    };
    const group = (title: string, about: string, list: Example[]): TemplateResult | typeof nothing => {
      const shown = list.filter(matches);
      if (!shown.length) return nothing;
      return html`<section class=${list.length === 1 ? 'single' : ''}>
        <h3>${title} <span class="soft">${codeSpans(about)}</span></h3>
        <div class="gallery">${shown.map((one) => card(one, open))}</div>
      </section>`;
    };
    const plain = examples.filter((one) => !one.config);
    const files = [...new Set(examples.filter((one) => one.config).map((one) => one.file))].sort((a, b) => Number(b === MOST_USED) - Number(a === MOST_USED));
    this.#dialog.show(html`
      <div class="dialog-tools">${searchField('Search examples', this.#search, (text) => { this.#search = text; this.#show(); })}</div>
      ${wanted ? nothing : this.#drafts()}
      <div class="families">
      ${group('Small programs', '', plain)}
      ${files.map((file) => {
        const list = examples.filter((one) => one.config && one.file === file);
        return group(file, list[0]?.about ?? '', list);
      })}
      ${group('Templates', 'as `irplan new --template` writes them', startingPoints)}
      </div>
    `);
  }

  #drafts(): TemplateResult | typeof nothing {
    const drafts = this.#host.drafts();
    if (!drafts.length) return nothing;
    const open = (draft: Draft): void => {
      this.#dialog.close();
      this.#host.openDraft(draft);
    };
    const remove = (draft: Draft): void => {
      this.#host.removeDraft(draft);
      this.#show();
    };
    const row = (draft: Draft): TemplateResult => {
      const { file, config, configName, text } = draft.document;
      const lines = text.split('\n').length;
      return html`<li>
        <button type="button" class="link" @click=${() => open(draft)}>${file}${config ? ` + ${configName}` : ''}</button>
        <span class="soft">${lines} lines, ${ago(draft.at)}</span>
        <button type="button" class="quiet" aria-label=${`delete ${file} of ${ago(draft.at)}`} @click=${() => remove(draft)}>Delete</button>
      </li>`;
    };
    return html`<h3>Your drafts <span class="soft">kept in this browser alone</span></h3><ul class="drafts">${drafts.map(row)}</ul>`;
  }
}
