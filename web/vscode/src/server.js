// `irplan lsp` as a process: JSON-RPC over its stdio, documents kept in step.
import { spawn } from 'node:child_process';
import * as vscode from 'vscode';

export class Server {
  #process;
  #waiting = new Map();
  #next = 1;
  #buffer = Buffer.alloc(0);
  #told;
  #ended;

  /** `told(uri, diagnostics)`; `ended(why)` where the process ends by itself. */
  constructor(path, folder, told, ended) {
    this.#told = told;
    this.#ended = ended;
    this.#process = spawn(path, ['lsp'], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#process.on('error', (error) => this.#end(error.message));
    this.#process.on('exit', (code) => this.#end(`irplan lsp ended with ${code}`));
    this.#process.stdin.on('error', () => undefined); // its end is told by 'exit'
    this.#process.stdout.on('data', (data) => this.#read(data));
  }

  async start(config, root) {
    const text = { completion: { completionItem: { snippetSupport: true } } };
    const { capabilities } = await this.request('initialize', {
      processId: process.pid,
      rootUri: root ?? null,
      capabilities: { general: { positionEncodings: ['utf-16'] }, textDocument: text },
      initializationOptions: { config },
    });
    this.notify('initialized', {});
    return capabilities.semanticTokensProvider.legend;
  }

  #end(why) {
    if (!this.#process) return;
    this.#process = undefined;
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
    this.#ended(why);
  }

  #read(data) {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    for (;;) {
      const header = this.#buffer.indexOf('\r\n\r\n');
      if (header < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#buffer.toString('latin1', 0, header))?.[1] ?? 0);
      const begin = header + 4;
      if (this.#buffer.length < begin + length) return;
      const message = JSON.parse(this.#buffer.toString('utf8', begin, begin + length));
      this.#buffer = this.#buffer.subarray(begin + length);
      this.#take(message);
    }
  }

  #take({ id, method, params, result, error }) {
    if (method === 'textDocument/publishDiagnostics') return this.#told(params.uri, params.diagnostics);
    if (method === 'window/showMessage') return void vscode.window.showErrorMessage(params.message);
    if (method) return id === undefined ? undefined : this.#send({ id, result: null });
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }

  #send(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    this.#process?.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#process?.stdin.write(body);
  }

  request(method, params) {
    return new Promise((resolve, reject) => {
      if (!this.#process) return reject(new Error('irplan lsp does not run'));
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#send({ id, method, params });
    });
  }

  notify(method, params) {
    this.#send({ method, params });
  }

  // ---- documents

  open(document) {
    const { uri, languageId, version } = document;
    this.notify('textDocument/didOpen', { textDocument: { uri: uri.toString(), languageId, version, text: document.getText() } });
  }

  change({ document, contentChanges }) {
    const changes = contentChanges.map(({ range, text }) => ({ range: { start: { line: range.start.line, character: range.start.character }, end: { line: range.end.line, character: range.end.character } }, text }));
    this.notify('textDocument/didChange', { textDocument: { uri: document.uri.toString(), version: document.version }, contentChanges: changes });
  }

  close(document) {
    this.notify('textDocument/didClose', { textDocument: { uri: document.uri.toString() } });
  }

  configure(config) {
    this.notify('workspace/didChangeConfiguration', { settings: { irplan: { config } } });
  }

  ask(document, method, params) {
    return this.request(method, { textDocument: { uri: document.uri.toString() }, ...params });
  }

  async dispose() {
    const process = this.#process;
    if (!process) return;
    await this.request('shutdown', null).catch(() => undefined);
    this.notify('exit', null);
    this.#process = undefined;
    process.stdin.end();
  }
}
