// The timeline's colours, read from the page's style sheet so that both themes stay in one place.
import { KINDS, type Kind } from '../plan/kinds';

export interface Palette {
  kind: Record<Kind, string>;
  paper: string;
  lane: string;
  grid: string;
  ink: string;
  faint: string;
  edge: string;
  accent: string;
  peak: string;
  bound: string;
  font: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const at = (name: string): string => style.getPropertyValue(name).trim();
  const kind = Object.fromEntries(KINDS.map((one) => [one, at(`--kind-${one}`)])) as Record<Kind, string>;
  return {
    kind,
    paper: at('--panel'),
    lane: at('--lane'),
    grid: at('--hairline'),
    ink: at('--ink'),
    faint: at('--ink-soft'),
    edge: at('--block-edge'),
    accent: at('--accent'),
    peak: at('--peak'),
    bound: at('--bound'),
    font: `11px ${at('--font-ui')}`,
  };
}
