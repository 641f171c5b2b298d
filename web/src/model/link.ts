// Links that carry everything: #1.<compiler version>.<dictionary><payload>, where the payload is the document as JSON,
// deflated with the dictionary, in base64url. Nothing leaves the page; what follows # is never sent to a server.
import { Inflate, deflateSync } from 'fflate';
import { fromBase64Url, toBase64Url } from './text';
import { type Against, type Document, emptyDocument } from './document';
import type { FitQuestion } from './fit';
import { DEFAULT_TARGET, STRENGTHS, defaultOptions } from './options';
import { CURRENT, DICTIONARIES } from './dictionaries';

const FORMAT = '1';
/** Chat programs cut longer links. */
export const LONG_LINK = 2000;

/** Bytes of a document. A payload can inflate to a thousand times its size, and links have some megabytes. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Bytes of a payload that are inflated at once. */
const STEP = 4096;

/** What of the plan is looked at; absent where it is what a page shows first. */
export interface Look {
  view?: string;
  phase?: string;
  /** The buffer that is chosen. */
  buffer?: string;
}

export interface Linked {
  document: Document;
  look: Look;
  /** Where the link asks what fits, of the document's config. */
  fit?: FitQuestion;
  /** Of the compiler that made the link. */
  version: string;
}

/** What differs from an empty document, in a fixed order, so that equal documents have equal links. */
function minimal(document: Document): Record<string, unknown> {
  const { options } = document;
  const kept: Record<string, unknown> = { file: document.file, text: document.text };
  if (document.config) kept['config'] = document.config;
  if (document.config && document.configName !== 'config.json') kept['configName'] = document.configName;
  const changed: Record<string, unknown> = {};
  if (options.target !== DEFAULT_TARGET) changed['target'] = options.target;
  if (Object.keys(options.lets).length) changed['lets'] = options.lets;
  if (Object.keys(options.dims).length) changed['dims'] = options.dims;
  if (Object.keys(options.retypes).length) changed['retypes'] = options.retypes;
  if (options.keepOrder) changed['keepOrder'] = true;
  if (options.strength !== 'portfolio') changed['strength'] = options.strength;
  if (options.denyWarnings) changed['denyWarnings'] = true;
  if (Object.keys(changed).length) kept['options'] = changed;
  if (Object.keys(document.sizes).length) kept['sizes'] = document.sizes;
  if (document.against) kept['against'] = minimalAgainst(document.against);
  return kept;
}

function minimalAgainst({ sizes, ...rest }: Against): Record<string, unknown> {
  const { sizes: _, ...kept } = minimal({ ...rest, sizes: {} });
  return sizes ? { ...kept, sizes } : kept;
}

function minimalFit({ gpu, memory, context, batch, retypes }: FitQuestion): Record<string, unknown> {
  const typed = Object.entries({ gpu, memory: gpu ? '' : memory, context, batch }).filter(([, text]) => text.trim());
  return { ...Object.fromEntries(typed), ...(Object.keys(retypes).length ? { retypes } : {}) };
}

export function encodeLink(document: Document, version: string, look: Look = {}): string {
  return encode({ ...minimal(document), ...(Object.keys(look).length ? { look } : {}) }, version);
}

/** A link that asks what fits. */
export function encodeFit(question: FitQuestion, version: string): string {
  const { config, configName } = question;
  return encode({ ...minimal({ ...emptyDocument(), config, configName }), fit: minimalFit(question) }, version);
}

function encode(record: Record<string, unknown>, version: string): string {
  const json = new TextEncoder().encode(JSON.stringify(record));
  const payloads = CURRENT.map((name) => name + toBase64Url(deflateSync(json, { level: 9, dictionary: DICTIONARIES[name]! })));
  return `#${FORMAT}.${version}.${payloads.reduce((best, one) => (one.length < best.length ? one : best))}`;
}

class TooLarge extends Error {}

