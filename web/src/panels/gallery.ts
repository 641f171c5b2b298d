// The examples of the repository, brought into the page when it is built.
import gallery from '../../../examples/gallery.json';

const programs = import.meta.glob<string>('../../../examples/**/*.irplan', { query: '?raw', import: 'default', eager: true });
const configs = import.meta.glob<string>('../../../examples/configs/*.json', { query: '?raw', import: 'default', eager: true });

export interface Example {
  title: string;
  about: string;
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

/** The first comment of a program, which says what it is. */
function firstComment(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() && !/^irplan \d/.test(line));
  const comment = lines.slice(0, lines.findIndex((line) => !line.startsWith('#')));
  return comment.map((line) => line.replace(/^#\s?/, '')).join(' ');
}

function modelType(config: string): string {
  try {
    return String((JSON.parse(config) as Record<string, unknown>)['model_type']);
  } catch {
    return '';
  }
}

function plainExamples(): Example[] {
  return Object.entries(programs)
    .filter(([, text]) => !/\bconfig\s*[.[]/.test(text.replace(/#.*$/gm, '')))
    .map(([path, text]) => {
      const file = baseName(path);
      const title = file.replace(/\.irplan$/, '').replaceAll(/[_-]/g, ' ');
      const about = firstComment(text) || (file === 'hotpath.irplan' ? 'The smallest real program: norm, rope and silu in place' : '');
      return { title, about, file, text, config: '', configName: 'config.json' };
    });
}

function modelExamples(): Example[] {
  return Object.entries(configs).flatMap(([path, config]) => {
    const type = modelType(config);
    const program = Object.keys(SERVES).find((name) => SERVES[name]!.includes(type));
    const found = Object.entries(programs).find(([file]) => baseName(file) === `${program}.irplan`);
    if (!found) return [];
    const configName = baseName(path);
    const title = configName.replace(/\.json$/, '').replace(/[_-]/g, ' ');
    return [{ title, about: firstComment(found[1]), file: baseName(found[0]), text: found[1], config, configName }];
  });
}

export const examples: Example[] = [...plainExamples(), ...modelExamples()].sort((a, b) =>
  a.file === 'hotpath.irplan' ? -1 : b.file === 'hotpath.irplan' ? 1 : 0,
);
