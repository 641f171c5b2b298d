// The compiler is small enough for a page: what a visitor downloads of it, compressed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';

const SKIPPED = 77;
const MOST_KB = 500; // brotli, kB of 1000 bytes; ./dev bench page tells all files of the page
const wasm = join(import.meta.dirname, '../../wasm/dist/irplan.wasm');
if (!existsSync(wasm)) {
  console.log(`${wasm} is missing: skipped`);
  process.exit(SKIPPED);
}
const kb = brotliCompressSync(readFileSync(wasm)).length / 1000;
const good = kb <= MOST_KB;
console.log(`${good ? 'ok' : 'FAILED'} irplan.wasm has ${kb.toFixed(1)} kB in brotli, of at most ${MOST_KB}`);
console.log(good ? '1 passed, 0 failed' : '0 passed, 1 failed');
process.exit(good ? 0 : 1);
