// <irplan-detail>: what is known about the chosen buffer: its bytes, its life, who writes and reads it, what it stands on.
import { type TemplateResult, html, nothing } from 'lit';
import { bytesText, grouped } from '../model/numbers';
import { type BufferRecord, type Phase, type ResidentRecord, earlierTenants } from '../model/phase';
import { sheets } from '../parts/view';
import styles from '../styles/detail.css?inline';
import { Panel } from './panel';

const MOST = 8; // named in one line
const MOST_WRITES = 40;

type Part = TemplateResult | string;

function listed(parts: Part[]): Part[] {
  const shown = parts.slice(0, MOST).flatMap((part, i): Part[] => (i ? [', ', part] : [part]));
  return parts.length > MOST ? [...shown, `, and ${parts.length - MOST} more`] : shown;
}

const fact = (name: string, value: unknown): TemplateResult => html`<dt>${name}</dt><dd>${value}</dd>`;

function sizeFact(bytes: number, size: number, formula: string): TemplateResult {
  const padding = size - bytes;
  return fact(
    'size',
    html`${bytesText(bytes)} <span class="soft">${grouped(bytes)} B = </span><code>${formula}</code>${
      padding > 0 ? html`<span class="soft">, and ${padding} B of padding</span>` : nothing
    }`,
  );
}

export class Detail extends Panel {
  static override styles = sheets(styles);

  #line(line: number): TemplateResult | typeof nothing {
    if (line <= 0) return nothing;
    return html`<button class="link" type="button" @click=${() => this.session.host.goToLine(line)}>line ${line}</button>`;
  }

  #buffer(buffer: BufferRecord): TemplateResult {
    return html`<button class="link mono" type="button" title=${buffer.id} @click=${() => this.session.select(buffer.id)}>${buffer.label === buffer.id ? buffer.id : `${buffer.label}`}</button>`;
  }

  #writes(buffer: BufferRecord): TemplateResult {
    const rows = buffer.writes.slice(0, MOST_WRITES).map(
      (write, i) => html`<li>
        <span class="soft num">${write.step}</span>
        <b>${write.op.op}</b>
        ${this.#line(write.op.line)}
        ${i > 0 && write.value ? html`<span class="chip">in place</span>` : nothing}
        <code>${write.value ? `${write.value.id}: ${write.value.type}` : 'scratch'}</code>
      </li>`,
    );
    const more = buffer.writes.length - rows.length;
    return html`<ol class="writes">${rows}</ol>${more > 0 ? html`<p class="soft">and ${more} more</p>` : nothing}`;
  }

  #arena(phase: Phase, buffer: BufferRecord): TemplateResult {
    const { index } = buffer;
    const tenants = earlierTenants(phase, buffer).map((one) => this.#buffer(one));
    const below = buffer.above.flatMap((i) => (phase.buffers[i] ? [this.#buffer(phase.buffers[i])] : []));
    const readers = buffer.reads.map((step) => `${phase.ops[step]?.op ?? ''} at ${step}`);
    return html`<dl class="facts">
        ${buffer.label === buffer.id ? nothing : fact('name', html`<code>${buffer.id}</code>`)}
        ${sizeFact(phase.bytes[index]!, phase.size[index]!, buffer.formula)}
        ${fact('place', html`+${grouped(phase.offset[index]!)} B <span class="soft">(${bytesText(phase.offset[index]!)})</span>`)}
        ${fact('alive', `steps ${buffer.begin} to ${buffer.end - 1}`)}
        ${fact('stands on', below.length ? listed(below) : 'the floor of the arena')}
        ${fact('reuses bytes of', tenants.length ? listed(tenants) : 'nothing before it')}
        ${fact('read by', readers.length ? listed(readers) : 'nothing')}
      </dl>
      <h4>${buffer.writes.length > 1 ? 'Written by, in this order' : 'Written by'}</h4>
      ${this.#writes(buffer)}`;
  }

  #resident(phase: Phase, buffer: ResidentRecord): TemplateResult {
    const { index } = buffer;
    const ops = buffer.uses.map((step) => `${phase.ops[step]?.op ?? ''} at ${step}`);
    return html`<dl class="facts">
      ${sizeFact(phase.residentBytes[index]!, phase.residentSize[index]!, buffer.formula)}
      ${fact('place', `+${grouped(phase.residentOffset[index]!)} B in ${buffer.segment}`)}
      ${buffer.type ? fact('type', html`<code>${buffer.type}</code>`) : nothing}
      ${buffer.source ? fact('stored as', html`<code>${buffer.source}</code>`) : nothing}
      ${fact('touched by', ops.length ? listed(ops) : 'nothing')}
    </dl>`;
  }

  protected override render(): TemplateResult | typeof nothing {
    const phase = this.session.phase.value;
    const id = this.session.selected.value;
    const arena = id === null ? undefined : phase?.arenaById.get(id);
    const resident = id === null ? undefined : phase?.residentById.get(id);
    this.toggleAttribute('data-empty', !arena && !resident);
    if (!phase || !(arena || resident)) return nothing;
    const close = (): void => this.session.select(null);
    return html`<div class="detail-head">
        <h3>${arena?.label ?? id}</h3>
        <button type="button" class="quiet" aria-label="close" title="close (Escape)" @click=${close}>✕</button>
      </div>
      <div class="detail-body" tabindex="0" role="region" aria-label="Chosen buffer" @keydown=${(event: KeyboardEvent) => event.key === 'Escape' && close()}>
        ${arena ? this.#arena(phase, arena) : this.#resident(phase, resident!)}
      </div>`;
  }
}

customElements.define('irplan-detail', Detail);
