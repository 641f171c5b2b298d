// The language for Monaco: every answer is the service's; here they only change their form.
import * as monaco from 'monaco-editor/editor';
import type { Answer, Answers, Ask, DocumentSymbol, LanguageService, Position, Range, TextEdit, Words } from './service';

export const LANGUAGE = 'irplan';
export const CONFIG_LANGUAGE = 'irplan-config';

type Model = monaco.editor.ITextModel;
const { languages } = monaco;

// ---- places

const toPosition = (position: monaco.IPosition): Position => ({ line: position.lineNumber - 1, character: position.column - 1 });
const toRange = (range: monaco.IRange): Range => ({
  start: { line: range.startLineNumber - 1, character: range.startColumn - 1 },
  end: { line: range.endLineNumber - 1, character: range.endColumn - 1 },
});
const fromRange = ({ start, end }: Range): monaco.IRange => ({
  startLineNumber: start.line + 1,
  startColumn: start.character + 1,
  endLineNumber: end.line + 1,
  endColumn: end.character + 1,
});
const fromEdit = ({ range, newText }: TextEdit): monaco.languages.TextEdit => ({ range: fromRange(range), text: newText });

/** The kinds of completions, as the protocol numbers them from 1. */
const KINDS = (
  'Text Method Function Constructor Field Variable Class Interface Module Property Unit Value Enum Keyword Snippet ' +
  'Color File Reference Folder EnumMember Constant Struct Event Operator TypeParameter'
).split(' ') as (keyof typeof languages.CompletionItemKind)[];

// ---- what is there before the service answers: comments, texts, and the words that it knows

