// <irplan-ops>: the ops of a phase in the order in which they run.
import { type PropertyDeclarations, type TemplateResult, html } from 'lit';
import { kindOf } from '../model/kinds';
import { bytesText, countText } from '../model/numbers';
import type { OpRecord, Phase } from '../model/phase';
import '../parts/table';
import type { Column } from '../parts/table';
import { Panel } from './panel';
import { searchField } from './search';

const orNull = (n: number): number | null => (Number.isNaN(n) ? null : n);

export class Ops extends Panel {
  static override properties: PropertyDeclarations = { ...Panel.properties, filter: { state: true } };
  declare filter: string;

  constructor() {
    super();
    this.filter = '';
  }

  #select(op: OpRecord): void {
    const buffer = this.session.phase.value?.buffers.find((one) => one.writes.some((write) => write.step === op.step));
    if (buffer) this.session.select(buffer.id);
    else if (op.line) this.session.host.goToLine(op.line);
  }

  #columns(phase: Phase): Column[] {
    const at = (row: number): OpRecord => phase.ops[row]!;
    const line = (op: OpRecord): unknown =>
      op.line ? html`<button type="button" class="link" @click=${() => this.session.host.goToLine(op.line)}>${op.line}</button>` : '';
    return [
      { name: 'step', numeric: true, key: (row) => row, cell: (row) => row },
      {
        name: 'op',
        key: (row) => at(row).id,
        cell: (row) => html`<button type="button" class="plain mono" @click=${() => this.#select(at(row))}>${at(row).id}</button>`,
      },
      {
        name: 'operator',
        key: (row) => at(row).op,
        cell: (row) => html`<i class="swatch kind-${kindOf(at(row).op)}"></i>${at(row).op}`,
      },
      { name: 'line', numeric: true, key: (row) => at(row).line, cell: (row) => line(at(row)) },
      { name: 'live', numeric: true, key: (row) => phase.live[row]!, cell: (row) => bytesText(phase.live[row]!) },
      { name: 'work', numeric: true, key: (row) => phase.flops[row]!, cell: (row) => countText(orNull(phase.flops[row]!), 'FLOP') },
      { name: 'traffic', numeric: true, key: (row) => phase.traffic[row]!, cell: (row) => bytesText(orNull(phase.traffic[row]!)) },
      { name: 'kernel', code: true, key: (row) => at(row).kernel, cell: (row) => at(row).kernel },
      {
        name: 'reads',
        code: true,
        key: (row) => at(row).ins.length,
        cell: (row) => at(row).ins.flatMap((value) => value?.id ?? []).join(', '),
      },
    ];
  }

  protected override render(): TemplateResult {
    const phase = this.session.phase.value;
    if (!phase) return html``;
    const wanted = this.filter.toLowerCase();
    const text = (op: OpRecord): string => `${op.id} ${op.op} ${op.parts} ${op.ins.map((value) => value?.id ?? '').join(' ')}`;
    const rows = phase.ops.flatMap((op) => (!wanted || text(op).toLowerCase().includes(wanted) ? [op.step] : []));
    const selected = phase.arenaById.get(this.session.selected.value ?? '');
    return html`<div class="tools">
        ${searchField('Filter ops', this.filter, (typed) => (this.filter = typed), 'Filter: name, operator, parameter')}
        <span class="soft" role="status">${rows.length === phase.ops.length ? '' : `${rows.length} of `}${phase.ops.length} ops</span>
      </div>
      <irplan-table .columns=${this.#columns(phase)} .rows=${rows} .chosen=${selected?.writes[0]?.step ?? null} .caption=${`Ops of phase ${phase.name} in order`}></irplan-table>`;
  }
}

customElements.define('irplan-ops', Ops);
