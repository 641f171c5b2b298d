// <irplan-timeline>: the canvas with pointer, wheel and keyboard. It is a picture of the buffer table, which is the
// accessible form; what it shows is also said in a live region. Fires `bufferselect` ({ id }), `gotosource` and `foldtoggle`.
import { foldsOf, StepAxis } from '../model/layers';
import { bytesText } from '../model/numbers';
import type { BufferRecord, Phase } from '../model/phase';
import { eachFrame, h, sheetOf } from '../parts/dom';
import { onThemeChange } from '../parts/theme';
import { type Marks, type Pointer, paint, paintPointer } from './paint';
import { type Palette, readPalette } from './palette';
import { GOOD_ARENA, type Hit, type Room, type Scene, type Viewport, heightBeside, hitAt, makeScene, unitAt } from './scene';
import { spokenBuffer, spokenStep, tipOf } from './tip';
import styles from './timeline.css?inline';

export interface BufferSelected {
  id: string | null;
}

/** Of several timelines that are drawn alike: bytes of the arena's lane, and units of the axis. */
export interface Scale {
  bytes: number;
  units: number;
}

const MIN_UNITS = 4; // the deepest zoom
const CLICK_REACH = 4; // px a pointer may move in a click
const HELP =
  'Memory timeline. Arrow keys walk the buffers, brackets the steps; plus and minus zoom, 0 shows all, P goes to the peak, F folds layers, Enter goes to the source.';

