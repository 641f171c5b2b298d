// <irplan-json>: plan.json as it is written: folded, searched, and linked with what is chosen.
import { type PropertyDeclarations, type TemplateResult, html, nothing } from 'lit';
import { FoldedLines, JsonLines, jsonTokens } from '../model/json_lines';
import { bytesText } from '../model/numbers';
import { copyButton } from '../parts/copy';
import { download } from '../parts/dom';
import '../parts/lines';
import type { Lines } from '../parts/lines';
import { sheets } from '../parts/view';
import styles from '../styles/json.css?inline';
import { Panel } from './panel';
import { searchField } from './search';
import type { PlanHandle } from '../compiler/pool';

const LONG = 40; // lines from which a section is folded at first
const MOST_TOKENS = 20_000; // characters of a line that are coloured and linked

/** In UTF-8, without another copy of thirty megabytes. */
function bytesOf(text: string): number {
  const encoder = new TextEncoder();
  const piece = new Uint8Array(1 << 16);
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    const { read, written } = encoder.encodeInto(text.slice(at, at + piece.length), piece);
    at += read;
    bytes += written;
  }
  return bytes;
}

export class Json extends Panel {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = {
    ...Panel.properties,
    search: { state: true },
    lines: { state: true },
    folded: { state: true },
    marked: { state: true },
    told: { state: true },
  };
  declare search: string;
  declare lines: JsonLines | null;
  declare folded: ReadonlySet<string>;
  declare marked: number | null; // a line
  declare told: string;
  #of: PlanHandle | null = null;
  #at = -1; // of the last match

  constructor() {
    super();
    this.search = '';
    this.lines = null;
    this.folded = new Set();
    this.marked = null;
    this.told = '';
  }

  async #load(): Promise<void> {
    const { handle } = this.session;
    if (handle === this.#of || !handle) return;
    this.#of = handle;
    const text = await this.session.text().catch(() => null);
    if (text === null || handle !== this.session.handle) return;
    const lines = new JsonLines(text);
    if (!this.lines) this.folded = new Set(lines.sections.filter((one) => one.last - one.first > LONG).map((one) => one.name));
    this.lines = lines;
    this.marked = null;
    this.told = bytesText(bytesOf(text));
  }

  #find(by: 1 | -1, from = this.#at): void {
    const { lines } = this;
    if (!lines || !this.search) return;
    const { text } = lines;
    const next = (at: number): number => (by > 0 ? text.indexOf(this.search, at + 1) : text.lastIndexOf(this.search, Math.max(0, at - 1)));
    let at = next(from);
    if (at < 0) at = next(by > 0 ? -1 : text.length);
    this.#at = at;
    if (at >= 0) this.#show(lines, lines.lineAt(at));
    else this.marked = null;
  }

  #show(lines: JsonLines, line: number): void {
    const section = lines.sections.find((one) => line > one.first && line <= one.last);
    if (section && this.folded.has(section.name)) this.#toggle(section.name);
    this.marked = line;
    const row = new FoldedLines(lines, this.folded).rowOf(line);
    void this.updateComplete.then(() => this.renderRoot.querySelector<Lines>('irplan-lines')?.reveal(row));
  }

  #toggle(name: string): void {
    const folded = new Set(this.folded);
    if (!folded.delete(name)) folded.add(name);
    this.folded = folded;
  }

  /** The record of what is chosen. */
  #showChosen(): void {
    const id = this.session.selected.value;
    const section = this.lines?.sections.find((one) => one.name === 'buffers');
    if (!this.lines || !section || id === null) return;
    for (let line = section.first; line <= section.last; line++)
      if (this.lines.line(line).includes(`{"id": ${JSON.stringify(id)},`)) return this.#show(this.lines, line);
  }

  #line(lines: JsonLines, i: number): TemplateResult {
    const text = lines.line(i);
    const section = lines.sections.find((one) => one.first === i);
    const phase = this.session.phase.value;
    const known = (id: string): boolean => phase?.arenaById.has(id) === true || phase?.residentById.has(id) === true;
    const tokens = text.length > MOST_TOKENS ? [{ kind: 'mark' as const, text }] : jsonTokens(text);
    const parts = tokens.map((token) => {
      const id = token.kind === 'text' ? token.text.slice(1, -1) : '';
      return id && known(id)
        ? html`<button type="button" class="json-text plain" @click=${() => this.session.select(id)}>${token.text}</button>`
        : html`<span class="json-${token.kind}">${token.text}</span>`;
    });
    const isFolded = section && this.folded.has(section.name);
    const fold = section && section.last > section.first + 1
      ? html`<button type="button" class="fold" aria-expanded=${!isFolded} aria-label=${`${section.name}: ${section.last - section.first - 1} records`} @click=${() => this.#toggle(section.name)}>${isFolded ? '▸' : '▾'}</button>`
      : nothing;
    const rest = isFolded ? html`<span class="soft"> ${section.last - section.first - 1} records ],</span>` : nothing;
    return html`${fold}${parts}${rest}`;
  }

  protected override render(): TemplateResult {
    void [this.session.outline.value, this.session.selected.value];
    void this.#load();
    const { lines } = this;
    const button = (name: string, run: (event: Event) => void): TemplateResult => html`<button type="button" class="quiet" @click=${run}>${name}</button>`;
    const key = (event: KeyboardEvent): void => {
      if (event.key === 'Enter') this.#find(event.shiftKey ? -1 : 1);
    };
    return html`<div class="tools" @keydown=${key}>
        ${searchField('Search plan.json', this.search, (text) => { this.search = text; this.#find(1, -1); })}
        ${this.session.selected.value === null ? nothing : button('Chosen buffer', () => this.#showChosen())}
        <span class="soft">${this.told}</span>
        <span class="spring"></span>
        ${copyButton('Copy', () => this.session.text(), 'quiet')}
        ${button('Download', () => void this.session.text().then((text) => download('plan.json', text, 'application/json')))}
      </div>
      ${lines ? this.#body(lines) : html`<p class="soft wait">reading</p>`}`;
  }

  #body(lines: JsonLines): TemplateResult {
    const folded = new FoldedLines(lines, this.folded);
    const marked = this.marked === null ? null : folded.rowOf(this.marked);
    return html`<irplan-lines .count=${folded.count} .marked=${marked} .label=${'plan.json'} .line=${(row: number) => this.#line(lines, folded.lineOf(row))}></irplan-lines>`;
  }
}

customElements.define('irplan-json', Json);
