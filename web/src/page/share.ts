// A link that carries everything, and the same as what other places take.
import { html, nothing } from 'lit';
import { LONG_LINK } from '../model/link';
import { frame, markdown } from '../model/shared';
import { copyButton } from '../parts/copy';
import { download } from '../parts/dom';
import { Dialog } from '../parts/dialog';

export interface Shared {
  link: string;
  file: string;
  text: string;
  command: string;
  /** SVG; none where there is no plan. */
  picture: (() => Promise<string>) | null;
}

export class Share {
  #dialog = new Dialog('share-dialog', 'Share link');

  open(shared: Shared): void {
    const { link, file, command, picture } = shared;
    const long = link.length > LONG_LINK ? `; some chat programs cut links of more than ${LONG_LINK}` : '';
    const save = async (): Promise<void> => download(file.replace(/\.irplan$/, '.svg'), await picture!(), 'image/svg+xml');
    this.#dialog.show(html`
      <p>The link holds the program, the config, every option, the sizes and what you look at. Nothing is uploaded.</p>
      <textarea id="share-link" class="mono" readonly rows="5" aria-label="link" .value=${link}></textarea>
      <div class="dialog-foot">
        <span id="share-note" class="soft">${link.length} characters${long}</span>
        <span class="row">
          ${picture ? html`<button type="button" class="control" @click=${() => void save()}>Save picture</button>` : nothing}
          ${copyButton('Copy command', command)} ${copyButton('Copy Markdown', markdown(shared))} ${copyButton('Copy embed', frame(shared))} ${copyButton('Copy', link, 'control primary')}
        </span>
      </div>
    `);
    this.#dialog.node.querySelector('textarea')?.select();
  }
}
