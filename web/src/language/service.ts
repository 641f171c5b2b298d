// What an editor asks of the language: methods of the Language Server Protocol, which the compiler answers (core's
// service/language). Editors know this alone; what is answered comes in the protocol's types, of which those that are used
// stand here. Places count lines from 0 and UTF-16 units.

export interface Position {
  line: number;
  character: number;
}
export interface Range {
  start: Position;
  end: Position;
}
export interface TextEdit {
  range: Range;
  newText: string;
}
export interface Markdown {
  value: string;
}
export interface CompletionItem {
  label: string;
  kind: number;
  detail?: string;
  documentation?: Markdown;
  sortText: string;
  textEdit: TextEdit;
  /** 2: a snippet. */
  insertTextFormat?: number;
}
export interface Hover {
  contents: Markdown;
  range: Range;
}
export interface SignatureHelp {
  signatures: { label: string; documentation: Markdown; parameters: { label: [number, number]; documentation?: string }[] }[];
  activeSignature: number;
  activeParameter: number;
}
export interface InlayHint {
  position: Position;
  label: string;
  paddingLeft?: boolean;
  tooltip: Markdown;
}
export interface Highlight {
  range: Range;
  kind: number;
}
export interface DocumentSymbol {
  name: string;
  detail: string;
  kind: number;
  range: Range;
  selectionRange: Range;
  children: DocumentSymbol[];
}
export interface Folding {
  startLine: number;
  endLine: number;
  kind?: string;
}
export interface CodeAction {
  title: string;
  isPreferred: boolean;
  edit: WorkspaceEdit;
}
export interface WorkspaceEdit {
  /** By URI; there is one document. */
  changes: Record<string, TextEdit[]>;
}
export interface Words {
  keywords: string[];
  ambient: string[];
  functions: string[];
  operators: string[];
  dtypes: string[];
}
export interface Legend {
  tokenTypes: string[];
  tokenModifiers: string[];
}

export interface Answers {
  'textDocument/completion': { items: CompletionItem[] };
  'textDocument/hover': Hover | null;
  'textDocument/signatureHelp': SignatureHelp | null;
  'textDocument/inlayHint': InlayHint[];
  'textDocument/definition': { range: Range }[];
  'textDocument/references': { range: Range }[];
  'textDocument/documentHighlight': Highlight[];
  'textDocument/prepareRename': { range: Range; placeholder: string };
  'textDocument/rename': WorkspaceEdit;
  'textDocument/documentSymbol': DocumentSymbol[];
  'textDocument/foldingRange': Folding[];
  'textDocument/semanticTokens/full': { data: number[] };
  'textDocument/codeAction': CodeAction[];
  'textDocument/formatting': TextEdit[];
  'irplan/words': Words;
  capabilities: { semanticTokensProvider: { legend: Legend } };
}
export type Ask = keyof Answers;

/** `refused`: why it cannot be done, in words for the person. */
export interface Answer<A extends Ask> {
  result: Answers[A] | null;
  refused?: string;
}

export interface LanguageService {
  ask<A extends Ask>(ask: A, text: string, params?: object): Promise<Answer<A>>;
  /** Told whenever the program was compiled: shapes and bytes may be others. */
  onCompiled(told: () => void): void;
}
