// Between the Language Server Protocol and VS Code: places, and every answer in VS Code's types. The answers themselves are
// the compiler's.
import * as vscode from 'vscode';

export const toPosition = ({ line, character }) => ({ line, character });
export const toRange = ({ start, end }) => ({ start: toPosition(start), end: toPosition(end) });
export const fromRange = ({ start, end }) => new vscode.Range(start.line, start.character, end.line, end.character);
const fromEdit = ({ range, newText }) => new vscode.TextEdit(fromRange(range), newText);
const fromMarkdown = (markup) => markup && new vscode.MarkdownString(markup.value);

function workspaceEdit({ changes }) {
  const edit = new vscode.WorkspaceEdit();
  for (const [uri, edits] of Object.entries(changes)) edit.set(vscode.Uri.parse(uri), edits.map(fromEdit));
  return edit;
}

export function diagnostic(one) {
  const made = new vscode.Diagnostic(fromRange(one.range), one.message, one.severity === 1 ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning);
  made.code = one.code;
  made.source = one.source;
  made.relatedInformation = one.relatedInformation.map(
    ({ location, message }) => new vscode.DiagnosticRelatedInformation(new vscode.Location(vscode.Uri.parse(location.uri), fromRange(location.range)), message),
  );
  return made;
}

function completion(one) {
  const item = new vscode.CompletionItem(one.label, one.kind - 1);
  item.detail = one.detail;
  item.documentation = fromMarkdown(one.documentation);
  item.sortText = one.sortText;
  item.range = fromRange(one.textEdit.range);
  item.insertText = one.insertTextFormat === 2 ? new vscode.SnippetString(one.textEdit.newText) : one.textEdit.newText;
  return item;
}

function signature(help) {
  const made = new vscode.SignatureHelp();
  made.activeSignature = help.activeSignature;
  made.activeParameter = help.activeParameter;
  made.signatures = help.signatures.map(({ label, documentation, parameters }) => {
    const one = new vscode.SignatureInformation(label, fromMarkdown(documentation));
    one.parameters = parameters.map((parameter) => new vscode.ParameterInformation(parameter.label, parameter.documentation));
    return one;
  });
  return made;
}

function symbol(one) {
  const made = new vscode.DocumentSymbol(one.name, one.detail, one.kind - 1, fromRange(one.range), fromRange(one.selectionRange));
  made.children = one.children.map(symbol);
  return made;
}

function hint(one) {
  const made = new vscode.InlayHint(new vscode.Position(one.position.line, one.position.character), one.label, one.kind);
  made.paddingLeft = one.paddingLeft;
  made.tooltip = fromMarkdown(one.tooltip);
  return made;
}

function action({ title, isPreferred, edit, diagnostics }) {
  const made = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  made.edit = workspaceEdit(edit);
  made.isPreferred = isPreferred;
  made.diagnostics = diagnostics.map(diagnostic);
  return made;
}

/** All providers. `ask(document, method, params)` answers as the protocol has it, or throws why not. */
export function registerProviders(ask, legend, hintsChanged) {
  const { languages } = vscode;
  const selector = { language: 'irplan' };
  const at = (method, convert) => async (document, position) => {
    const found = await ask(document, method, { position: toPosition(position) });
    return found && convert(found, document);
  };
  const locations = (found, document) => found.map(({ range }) => new vscode.Location(document.uri, fromRange(range)));
  return [
    languages.registerCompletionItemProvider(selector, { provideCompletionItems: at('textDocument/completion', ({ items }) => items.map(completion)) }, '.', '(', '"'),
    languages.registerHoverProvider(selector, {
      provideHover: at('textDocument/hover', ({ contents, range }) => new vscode.Hover(fromMarkdown(contents), fromRange(range))),
    }),
    languages.registerSignatureHelpProvider(selector, { provideSignatureHelp: at('textDocument/signatureHelp', signature) }, '(', ','),
    languages.registerInlayHintsProvider(selector, {
      onDidChangeInlayHints: hintsChanged,
      provideInlayHints: async (document, range) => ((await ask(document, 'textDocument/inlayHint', { range: toRange(range) })) ?? []).map(hint),
    }),
    languages.registerDefinitionProvider(selector, { provideDefinition: at('textDocument/definition', locations) }),
    languages.registerReferenceProvider(selector, {
      provideReferences: async (document, position, context) =>
        locations((await ask(document, 'textDocument/references', { position: toPosition(position), context })) ?? [], document),
    }),
    languages.registerDocumentHighlightProvider(selector, {
      provideDocumentHighlights: at('textDocument/documentHighlight', (found) => found.map(({ range, kind }) => new vscode.DocumentHighlight(fromRange(range), kind - 1))),
    }),
    languages.registerRenameProvider(selector, {
      prepareRename: at('textDocument/prepareRename', ({ range, placeholder }) => ({ range: fromRange(range), placeholder })),
      provideRenameEdits: async (document, position, newName) =>
        workspaceEdit(await ask(document, 'textDocument/rename', { position: toPosition(position), newName })),
    }),
    languages.registerDocumentSymbolProvider(selector, {
      provideDocumentSymbols: async (document) => (await ask(document, 'textDocument/documentSymbol', {})).map(symbol),
    }),
    languages.registerFoldingRangeProvider(selector, {
      provideFoldingRanges: async (document) =>
        (await ask(document, 'textDocument/foldingRange', {})).map(
          ({ startLine, endLine, kind }) => new vscode.FoldingRange(startLine, endLine, kind && vscode.FoldingRangeKind.Comment),
        ),
    }),
    languages.registerDocumentSemanticTokensProvider(
      selector,
      { provideDocumentSemanticTokens: async (document) => new vscode.SemanticTokens(Uint32Array.from((await ask(document, 'textDocument/semanticTokens/full', {})).data)) },
      new vscode.SemanticTokensLegend(legend.tokenTypes, legend.tokenModifiers),
    ),
    languages.registerCodeActionsProvider(selector, {
      provideCodeActions: async (document, range) =>
        ((await ask(document, 'textDocument/codeAction', { range: toRange(range), context: { diagnostics: [] } })) ?? []).map(action),
    }),
    languages.registerDocumentFormattingEditProvider(selector, {
      provideDocumentFormattingEdits: async (document) => ((await ask(document, 'textDocument/formatting', {})) ?? []).map(fromEdit),
    }),
  ];
}
