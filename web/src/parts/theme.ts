// The theme: the system's, or the one that the reader chose; and its colours as canvas and editor need them.

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'irplan.theme';
const changed = new EventTarget();

export function chosenTheme(): Theme {
  try {
    return THEMES.find((one) => one === localStorage.getItem(KEY)) ?? 'system';
  } catch {
    return 'system'; // storage is forbidden
  }
}

/** Shows a theme, and keeps the choice where the browser keeps anything. */
export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As above.
  }
}

export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  changed.dispatchEvent(new Event('change'));
}

const dark = matchMedia('(prefers-color-scheme: dark)');

export function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme === 'dark' || (theme !== 'light' && dark.matches);
}

/** Calls `run` when colours change, until the returned function is called. */
export function onThemeChange(run: () => void): () => void {
  const queries = [dark, matchMedia('(forced-colors: active)')];
  for (const query of queries) query.addEventListener('change', run);
  changed.addEventListener('change', run);
  return () => {
    for (const query of queries) query.removeEventListener('change', run);
    changed.removeEventListener('change', run);
  };
}

/** Reads tokens of the page as colours that a canvas takes: "rgb(…)", whatever the token is written as. */
export function colourReader(element: HTMLElement): (token: string) => string {
  const probe = document.createElement('span');
  probe.hidden = true;
  probe.style.forcedColorAdjust = 'none'; // else every token reads as the colour of text where colours are forced
  (element.shadowRoot ?? element).append(probe);
  queueMicrotask(() => probe.remove());
  return (token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
}
