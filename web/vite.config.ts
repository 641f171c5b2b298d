import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';

// The compiler's package; another folder with the same two files can stand in for it.
const compiler = resolve(process.env['IRPLAN_WASM'] ?? resolve(import.meta.dirname, '../wasm'));
if (!existsSync(resolve(compiler, 'dist/irplan.wasm')))
  throw new Error(`${compiler}/dist/irplan.wasm is missing: build the wasm target first`);

export default defineConfig({
  base: './', // works from any folder of any host
  resolve: {
    alias: [
      { find: /^irplan$/, replacement: resolve(compiler, 'index.js') },
      { find: /^irplan\/irplan\.wasm/, replacement: resolve(compiler, 'dist/irplan.wasm') },
    ],
  },
  server: { fs: { allow: [resolve(import.meta.dirname, '..'), compiler] } },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 5000, // Monaco, which loads after the first paint
    assetsInlineLimit: 0, // inlined assets would need data: in the page's policy
  },
});
