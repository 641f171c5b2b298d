// What the browser keeps between visits: every document that was edited, each tab its own. Storage may be forbidden
// (embedded pages, private windows) or full; `save` then says so, and the address bar keeps the work instead.
import { type Document, isDocument } from './document';
import { defaultOptions } from './options';

export interface Draft {
  id: string;
  document: Document;
  /** Of the last change, ms since 1970. */
  at: number;
  /** Whether somebody worked on it; what was only looked at is not offered again. */
  edited: boolean;
  /** The link that it was opened from; empty where none. */
  from: string;
}

const DRAFT = 'irplan.draft.';
const TAB = 'irplan.tab';
const FORMER = 'irplan.document.1'; // one document for all tabs, until 2026-11
const MOST = 24;

export function newDraft(document: Document, from = ''): Draft {
  const random = crypto.getRandomValues(new Uint32Array(2));
  return { id: Array.from(random, (n) => n.toString(36)).join(''), document, at: Date.now(), edited: false, from };
}

function storageOf(open: () => Storage): Storage | null {
  try {
    return open();
  } catch {
    return null; // forbidden
  }
}

function readDraft(text: string | null): Draft | null {
  try {
    const draft = JSON.parse(text ?? 'null') as Draft | null;
    if (!draft || typeof draft.id !== 'string' || !isDocument(draft.document)) return null;
    return { ...draft, document: { ...draft.document, options: { ...defaultOptions(), ...draft.document.options } } };
  } catch {
    return null;
  }
}

export class Drafts {
  #kept = storageOf(() => localStorage);
  #tab = storageOf(() => sessionStorage);

  /** All that were edited, the newest first. */
  list(): Draft[] {
    return this.#all()
      .filter((draft) => draft.edited)
      .sort((a, b) => b.at - a.at);
  }

  find(id: string): Draft | null {
    return readDraft(this.#kept?.getItem(DRAFT + id) ?? null);
  }

  /** What this tab had open before it was loaded again. */
  ofTab(): Draft | null {
    const id = this.#tab?.getItem(TAB);
    return id ? this.find(id) : null;
  }

  /** Keeps a draft, as what this tab has open; false where the browser keeps nothing. */
  save(draft: Draft): boolean {
    if (!this.#kept) return false;
    const text = JSON.stringify(draft);
    for (let room = 0; room <= MOST; room++) {
      try {
        this.#kept.setItem(DRAFT + draft.id, text);
        this.#tab?.setItem(TAB, draft.id);
        this.#drop(MOST, draft.id);
        return true;
      } catch {
        if (!this.#drop(this.#all().length - 1, draft.id)) return false; // full: the oldest makes room
      }
    }
    return false;
  }

  remove(id: string): void {
    this.#kept?.removeItem(DRAFT + id);
  }

  /** The document that former versions of the page kept, once. */
  takeFormer(): Document | null {
    const text = this.#kept?.getItem(FORMER) ?? null;
    if (text === null) return null;
    this.#kept?.removeItem(FORMER);
    return readDraft(`{"id":"former","document":${text}}`)?.document ?? null;
  }

  #all(): Draft[] {
    if (!this.#kept) return [];
    const keys = Array.from({ length: this.#kept.length }, (_, i) => this.#kept!.key(i) ?? '');
    return keys
      .filter((key) => key.startsWith(DRAFT))
      .flatMap((key) => readDraft(this.#kept!.getItem(key)) ?? []);
  }

  /** Forgets the oldest beyond `most`; whether any was forgotten. */
  #drop(most: number, except: string): boolean {
    const others = this.#all().filter((draft) => draft.id !== except);
    const old = others.sort((a, b) => Number(b.edited) - Number(a.edited) || b.at - a.at).slice(Math.max(0, most));
    for (const draft of old) this.remove(draft.id);
    return old.length > 0;
  }
}
