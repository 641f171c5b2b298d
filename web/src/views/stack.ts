// Memory by segment as one bar, with what a budget leaves.
import { type TemplateResult, html, nothing } from 'lit';
import { total } from '../model/budgets';
import { bytesText } from '../model/numbers';
import { SEGMENTS, type Segments } from '../model/plan';
import { styled } from '../parts/styled';

const NEAR = 0.1; // of the limit: what takes less would be nothing of a bar that is as long as the limit

/** One bar of what the segments take, with the limit where it is near. */
export function stack(segments: Segments, limit: number | null): TemplateResult {
  const sum = total(segments);
  const shownLimit = limit !== null && sum > NEAR * limit ? limit : null;
  const scale = Math.max(sum, shownLimit ?? 0, 1);
  const parts = SEGMENTS.filter((name) => segments[name] > 0);
  const share = (bytes: number): string => `${Math.max(0.3, (100 * bytes) / scale)}%`;
  const text = parts.map((name) => `${name} ${bytesText(segments[name])}`).join(', ') + (limit === null ? '' : `; budget ${bytesText(limit)}`);
  const over = shownLimit !== null && sum > shownLimit;
  return html`<div class="stack" role="img" aria-label=${`memory by segment: ${text}`}>
    ${parts.map((name) => html`<span class="part part-${name}" title=${`${name} ${bytesText(segments[name])}`} ${styled({ width: share(segments[name]) })}></span>`)}
    ${over ? html`<span class="over-part" ${styled({ left: share(shownLimit) })}></span>` : nothing}
    ${shownLimit === null ? nothing : html`<span class="limit" title=${`budget ${bytesText(shownLimit)}`} ${styled({ left: `min(100% - 2px, ${(100 * shownLimit) / scale}%)` })}></span>`}
  </div>`;
}

export function legend(segments: Segments): TemplateResult {
  return html`<div class="stack-legend">
    ${SEGMENTS.map((name) => html`<span><i class="swatch part-${name}"></i>${name} <b>${bytesText(segments[name])}</b></span>`)}
  </div>`;
}
