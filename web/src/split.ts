// The bar between source and plan: dragged, or moved with the arrow keys.
import { byId } from './base/dom';

const KEY = 'irplan.split';
const MIN = 20; // per cent of the window
const MAX = 70;

export function wireSplit(): void {
  const bar = byId('split');
  const set = (percent: number): void => {
    const width = Math.min(MAX, Math.max(MIN, percent));
    document.documentElement.style.setProperty('--source-width', `${width}%`);
    bar.setAttribute('aria-valuenow', width.toFixed(0));
  };
  const keep = (): void => {
    try {
      localStorage.setItem(KEY, bar.getAttribute('aria-valuenow') ?? '');
    } catch {
      // Storage may be forbidden; then the width is not kept.
    }
  };
  try {
    const kept = Number(localStorage.getItem(KEY));
    if (kept) set(kept);
  } catch {
    // As above.
  }
  bar.addEventListener('pointerdown', (event) => bar.setPointerCapture(event.pointerId));
  bar.addEventListener('pointermove', (event) => {
    if (bar.hasPointerCapture(event.pointerId)) set((100 * event.clientX) / innerWidth);
  });
  bar.addEventListener('pointerup', keep);
  bar.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowLeft' ? -2 : event.key === 'ArrowRight' ? 2 : 0;
    if (by === 0) return;
    set(Number(bar.getAttribute('aria-valuenow')) + by);
    keep();
  });
}
