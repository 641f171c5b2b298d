// One slider a dim, on a logarithmic scale within its range; moving it places the same plan at other sizes.
import { h } from '../base/dom';
import type { Plan, PlanDim } from '../plan/types';

const STEPS = 1000; // of a slider from end to end
const OPEN_END = 65536; // where a dim without an upper bound ends, unless its value is larger

interface Slider {
  dim: PlanDim;
  min: number;
  max: number;
  range: HTMLInputElement;
  number: HTMLInputElement;
}

/** Values on the scale: equal distances are equal ratios of (n - min + 1). */
export function valueAt(share: number, min: number, max: number): number {
  return Math.round(min - 1 + Math.exp(share * Math.log(max - min + 1)));
}

export function shareOf(value: number, min: number, max: number): number {
  return max === min ? 0 : Math.log(value - min + 1) / Math.log(max - min + 1);
}

export class Sliders {
  readonly node = h('div', { class: 'sliders' });
  #sliders: Slider[] = [];
  #shape = '';
  #onChange: (sizes: Record<string, number>) => void;

  constructor(onChange: (sizes: Record<string, number>) => void) {
    this.#onChange = onChange;
  }

  /** Keeps the controls, and with them a drag in progress, while the plan has the same dims. */
  show(plan: Plan, sizes: Record<string, number>): void {
    const shape = JSON.stringify([plan.dims, plan.budget.map((budget) => budget.max)]);
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#sliders = plan.dims.map((dim) => this.#make(dim, this.#sizeOf(dim, sizes)));
      const rows = this.#sliders.map((slider) => this.#row(slider, largest(plan, slider.dim.name)));
      this.node.replaceChildren(...rows);
    }
    for (const slider of this.#sliders) this.#set(slider, this.#sizeOf(slider.dim, sizes));
  }

  #sizeOf(dim: PlanDim, sizes: Record<string, number>): number {
    const size = sizes[dim.name] ?? dim.value;
    return Math.min(dim.max ?? Number.MAX_SAFE_INTEGER, Math.max(dim.min, size));
  }

  #make(dim: PlanDim, size: number): Slider {
    const max = dim.max ?? Math.max(OPEN_END, size, dim.value, dim.min);
    const name = dim.name;
    return {
      dim,
      min: dim.min,
      max,
      range: h('input', { type: 'range', min: 0, max: STEPS, step: 1, 'aria-label': `size of ${name}`, 'data-dim': name, disabled: dim.min === max }),
      number: h('input', { type: 'number', min: dim.min, max: dim.max, step: 1, 'aria-label': `${name} as a number`, class: 'mono' }),
    };
  }

  #row(slider: Slider, most: number | null): HTMLElement {
    const { dim, range, number } = slider;
    range.addEventListener('input', () => {
      const share = Number(range.value) / STEPS;
      this.#set(slider, valueAt(share, slider.min, slider.max), range);
      this.#changed();
    });
    number.addEventListener('change', () => {
      const wanted = Math.round(Number(number.value)) || dim.min;
      this.#set(slider, Math.min(dim.max ?? Number.MAX_SAFE_INTEGER, Math.max(dim.min, wanted)));
      this.#changed();
    });
    const bounds = `${dim.min} to ${dim.max ?? '∞'}`;
    const facts = [bounds, ...(dim.per ? [`one for each of ${dim.per}`] : []), ...(dim.assumed ? ['assumed'] : [])];
    return h(
      'div',
      { class: 'slider' },
      h('label', { class: 'mono' }, dim.name),
      range,
      number,
      h('span', { class: 'soft' }, facts.join(' · ')),
      most === null ? null : h('button', { type: 'button', class: 'chip', title: 'the largest size that every budget admits', onclick: () => {
        this.#set(slider, Math.min(most, dim.max ?? most));
        this.#changed();
      } }, `max ${most}`),
    );
  }

  #set(slider: Slider, size: number, source?: HTMLInputElement): void {
    const text = String(size);
    if (slider.number.value !== text) slider.number.value = text;
    if (source !== slider.range) slider.range.value = String(Math.round(shareOf(Math.min(size, slider.max), slider.min, slider.max) * STEPS));
    slider.range.setAttribute('aria-valuetext', `${slider.dim.name} = ${text}`);
  }

  #changed(): void {
    const moved = this.#sliders.filter((slider) => Number(slider.number.value) !== slider.dim.value);
    this.#onChange(Object.fromEntries(moved.map((slider) => [slider.dim.name, Number(slider.number.value)])));
  }

  /** All sizes as the plan has them. */
  reset(): void {
    for (const slider of this.#sliders) this.#set(slider, slider.dim.value);
    this.#changed();
  }
}

/** The largest value of a dim that every budget admits. */
function largest(plan: Plan, name: string): number | null {
  const limits = plan.budget.flatMap((budget) => (budget.max?.[name] === undefined ? [] : [budget.max[name]]));
  return limits.length ? Math.min(...limits) : null;
}
