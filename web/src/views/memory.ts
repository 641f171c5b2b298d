// <irplan-memory>: the timeline with its tools: what colours mean, search, folding, zoom, the peak, pictures to take away.
import { type PropertyDeclarations, type TemplateResult, html, nothing } from 'lit';
import { roomForArena } from '../model/budgets';
import { KINDS, KIND_LABEL } from '../model/kinds';
import { type Phase, segmentsIn } from '../model/phase';
import { download } from '../parts/dom';
import { sheets } from '../parts/view';
import styles from '../styles/memory.css?inline';
import '../timeline/element';
import type { BufferSelected, Timeline } from '../timeline/element';
import { Panel } from './panel';
import { searchField } from './search';

const MANY_STEPS = 160; // from which layers are folded at first

export class Memory extends Panel {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = { ...Panel.properties, search: { state: true }, folded: { state: true } };
  declare search: string;
  declare folded: boolean | null; // null: as long as nobody chose, by the number of steps

  constructor() {
    super();
    this.search = '';
    this.folded = null;
  }

  get #timeline(): Timeline | null {
    return this.renderRoot.querySelector<Timeline>('irplan-timeline');
  }

  /** The buffers that a search finds: by name, parameter, operator or "line 12". */
  #found(phase: Phase): Set<string> | null {
    const wanted = this.search.trim().toLowerCase();
    if (!wanted) return null;
    const [, line] = /^line\s*(\d+)$/.exec(wanted) ?? [];
    const arena = phase.buffers.filter((buffer) =>
      line
        ? buffer.writes.some((write) => write.op.line === Number(line))
        : `${buffer.id} ${buffer.writes.map((write) => `${write.op.op} ${write.label}`).join(' ')}`.toLowerCase().includes(wanted),
    );
    const resident = line ? [] : phase.resident.filter((buffer) => `${buffer.id} ${buffer.source}`.toLowerCase().includes(wanted));
    return new Set([...arena, ...resident].map((buffer) => buffer.id));
  }

  #findNext(phase: Phase): void {
    const found = [...(this.#found(phase) ?? [])];
    const at = found.indexOf(this.session.selected.value ?? '');
    if (found.length) this.session.select(found[(at + 1) % found.length]!);
  }

  protected override updated(): void {
    const timeline = this.#timeline;
    const phase = this.session.phase.peek();
    const outline = this.session.outline.peek();
    if (!timeline || !phase || !outline) return;
    timeline.show(phase, roomForArena(outline, phase.name, segmentsIn(outline, phase.totals)));
    timeline.folded = this.folded ?? (timeline.canFold && phase.ops.length > MANY_STEPS);
    timeline.highlight(this.session.highlighted.peek());
    timeline.find(this.#found(phase));
    timeline.select(this.session.selected.peek());
  }

  #goToSource(): void {
    const id = this.session.selected.value;
    const line = id === null ? 0 : (this.session.phase.value?.arenaById.get(id)?.line ?? 0);
    if (line) this.session.host.goToLine(line);
  }

  /** The compiler's own picture: what `irplan explain --svg` draws. */
  async #savePicture(type: 'svg' | 'png'): Promise<void> {
    const name = `memory-${this.session.phase.value?.name || 'plan'}`;
    const svg = await this.session.picture();
    if (type === 'svg') return download(`${name}.svg`, svg, 'image/svg+xml');
    const image = await toPng(svg);
    if (image) download(`${name}.png`, image);
  }

  #tools(phase: Phase): TemplateResult {
    const found = this.#found(phase);
    const canFold = phase.sections.filter((section) => section.loop).length > 4;
    const key = (event: KeyboardEvent): void => {
      if (event.key === 'Enter') this.#findNext(phase);
      if (event.key === 'Escape') this.search = '';
    };
    const zoom = (factor: number) => () => this.#timeline?.zoom(factor);
    const isFolded = this.folded ?? phase.ops.length > MANY_STEPS;
    return html`<div class="tools" @keydown=${(event: KeyboardEvent) => (event.target as HTMLElement).matches('.search') && key(event)}>
      ${searchField('Search the timeline', this.search, (text) => (this.search = text), 'Search: name, parameter, line 12')}
      <span class="soft" role="status">${found ? `${found.size} found` : ''}</span>
      <span class="group">
      ${canFold ? html`<button type="button" class="quiet" aria-pressed=${isFolded} title="draw layers that are alike together (F)" @click=${() => (this.folded = !isFolded)}>Fold layers</button>` : nothing}
      <button type="button" id="to-peak" class="quiet" title="go to the peak (P)" @click=${() => this.#timeline?.goToPeak()}>Peak</button>
      <button type="button" class="quiet" aria-label="zoom out" title="zoom out (-)" @click=${zoom(1.6)}>−</button>
      <button type="button" class="quiet" aria-label="zoom in" title="zoom in (+), or Ctrl and the wheel" @click=${zoom(1 / 1.6)}>+</button>
      <button type="button" class="quiet" title="show all steps (0)" @click=${() => this.#timeline?.fit()}>Fit</button>
      <button type="button" class="quiet" title="save the compiler's picture, at the plan's own sizes" @click=${() => void this.#savePicture('svg')}>SVG</button>
      <button type="button" class="quiet" title="the same as PNG" @click=${() => void this.#savePicture('png')}>PNG</button>
      </span>
    </div>`;
  }

  protected override render(): TemplateResult | typeof nothing {
    const phase = this.session.phase.value;
    if (!phase) return nothing;
    void [this.session.selected.value, this.session.highlighted.value, this.session.outline.value];
    const select = (event: CustomEvent<BufferSelected>): void => this.session.select(event.detail.id);
    return html`${this.#tools(phase)}
      <irplan-timeline
        @bufferselect=${select}
        @gotosource=${() => this.#goToSource()}
        @foldtoggle=${() => (this.folded = this.#timeline?.folded ?? null)}
      ></irplan-timeline>
      <div class="kinds">
        ${KINDS.map((kind) => html`<span><i class="swatch kind-${kind}"></i>${KIND_LABEL[kind]}</span>`)}
        <span><i class="line-key live"></i>live bytes</span>
      </div>`;
  }
}

const SHARP = 2; // px of an image for each of the drawing's

async function toPng(svg: string): Promise<Blob | null> {
  const [, width = '960', height = '430'] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image(Number(width), Number(height));
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = SHARP * image.width;
    canvas.height = SHARP * image.height;
    const pen = canvas.getContext('2d')!;
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, 'image/png'));
  } finally {
    URL.revokeObjectURL(url);
  }
}

customElements.define('irplan-memory', Memory);
