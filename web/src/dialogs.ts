// The examples and the share link.
import { byId, codeSpans, h } from './base/dom';
import { type Example, examples } from './panels/gallery';
import { LONG_LINK } from './share/link';

function card(example: Example, choose: (example: Example) => void): HTMLElement {
  const files = example.config ? `${example.file} + ${example.configName}` : example.file;
  return h(
    'button',
    { type: 'button', class: 'example', onclick: () => choose(example) },
    h('b', {}, example.title),
    h('span', {}, ...codeSpans(example.about)),
    h('code', {}, files),
  );
}

export function wireGallery(choose: (example: Example) => void): void {
  const dialog = byId<HTMLDialogElement>('gallery');
  const pick = (example: Example): void => {
    dialog.close();
    choose(example);
  };
  byId('gallery-list').append(...examples.map((example) => card(example, pick)));
  byId('examples').addEventListener('click', () => dialog.showModal());
  byId('gallery-close').addEventListener('click', () => dialog.close());
}

export async function copy(text: string, button: HTMLElement): Promise<void> {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Copying is not allowed here';
  }
  setTimeout(() => (button.textContent = before), 1500);
}

export function wireShare(makeLink: () => string): void {
  const dialog = byId<HTMLDialogElement>('share-dialog');
  const field = byId<HTMLTextAreaElement>('share-link');
  byId('share').addEventListener('click', () => {
    const hash = makeLink();
    // The address bar has the link too, so that a reload or a bookmark keeps what was shared.
    if (window.top === window) history.replaceState(null, '', hash);
    field.value = location.href.split('#')[0] + hash;
    const long = field.value.length > LONG_LINK ? '; some chat programs cut links of more than 2000' : '';
    byId('share-note').textContent = `${field.value.length} characters${long}`;
    dialog.showModal();
    field.select();
  });
  byId('share-close').addEventListener('click', () => dialog.close());
  byId('share-copy').addEventListener('click', () => void copy(field.value, byId('share-copy')));
}
