// The text of the page: the program and its config in one place to edit. A plain text area shows first and works while
// the full editor loads; both have this interface.
import type { Diagnostic, OpsReply } from 'irplan';

export type Tab = 'program' | 'config';

export interface EditorEvents {
  change: () => void;
  /** The line the cursor is on, in the program. */
  cursor: (line: number) => void;
}

export interface TextEditor {
  text(tab: Tab): string;
  setText(tab: Tab, text: string): void;
  show(tab: Tab): void;
  setDiagnostics(diagnostics: Record<Tab, Diagnostic[]>): void;
  /** Marks lines of the program that belong to what is chosen elsewhere. */
  markLines(lines: number[]): void;
  /** Of the text that is shown. */
  reveal(line: number, column: number): void;
  focus(): void;
  dispose(): void;
}

/** What the language features need to know and ask. */
export interface LanguageHelp {
  ops: () => OpsReply | null;
  format: (text: string) => Promise<string | null>;
}

export class PlainEditor implements TextEditor {
  #areas: Record<Tab, HTMLTextAreaElement>;
  #shown: Tab = 'program';

  constructor(program: HTMLTextAreaElement, config: HTMLTextAreaElement, events: EditorEvents) {
    this.#areas = { program, config };
    for (const area of [program, config]) area.addEventListener('input', events.change);
    const cursor = (): void => events.cursor(lineOf(program.value, program.selectionStart));
    for (const name of ['keyup', 'click'] as const) program.addEventListener(name, cursor);
  }

  text(tab: Tab): string {
    return this.#areas[tab].value;
  }

  setText(tab: Tab, text: string): void {
    if (this.#areas[tab].value !== text) this.#areas[tab].value = text;
  }

  show(tab: Tab): void {
    this.#shown = tab;
    for (const [name, area] of Object.entries(this.#areas)) area.hidden = name !== tab;
  }

  setDiagnostics(): void {
    // A text area has no marks; the list of problems below it says the same.
  }

  markLines(): void {
    // As above.
  }

  reveal(line: number): void {
    const area = this.#areas[this.#shown];
    const start = area.value.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start);
  }

  focus(): void {
    this.#areas[this.#shown].focus();
  }

  /** Where the reader is, for the editor that takes over. */
  place(): { focused: boolean; offset: number } {
    const area = this.#areas[this.#shown];
    return { focused: document.activeElement === area, offset: area.selectionStart };
  }

  dispose(): void {
    for (const area of Object.values(this.#areas)) area.remove();
  }
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
