// On a desktop: `irplan lsp` where there is one, else the compiler inside of the extension.
import * as vscode from 'vscode';
import { Inside } from './inside.js';
import { Server } from './server.js';
import { Session, setting } from './session.js';

export async function activate(context) {
  const session = new Session();
  const inside = async () => {
    await session.end();
    const backend = new Inside(session.told, session.compiled);
    session.run(backend, await backend.start(context.extensionUri, setting('config')));
  };
  const start = async () => {
    await session.end();
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    if (!vscode.workspace.isTrusted) return inside();
    let running = false;
    const ended = (why) => {
      if (!running) return;
      void inside();
      void vscode.window.showWarningMessage(`${why}; the compiler inside of the extension answers now.`);
    };
    const server = new Server(setting('path'), folder?.scheme === 'file' ? folder.fsPath : undefined, session.told, ended);
    try {
      const legend = await server.start(setting('config'), folder?.toString());
      running = true;
      session.run(server, legend);
    } catch {
      await inside(); // there is no such program, or it knows no `lsp`
    }
  };
  context.subscriptions.push(session, vscode.commands.registerCommand('irplan.restart', start));
  await start();
}
