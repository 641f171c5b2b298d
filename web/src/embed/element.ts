// <irplan-embed>: a program in a page of documentation. Its text stands there as it is; the compiler and an editor come when a reader
// asks for them, from beside this file, and run in a shadow root that needs no policy but script-src 'self' 'wasm-unsafe-eval' and
// style-src 'self'.
//
//     <script type="module" src="…/embed/irplan-embed.js"></script>
//     <irplan-embed file="mlp.irplan" options="--dim B=8" view="memory"><pre>…the program…</pre></irplan-embed>
//
// Attributes: file, options (the command line's), view, phase, config (the text of a config.json), config-name, live (begin at once).
// `irplan-result` is dispatched after each compilation, with its `detail`.
import type { EmbedDocument, EmbedResult, Snippet } from './snippet';

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  :host { display: block; position: relative; }
  :host([hidden]) { display: none; }
  button.begin {
    position: absolute; top: 6px; right: 6px; min-height: 28px; padding: 3px 11px; border: 1px solid currentColor; border-radius: 6px;
    background: Canvas; color: CanvasText; font: 12px system-ui, sans-serif; cursor: pointer;
  }
`);

/** The folder that holds the playground: this file is in its embed/. */
export const SITE = import.meta.url.replace(/embed\/[^/]*$/, '');

export class IrplanEmbed extends HTMLElement {
  #snippet: Promise<Snippet> | undefined;
  #wanted: EmbedDocument | null = null;

  connectedCallback(): void {
    if (!this.shadowRoot) {
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [sheet];
      const begin = document.createElement('button');
      begin.type = 'button';
      begin.className = 'begin';
      begin.textContent = 'Edit and plan';
      begin.addEventListener('click', () => void this.begin());
      root.append(document.createElement('slot'), begin);
    }
    if (this.hasAttribute('live')) void this.begin();
  }

  disconnectedCallback(): void {
    void this.#snippet?.then((snippet) => this.isConnected || snippet.end());
    if (!this.isConnected) this.#snippet = undefined;
  }

  /** What the markup says. */
  get written(): EmbedDocument {
    const at = (name: string, otherwise = ''): string => this.getAttribute(name) ?? otherwise;
    const text = (this.querySelector('pre') ?? this).textContent ?? '';
    return {
      file: at('file', 'program.irplan'),
      text: text.replace(/^\n/, ''),
      config: at('config'),
      configName: at('config-name', 'config.json'),
      options: at('options'),
      view: at('view', 'memory'),
      phase: at('phase'),
      sizes: {},
    };
  }

  /** Loads the compiler and the editor, once. */
  begin(): Promise<Snippet> {
    this.#snippet ??= this.#load();
    return this.#snippet;
  }

  async #load(): Promise<Snippet> {
    const button = this.shadowRoot!.querySelector('button');
    if (button) button.textContent = 'Loading';
    try {
      const { Snippet } = await import('./snippet');
      const told = (detail: EmbedResult): boolean => this.dispatchEvent(new CustomEvent('irplan-result', { detail, bubbles: true }));
      return new Snippet(this.shadowRoot!, this.#wanted ?? this.written, SITE, told);
    } catch (error) {
      this.#snippet = undefined;
      if (button) button.textContent = 'It could not be loaded; try again';
      throw error;
    }
  }

  /** Another program, or other options of it. */
  async set(part: Partial<EmbedDocument>): Promise<void> {
    if (!this.#snippet) this.#wanted = { ...(this.#wanted ?? this.written), ...part };
    else (await this.#snippet).set(part);
  }

  /** What is written and what came of it. */
  async get(): Promise<EmbedDocument & EmbedResult> {
    return (await this.begin()).state();
  }
}

if (!customElements.get('irplan-embed')) customElements.define('irplan-embed', IrplanEmbed);

declare global {
  interface HTMLElementTagNameMap {
    'irplan-embed': IrplanEmbed;
  }
}
