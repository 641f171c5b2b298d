// Tabs and radio groups as the ARIA practices have them: arrows move, one is in the tab order.
import { type TemplateResult, html, nothing } from 'lit';

export interface Choice<Name extends string> {
  name: Name;
  label: string | TemplateResult;
  /** Of what a tab shows. */
  controls?: string;
}

const MOVES: Record<string, (at: number, count: number) => number> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at - 1 + count) % count,
  ArrowUp: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

function group<Name extends string>(
  role: 'tab' | 'radio',
  choices: Choice<Name>[],
  chosen: string,
  choose: (name: Name) => void,
): TemplateResult[] {
  const key = (event: KeyboardEvent, at: number): void => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const next = move(at, choices.length);
    const buttons = (event.currentTarget as HTMLElement).parentElement?.querySelectorAll<HTMLElement>(`[role=${role}]`);
    buttons?.[next]?.focus();
    choose(choices[next]!.name);
  };
  const focusable = choices.some((one) => one.name === chosen) ? chosen : choices[0]?.name;
  return choices.map(
    ({ name, label, controls }, at) => html`<button
      type="button"
      role=${role}
      id=${`${role}-${name}`}
      aria-selected=${role === 'tab' ? String(name === chosen) : nothing}
      aria-checked=${role === 'radio' ? String(name === chosen) : nothing}
      aria-controls=${controls ?? nothing}
      tabindex=${name === focusable ? 0 : -1}
      @click=${() => choose(name)}
      @keydown=${(event: KeyboardEvent) => key(event, at)}
    >${label}</button>`,
  );
}

export function tabList<Name extends string>(
  label: string,
  choices: Choice<Name>[],
  chosen: string,
  choose: (name: Name) => void,
): TemplateResult {
  return html`<div class="tablist" role="tablist" aria-label=${label}>${group('tab', choices, chosen, choose)}</div>`;
}

export function radioGroup<Name extends string>(
  label: string,
  choices: Choice<Name>[],
  chosen: string,
  choose: (name: Name) => void,
): TemplateResult {
  return html`<div class="segmented" role="radiogroup" aria-label=${label}>${group('radio', choices, chosen, choose)}</div>`;
}
