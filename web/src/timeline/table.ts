// The timeline as a table: the same buffers, sortable and in pages, for reading, for search and for screen readers.
import { h } from '../base/dom';
import { bytesText, grouped } from '../base/numbers';
import { KIND_LABEL } from '../plan/kinds';
import type { ArenaBuffer, PhaseModel } from '../plan/model';

const PAGE = 25;

interface Column {
  name: string;
  numeric: boolean;
  key: (buffer: ArenaBuffer) => number | string;
  cell: (buffer: ArenaBuffer) => string;
}

const COLUMNS: Column[] = [
  { name: 'buffer', numeric: false, key: (b) => b.id, cell: (b) => b.id },
  { name: 'from step', numeric: true, key: (b) => b.begin, cell: (b) => String(b.begin) },
  { name: 'to step', numeric: true, key: (b) => b.end, cell: (b) => String(b.end - 1) },
  { name: 'offset', numeric: true, key: (b) => b.offset, cell: (b) => grouped(b.offset) },
  { name: 'bytes', numeric: true, key: (b) => b.bytes, cell: (b) => grouped(b.bytes) },
  { name: 'size', numeric: true, key: (b) => b.size, cell: (b) => bytesText(b.size) },
  { name: 'formula', numeric: false, key: (b) => b.plan.bytes, cell: (b) => b.plan.bytes },
  { name: 'kind', numeric: false, key: (b) => b.kind, cell: (b) => (b.scratch ? 'scratch' : KIND_LABEL[b.kind]) },
  { name: 'written by', numeric: false, key: (b) => writers(b), cell: (b) => writers(b) },
];

function writers(buffer: ArenaBuffer): string {
  const ops = buffer.writes.map((write) => write.op.op);
  return ops.length > 5 ? `${ops.slice(0, 5).join(' → ')} → …` : ops.join(' → ');
}

export class BufferTable {
  readonly node = h('div', { class: 'table-twin' });
  #phase: PhaseModel | null = null;
  #selected: string | null = null;
  #sort = 1; // column
  #falling = false;
  #page = 0;
  #filter = '';
  #search = h('input', { type: 'search', placeholder: 'Filter by name or operator', 'aria-label': 'Filter buffers' });
  #body = h('div', { class: 'table-scroll' });
  #count = h('span', { class: 'soft' });
  #onSelect: (id: string) => void;

  constructor(onSelect: (id: string) => void) {
    this.#onSelect = onSelect;
    this.#search.addEventListener('input', () => {
      this.#filter = this.#search.value.toLowerCase();
      this.#page = 0;
      this.#render();
    });
    const turn = (by: number) => () => {
      this.#page += by;
      this.#render();
    };
    const pager = h(
      'div',
      { class: 'pager' },
      h('button', { type: 'button', class: 'quiet', 'aria-label': 'previous page', onclick: turn(-1) }, '‹'),
      this.#count,
      h('button', { type: 'button', class: 'quiet', 'aria-label': 'next page', onclick: turn(1) }, '›'),
    );
    this.node.append(h('div', { class: 'table-head' }, this.#search, pager), this.#body);
  }

  show(phase: PhaseModel | null): void {
    this.#phase = phase;
    this.#render();
  }

  select(id: string | null): void {
    if (id === this.#selected) return;
    this.#selected = id;
    const at = this.#rows().findIndex((buffer) => buffer.id === id);
    if (at >= 0) this.#page = Math.floor(at / PAGE);
    this.#render();
  }

  #rows(): ArenaBuffer[] {
    const column = COLUMNS[this.#sort]!;
    const wanted = (buffer: ArenaBuffer): boolean =>
      !this.#filter || `${buffer.id} ${writers(buffer)}`.toLowerCase().includes(this.#filter);
    const compare = (a: ArenaBuffer, b: ArenaBuffer): number => {
      const x = column.key(a);
      const y = column.key(b);
      const order = x < y ? -1 : x > y ? 1 : a.begin - b.begin;
      return this.#falling ? -order : order;
    };
    return (this.#phase?.buffers ?? []).filter(wanted).sort(compare);
  }

  #header(column: Column, i: number): HTMLElement {
    const sorted = i === this.#sort;
    const arrow = sorted ? (this.#falling ? ' ↓' : ' ↑') : '';
    const sort = (): void => {
      this.#falling = sorted ? !this.#falling : false;
      this.#sort = i;
      this.#page = 0;
      this.#render();
    };
    return h(
      'th',
      { scope: 'col', class: column.numeric ? 'num' : null, 'aria-sort': sorted ? (this.#falling ? 'descending' : 'ascending') : null },
      h('button', { type: 'button', class: 'plain', onclick: sort }, column.name + arrow),
    );
  }

  #row(buffer: ArenaBuffer): HTMLElement {
    const cells = COLUMNS.map((column, i) =>
      i === 0
        ? h(
            'th',
            { scope: 'row' },
            h('button', { type: 'button', class: 'plain mono', onclick: () => this.#onSelect(buffer.id) }, buffer.id),
          )
        : h('td', { class: column.numeric ? 'num' : column.name === 'formula' ? 'mono clip' : null }, column.cell(buffer)),
    );
    return h('tr', { class: buffer.id === this.#selected ? 'chosen' : null }, ...cells);
  }

  #render(): void {
    const rows = this.#rows();
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    this.#page = Math.min(pages - 1, Math.max(0, this.#page));
    const shown = rows.slice(this.#page * PAGE, (this.#page + 1) * PAGE);
    this.#count.textContent = `${rows.length} buffers, page ${this.#page + 1} of ${pages}`;
    this.#body.replaceChildren(
      h(
        'table',
        {},
        h('caption', { class: 'visually-hidden' }, `Buffers of the arena in phase ${this.#phase?.name ?? ''}`),
        h('thead', {}, h('tr', {}, ...COLUMNS.map((column, i) => this.#header(column, i)))),
        h('tbody', {}, ...shown.map((buffer) => this.#row(buffer))),
      ),
    );
  }
}
