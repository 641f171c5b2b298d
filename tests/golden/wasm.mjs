// One request of golden_test.py, answered by the WebAssembly build.
import { readFileSync } from 'node:fs';
import { load } from '../../wasm/index.js';

const irplan = await load(readFileSync(new URL('../../wasm/dist/irplan.wasm', import.meta.url)));
process.stdout.write(irplan.call(readFileSync(0, 'utf8')));