const SIGNS: monaco.languages.IMonarchLanguageRule[] = [
  [/#.*$/, 'comment'],
  [/"/, 'string', '@string'],
  [/\d[\w.]*/, 'number'],
  [/[-+*\/%!<>=?:|&]/, 'operator'],
  [/[[\](){},.;]/, 'delimiter'],
];
const STRING: monaco.languages.IMonarchLanguageRule[] = [
  [/\\./, 'string.escape'],
  [/[^"\\]/, 'string'],
  [/"/, 'string', '@pop'],
];

function tokens(words: Words): monaco.languages.IMonarchLanguage {
  const cases = { '@keywords': 'keyword', '@dtypes': 'type', '@operators': 'function', '@functions': 'function', '@default': 'identifier' };
  return { ...words, tokenizer: { root: [[/[A-Za-z_]\w*/, { cases }], ...SIGNS], string: STRING } };
}

// Each rule eats one character or a run that only grows: a line without an end takes time in its length, whatever is in it.
const CONFIG_TOKENS: monaco.languages.IMonarchLanguage = {
  tokenizer: {
    root: [
      [/"/, 'string', '@string'],
      [/-?\d[\d.eE+-]*/, 'number'],
      [/[a-z]+/, 'keyword'],
      [/[[\]{},:]/, 'delimiter'],
    ],
    string: STRING,
  },
};

const BRACKETS: monaco.languages.LanguageConfiguration = {
  brackets: [
    ['{', '}'],
    ['[', ']'],
    ['(', ')'],
  ],
  autoClosingPairs: [
    { open: '{', close: '}' },
    { open: '[', close: ']' },
    { open: '(', close: ')' },
    { open: '"', close: '"', notIn: ['string', 'comment'] },
  ],
};

// ---- providers

const NO_ANSWER = 'the compiler did not answer';

interface Messages extends monaco.editor.IEditorContribution {
  showMessage(message: string, position: monaco.IPosition): void;
}

/** Says beside the cursor why a name stays as it is: Monaco itself would write it to the console. */
function refuse(model: Model, position: monaco.IPosition, why = NO_ANSWER): monaco.languages.WorkspaceEdit {
  const editor = monaco.editor.getEditors().find((one) => one.getModel() === model);
  editor?.getContribution<Messages>('editor.contrib.messageController')?.showMessage(why, position);
  return { edits: [] };
}

class Providers {
  #service: LanguageService;
  #hints = new monaco.Emitter<void>();

  constructor(service: LanguageService) {
    this.#service = service;
    service.onCompiled(() => this.#hints.fire());
  }

  #ask<A extends Ask>(ask: A, model: Model, params: object = {}): Promise<Answer<A>> {
    return this.#service.ask(ask, model.getValue(), params);
  }

  async #at<A extends Ask>(ask: A, model: Model, position: monaco.IPosition, params: object = {}): Promise<Answers[A] | null> {
    return (await this.#ask(ask, model, { position: toPosition(position), ...params })).result;
  }

  register(): void {
    languages.registerCompletionItemProvider(LANGUAGE, {
      triggerCharacters: ['.', '(', '"'],
      provideCompletionItems: async (model, position) => {
        const found = await this.#at('textDocument/completion', model, position);
        const suggestions = (found?.items ?? []).map((one) => ({
          label: one.label,
          kind: languages.CompletionItemKind[KINDS[one.kind - 1]!],
          insertText: one.textEdit.newText,
          insertTextRules: one.insertTextFormat === 2 ? languages.CompletionItemInsertTextRule.InsertAsSnippet : 0,
          range: fromRange(one.textEdit.range),
          sortText: one.sortText,
          ...(one.detail === undefined ? {} : { detail: one.detail }),
          ...(one.documentation === undefined ? {} : { documentation: one.documentation }),
        }));
        return { suggestions };
      },
    });
    languages.registerHoverProvider(LANGUAGE, {
      provideHover: async (model, position) => {
        const found = await this.#at('textDocument/hover', model, position);
        return found && { range: fromRange(found.range), contents: [found.contents] };
      },
    });
    languages.registerSignatureHelpProvider(LANGUAGE, {
      signatureHelpTriggerCharacters: ['(', ','],
      signatureHelpRetriggerCharacters: [')', '='],
      provideSignatureHelp: async (model, position) => {
        const value = await this.#at('textDocument/signatureHelp', model, position);
        return value && { value, dispose: () => undefined };
      },
    });
    languages.registerInlayHintsProvider(LANGUAGE, {
      onDidChangeInlayHints: this.#hints.event,
      provideInlayHints: async (model, range) => {
        const { result } = await this.#ask('textDocument/inlayHint', model, { range: toRange(range) });
        const hints = (result ?? []).map(({ position, label, paddingLeft, tooltip }) => ({
          position: { lineNumber: position.line + 1, column: position.character + 1 },
          label,
          tooltip,
          paddingLeft: paddingLeft ?? false,
        }));
        return { hints, dispose: () => undefined };
      },
    });
    this.#registerPlaces();
    this.#registerText();
  }

  #registerPlaces(): void {
    const locations = (model: Model, found: { range: Range }[] | null): monaco.languages.Location[] =>
      (found ?? []).map(({ range }) => ({ uri: model.uri, range: fromRange(range) }));
    languages.registerDefinitionProvider(LANGUAGE, {
      provideDefinition: async (model, position) => locations(model, await this.#at('textDocument/definition', model, position)),
    });
    languages.registerReferenceProvider(LANGUAGE, {
      provideReferences: async (model, position, context) =>
        locations(model, await this.#at('textDocument/references', model, position, { context })),
    });
    languages.registerDocumentHighlightProvider(LANGUAGE, {
      provideDocumentHighlights: async (model, position) =>
        ((await this.#at('textDocument/documentHighlight', model, position)) ?? []).map(({ range, kind }) => ({ range: fromRange(range), kind: kind - 1 })),
    });
    languages.registerRenameProvider(LANGUAGE, {
      provideRenameEdits: async (model, position, newName) => {
        const { result, refused } = await this.#ask('textDocument/rename', model, { position: toPosition(position), newName });
        if (!result) return refuse(model, position, refused);
        const edits = Object.values(result.changes)[0] ?? [];
        return { edits: edits.map((edit) => ({ resource: model.uri, versionId: model.getVersionId(), textEdit: fromEdit(edit) })) };
      },
      resolveRenameLocation: async (model, position) => {
        const { result, refused } = await this.#ask('textDocument/prepareRename', model, { position: toPosition(position) });
        if (result) return { range: fromRange(result.range), text: result.placeholder };
        const at = { startLineNumber: position.lineNumber, startColumn: position.column, endLineNumber: position.lineNumber, endColumn: position.column };
        return { range: at, text: '', rejectReason: refused ?? NO_ANSWER };
      },
    });
  }

  #registerText(): void {
    const symbol = ({ name, detail, kind, range, selectionRange, children }: DocumentSymbol): monaco.languages.DocumentSymbol => ({
      ...{ name, detail, tags: [], kind: kind - 1 },
      ...{ range: fromRange(range), selectionRange: fromRange(selectionRange), children: children.map(symbol) },
    });
    languages.registerDocumentSymbolProvider(LANGUAGE, {
      provideDocumentSymbols: async (model) => ((await this.#ask('textDocument/documentSymbol', model)).result ?? []).map(symbol),
    });
    languages.registerFoldingRangeProvider(LANGUAGE, {
      provideFoldingRanges: async (model) =>
        ((await this.#ask('textDocument/foldingRange', model)).result ?? []).map(({ startLine, endLine, kind }) => ({
          start: startLine + 1,
          end: endLine + 1,
          ...(kind === 'comment' ? { kind: languages.FoldingRangeKind.Comment } : {}),
        })),
    });
    languages.registerDocumentFormattingEditProvider(LANGUAGE, {
      provideDocumentFormattingEdits: async (model) => ((await this.#ask('textDocument/formatting', model)).result ?? []).map(fromEdit),
    });
    languages.registerCodeActionProvider(LANGUAGE, {
      provideCodeActions: async (model, range) => {
        const { result } = await this.#ask('textDocument/codeAction', model, { range: toRange(range) });
        const actions = (result ?? []).map(({ title, isPreferred, edit }) => ({
          ...{ title, isPreferred, kind: 'quickfix' },
          edit: {
            edits: Object.values(edit.changes).flatMap((edits) =>
              edits.map((one) => ({ resource: model.uri, versionId: undefined, textEdit: fromEdit(one) })),
            ),
          },
        }));
        return { actions, dispose: () => undefined };
      },
    });
  }

  /** Colours by meaning; the service says which kinds there are. */
  async registerColours(): Promise<void> {
    const { result } = await this.#service.ask('capabilities', '');
    if (!result) return;
    languages.registerDocumentSemanticTokensProvider(LANGUAGE, {
      getLegend: () => result.semanticTokensProvider.legend,
      provideDocumentSemanticTokens: async (model) => {
        const found = (await this.#ask('textDocument/semanticTokens/full', model)).result;
        return found && { data: Uint32Array.from(found.data) };
      },
      releaseDocumentSemanticTokens: () => undefined,
    });
  }
}

let registered = false; // Monaco's languages are the page's, whatever editors there are

export async function registerLanguages(service: LanguageService): Promise<void> {
  if (registered) return;
  registered = true;
  languages.register({ id: LANGUAGE, extensions: ['.irplan'] });
  languages.register({ id: CONFIG_LANGUAGE, extensions: ['.json'] });
  languages.setMonarchTokensProvider(LANGUAGE, tokens({ keywords: [], ambient: [], functions: [], operators: [], dtypes: [] }));
  languages.setMonarchTokensProvider(CONFIG_LANGUAGE, CONFIG_TOKENS);
  languages.setLanguageConfiguration(LANGUAGE, { comments: { lineComment: '#' }, ...BRACKETS });
  languages.setLanguageConfiguration(CONFIG_LANGUAGE, BRACKETS);
  const providers = new Providers(service);
  providers.register();
  const words = (await service.ask('irplan/words', '')).result;
  if (words) languages.setMonarchTokensProvider(LANGUAGE, tokens(words));
  await providers.registerColours();
}