export class Timeline extends HTMLElement {
  #canvas = h('canvas', { role: 'img', 'aria-label': 'memory over time' });
  #over = h('canvas', { 'aria-hidden': 'true' });
  #tip = h('div', { class: 'tip', hidden: true });
  #spoken = h('div', { class: 'visually-hidden', 'aria-live': 'polite' });
  #phase: Phase | null = null;
  #axis = new StepAxis(1, []);
  #room: Room | null = null;
  #scale: Scale | null = null;
  #folded = false;
  #scene: Scene | null = null;
  #view: Viewport = { from: 0, to: 1 };
  #palette: Palette | null = null;
  #marks: Marks = { selected: null, highlighted: new Set(), found: null };
  #pointer: Pointer = { hovered: null, step: null };
  #drag: { x: number; view: Viewport; moved: boolean } | null = null;
  #repaint = eachFrame(() => this.#paint());
  #repaintPointer = eachFrame(() => this.#paintPointer());
  #size = new ResizeObserver(this.#repaint);
  #endTheme: (() => void) | undefined;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheetOf(styles)];
    root.append(this.#canvas, this.#over, this.#tip, this.#spoken);
    this.addEventListener('pointerdown', (event) => this.#pointerDown(event));
    this.addEventListener('pointermove', (event) => this.#pointerMove(event));
    this.addEventListener('pointerup', (event) => this.#pointerUp(event));
    this.addEventListener('pointercancel', () => (this.#drag = null));
    this.addEventListener('pointerleave', () => this.#hover(null));
    this.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.addEventListener('keydown', (event) => this.#key(event));
  }

  connectedCallback(): void {
    this.tabIndex = 0;
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', HELP);
    this.#size.observe(this);
    this.#endTheme = onThemeChange(() => {
      this.#palette = null;
      this.#repaint();
    });
    this.#palette = null;
    this.#repaint();
  }

  disconnectedCallback(): void {
    this.#size.disconnect();
    this.#endTheme?.();
  }

  /** Shows a phase; the view is kept where the phase still has the same ops. */
  show(phase: Phase | null, room: Room | null = null): void {
    const same = phase && this.#phase && phase.name === this.#phase.name && phase.ops.length === this.#phase.ops.length;
    this.#phase = phase;
    this.#room = room;
    if (!same) this.#layOut();
    if (phase) {
      const label = `${phase.name}: ${phase.buffers.length} buffers in ${phase.ops.length} steps, peak ${bytesText(phase.arena)}`;
      this.#canvas.setAttribute('aria-label', label);
      this.style.setProperty('--needed-height', `${GOOD_ARENA + heightBeside(phase)}px`);
    }
    this.#repaint();
  }

  get canFold(): boolean {
    return foldsOf(this.#phase?.sections ?? []).length > 0;
  }

  get folded(): boolean {
    return this.#folded;
  }

  /** Draws layers that are alike together. */
  set folded(folded: boolean) {
    if (folded === this.#folded) return;
    this.#folded = folded;
    this.#layOut();
    this.#repaint();
  }

  /** How long the axis is by itself. */
  get units(): number {
    return this.#axis.length;
  }

  set scale(scale: Scale) {
    if (this.#scale?.bytes === scale.bytes && this.#scale.units === scale.units) return;
    if (this.#scale?.units !== scale.units) this.#view = { from: 0, to: scale.units };
    this.#scale = scale;
    this.#repaint();
  }

  /** What of the axis is in sight; `viewchange` tells that it has changed by hand. */
  get viewport(): Viewport {
    return this.#view;
  }

  set viewport(view: Viewport) {
    this.#view = { ...view };
    this.#repaint();
  }

  get #length(): number {
    return Math.max(this.#axis.length, this.#scale?.units ?? 0);
  }

  select(id: string | null): void {
    if (this.#marks.selected === id) return;
    this.#marks.selected = id;
    const buffer = id === null ? undefined : this.#phase?.arenaById.get(id);
    if (buffer && this.#phase) {
      this.#reveal(buffer.begin, buffer.end);
      this.#spoken.textContent = spokenBuffer(this.#phase, buffer);
    }
    this.#repaint();
  }

  highlight(ids: ReadonlySet<string>): void {
    this.#marks.highlighted = ids;
    this.#repaint();
  }

  /** Marks what a search found; null: nothing is searched. */
  find(ids: ReadonlySet<string> | null): void {
    this.#marks.found = ids;
    this.#repaint();
  }

  zoom(factor: number, around?: number): void {
    const all = this.#length;
    const { from, to } = this.#view;
    const middle = around ?? (from + to) / 2;
    const width = Math.min(all, Math.max(Math.min(MIN_UNITS, all), (to - from) * factor));
    this.#setView(middle - ((middle - from) / (to - from)) * width, width);
  }

  fit(): void {
    this.#setView(0, this.#length);
  }

  goToPeak(): void {
    const phase = this.#phase;
    if (!phase) return;
    const { peakStep, size } = phase;
    this.#pointer.step = peakStep;
    this.#reveal(peakStep, peakStep + 1);
    const alive = phase.buffers.filter((one) => one.begin <= peakStep && peakStep < one.end);
    const largest = alive.reduce<BufferRecord | null>(
      (best, one) => (best && size[best.index]! >= size[one.index]! ? best : one),
      null,
    );
    if (largest) this.#choose(largest.id);
    this.#repaint();
  }

  #layOut(): void {
    const steps = Math.max(1, this.#phase?.ops.length ?? 1);
    this.#axis = new StepAxis(steps, this.#folded ? foldsOf(this.#phase?.sections ?? []) : []);
    this.#view = { from: 0, to: this.#length };
  }

  #setView(from: number, width: number): void {
    const begin = Math.min(Math.max(0, from), this.#length - width);
    this.#view = { from: begin, to: begin + width };
    this.#repaint();
    this.dispatchEvent(new CustomEvent('viewchange'));
  }

  #reveal(begin: number, end: number): void {
    const { from, to } = this.#view;
    const first = this.#axis.unitOf(begin);
    const last = this.#axis.unitOf(end);
    if (first < to && last > from) return;
    this.#setView((first + last) / 2 - (to - from) / 2, to - from);
  }

  // ---- painting

  #penOf(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext('2d');
    pen?.setTransform(ratio, 0, 0, ratio, 0, 0);
    return pen;
  }

  #paint(): void {
    const width = this.clientWidth;
    const height = this.clientHeight;
    const pen = width === 0 || height === 0 ? null : this.#penOf(this.#canvas, width, height);
    if (!pen) return;
    this.#palette ??= readPalette(this);
    if (!this.#phase || this.#phase.ops.length === 0) {
      pen.clearRect(0, 0, width, height);
      this.#scene = null;
      return;
    }
    this.#scene = makeScene({ phase: this.#phase, axis: this.#axis, room: this.#room, least: this.#scale?.bytes ?? 0, width, height, view: this.#view });
    paint(pen, this.#scene, this.#palette, this.#marks);
    this.#paintPointer();
    this.dataset['painted'] = String(Number(this.dataset['painted'] ?? 0) + 1);
  }

  #paintPointer(): void {
    if (!this.#scene || !this.#palette) return;
    const pen = this.#penOf(this.#over, this.#scene.width, this.#scene.height);
    if (pen) paintPointer(pen, this.#scene, this.#palette, this.#pointer);
  }

  // ---- pointer

  #hit(event: PointerEvent | WheelEvent): Hit | null {
    const box = this.getBoundingClientRect();
    return this.#scene ? hitAt(this.#scene, event.clientX - box.left, event.clientY - box.top) : null;
  }

  #pointerDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#drag = { x: event.clientX, view: { ...this.#view }, moved: false };
    this.setPointerCapture(event.pointerId);
  }

  #pointerMove(event: PointerEvent): void {
    const scene = this.#scene;
    if (this.#drag && scene) {
      const distance = event.clientX - this.#drag.x;
      if (Math.abs(distance) > CLICK_REACH) this.#drag.moved = true;
      if (this.#drag.moved) {
        const { from, to } = this.#drag.view;
        this.#setView(from - (distance / (scene.right - scene.left)) * (to - from), to - from);
        this.#hover(null);
        return;
      }
    }
    this.#hover(this.#hit(event), event);
  }

  #pointerUp(event: PointerEvent): void {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag || drag.moved) return;
    const hit = this.#hit(event);
    if (hit?.kind === 'layer') this.#toggleFolds();
    else this.#choose(hit && hit.kind !== 'step' ? hit.buffer.id : null);
  }

  #wheel(event: WheelEvent): void {
    const scene = this.#scene;
    if (!scene) return;
    const { from, to } = this.#view;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.#setView(from + (event.deltaX / (scene.right - scene.left)) * (to - from), to - from);
    } else if (event.ctrlKey || event.metaKey) {
      const box = this.getBoundingClientRect();
      this.zoom(Math.exp(event.deltaY * 0.004), unitAt(scene, event.clientX - box.left));
    } else {
      return; // plain scrolling stays the page's
    }
    event.preventDefault();
  }

  #hover(hit: Hit | null, event?: PointerEvent): void {
    const on = hit && (hit.kind === 'arena' || hit.kind === 'resident');
    this.#pointer = { hovered: on ? hit.buffer.id : null, step: hit?.step ?? null };
    this.dataset['over'] = hit?.kind ?? '';
    this.#tip.hidden = !hit;
    if (hit && event && this.#phase) {
      this.#tip.replaceChildren(...tipOf(hit, this.#phase));
      this.#placeTip(event);
    }
    this.#repaintPointer();
  }

  #placeTip(event: PointerEvent): void {
    const box = this.getBoundingClientRect();
    const tip = this.#tip.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    const left = x + 16 + tip.width > box.width ? x - tip.width - 12 : x + 16;
    this.#tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, Math.min(y + 12, box.height - tip.height - 4))}px)`;
  }

  // ---- keyboard

  #choose(id: string | null): void {
    this.select(id);
    this.dispatchEvent(new CustomEvent<BufferSelected>('bufferselect', { detail: { id } }));
  }

