// <irplan-timeline>: the canvas with pointer, wheel and keyboard. It is a picture of the buffer table, which is the
// accessible form; what it shows is also said in a live region.
import { h, eachFrame } from '../base/dom';
import { bytesText, grouped } from '../base/numbers';
import type { ArenaBuffer, PhaseModel, ResidentBuffer } from '../plan/model';
import { type Marks, paint } from './paint';
import { type Palette, readPalette } from './palette';
import { type Hit, type Scene, type Viewport, hitAt, makeScene, stepAt } from './scene';

export interface BufferSelected {
  id: string | null;
}

const MIN_STEPS = 4; // the deepest zoom
const CLICK_REACH = 4; // px a pointer may move in a click

export class Timeline extends HTMLElement {
  #canvas = h('canvas', { role: 'img', 'aria-label': 'memory over time' });
  #tip = h('div', { class: 'tip', hidden: true });
  #spoken = h('div', { class: 'visually-hidden', 'aria-live': 'polite' });
  #phase: PhaseModel | null = null;
  #scene: Scene | null = null;
  #view: Viewport = { from: 0, to: 1 };
  #palette: Palette | null = null;
  #marks: Marks = { selected: null, highlighted: new Set(), hovered: null, step: null };
  #drag: { x: number; view: Viewport; moved: boolean } | null = null;
  #repaint = eachFrame(() => this.#paint());

