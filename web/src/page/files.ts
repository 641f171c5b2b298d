// The File menu: new, open, names, and the files to take away.
import { type TemplateResult, html, nothing, render } from 'lit';
import { type Document, emptyDocument, fileName } from '../model/document';
import { Dialog } from '../parts/dialog';
import { download, h } from '../parts/dom';

export interface FilesHost {
  document: () => Document;
  open: (document: Document) => void;
  /** Another config, or other names, of the same document. */
  change: (part: Partial<Document>) => void;
}

export class Files {
  #menu: HTMLElement;
  #host: FilesHost;
  #rename = new Dialog('rename-dialog', 'File names');

  constructor(menu: HTMLElement, button: HTMLElement, host: FilesHost) {
    this.#menu = menu;
    this.#host = host;
    menu.addEventListener('beforetoggle', (event) => {
      if ((event as ToggleEvent).newState !== 'open') return;
      render(this.#items(), menu);
      const { left, bottom } = button.getBoundingClientRect();
      menu.style.left = `${left}px`;
      menu.style.top = `${bottom + 4}px`;
    });
    menu.addEventListener('keydown', (event) => this.#key(event));
  }

  #items(): TemplateResult {
    const document = this.#host.document();
    const item = (name: string, run: () => void): TemplateResult => html`<button type="button" class="plain" @click=${() => {
      this.#menu.hidePopover();
      run();
    }}>${name}</button>`;
    return html`
      ${item('New program', () => this.#host.open(emptyDocument()))}
      ${item('Open…', () => this.#choose())}
      ${item('Rename…', () => this.#askNames())}
      <hr />
      ${item(`Save ${document.file}`, () => download(document.file, document.text))}
      ${document.config ? item(`Save ${document.configName}`, () => download(document.configName, document.config, 'application/json')) : nothing}
    `;
  }

  #key(event: KeyboardEvent): void {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const items = [...this.#menu.querySelectorAll('button')];
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    items[(at + by + items.length) % items.length]?.focus();
  }

  #choose(): void {
    const input = h('input', { type: 'file', accept: '.irplan,.json', multiple: true });
    input.addEventListener('change', () => void this.openFiles([...(input.files ?? [])]));
    input.click();
  }

  /** A program, its config, or both. */
  async openFiles(files: File[]): Promise<void> {
    const program = files.find((file) => file.name.endsWith('.irplan'));
    const config = files.find((file) => file.name.endsWith('.json'));
    const now = this.#host.document();
    const configPart = config ? { config: await config.text(), configName: config.name } : {};
    if (program) this.#host.open({ ...emptyDocument(), file: program.name, text: await program.text(), ...configPart });
    else if (config) this.#host.change({ ...configPart, options: now.options });
  }

  #askNames(): void {
    const { file, configName } = this.#host.document();
    const submit = (event: SubmitEvent): void => {
      event.preventDefault();
      const form = event.currentTarget as HTMLFormElement;
      const typed = (name: string): string => (form.elements.namedItem(name) as HTMLInputElement).value;
      this.#host.change({ file: fileName(typed('file'), '.irplan') ?? file, configName: fileName(typed('config'), '.json') ?? configName });
      this.#rename.close();
    };
    this.#rename.show(html`<form class="names" @submit=${submit}>
      <label>Program <input name="file" class="control mono" .value=${file} /></label>
      <label>Config <input name="config" class="control mono" .value=${configName} /></label>
      <p class="soft">Plans and the command line carry these names.</p>
      <div class="dialog-foot"><span></span><button class="control primary">Rename</button></div>
    </form>`);
  }
}
