// The timeline's colours, read from the page's tokens, so that themes stay in one place.
import { KINDS, type Kind } from '../model/kinds';
import { colourReader } from '../parts/theme';

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
  bad: string;
  font: string;
}

export function readPalette(element: HTMLElement): Palette {
  const at = colourReader(element);
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
    bad: at('--bad'),
    font: `11px ${getComputedStyle(element).getPropertyValue('--font-ui')}`,
  };
}
