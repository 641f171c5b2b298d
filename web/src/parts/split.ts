// The bar between source and plan: dragged, or moved with the arrow keys.
const KEY = 'irplan.split';
const MIN = 20; // per cent of the window
const MAX = 70;

function kept(): number {
  try {
    return Number(localStorage.getItem(KEY));
  } catch {
    return 0; // storage is forbidden
  }
}

function keep(percent: string): void {
  try {
    localStorage.setItem(KEY, percent);
  } catch {
    // As above; then the width is not kept.
  }
}

export function wireSplit(bar: HTMLElement): void {
  const now = (): number => Number(bar.getAttribute('aria-valuenow'));
  const set = (percent: number): void => {
    const width = Math.min(MAX, Math.max(MIN, percent));
    document.documentElement.style.setProperty('--source-width', `${width}%`);
    bar.setAttribute('aria-valuenow', width.toFixed(0));
  };
  if (kept()) set(kept());
  bar.addEventListener('pointerdown', (event) => bar.setPointerCapture(event.pointerId));
  bar.addEventListener('pointermove', (event) => {
    if (bar.hasPointerCapture(event.pointerId)) set((100 * event.clientX) / innerWidth);
  });
  bar.addEventListener('pointerup', () => keep(String(now())));
  const moves: Record<string, () => number> = {
    ArrowLeft: () => now() - 2,
    ArrowRight: () => now() + 2,
    Home: () => MIN,
    End: () => MAX,
  };
  bar.addEventListener('keydown', (event) => {
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    set(move());
    keep(String(now()));
  });
}
