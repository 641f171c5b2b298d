// The text of the page: the program and its config in one place to edit. A plain text area shows first and works while
// a full editor loads; all have this interface.
import type { Diagnostic } from 'irplan';

export type Tab = 'program' | 'config';
export type Texts = Record<Tab, string>;

export interface EditorEvents {
  change: () => void;
  /** The line the cursor is on, in the program. */
  cursor: (line: number) => void;
}

export interface EditorPlace {
  focused: boolean;
  /** In UTF-16 units, in the text that is shown. */
  offset: number;
}

export interface TextEditor {
  text(tab: Tab): string;
  /** Another document: nothing of the one before comes back by undoing. */
  open(texts: Texts): void;
  /** A change of this document, which can be undone. */
  change(tab: Tab, text: string): void;
  show(tab: Tab): void;
  setDiagnostics(diagnostics: Record<Tab, Diagnostic[]>): void;
  /** Marks lines of the program that belong to what is chosen elsewhere. */
  markLines(lines: number[]): void;
  /** Of the text that is shown. */
  reveal(line: number, column: number): void;
  focus(): void;
  place(): EditorPlace;
  dispose(): void;
}
