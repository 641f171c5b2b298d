// The extension's two files: one for desktops, one for browsers. npm --prefix web run vscode
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';

const here = import.meta.dirname;
const wasm = join(here, '../../wasm');

/** The extension hands the compiler's bytes over itself; a copy within each file would only make them twice as large. */
const unpacked = {
  name: 'no compiler within the files',
  enforce: 'pre',
  transform: (code, id) => (id === join(wasm, 'index.js') ? code.replace(/new URL\([^)]*import\.meta\.url\)/, "''") : null),
};

function beside() {
  copyFileSync(join(wasm, 'dist/irplan.wasm'), join(here, 'dist/irplan.wasm'));
  copyFileSync(join(here, '../../LICENSE'), join(here, 'LICENSE'));
}

export default defineConfig(({ mode }) => ({
  root: here,
  publicDir: false,
  resolve: { alias: { irplan: join(wasm, 'index.js') } },
  build: {
    outDir: join(here, 'dist'),
    emptyOutDir: false,
    target: 'es2022',
    minify: true,
    lib: { entry: join(here, 'src', `${mode}.js`), formats: ['cjs'], fileName: () => `${mode}.js` },
    rollupOptions: { external: ['vscode', /^node:/] },
  },
  plugins: [unpacked, { name: 'the compiler and the license beside them', closeBundle: beside }],
}));
