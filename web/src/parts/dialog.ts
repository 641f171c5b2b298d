// A dialog of the page: a title, what is in it, and a button that closes it.
import { type TemplateResult, html, render } from 'lit';

export class Dialog {
  readonly node = document.createElement('dialog');
  #title: string;
  #id: string;

  constructor(id: string, title: string) {
    this.#title = title;
    this.#id = id;
    this.node.id = id;
    this.node.setAttribute('aria-labelledby', `${id}-title`);
    this.node.addEventListener('click', (event) => {
      if (event.target === this.node) this.close(); // the backdrop
    });
    document.body.append(this.node);
  }

  /** Shows it, or what has changed in it. */
  show(body: TemplateResult): void {
    render(
      html`<div class="dialog-head">
          <h2 id=${`${this.#id}-title`}>${this.#title}</h2>
          <button type="button" class="quiet" aria-label="close" @click=${() => this.close()}>✕</button>
        </div>
        <div class="dialog-body">${body}</div>`,
      this.node,
    );
    if (this.node.open) return;
    this.node.showModal();
    this.node.scrollTop = 0;
  }

  close(): void {
    this.node.close();
  }
}
