// The extension's two files: one for desktops, one for browsers. npm --prefix web run vscode
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';

const here = import.meta.dirname;
const wasm = join(here, '../../wasm');

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
  plugins: [{ name: 'the compiler beside them', closeBundle: () => copyFileSync(join(wasm, 'dist/irplan.wasm'), join(here, 'dist/irplan.wasm')) }],
}));
