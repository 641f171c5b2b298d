// What an editor asks of the language, and how it is answered: places are offsets in UTF-16 units. Editors know this
// interface alone, so that whoever answers can change.

export type CompletionKind = 'attribute' | 'name' | 'operator' | 'keyword' | 'function' | 'dtype';

export interface Completion {
  label: string;
  kind: CompletionKind;
  /** Beside the name: "= 1e-5". */
  detail: string;
  insert: string;
  documentation: string;
  /** What stands first: smaller before larger, then by name. */
  rank: number;
}

export interface Hover {
  /** The word that is told of. */
  begin: number;
  end: number;
  /** Markdown; the first part is a signature. */
  signature: string;
  parts: string[];
}

export interface LanguageService {
  complete(text: string, offset: number): Completion[];
  hover(text: string, offset: number): Hover | null;
  /** The program laid out; null where it has errors. */
  format(text: string): Promise<string | null>;
}
