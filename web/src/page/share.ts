// A link that carries everything.
import { html } from 'lit';
import { LONG_LINK } from '../model/link';
import { copyText } from '../parts/dom';
import { Dialog } from '../parts/dialog';

export class Share {
  #dialog = new Dialog('share-dialog', 'Share link');

  open(link: string): void {
    const long = link.length > LONG_LINK ? `; some chat programs cut links of more than ${LONG_LINK}` : '';
    const copy = async (event: Event): Promise<void> => {
      const button = event.currentTarget as HTMLElement;
      button.textContent = (await copyText(link)) ? 'Copied' : 'Copying is not allowed here';
      setTimeout(() => (button.textContent = 'Copy'), 1500);
    };
    this.#dialog.show(html`
      <p>The link holds the program, the config, every option and the sizes. Nothing is uploaded.</p>
      <textarea id="share-link" class="mono" readonly rows="5" aria-label="link" .value=${link}></textarea>
      <div class="dialog-foot">
        <span id="share-note" class="soft">${link.length} characters${long}</span>
        <button type="button" class="control primary" @click=${(event: Event) => void copy(event)}>Copy</button>
      </div>
    `);
    this.#dialog.node.querySelector('textarea')?.select();
  }
}