  #toggleFolds(): void {
    if (!this.canFold) return;
    this.folded = !this.folded;
    this.dispatchEvent(new CustomEvent('foldtoggle'));
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const byTime = (a: BufferRecord, b: BufferRecord): number => a.begin - b.begin || this.#at(a) - this.#at(b);
    const byAddress = (a: BufferRecord, b: BufferRecord): number => this.#at(a) - this.#at(b) || a.begin - b.begin;
    const actions: Record<string, () => void> = {
      ArrowRight: () => this.#walk(byTime, 1),
      ArrowLeft: () => this.#walk(byTime, -1),
      ArrowUp: () => this.#walk(byAddress, 1),
      ArrowDown: () => this.#walk(byAddress, -1),
      '+': () => this.zoom(1 / 1.5),
      '=': () => this.zoom(1 / 1.5),
      '-': () => this.zoom(1.5),
      '0': () => this.fit(),
      p: () => this.goToPeak(),
      f: () => this.#toggleFolds(),
      '[': () => this.#moveStep(-1),
      ']': () => this.#moveStep(1),
      Escape: () => this.#choose(null),
      Enter: () => this.dispatchEvent(new CustomEvent('gotosource')),
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  #at(buffer: BufferRecord): number {
    return this.#phase?.offset[buffer.index] ?? 0;
  }

  #walk(order: (a: BufferRecord, b: BufferRecord) => number, by: number): void {
    const sorted = [...(this.#phase?.buffers ?? [])].sort(order);
    if (sorted.length === 0) return;
    const at = sorted.findIndex((buffer) => buffer.id === this.#marks.selected);
    const next = at < 0 ? (by > 0 ? 0 : sorted.length - 1) : Math.min(sorted.length - 1, Math.max(0, at + by));
    this.#choose(sorted[next]!.id);
  }

  #moveStep(by: number): void {
    const phase = this.#phase;
    if (!phase) return;
    const step = Math.min(phase.ops.length - 1, Math.max(0, (this.#pointer.step ?? (by > 0 ? -1 : 1)) + by));
    this.#pointer.step = step;
    this.#reveal(step, step + 1);
    this.#spoken.textContent = spokenStep(phase, step);
    this.#repaint();
  }
}

customElements.define('irplan-timeline', Timeline);
