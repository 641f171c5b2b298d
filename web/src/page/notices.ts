// What the page has to say beside its work: a line above the panes, with what can be done about it.
import { type TemplateResult, html, nothing, render } from 'lit';

export interface Notice {
  text: string;
  action?: { name: string; run: () => void };
}

export class Notices {
  #node: HTMLElement;
  #shown: Notice | null = null;

  constructor(node: HTMLElement) {
    this.#node = node;
  }

  show(notice: Notice): void {
    this.#shown = notice;
    this.#render();
  }

  clear(): void {
    this.#shown = null;
    this.#render();
  }

  #render(): void {
    const notice = this.#shown;
    const act = (): void => {
      this.clear();
      notice?.action?.run();
    };
    const body: TemplateResult | typeof nothing = notice
      ? html`<div id="banner" class="banner">
          <span>${notice.text}</span>
          ${notice.action ? html`<button type="button" class="control" @click=${act}>${notice.action.name}</button>` : nothing}
          <span class="spring"></span>
          <button type="button" class="quiet" @click=${() => this.clear()}>Dismiss</button>
        </div>`
      : nothing;
    render(body, this.#node);
  }
}
