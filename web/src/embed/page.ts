// embed/: a snippet in a frame of somebody's page. What it shows stands behind # as a link of the playground; the frame's page
// can ask and tell more by messages (web/embed/README.md).
import { decodeLink } from '../model/link';
import { commandOptions } from '../model/options';
import './element';
import type { EmbedDocument } from './snippet';

const embed = document.querySelector('irplan-embed')!;

function ofAddress(): Partial<EmbedDocument> {
  try {
    const linked = decodeLink(location.hash);
    if (!linked) return {};
    const { file, text, config, configName, options, sizes } = linked.document;
    const { version } = linked;
    const { view, phase } = linked.look;
    return { file, text, config, configName, options: commandOptions(options), sizes, version, ...(view ? { view } : {}), ...(phase ? { phase } : {}) };
  } catch (error) {
    return { text: `# The link could not be opened: ${error instanceof Error ? error.message : String(error)}\n` };
  }
}

const say = (message: object): void => {
  if (window.parent !== window) window.parent.postMessage({ from: 'irplan', ...message }, '*'); // what it holds came from there
};

/** Only what is known, and only of the kinds that it has. */
function partOf(data: Record<string, unknown>): Partial<EmbedDocument> {
  const texts = ['file', 'text', 'config', 'configName', 'options', 'view', 'phase'].filter((key) => typeof data[key] === 'string');
  const part: Record<string, unknown> = Object.fromEntries(texts.map((key) => [key, data[key]]));
  const sizes = Object.entries((data['sizes'] as object | null) ?? {}).filter(([, n]) => Number.isSafeInteger(n));
  if (sizes.length) part['sizes'] = Object.fromEntries(sizes);
  return part;
}

window.addEventListener('message', (event: MessageEvent<unknown>) => {
  if (event.source !== window.parent || typeof event.data !== 'object' || event.data === null) return;
  const data = event.data as Record<string, unknown>;
  const id = data['id'];
  if (data['to'] !== 'irplan') return;
  if (data['ask'] === 'ping') say({ id, answer: 'pong' });
  else if (data['ask'] === 'set') void embed.set(partOf(data)).then(() => say({ id, answer: 'set' }));
  else if (data['ask'] === 'get') void embed.get().then((state) => say({ id, answer: 'state', state }));
  else say({ id, error: `there is no ${String(data['ask'])}; known are ping, set, get` });
});
embed.addEventListener('irplan-result', (event) => say({ answer: 'result', result: (event as CustomEvent).detail }));
new ResizeObserver(() => say({ answer: 'height', height: document.documentElement.scrollHeight })).observe(document.body);
window.addEventListener('hashchange', () => void embed.set(ofAddress()));

void embed.set(ofAddress()).then(() => embed.begin());
