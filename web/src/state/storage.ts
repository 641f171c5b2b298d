// What the browser keeps between visits. Storage may be forbidden (embedded pages, private windows); then nothing is kept.
import { type Document, defaultOptions } from './document';

const KEY = 'irplan.document.1';

export function save(document: Document): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(document));
  } catch {
    // Full or forbidden: the page works without.
  }
}

export function restore(): Document | null {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    return isDocument(stored) ? { ...stored, options: { ...defaultOptions(), ...stored.options } } : null;
  } catch {
    return null;
  }
}

export function isDocument(value: unknown): value is Document {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Record<string, unknown>;
  const texts = ['file', 'text', 'config', 'configName'];
  const records = ['options', 'sizes'];
  return (
    texts.every((key) => typeof record[key] === 'string') &&
    records.every((key) => typeof record[key] === 'object' && record[key] !== null)
  );
}
