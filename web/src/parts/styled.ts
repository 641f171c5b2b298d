// Styles of an element by script. lit's styleMap begins with a `style` attribute, which a strict policy forbids (style-src 'self').
import type { ElementPart } from 'lit';
import { Directive, directive } from 'lit/directive.js';

class Styled extends Directive {
  override update(part: ElementPart, [styles]: [Record<string, string>]): void {
    for (const [name, value] of Object.entries(styles)) (part.element as HTMLElement).style.setProperty(name, value);
  }

  override render(_: Record<string, string>): void {}
}

/** `html`<i ${styled({ width: '50%' })}></i>`` */
export const styled = directive(Styled);
