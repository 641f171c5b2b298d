// Which document is open, where it is kept, and what the address bar says: work is never lost by a reload, another tab, a
// link or the Back button.
//
// A link opens what it holds; the first change makes that a draft of this browser and takes the link out of the address
// bar, so that a reload shows the change. Where the browser keeps nothing, the address bar is rewritten to hold the change.
import type { Document } from '../model/document';
import { type Draft, Drafts, newDraft } from '../model/drafts';
import { type Linked, type Look, decodeLink, encodeLink } from '../model/link';
import { debounce } from '../parts/dom';
import type { Notice } from './notices';

const SAVE_MS = 300; // after the last change
const LIVE = 'irplan.open.'; // the lock of a draft that a tab has open

export interface WorkHost {
  show: (document: Document) => void;
  notify: (notice: Notice) => void;
  /** Of the compiler, for links. */
  version: () => string;
  linked: (linked: Linked) => void;
}

interface State {
  draft?: string;
}

export class Work {
  #host: WorkHost;
  #drafts = new Drafts();
  #draft: Draft;
  #pending = false;
  #saveSoon = debounce(() => SAVE_MS, () => this.save());
  #unlock: (() => void) | undefined;

  constructor(host: WorkHost, otherwise: Document) {
    this.#host = host;
    this.#draft = newDraft(otherwise);
    window.addEventListener('popstate', (event) => this.#moved((event.state ?? {}) as State));
    window.addEventListener('hashchange', () => this.#moved({}));
    for (const name of ['pagehide', 'visibilitychange'] as const) window.addEventListener(name, () => this.#pending && this.save());
  }

  get document(): Document {
    return this.#draft.document;
  }

  get drafts(): Draft[] {
    return this.#drafts.list().filter((draft) => draft.id !== this.#draft.id);
  }

  /** Opens what the address bar, this tab or the last visit says. */
  start(): void {
    this.#openFirst();
    this.#address(location.href); // so that the Back button finds it again
  }

  #openFirst(): void {
    const linked = this.#linked();
    if (linked) return this.#openLinked(linked);
    const own = this.#drafts.find(((history.state ?? {}) as State).draft ?? '') ?? this.#drafts.ofTab();
    if (own) return this.#take(own);
    const former = this.#drafts.takeFormer();
    if (former) return this.#take({ ...newDraft(former), edited: true });
    const last = this.#drafts.list()[0];
    if (last) return this.#take(last);
    this.#take(this.#draft);
  }

  /** Opens another document, as a step that the Back button takes back. */
  open(document: Document): void {
    this.#leave();
    this.#take(newDraft(document));
    this.#address(location.pathname + location.search, true);
    this.save();
  }

  openDraft(draft: Draft): void {
    this.#leave();
    this.#take(draft);
    this.#address(location.pathname + location.search, true);
    this.save();
  }

  remove(draft: Draft): void {
    this.#drafts.remove(draft.id);
  }

  /** The document was changed by its reader. */
  changed(): void {
    this.#draft.edited = true;
    this.#draft.at = Date.now();
    this.#pending = true;
    this.#saveSoon();
  }

  save(): void {
    this.#pending = false;
    const kept = this.#drafts.save(this.#draft);
    if (!this.#draft.edited) return;
    if (kept) {
      if (location.hash.length > 1 && location.hash !== this.#draft.from) return; // shared as it is now
      if (location.hash.length > 1) this.#address(location.pathname + location.search);
      return;
    }
    this.#address(encodeLink(this.#draft.document, this.#host.version()));
  }

  /** A link to what is open; the address bar has it too, so that a bookmark keeps what was shared. */
  share(look: Look): string {
    const hash = encodeLink(this.#draft.document, this.#host.version(), look);
    this.save();
    this.#draft.from = hash;
    this.#address(hash);
    return location.href.split('#')[0] + hash;
  }

  /** Before another document is shown: what nobody worked on need not be kept. */
  #leave(): void {
    if (this.#pending) this.save();
    this.#unlock?.();
  }

  #take(draft: Draft): void {
    this.#draft = draft;
    this.#claim(draft);
    this.#host.show(draft.document);
  }

  /** A draft that another tab has open is continued as a copy of it. */
  #claim(draft: Draft): void {
    if (!navigator.locks) return;
    const held = new Promise<void>((done) => (this.#unlock = done));
    void navigator.locks
      .request(LIVE + draft.id, { ifAvailable: true }, (lock) => {
        if (lock) return held;
        if (this.#draft === draft) {
          this.#draft = { ...newDraft(draft.document, draft.from), edited: draft.edited };
          this.#address(location.href);
          if (draft.edited) this.save();
        }
        return undefined;
      })
      .catch(() => undefined); // not in a frame of an opaque origin
  }

  #linked(): Linked | null {
    try {
      return decodeLink(location.hash);
    } catch (error) {
      this.#host.notify({ text: `The link could not be opened: ${error instanceof Error ? error.message : String(error)}` });
      return null;
    }
  }

  #openLinked(linked: Linked): void {
    const from = location.hash;
    this.#take(newDraft(linked.document, from));
    this.#host.linked(linked);
    const edited = this.#drafts.list().find((draft) => draft.from === from);
    if (!edited) return;
    const when = new Date(edited.at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
    this.#host.notify({
      text: `You changed what this link holds, on ${when}.`,
      action: { name: 'Open your changes', run: () => this.openDraft(edited) },
    });
  }

  /** The address bar or the history says something else. A hash that is no link ("#plan") says nothing. */
  #moved(state: State): void {
    if (!state.draft && location.hash === this.#draft.from) return;
    const draft = state.draft ? this.#drafts.find(state.draft) : null;
    const linked = draft ? null : this.#linked();
    if (!linked && (!draft || draft.id === this.#draft.id)) return;
    this.#leave();
    if (draft) this.#take(draft);
    else if (linked) this.#openLinked(linked);
  }

  #address(url: string, step = false): void {
    if (window.top !== window) return; // a frame's address is its page's
    const state: State = { draft: this.#draft.id };
    if (step) history.pushState(state, '', url);
    else history.replaceState(state, '', url);
  }
}
