// <irplan-table>: thousands of rows, of which those in sight are drawn. Sorted by its headers.
import { type PropertyDeclarations, type PropertyValues, type TemplateResult, html, nothing } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import styles from '../styles/table.css?inline';
import { holdColumns, releaseColumns } from './columns';
import { debounce } from './dom';
import { View, sheets } from './view';
import { styled } from './styled';

export interface Column {
  name: string;
  numeric?: boolean;
  /** What rows are sorted by. */
  key: (row: number) => number | string;
  cell: (row: number) => unknown;
  code?: boolean;
}

const ROW = 28; // px
const BEYOND = 8; // rows drawn above and below those in sight
const QUIET_MS = 250; // without a change, after which columns are measured

export class Table extends View {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = {
    columns: { attribute: false },
    rows: { attribute: false },
    chosen: { attribute: false },
    caption: { attribute: false },
    from: { state: true },
    sort: { state: true },
    falling: { state: true },
  };
  declare columns: Column[];
  /** Indices of the rows, in their own order. */
  declare rows: number[];
  declare chosen: number | null;
  declare caption: string;
  declare from: number;
  declare sort: number | null;
  declare falling: boolean;
  #size = new ResizeObserver(() => {
    this.#release();
    this.requestUpdate();
  });
  #running = false; // numbers change while rows stay: of the rows only those in sight follow
  #holdSoon = debounce(() => QUIET_MS, () => void this.#hold());

  constructor() {
    super();
    this.columns = [];
    this.rows = [];
    this.chosen = null;
    this.caption = '';
    this.from = 0;
    this.sort = null;
    this.falling = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#size.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#size.disconnect();
  }

  get #table(): HTMLTableElement | null {
    return this.renderRoot.querySelector('table');
  }

  #release(): void {
    if (this.#table) releaseColumns(this.#table);
  }

  /** Numbers have stopped running: all rows have them, and columns are as wide as they need, and stay so while numbers run again. */
  async #hold(): Promise<void> {
    this.#running = false;
    this.requestUpdate();
    await this.updateComplete;
    const table = this.#table;
    if (!table || !this.isConnected) return;
    releaseColumns(table);
    holdColumns(table);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { rows } = this;
    const before = changed.get('rows') as number[] | undefined;
    const otherRows = changed.has('rows') && (before?.length !== rows.length || rows.some((row, i) => row !== before[i]));
    const moved = otherRows || (['from', 'sort', 'falling', 'caption'] as const).some((name) => changed.has(name));
    if (!this.hasUpdated) return;
    if (moved) this.#release();
    else if (changed.has('columns')) this.#running = true;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.size) this.#holdSoon();
  }

  /** Brings a row into sight. */
  reveal(row: number): void {
    const at = this.#sorted().indexOf(row);
    const box = this.renderRoot.querySelector('.scroll');
    if (at < 0 || !box) return;
    const top = at * ROW;
    if (top < box.scrollTop || top + 2 * ROW > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 3;
  }

  #sorted(): number[] {
    const column = this.sort === null ? undefined : this.columns[this.sort];
    if (!column) return this.rows;
    const sign = this.falling ? -1 : 1;
    const keys = new Map(this.rows.map((row) => [row, column.key(row)]));
    return [...this.rows].sort((a, b) => {
      const x = keys.get(a)!;
      const y = keys.get(b)!;
      return x < y ? -sign : x > y ? sign : a - b;
    });
  }

  #header(column: Column, i: number): TemplateResult {
    const sorted = i === this.sort;
    const sort = (): void => {
      this.falling = sorted ? !this.falling : false;
      this.sort = i;
    };
    return html`<th
      scope="col"
      class=${column.numeric ? 'num' : nothing}
      aria-sort=${sorted ? (this.falling ? 'descending' : 'ascending') : nothing}
    ><button type="button" class="plain" @click=${sort}>${column.name}<span aria-hidden="true">${sorted ? (this.falling ? ' ↓' : ' ↑') : ''}</span></button></th>`;
  }

  #row(row: number, at: number): TemplateResult {
    const cells = this.columns.map((column, i) => {
      const kind = `${column.numeric ? 'num' : ''} ${column.code ? 'mono clip' : ''}`;
      const content = column.cell(row);
      return i === 0 ? html`<th scope="row" class=${kind}>${content}</th>` : html`<td class=${kind}>${content}</td>`;
    });
    return html`<tr aria-rowindex=${at + 2} class=${row === this.chosen ? 'chosen' : nothing} data-row=${row}>${cells}</tr>`;
  }

  /** As it was, where its numbers are out of sight and still running. */
  #kept(row: number, at: number, seen: boolean): unknown {
    const follows = seen || !this.#running ? this.columns : null;
    return guard([follows, at, row === this.chosen], () => this.#row(row, at));
  }

  protected override render(): TemplateResult {
    const rows = this.#sorted();
    const inSight = Math.ceil((this.clientHeight || 600) / ROW);
    const top = Math.max(0, Math.min(this.from, rows.length - inSight));
    const first = Math.max(0, top - BEYOND);
    const shown = rows.slice(first, first + inSight + 2 * BEYOND);
    const space = (count: number): TemplateResult | typeof nothing =>
      count > 0 ? html`<tr aria-hidden="true" ${styled({ height: `${count * ROW}px` })}></tr>` : nothing;
    const scrolled = (event: Event): void => {
      this.from = Math.floor((event.currentTarget as HTMLElement).scrollTop / ROW);
    };
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${this.caption} @scroll=${scrolled}>
      <table aria-rowcount=${rows.length + 1}>
        <caption class="visually-hidden">${this.caption}</caption>
        <thead><tr aria-rowindex="1">${this.columns.map((column, i) => this.#header(column, i))}</tr></thead>
        <tbody>
          ${space(first)}${repeat(shown, (row) => row, (row, i) => this.#kept(row, first + i, first + i >= top && first + i <= top + inSight))}${space(rows.length - first - shown.length)}
        </tbody>
      </table>
    </div>`;
  }
}

customElements.define('irplan-table', Table);

declare global {
  interface HTMLElementTagNameMap {
    'irplan-table': Table;
  }
}
