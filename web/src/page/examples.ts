// The examples and templates of the repository, brought into the page when it is built.
import gallery from '../../../examples/gallery.json';
import type { Document } from '../model/document';
import { defaultOptions } from '../model/options';

type Texts = Record<string, string>;
const plain = import.meta.glob<string>('../../../examples/*.irplan', { query: '?raw', import: 'default', eager: true }) as Texts;
const models = import.meta.glob<string>('../../../examples/models/*.irplan', { query: '?raw', import: 'default', eager: true }) as Texts;
const templates = import.meta.glob<string>('../../../examples/templates/*.irplan', { query: '?raw', import: 'default', eager: true }) as Texts;
const configs = import.meta.glob<string>('../../../examples/configs/*.json', { query: '?raw', import: 'default', eager: true }) as Texts;

export interface Example {
  title: string;
  about: string;
  /** "32 layers, width 4096, 8 of 32 heads cached" */
  size: string;
  file: string;
  text: string;
  config: string;
  configName: string;
}

/** Programs by the model_type of the configs that they serve. */
const SERVES: Record<string, string[]> = gallery.serves;

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The first sentence of a program's first comment, which says what it is. */
function firstComment(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() && !/^irplan \d/.test(line));
  const comment = lines.slice(0, lines.findIndex((line) => !line.startsWith('#')));
  const whole = comment.map((line) => line.replace(/^#\s?/, '')).join(' ');
  return whole.replace(/[:.]\s.*$/s, '').replace(/[:.]$/, '');
}

function parsed(config: string): Record<string, unknown> {
  try {
    return JSON.parse(config) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function sizeText(config: Record<string, unknown>): string {
  const number = (...keys: string[]): number | null => {
    const found = keys.map((key) => config[key]).find((value) => typeof value === 'number');
    return typeof found === 'number' ? found : null;
  };
  const layers = number('num_hidden_layers', 'n_layer');
  const width = number('hidden_size', 'n_embd');
  const experts = number('num_local_experts', 'num_experts', 'n_routed_experts');
  return [layers && `${layers} layers`, width && `width ${width}`, experts && `${experts} experts`].filter(Boolean).join(', ');
}

function plainExample(path: string, text: string): Example {
  const file = baseName(path);
  const title = file.replace(/\.irplan$/, '').replaceAll(/[_-]/g, ' ');
  const about = firstComment(text) || (file === 'hotpath.irplan' ? 'The smallest real program: norm, rope and silu in place' : '');
  return { title, about, size: '', file, text, config: '', configName: 'config.json' };
}

function modelExamples(): Example[] {
  return Object.entries(configs).flatMap(([path, config]) => {
    const record = parsed(config);
    const program = Object.keys(SERVES).find((name) => SERVES[name]!.includes(String(record['model_type'])));
    const found = Object.entries(models).find(([file]) => baseName(file) === `${program}.irplan`);
    if (!found) return [];
    const configName = baseName(path);
    const title = configName.replace(/\.json$/, '').replace(/[_-]/g, ' ');
    const size = sizeText(record);
    return [{ title, about: firstComment(found[1]), size, file: baseName(found[0]), text: found[1], config, configName }];
  });
}

export const examples: Example[] = [...Object.entries(plain).map(([path, text]) => plainExample(path, text)), ...modelExamples()];

const TEMPLATES = ['smallest', 'mlp', 'decoder'];

/** As `irplan new --template` writes them, the shortest first. */
export const startingPoints: Example[] = Object.entries(templates)
  .map(([path, text]) => plainExample(path, text))
  .sort((a, b) => TEMPLATES.indexOf(a.title) - TEMPLATES.indexOf(b.title));

export function documentOf({ file, text, config, configName }: Example): Document {
  return { file, text, config, configName, options: defaultOptions(), sizes: {} };
}

/** Of models as they were published, by name. */
export const publishedConfigs = Object.entries(configs).map(([path, text]) => ({ name: baseName(path), text }));
