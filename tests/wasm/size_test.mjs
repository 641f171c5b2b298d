// The compiler is small enough for a page: what a visitor downloads of it, compressed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';

const SKIPPED = 77;
// In brotli, kB of 1000 bytes; ./dev bench page tells all files of the page. What runs plans is loaded by who runs one.
const MOST_KB = { 'irplan.wasm': 352, 'irplan-run.wasm': 300 };
const dist = join(import.meta.dirname, '../../wasm/dist');
if (!Object.keys(MOST_KB).every((name) => existsSync(join(dist, name)))) {
  console.log(`${dist} lacks a module: skipped`);
  process.exit(SKIPPED);
}
let failed = 0;
for (const [name, most] of Object.entries(MOST_KB)) {
  const kb = brotliCompressSync(readFileSync(join(dist, name))).length / 1000;
  if (kb > most) failed++;
  console.log(`${kb <= most ? 'ok' : 'FAILED'} ${name} has ${kb.toFixed(1)} kB in brotli, of at most ${most}`);
}
console.log(`${Object.keys(MOST_KB).length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
