// <irplan-sliders>: one slider a dim, on a logarithmic scale within its range; moving it places the same plan at other sizes.
import { type TemplateResult, html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { live } from 'lit/directives/live.js';
import { largestSize } from '../model/budgets';
import type { Outline, PlanDim } from '../model/plan';
import { sheets } from '../parts/view';
import styles from '../styles/sliders.css?inline';
import { Panel } from './panel';

const STEPS = 1000; // of a slider from end to end
const OPEN_END = 65536; // where a dim without an upper bound ends, unless its value is larger

/** Values on the scale: equal distances are equal ratios of (n - min + 1). */
export function valueAt(share: number, min: number, max: number): number {
  return Math.round(min - 1 + Math.exp(share * Math.log(max - min + 1)));
}

export function shareOf(value: number, min: number, max: number): number {
  return max === min ? 0 : Math.log(value - min + 1) / Math.log(max - min + 1);
}

function clamped(dim: PlanDim, size: number): number {
  return Math.min(dim.max ?? Number.MAX_SAFE_INTEGER, Math.max(dim.min, size));
}

export class Sliders extends Panel {
  static override styles = sheets(styles);

  #set(outline: Outline, dim: PlanDim, size: number): void {
    const sizes = { ...this.session.sizes.value, [dim.name]: clamped(dim, size) };
    const moved = outline.dims.filter((one) => (sizes[one.name] ?? one.value) !== one.value);
    this.session.resize(Object.fromEntries(moved.map((one) => [one.name, sizes[one.name]!])));
  }

  #slider(outline: Outline, dim: PlanDim): TemplateResult {
    const size = clamped(dim, this.session.sizes.value[dim.name] ?? dim.value);
    const { name, min } = dim;
    const max = dim.max ?? Math.max(OPEN_END, size, dim.value, min);
    const most = largestSize(outline, name);
    const facts = [`${min} to ${dim.max ?? '∞'}`, ...(dim.per ? [`one for each of ${dim.per}`] : []), ...(dim.assumed ? ['assumed'] : [])];
    const slid = (event: Event): void =>
      this.#set(outline, dim, valueAt(Number((event.currentTarget as HTMLInputElement).value) / STEPS, min, max));
    const typed = (event: Event): void => {
      const field = event.currentTarget as HTMLInputElement;
      this.#set(outline, dim, Math.round(Number(field.value)) || min);
      field.value = String(this.session.sizes.value[name] ?? dim.value);
    };
    return html`<div class="slider">
      <span class="dim mono" aria-hidden="true">${name}</span>
      <input type="range" min="0" max=${STEPS} step="1" aria-label=${`size of ${name}`} aria-valuetext=${`${name} = ${size}`} data-dim=${name}
        ?disabled=${min === dim.max} .value=${live(String(Math.round(shareOf(Math.min(size, max), min, max) * STEPS)))} @input=${slid} />
      <input type="number" class="mono" min=${min} max=${dim.max ?? nothing} step="1" aria-label=${`${name} as a number`} .value=${String(size)} @change=${typed} />
      <span class="soft facts" title=${facts.join(' · ')}>${facts.join(' · ')}</span>
      ${
        most === null
          ? nothing
          : html`<button type="button" class="chip" title="the largest size that every budget allows" @click=${() => this.#set(outline, dim, most)}>max ${most}</button>`
      }
    </div>`;
  }

  protected override render(): TemplateResult | typeof nothing {
    const outline = this.session.outline.value;
    if (!outline?.dims.length) return nothing;
    const moved = Object.keys(this.session.sizes.value).length > 0;
    return html`<div class="sliders">${repeat(outline.dims, (dim) => dim.name, (dim) => this.#slider(outline, dim))}</div>
      <button type="button" id="reset-sizes" class="quiet" ?hidden=${!moved} @click=${() => this.session.resize({})}>Reset sizes</button>`;
  }
}

customElements.define('irplan-sliders', Sliders);
