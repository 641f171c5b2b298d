// irplan/remark of the npm package: wasm/dist/remark.js and remark.css. npm --prefix web run remark
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineConfig } from 'vite';

const here = import.meta.dirname;
const wasm = join(here, '../wasm');
const read = (path) => readFileSync(join(here, 'src', path), 'utf8');

/** The page's palette, and the rules that the compiler's own picture has, as rules of what the plugin makes. */
async function styleSheet() {
  const [, palette] = /:root \{\n\s*color-scheme: light dark;\n([^}]*)\}/.exec(read('styles/tokens.css'));
  const { load } = await import(pathToFileURL(join(wasm, 'node.js')).href);
  const irplan = await load();
  irplan.compile({ text: 'input x: f16[4]\nout = output(silu(x))\n' });
  const [, rules] = /<style>([^<]*)<\/style>/.exec(irplan.picture().svg);
  return `.irplan {\n${palette}}\n\n${read('remark/style.css')}\n.irplan-picture {\n${rules.replaceAll('}', '}\n')}}\n`;
}

export default defineConfig({
  root: here,
  publicDir: false,
  build: {
    outDir: join(wasm, 'dist'),
    emptyOutDir: false,
    target: 'es2022',
    minify: false,
    lib: { entry: join(here, 'src/remark/index.ts'), formats: ['es'], fileName: () => 'remark.js' },
    rollupOptions: { external: ['irplan', /^node:/] },
  },
  plugins: [{ name: 'the style sheet beside it', closeBundle: async () => writeFileSync(join(wasm, 'dist/remark.css'), await styleSheet()) }],
});
