// The extension for VS Code without VS Code: its two built files are given a stand-in for the editor's API, and asked as the editor
// asks. On a desktop with `irplan lsp`, on a desktop without it, and in a browser the answers are the same.
//
//   npm --prefix web run vscode && IRPLAN_BIN=build/bin node tests/wasm/extension_test.mjs
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInThisContext } from 'node:vm';

const SKIPPED = 77;
const root = join(import.meta.dirname, '../..');
const folder = join(root, 'web/vscode');
if (!existsSync(join(root, 'wasm/dist/irplan.wasm')) || !existsSync(join(root, 'web/node_modules'))) {
  console.log('wasm/dist or web/node_modules is missing: skipped');
  process.exit(SKIPPED);
}
execFileSync('npm', ['--prefix', 'web', 'run', '--silent', 'vscode'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });

// ---- the manifest

const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
for (const path of [manifest.main, manifest.browser, manifest.contributes.languages[0].configuration, manifest.contributes.grammars[0].path, './LICENSE'])
  assert.ok(existsSync(join(folder, path)), path);
for (const path of [manifest.main, manifest.browser]) assert.ok(statSync(join(folder, path)).size < 100_000, `${path} holds the compiler once more`);
assert.equal(manifest.displayName, 'IRPlanner');
assert.equal(manifest.contributes.languages[0].aliases[0], 'IRPlanner');
assert.equal(JSON.parse(readFileSync(join(folder, manifest.contributes.grammars[0].path), 'utf8')).name, 'IRPlanner');
const everything = readdirSync(folder, { recursive: true }).filter((name) => /^(src|syntaxes)\b.*\.|^README|^package\.json/.test(name));
for (const name of everything) assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), /\bIRPlan\b/, name);

// ---- a stand-in for the editor

const plain = (...names) =>
  class {
    constructor(...values) {
      names.forEach((name, i) => (this[name] = values[i]));
    }
  };

class Uri {
  constructor(text) {
    this.text = text;
    this.scheme = text.split(':')[0];
    this.path = decodeURIComponent(new URL(text).pathname);
    this.fsPath = this.path;
  }
  static parse = (text) => new Uri(text);
  static joinPath = (uri, ...parts) => new Uri(new URL(parts.join('/'), uri.text.endsWith('/') ? uri.text : `${uri.text}/`).href.replace(/\/$/, ''));
  toString() {
    return this.text;
  }
}

