// What a reader can change and a link can carry: the program, its config, the options, and the sizes looked at.
import type { CompileRequest } from 'irplan';
import { type Options, commandOptions, defaultOptions, quoted } from './options';

export interface Document {
  file: string;
  text: string;
  /** Empty: none. */
  config: string;
  configName: string;
  options: Options;
  /** Sizes of the sliders that were moved. */
  sizes: Record<string, number>;
  /** What it is compared with. */
  against?: Against;
}

/** The other side of a comparison; its sizes null: those of the document. */
export interface Against extends Omit<Document, 'sizes' | 'against'> {
  sizes: Record<string, number> | null;
}

export function againstOf({ file, text, config, configName, options }: Document, sizes: Against['sizes']): Against {
  return { file, text, config, configName, options: structuredClone(options), sizes };
}

export function emptyDocument(): Document {
  return { file: 'program.irplan', text: '', config: '', configName: 'config.json', options: defaultOptions(), sizes: {} };
}

/** The command that gives the same plan.json, byte for byte. */
export function commandLine(document: Document): string {
  const parts = ['irplan', 'plan', quoted(document.file)];
  if (document.config.trim()) parts.push('--config', quoted(document.configName));
  const options = commandOptions(document.options);
  if (options) parts.push(options);
  return parts.join(' ');
}

/** What the compiler is asked; `advise`: a missed budget is planned under other choices as well. */
export function compileRequest({ file, text, config, configName, options }: Document, advise: boolean): CompileRequest {
  const { dims, lets, retypes, target, keepOrder, strength, denyWarnings } = options;
  return {
    file,
    text,
    config: config.trim() ? config : null,
    config_name: configName,
    options: { dims, lets, retypes, target, keep_order: keepOrder, strength, deny_warnings: denyWarnings, advise },
  };
}

/** What an editor's question is told beside the text. */
export function besideText({ file, config, configName }: Document): { file: string; config: string | null; config_name: string } {
  return { file, config: config.trim() ? config : null, config_name: configName };
}

/** A file's name as plans and commands take it: no folders, no controls; none where nothing is left of it. */
export function fileName(typed: string, ending: string): string | null {
  const name = typed.replace(/^.*[\\/]/, '').replace(/[\u0000-\u001f\u007f]/g, '').trim();
  if (!name || name === ending) return null;
  return name.endsWith(ending) ? name : name + ending;
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
