// In Node the package's own file is read from the disk.
import { readFile } from 'node:fs/promises';

import { run as runFrom } from './run.js';

export { RunFault, RunRefused } from './run.js';

export const run = (request, options = {}) =>
  runFrom(request, { ...options, source: options.source ?? readFile(new URL('./dist/irplan-run.wasm', import.meta.url)) });
