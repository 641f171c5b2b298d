// In a browser: the compiler inside of the extension.
import * as vscode from 'vscode';
import { Inside } from './inside.js';
import { Session, setting } from './session.js';

export async function activate(context) {
  const session = new Session();
  const start = async () => {
    await session.end();
    const inside = new Inside(session.told, session.compiled);
    session.run(inside, await inside.start(context.extensionUri, setting('config')));
  };
  context.subscriptions.push(session, vscode.commands.registerCommand('irplan.restart', start));
  await start();
}