  connectedCallback(): void {
    this.tabIndex = 0;
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', 'Memory timeline. Arrow keys walk the buffers, plus and minus zoom, P goes to the peak.');
    this.append(this.#canvas, this.#tip, this.#spoken);
    new ResizeObserver(this.#repaint).observe(this);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#palette = null;
      this.#repaint();
    });
    this.addEventListener('pointerdown', (event) => this.#pointerDown(event));
    this.addEventListener('pointermove', (event) => this.#pointerMove(event));
    this.addEventListener('pointerup', (event) => this.#pointerUp(event));
    this.addEventListener('pointerleave', () => this.#hover(null));
    this.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Shows a phase; the view is kept where the phase still has the same ops. */
  show(phase: PhaseModel | null): void {
    const same = phase && this.#phase && phase.name === this.#phase.name && phase.ops.length === this.#phase.ops.length;
    this.#phase = phase;
    if (!same) this.#view = { from: 0, to: Math.max(1, phase?.ops.length ?? 1) };
    if (phase)
      this.#canvas.setAttribute(
        'aria-label',
        `${phase.name}: ${phase.buffers.length} buffers in ${phase.ops.length} steps, peak ${bytesText(phase.arena)}`,
      );
    this.#repaint();
  }

  select(id: string | null): void {
    if (this.#marks.selected === id) return;
    this.#marks.selected = id;
    const buffer = id === null ? undefined : this.#phase?.byId.get(id);
    if (buffer) {
      this.#reveal(buffer.begin, buffer.end);
      this.#spoken.textContent = spoken(buffer);
    }
    this.#repaint();
  }

  highlight(ids: ReadonlySet<string>): void {
    this.#marks.highlighted = ids;
    this.#repaint();
  }

  zoom(factor: number, around?: number): void {
    const steps = this.#phase?.ops.length ?? 1;
    const { from, to } = this.#view;
    const middle = around ?? (from + to) / 2;
    const width = Math.min(steps, Math.max(Math.min(MIN_STEPS, steps), (to - from) * factor));
    const share = (middle - from) / (to - from);
    this.#setView(middle - share * width, width);
  }

  fit(): void {
    this.#setView(0, this.#phase?.ops.length ?? 1);
  }

  goToPeak(): void {
    const phase = this.#phase;
    if (!phase) return;
    this.#marks.step = phase.peakStep;
    this.#reveal(phase.peakStep, phase.peakStep + 1);
    const alive = phase.buffers.filter((one) => one.begin <= phase.peakStep && phase.peakStep < one.end);
    const largest = alive.reduce<ArenaBuffer | null>((best, one) => (best && best.size >= one.size ? best : one), null);
    if (largest) this.#choose(largest.id);
    this.#repaint();
  }

  #setView(from: number, width: number): void {
    const steps = this.#phase?.ops.length ?? 1;
    const begin = Math.min(Math.max(0, from), steps - width);
    this.#view = { from: begin, to: begin + width };
    this.#repaint();
  }

  #reveal(begin: number, end: number): void {
    const { from, to } = this.#view;
    if (begin < to && end > from) return;
    this.#setView((begin + end) / 2 - (to - from) / 2, to - from);
  }

  #paint(): void {
    const width = this.clientWidth;
    const height = this.clientHeight;
    const pen = this.#canvas.getContext('2d');
    if (!pen || width === 0 || height === 0) return;
    const ratio = devicePixelRatio || 1;
    if (this.#canvas.width !== Math.round(width * ratio) || this.#canvas.height !== Math.round(height * ratio)) {
      this.#canvas.width = Math.round(width * ratio);
      this.#canvas.height = Math.round(height * ratio);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#palette ??= readPalette(this);
    if (!this.#phase || this.#phase.ops.length === 0) {
      pen.clearRect(0, 0, width, height);
      this.#scene = null;
      return;
    }
    this.#scene = makeScene(this.#phase, width, height, this.#view);
    paint(pen, this.#scene, this.#palette, this.#marks);
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
        const steps = (distance / (scene.right - scene.left)) * (to - from);
        this.#setView(from - steps, to - from);
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
    this.#choose(hit && hit.kind !== 'step' ? hit.buffer.id : null);
  }

  #wheel(event: WheelEvent): void {
    const scene = this.#scene;
    if (!scene) return;
    const { from, to } = this.#view;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.#setView(from + (event.deltaX / (scene.right - scene.left)) * (to - from), to - from);
    } else if (event.ctrlKey || event.metaKey) {
      const box = this.getBoundingClientRect();
      this.zoom(Math.exp(event.deltaY * 0.004), stepAt(scene, event.clientX - box.left));
    } else {
      return; // plain scrolling stays the page's
    }
    event.preventDefault();
  }

  #hover(hit: Hit | null, event?: PointerEvent): void {
    this.#marks.hovered = hit && hit.kind !== 'step' ? hit.buffer.id : null;
    this.#marks.step = hit?.step ?? null;
    this.#tip.hidden = !hit;
    if (hit && event && this.#phase) {
      this.#tip.replaceChildren(...tipOf(hit, this.#phase));
      this.#placeTip(event);
    }
    this.#repaint();
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

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const actions: Record<string, () => void> = {
      ArrowRight: () => this.#walk((a, b) => a.begin - b.begin || a.offset - b.offset, 1),
      ArrowLeft: () => this.#walk((a, b) => a.begin - b.begin || a.offset - b.offset, -1),
      ArrowUp: () => this.#walk((a, b) => a.offset - b.offset || a.begin - b.begin, 1),
      ArrowDown: () => this.#walk((a, b) => a.offset - b.offset || a.begin - b.begin, -1),
      '+': () => this.zoom(1 / 1.5),
      '=': () => this.zoom(1 / 1.5),
      '-': () => this.zoom(1.5),
      '0': () => this.fit(),
      p: () => this.goToPeak(),
      P: () => this.goToPeak(),
      '[': () => this.#moveStep(-1),
      ']': () => this.#moveStep(1),
      Escape: () => this.#choose(null),
      Enter: () => this.dispatchEvent(new CustomEvent('gotosource')),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  #walk(order: (a: ArenaBuffer, b: ArenaBuffer) => number, by: number): void {
    const sorted = [...(this.#phase?.buffers ?? [])].sort(order);
    if (sorted.length === 0) return;
    const at = sorted.findIndex((buffer) => buffer.id === this.#marks.selected);
    const next = at < 0 ? (by > 0 ? 0 : sorted.length - 1) : Math.min(sorted.length - 1, Math.max(0, at + by));
    this.#choose(sorted[next]!.id);
  }

  #moveStep(by: number): void {
    const phase = this.#phase;
    if (!phase) return;
    const step = Math.min(phase.ops.length - 1, Math.max(0, (this.#marks.step ?? (by > 0 ? -1 : 1)) + by));
    this.#marks.step = step;
    this.#reveal(step, step + 1);
    const op = phase.ops[step];
    this.#spoken.textContent = op ? `step ${step}, ${op.op} ${op.id}, ${bytesText(phase.live[step] ?? 0)} live` : '';
    this.#repaint();
  }
}

function spoken(buffer: ArenaBuffer): string {
  return `${buffer.id}, ${bytesText(buffer.size)}, steps ${buffer.begin} to ${buffer.end - 1}, at ${bytesText(buffer.offset)}`;
}

function row(name: string, value: string): HTMLElement {
  return h('div', { class: 'tip-row' }, h('span', {}, name), h('b', {}, value));
}

function tipOf(hit: Hit, phase: PhaseModel): HTMLElement[] {
  const op = phase.ops[hit.step];
  const live = phase.live[hit.step] ?? 0;
  const here = h('div', { class: 'tip-step' }, `step ${hit.step}: ${op?.op ?? ''} `, h('span', {}, op?.id ?? ''));
  if (hit.kind === 'step') return [here, row('live', bytesText(live))];
  const { buffer } = hit;
  const title = h('div', { class: 'tip-title' }, buffer.id);
  const size = row('size', `${bytesText(buffer.bytes)}  (${grouped(buffer.bytes)} B)`);
  if (hit.kind === 'resident') return [title, size, row('segment', hit.buffer.segment), usesRow(hit.buffer), here];
  return [
    title,
    size,
    row('at', `+${bytesText(hit.buffer.offset)}`),
    row('alive', `steps ${hit.buffer.begin} to ${hit.buffer.end - 1}`),
    ...chainRow(hit.buffer),
    here,
    row('live here', bytesText(live)),
  ];
}

function usesRow(buffer: ResidentBuffer): HTMLElement {
  const shown = buffer.uses.slice(0, 6).join(', ');
  return row('touched at steps', buffer.uses.length === 0 ? 'none' : buffer.uses.length > 6 ? `${shown}, …` : shown);
}

function chainRow(buffer: ArenaBuffer): HTMLElement[] {
  const ops = buffer.writes.map((write) => write.op.op);
  return ops.length > 1 ? [row('in place', ops.length > 6 ? `${ops.slice(0, 6).join(' → ')} → …` : ops.join(' → '))] : [];
}

customElements.define('irplan-timeline', Timeline);