class Emitter {
  #told = new Set();
  event = (run) => {
    this.#told.add(run);
    return { dispose: () => this.#told.delete(run) };
  };
  fire(value) {
    for (const run of this.#told) run(value);
  }
  dispose() {
    this.#told.clear();
  }
}

function documentOf(uri, languageId, text) {
  return { uri, languageId, version: 1, text, fileName: uri.path, getText() { return this.text; } };
}

/** An editor with these documents open; `path` is the setting irplan.path. */
function editor(documents, { path, trusted = true }) {
  const providers = {};
  const diagnostics = new Map();
  const changed = new Emitter();
  const commands = {};
  const nothing = { dispose() {} };
  const provide = (kind) => (selector, provider) => {
    providers[kind] = provider;
    return { dispose: () => delete providers[kind] };
  };
  const settings = { path, config: '' };
  class WorkspaceEdit {
    edits = new Map();
    set(uri, list) {
      this.edits.set(uri.toString(), list);
    }
  }
  const api = {
    Uri, EventEmitter: Emitter, WorkspaceEdit,
    Position: plain('line', 'character'),
    Range: class {
      constructor(a, b, c, d) {
        this.start = { line: a, character: b };
        this.end = { line: c, character: d };
      }
    },
    TextEdit: plain('range', 'newText'), MarkdownString: plain('value'), Diagnostic: plain('range', 'message', 'severity'),
    DiagnosticSeverity: { Error: 0, Warning: 1 }, DiagnosticRelatedInformation: plain('location', 'message'), Location: plain('uri', 'range'),
    CompletionItem: plain('label', 'kind'), SnippetString: plain('value'), SignatureHelp: plain(), SignatureInformation: plain('label', 'documentation'),
    ParameterInformation: plain('label', 'documentation'), DocumentSymbol: plain('name', 'detail', 'kind', 'range', 'selectionRange'),
    InlayHint: plain('position', 'label', 'kind'), CodeAction: plain('title', 'kind'), CodeActionKind: { QuickFix: 'quickfix' }, Hover: plain('contents', 'range'),
    DocumentHighlight: plain('range', 'kind'), FoldingRange: plain('start', 'end', 'kind'), FoldingRangeKind: { Comment: 1 },
    SemanticTokens: plain('data'), SemanticTokensLegend: plain('tokenTypes', 'tokenModifiers'),
    languages: new Proxy(
      { createDiagnosticCollection: () => ({ set: (uri, list) => diagnostics.set(uri.toString(), list), clear: () => diagnostics.clear(), dispose() {} }) },
      { get: (own, name) => own[name] ?? provide(/^register(\w+)Provider$/.exec(name)[1]) },
    ),
    commands: { registerCommand: (name, run) => ((commands[name] = run), nothing) },
    window: { warnings: [], showWarningMessage: async (text) => void api.window.warnings.push(text), showErrorMessage: async (text) => void api.window.warnings.push(text) },
    workspace: {
      isTrusted: trusted, workspaceFolders: [{ uri: new Uri(pathToFileURL(root).href) }], textDocuments: documents,
      getConfiguration: () => ({ get: (name) => settings[name] }),
      onDidOpenTextDocument: () => nothing, onDidCloseTextDocument: () => nothing, onDidChangeConfiguration: () => nothing,
      onDidChangeTextDocument: changed.event,
      fs: { readFile: async (uri) => new Uint8Array(readFileSync(uri.fsPath)) },
    },
  };
  return { api, providers, diagnostics, changed, commands };
}

function loaded(file, api) {
  const text = readFileSync(join(folder, 'dist', file), 'utf8');
  const module = { exports: {} };
  const own = createRequire(join(folder, 'dist', file));
  runInThisContext(`(function (module, exports, require) {${text}\n})`, { filename: file })(module, module.exports, (name) => (name === 'vscode' ? api : own(name)));
  return module.exports;
}

async function until(what, found) {
  for (let i = 0; i < 600; i++) {
    const value = found();
    if (value) return value;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${what} did not come`);
}

// ---- what a person does

const PROGRAM = `let D = config.hidden_size
dim B in 1..8
input x: f16[B, D]
y = silu(x)
out = output(rmsnrom(y, eps=1e-5))
`;

async function use(title, file, options) {
  const uri = (name) => new Uri(pathToFileURL(join(root, 'nowhere', name)).href);
  const program = documentOf(uri('a.irplan'), 'irplan', PROGRAM);
  const config = documentOf(uri('config.json'), 'json', '{"hidden_size": 64}');
  const { api, providers, diagnostics, changed, commands } = editor([program, config], options);
  const context = { subscriptions: [], extensionUri: new Uri(pathToFileURL(folder).href) };
  const extension = loaded(file, api);
  await extension.activate(context);
  const at = (line, character) => new api.Position(line, character);

  const [wrong] = await until('a problem', () => diagnostics.get(program.uri.toString())?.filter((one) => /rmsnrom/.test(one.message)).slice(0, 1));
  assert.equal(wrong.range.start.line, 4);
  const [fix] = await providers.CodeActions.provideCodeActions(program, wrong.range);
  const [edit] = fix.edit.edits.get(program.uri.toString());
  assert.equal(edit.newText, 'rmsnorm');

  program.text = PROGRAM.replace('rmsnrom', 'rmsnorm');
  program.version = 2;
  changed.fire({ document: program, contentChanges: [{ range: edit.range, text: edit.newText }] });
  await until('the end of the problem', () => diagnostics.get(program.uri.toString())?.every((one) => !/rmsnrom/.test(one.message)));

  const hover = await providers.Hover.provideHover(program, at(3, 0));
  assert.match(hover.contents.value, /f16\[B, 64\]/);
  const hints = await providers.InlayHints.provideInlayHints(program, new api.Range(0, 0, 5, 0));
  assert.ok(hints.some((hint) => /64/.test(JSON.stringify(hint.label))), JSON.stringify(hints));
  const items = await providers.CompletionItem.provideCompletionItems(program, at(0, 'let D = config.'.length));
  assert.ok(items.some((item) => item.label === 'hidden_size'));
  const signature = await providers.SignatureHelp.provideSignatureHelp(program, at(4, 'out = output(rmsnorm('.length));
  assert.match(signature.signatures[0].label, /rmsnorm/);
  const [definition] = await providers.Definition.provideDefinition(program, at(4, 'out = output(rmsnorm('.length));
  assert.equal(definition.range.start.line, 3);
  const references = await providers.Reference.provideReferences(program, at(3, 0), { includeDeclaration: true });
  assert.equal(references.length, 2);
  const renamed = await providers.Rename.provideRenameEdits(program, at(3, 0), 'gated');
  assert.equal(renamed.edits.get(program.uri.toString()).length, 2);
  await assert.rejects(providers.Rename.provideRenameEdits(program, at(3, 0), 'x'), /x/);
  assert.ok((await providers.DocumentSymbol.provideDocumentSymbols(program)).length >= 3);
  assert.ok((await providers.DocumentSemanticTokens.provideDocumentSemanticTokens(program)).data.length % 5 === 0);
  assert.deepEqual(await providers.DocumentFormattingEdit.provideDocumentFormattingEdits(program), []);
  assert.ok(commands['irplan.restart']);
  for (const one of context.subscriptions) await one.dispose?.();
  console.log(`ok ${title}`);
}

const bin = process.env.IRPLAN_BIN ?? join(root, 'build/bin');
if (existsSync(join(bin, 'irplan'))) await use('on a desktop, by irplan lsp', 'extension.js', { path: join(bin, 'irplan') });
else console.log('no irplan in IRPLAN_BIN: its part is skipped');
await use('on a desktop without the program', 'extension.js', { path: join(root, 'no/such/irplan') });
await use('in a folder that is not trusted', 'extension.js', { path: join(bin, 'irplan'), trusted: false });
await use('in a browser', 'browser.js', { path: '' });
process.exit(0);
