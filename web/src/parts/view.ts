// The base of panels: a Lit element that is drawn anew when a signal that it read has changed.
import { effect } from '@preact/signals-core';
import { type CSSResultOrNative, LitElement, unsafeCSS } from 'lit';
import base from '../styles/base.css?inline';
import controls from '../styles/controls.css?inline';

const shared = [unsafeCSS(base), unsafeCSS(controls)];

/** The sheets of a panel: what all share, and its own. */
export function sheets(...own: string[]): CSSResultOrNative[] {
  return [...shared, ...own.map((text) => unsafeCSS(text))];
}

export abstract class View extends LitElement {
  static override styles = sheets();

  #end: (() => void) | undefined;

  protected override performUpdate(): void {
    if (!this.isUpdatePending) return;
    this.#end?.();
    let first = true;
    this.#end = effect(() => {
      if (first) super.performUpdate();
      else this.requestUpdate();
      first = false;
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate(); // signals may have changed while nobody looked
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#end?.();
  }
}
