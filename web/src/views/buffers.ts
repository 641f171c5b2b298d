// <irplan-buffers>: the timeline as a table: the same buffers, sorted and searched, for reading and for screen readers.
import { type PropertyDeclarations, type TemplateResult, html } from 'lit';
import { KIND_LABEL } from '../model/kinds';
import { bytesText, grouped } from '../model/numbers';
import type { BufferRecord, Phase } from '../model/phase';
import '../parts/table';
import type { Column, Table } from '../parts/table';
import { Panel } from './panel';
import { searchField } from './search';

function writers(buffer: BufferRecord): string {
  const ops = buffer.writes.map((write) => write.op.op);
  return ops.length > 5 ? `${ops.slice(0, 5).join(' → ')} → …` : ops.join(' → ');
}

export class Buffers extends Panel {
  static override properties: PropertyDeclarations = { ...Panel.properties, filter: { state: true } };
  declare filter: string;

  constructor() {
    super();
    this.filter = '';
  }

  #columns(phase: Phase): Column[] {
    const at = (row: number): BufferRecord => phase.buffers[row]!;
    const text = (name: string, of: (buffer: BufferRecord) => string): Column => ({ name, key: (row) => of(at(row)), cell: (row) => of(at(row)) });
    const number = (name: string, of: (row: number) => number, shown = (n: number) => grouped(n)): Column => ({
      name,
      numeric: true,
      key: of,
      cell: (row) => shown(of(row)),
    });
    const name: Column = {
      name: 'buffer',
      key: (row) => at(row).id,
      cell: (row) =>
        html`<button type="button" class="plain mono" @click=${() => this.session.select(at(row).id)}>${at(row).id}</button>`,
    };
    return [
      name,
      text('made by', (buffer) => buffer.label),
      number('from step', (row) => at(row).begin, String),
      number('to step', (row) => at(row).end - 1, String),
      number('offset', (row) => phase.offset[row]!),
      number('bytes', (row) => phase.bytes[row]!),
      number('size', (row) => phase.size[row]!, bytesText),
      { ...text('formula', (buffer) => buffer.formula), code: true },
      text('kind', (buffer) => (buffer.scratch ? 'scratch' : KIND_LABEL[buffer.kind])),
      text('written by', writers),
    ];
  }

  protected override updated(): void {
    const id = this.session.selected.peek();
    const row = id === null ? undefined : this.session.phase.peek()?.arenaById.get(id)?.index;
    if (row !== undefined) this.renderRoot.querySelector<Table>('irplan-table')?.reveal(row);
  }

  protected override render(): TemplateResult {
    const phase = this.session.phase.value;
    if (!phase) return html``;
    const chosen = phase.arenaById.get(this.session.selected.value ?? '')?.index ?? null;
    const rows = phase.buffers.flatMap((buffer) => (this.#wanted(buffer) ? [buffer.index] : []));
    return html`<div class="tools">
        ${searchField('Filter buffers', this.filter, (text) => (this.filter = text), 'Filter: name, parameter, operator')}
        <span class="soft" role="status">${rows.length === phase.buffers.length ? '' : `${rows.length} of `}${phase.buffers.length} buffers</span>
      </div>
      <irplan-table .columns=${this.#columns(phase)} .rows=${rows} .chosen=${chosen} .caption=${`Buffers of the arena in phase ${phase.name}`}></irplan-table>`;
  }

  #wanted(buffer: BufferRecord): boolean {
    if (!this.filter) return true;
    return `${buffer.id} ${buffer.label} ${writers(buffer)}`.toLowerCase().includes(this.filter.toLowerCase());
  }
}

customElements.define('irplan-buffers', Buffers);
