// One compiler that answers, whichever it is, and the documents that are open.
import * as vscode from 'vscode';
import { diagnostic, registerProviders } from './convert.js';

export const setting = (name) => vscode.workspace.getConfiguration('irplan').get(name);
const ours = (document) => document.languageId === 'irplan' || document.fileName.endsWith('.json');

export class Session {
  #diagnostics = vscode.languages.createDiagnosticCollection('irplan');
  #hints = new vscode.EventEmitter();
  #parts = [];
  #backend;

  told = (uri, list) => {
    this.#diagnostics.set(vscode.Uri.parse(uri), list.map(diagnostic));
    this.#hints.fire();
  };
  compiled = () => this.#hints.fire();

  run(backend, legend) {
    this.#backend = backend;
    const ask = (document, method, params) => backend.ask(document, method, params);
    for (const document of vscode.workspace.textDocuments) if (ours(document)) backend.open(document);
    this.#parts = [
      ...registerProviders(ask, legend, this.#hints.event),
      vscode.workspace.onDidOpenTextDocument((document) => ours(document) && backend.open(document)),
      vscode.workspace.onDidChangeTextDocument((event) => ours(event.document) && event.contentChanges.length && backend.change(event)),
      vscode.workspace.onDidCloseTextDocument((document) => ours(document) && backend.close(document)),
      vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration('irplan.config') && backend.configure(setting('config'))),
    ];
  }

  async end() {
    for (const part of this.#parts) part.dispose();
    this.#parts = [];
    this.#diagnostics.clear();
    await this.#backend?.dispose();
    this.#backend = undefined;
  }

  async dispose() {
    await this.end();
    this.#diagnostics.dispose();
    this.#hints.dispose();
  }
}
