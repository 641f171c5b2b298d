// In Node the package's own file is read from the disk.
import { readFile } from 'node:fs/promises';

import { load as loadFrom } from './index.js';

export const load = (source = readFile(new URL('./dist/irplan.wasm', import.meta.url)), options = {}) => loadFrom(source, options);
