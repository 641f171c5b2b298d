// The compiler inside of the extension, as WebAssembly: for vscode.dev, and where no program irplan is.
import { load } from 'irplan';
import * as vscode from 'vscode';

const QUIET_MS = 150; // without a key, before the program is compiled

export class Inside {
  #irplan;
  #told;
  #compiled;
  #timers = new Map();
  #config = '';

  constructor(told, compiled) {
    this.#told = told;
    this.#compiled = compiled;
  }

  async start(extensionUri, config) {
    this.#config = config;
    const bytes = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(extensionUri, 'dist', 'irplan.wasm'));
    this.#irplan = await load(bytes);
    return this.#call({ ask: 'capabilities' }).result.semanticTokensProvider.legend;
  }

  #call(request) {
    const reply = JSON.parse(this.#irplan.call(JSON.stringify({ method: 'language', ...request })));
    if (reply.error ?? reply.refused) throw new Error(reply.error ?? reply.refused);
    return reply;
  }

  /** The config beside the program, or the one that is set. */
  async #configOf(document) {
    const folder = vscode.Uri.joinPath(document.uri, '..');
    const root = vscode.workspace.workspaceFolders?.[0]?.uri ?? folder;
    const uri = this.#config ? vscode.Uri.joinPath(root, this.#config) : vscode.Uri.joinPath(folder, 'config.json');
    const open = vscode.workspace.textDocuments.find((one) => one.uri.toString() === uri.toString());
    if (open) return { uri, text: open.getText() };
    try {
      return { uri, text: new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)) };
    } catch {
      return { uri, text: null };
    }
  }

  async ask(document, ask, params) {
    const { uri, text } = await this.#configOf(document);
    const file = document.uri.path.split('/').at(-1);
    return this.#call({ ask, params, uri: document.uri.toString(), file, text: document.getText(), config: text, config_name: uri.path.split('/').at(-1) }).result;
  }

  open(document) {
    if (document.languageId !== 'irplan') return this.#all();
    clearTimeout(this.#timers.get(document));
    this.#timers.set(document, setTimeout(() => void this.#compile(document), QUIET_MS));
  }

  async #compile(document) {
    this.#timers.delete(document);
    const { uri } = await this.#configOf(document);
    const found = await this.ask(document, 'irplan/diagnostics', {});
    this.#told(document.uri.toString(), found.program);
    this.#told(uri.toString(), found.config);
    this.#compiled();
  }

  change({ document }) {
    this.open(document);
  }

  close(document) {
    clearTimeout(this.#timers.get(document));
    this.#timers.delete(document);
    this.#told(document.uri.toString(), []);
  }

  configure(config) {
    this.#config = config;
    this.#all();
  }

  #all() {
    for (const document of vscode.workspace.textDocuments) if (document.languageId === 'irplan') this.open(document);
  }

  dispose() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}