function inflated(payload: Uint8Array, dictionary: Uint8Array): string {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  const inflate = new Inflate({ dictionary }, (chunk, last) => {
    length += chunk.length;
    if (length > MOST_BYTES) throw new TooLarge('the document of the link is larger than 16 MiB');
    text += decoder.decode(chunk, { stream: !last });
  });
  for (let at = 0; at < payload.length; at += STEP) inflate.push(payload.subarray(at, at + STEP), at + STEP >= payload.length);
  return text;
}

function textAt(record: Record<string, unknown>, key: string, otherwise: string): string {
  const value = record[key];
  return typeof value === 'string' ? value : otherwise;
}

function numbersAt(record: Record<string, unknown>, key: string): Record<string, number> {
  const entries = Object.entries(record[key] ?? {}).filter(([, value]) => Number.isSafeInteger(value));
  return Object.fromEntries(entries) as Record<string, number>;
}

function readDocument(record: Record<string, unknown>): Document {
  const options = (record['options'] ?? {}) as Record<string, unknown>;
  const texts = (key: string) =>
    Object.fromEntries(Object.entries(options[key] ?? {}).filter(([, value]) => typeof value === 'string')) as Record<string, string>;
  return {
    file: textAt(record, 'file', 'program.irplan'),
    text: textAt(record, 'text', ''),
    config: textAt(record, 'config', ''),
    configName: textAt(record, 'configName', 'config.json'),
    options: {
      ...defaultOptions(),
      target: textAt(options, 'target', DEFAULT_TARGET),
      lets: texts('lets'),
      dims: numbersAt(options, 'dims'),
      retypes: texts('retypes'),
      keepOrder: options['keepOrder'] === true,
      strength: STRENGTHS.find((one) => one === options['strength']) ?? 'portfolio',
      denyWarnings: options['denyWarnings'] === true,
    },
    sizes: numbersAt(record, 'sizes'),
  };
}

/** Absent sizes are those of the document. */
function readAgainst(record: unknown): { against?: Against } {
  if (typeof record !== 'object' || record === null) return {};
  const { sizes, ...rest } = readDocument(record as Record<string, unknown>);
  return { against: { ...rest, sizes: 'sizes' in record ? sizes : null } };
}

function readLook(record: unknown): Look {
  const kept = Object.entries(record ?? {}).filter(([key, value]) => ['view', 'phase', 'buffer'].includes(key) && typeof value === 'string');
  return Object.fromEntries(kept);
}

function readFit(record: Record<string, unknown>, { config, configName }: Document): FitQuestion {
  const retypes = (record['retypes'] ?? {}) as Record<string, unknown>;
  const kept = Object.entries(retypes).filter(([what, dtype]) => (what === 'state' || what === 'weights') && typeof dtype === 'string');
  const text = (key: string): string => textAt(record, key, '');
  return { config, configName, gpu: text('gpu'), memory: text('memory'), context: text('context'), batch: text('batch'), retypes: Object.fromEntries(kept) };
}

/** None where the hash is no link; an error where it is one that cannot be read. */
export function decodeLink(hash: string): Linked | null {
  const [, format, version, dictionaryName, payload] = /^#(\d+)\.(\d[\w.+-]*)\.([a-z])([\w-]*)$/.exec(hash) ?? [];
  if (!format || !version || !dictionaryName || payload === undefined) return null;
  if (format !== FORMAT) throw new Error(`this page reads links of format ${FORMAT}, and this one has ${format}`);
  const dictionary = DICTIONARIES[dictionaryName];
  if (!dictionary) throw new Error('the link was made by a newer page');
  let record: unknown;
  try {
    record = JSON.parse(inflated(fromBase64Url(payload), dictionary));
  } catch (error) {
    if (error instanceof TooLarge) throw error;
    throw new Error('the link is damaged: a part of it is missing');
  }
  if (typeof record !== 'object' || record === null) throw new Error('the link holds no document');
  const { against } = record as Record<string, unknown>;
  const document: Document = { ...readDocument(record as Record<string, unknown>), ...readAgainst(against) };
  const { fit, look } = record as Record<string, unknown>;
  return { document, version, look: readLook(look), ...(typeof fit === 'object' && fit !== null ? { fit: readFit(fit as Record<string, unknown>, document) } : {}) };
}
