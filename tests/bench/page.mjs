// What a visitor downloads: every file of the built page, raw and compressed as hosts send them.
//
//   ./dev bench page
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = join(import.meta.dirname, '../../web/dist');
if (!existsSync(join(dist, 'index.html'))) {
  console.error('web/dist is missing: ./dev bench page builds it');
  process.exit(1);
}

const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });

function measure(name) {
  const bytes = readFileSync(join(dist, name));
  return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli(bytes).length };
}

const names = readdirSync(dist, { recursive: true }).filter((name) => statSync(join(dist, name)).isFile());
const files = names.map(measure).sort((a, b) => b.brotli - a.brotli);

// What index.html asks for by itself, and the compiler; the editor comes after the first paint.
const html = readFileSync(join(dist, 'index.html'), 'utf8');
const early = (file) =>
  file.name === 'index.html' || html.includes(file.name) || /irplan-(?!run-).*\.wasm$|\/worker-.*\.js$/.test(file.name);

function sum(name, of) {
  const add = (key) => of.reduce((total, file) => total + file[key], 0);
  return { name, raw: add('raw'), gzip: add('gzip'), brotli: add('brotli') };
}

const row = ({ name, raw, gzip, brotli }) => {
  const kb = (bytes) => (bytes / 1000).toFixed(1).padStart(10);
  return `${name.padEnd(44)}${kb(raw)}${kb(gzip)}${kb(brotli)}`;
};
console.log(`${'kB of 1000 bytes'.padEnd(44)}${'raw'.padStart(10)}${'gzip -9'.padStart(10)}${'brotli 11'.padStart(10)}`);
for (const file of files) console.log(row(file));
console.log(row(sum('until the first plan', files.filter(early))));
console.log(row(sum('all', files)));
