// The repository's programs, each with the configs that it serves, as tests and benchmarks compile them.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

export const root = join(import.meta.dirname, '../..');
const examples = join(root, 'examples');

// Programs by the model_type of the configs that they serve.
const SERVES = JSON.parse(readFileSync(join(examples, 'gallery.json'), 'utf8')).serves;

function files(folder, ending) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(ending));
  return names.sort().map((name) => join(folder, name));
}

export function exampleCases() {
  const cases = [];
  for (const program of files(examples, '.irplan'))
    if (!/\bconfig\s*[.[]/.test(readFileSync(program, 'utf8').replace(/#.*$/gm, ''))) cases.push({ program, config: null });
  for (const config of files(join(examples, 'configs'), '.json')) {
    const type = JSON.parse(readFileSync(config, 'utf8')).model_type;
    const name = Object.keys(SERVES).find((one) => SERVES[one].includes(type));
    if (name) cases.push({ program: join(examples, 'models', `${name}.irplan`), config });
  }
  return cases;
}

export function titleOf({ program, config }) {
  return config ? `${basename(program)} with ${basename(config)}` : basename(program);
}
