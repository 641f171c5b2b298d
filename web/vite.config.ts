import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type HtmlTagDescriptor, type Plugin, defineConfig } from 'vite';

// The compiler's package; another folder with the same two files can stand in for it.
const compiler = resolve(process.env['IRPLAN_WASM'] ?? resolve(import.meta.dirname, '../wasm'));
if (!existsSync(resolve(compiler, 'dist/irplan.wasm')))
  throw new Error(`${compiler}/dist/irplan.wasm is missing: build the wasm target first`);

/** Writes sw.js, which keeps every file of the page. */
function offline(): Plugin {
  return {
    name: 'offline',
    apply: 'build',
    generateBundle: {
      order: 'post', // what the page holds itself is no file of its own any more
      handler(_, bundle) {
        const files = Object.keys(bundle).filter((name) => name !== 'index.html').sort();
        const text = readFileSync(resolve(import.meta.dirname, 'src/page/offline_worker.js'), 'utf8');
        const contents = Object.values(bundle).map((file) => (file.type === 'chunk' ? file.code : file.source));
        const hash = contents.reduce((sum, content) => sum.update(content), createHash('sha256')).digest('hex').slice(0, 12);
        const source = text.replace("'__FILES__'", ['./', ...files].map((name) => JSON.stringify(name)).join(', ')).replace('__HASH__', hash);
        this.emitFile({ type: 'asset', fileName: 'sw.js', source });
      },
    },
  };
}

/** The page names the version of its compiler, so that links find it when it is kept (versions.mjs). */
function versioned(): Plugin {
  return {
    name: 'version',
    async transformIndexHtml() {
      const { load } = (await import(pathToFileURL(resolve(compiler, 'index.js')).href)) as typeof import('irplan');
      const { version } = (await load(readFileSync(resolve(compiler, 'dist/irplan.wasm')))).version();
      return [{ tag: 'meta', attrs: { name: 'irplan-version', content: version }, injectTo: 'head' }];
    },
  };
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** What a first visitor reads is in the page itself: it is there before any script is. */
function readable(): Plugin {
  const program = readFileSync(resolve(import.meta.dirname, '../examples/hotpath.irplan'), 'utf8'); // what is opened first (src/page/examples.ts)
  return {
    name: 'readable',
    transformIndexHtml: {
      order: 'post',
      handler(html, { path }) {
        if (path !== '/index.html') return html;
        const [, script = ''] = /<script>(.*?)<\/script>/s.exec(html) ?? [];
        const hash = createHash('sha256').update(script).digest('base64');
        return html
          .replace("script-src 'self'", `script-src 'self' 'sha256-${hash}'`)
          .replace(/(<textarea id="plain-program"[^>]*>)/, (area) => area + escaped(program));
      },
    },
  };
}

/** The page's own style is in it, and the compiler is asked for while the page's scripts are still on their way. */
function early(): Plugin {
  return {
    name: 'early',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { path, bundle }) {
        const wasm = Object.keys(bundle ?? {}).find((name) => /\/irplan-(?!run-)[^/]*\.wasm$/.test(name));
        if (path !== '/index.html' || !wasm) return html;
        const styled = html.replace(/<link rel="stylesheet"[^>]* href="\.\/([^"]*)">/, (link, name: string) => {
          const sheet = bundle?.[name];
          if (sheet?.type !== 'asset') return link;
          delete bundle![name];
          return `<style>${String(sheet.source).trim()}</style>`;
        });
        const tags: HtmlTagDescriptor[] = [{ tag: 'link', injectTo: 'head', attrs: { rel: 'preload', as: 'fetch', type: 'application/wasm', crossorigin: 'anonymous', fetchpriority: 'low', href: `./${wasm}` } }];
        return { html: styled, tags };
      },
    },
  };
}

/** Parts of Monaco that its editor of one text names and the page never makes: two texts side by side, drawing by the GPU. A sixteenth of its bytes. */
function trimmed(): Plugin {
  const parts = new Map([
    ['/diffEditor/diffEditorWidget.js', 'DiffEditorWidget'],
    ['/multiDiffEditor/multiDiffEditorWidget.js', 'MultiDiffEditorWidget'],
    ['/gpu/viewGpuContext.js', 'ViewGpuContext'],
    ['/viewLinesGpu/viewLinesGpu.js', 'ViewLinesGpu'],
    ['/rulersGpu/rulersGpu.js', 'RulersGpu'],
    ['/gpuMark/gpuMark.js', 'GpuMarkOverlay'],
  ]);
  const left = new Set<string>();
  return {
    name: 'trimmed',
    enforce: 'pre',
    apply: 'build',
    resolveId(path, importer) {
      const part = importer?.includes('monaco-editor') ? [...parts.keys()].find((ending) => path.endsWith(ending)) : undefined;
      return part ? `\0left out:${part}` : null;
    },
    load(id) {
      const [, part] = /^\0left out:(.*)$/.exec(id) ?? [];
      if (!part) return null;
      left.add(part);
      return `export class ${parts.get(part)} {}`;
    },
    buildEnd(error) {
      if (!error && left.size < parts.size) throw new Error(`Monaco has no ${[...parts.keys()].filter((part) => !left.has(part)).join(', ')} any more: see trimmed() in vite.config.ts`);
    },
  };
}

export default defineConfig({
  base: './', // works from any folder of any host
  resolve: {
    alias: [
      { find: /^irplan$/, replacement: resolve(compiler, 'index.js') },
      { find: /^irplan\/run$/, replacement: resolve(compiler, 'run.js') },
      { find: /^irplan\/(irplan|irplan-run)\.wasm/, replacement: `${resolve(compiler, 'dist')}/$1.wasm` },
    ],
  },
  server: { fs: { allow: [resolve(import.meta.dirname, '..'), compiler] } },
  plugins: [trimmed(), readable(), early(), offline(), versioned()],
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 5000, // Monaco, which loads after the first paint
    assetsInlineLimit: 0, // inlined assets would need data: in the page's policy
    rolldownOptions: {
      input: {
        index: resolve(import.meta.dirname, 'index.html'),
        embed: resolve(import.meta.dirname, 'embed/index.html'),
        'irplan-embed': resolve(import.meta.dirname, 'src/embed/element.ts'),
      },
      preserveEntrySignatures: 'exports-only',
      output: { entryFileNames: (chunk) => (chunk.name === 'irplan-embed' ? 'embed/irplan-embed.js' : 'assets/[name]-[hash].js') },
    },
  },
});
