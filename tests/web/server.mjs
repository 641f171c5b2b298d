// Serves a folder on a free port, under a sub-path, as a team's own host might.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.ttf': 'font/ttf',
  '.json': 'application/json',
};

// As a careful host sends them: the page's own policy once more, and for a frame that has no origin of its own.
const policyOf = (folder) => {
  const [, own] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(readFileSync(join(folder, 'index.html'), 'utf8'));
  return own.replace('img-src', "frame-src 'self'; img-src");
};
const HEADERS = {
  'access-control-allow-origin': '*',
  'x-content-type-options': 'nosniff',
};

/** As a site of documentation with a strict policy sends its own pages. */
const STRICT = {
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data: blob:; frame-src 'self'",
  'content-type': TYPES['.html'],
};

const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }; // what is sent often is compressed once

/** `compressed`: files are sent as hosts send them, by brotli. `pages`: of somebody's site beside the folder, by path. */
export async function serve(folder, base = '/some/folder/', { compressed = false } = {}) {
  const zipped = new Map(); // by what is compressed: a file's path, or a page's text
  const compress = (key, content) => zipped.get(key) ?? zipped.set(key, brotliCompressSync(content(), BROTLI)).get(key);
  const policy = policyOf(folder);
  const pages = new Map();
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname;
    if (pages.has(path)) {
      const text = pages.get(path);
      if (compressed) response.writeHead(200, { ...STRICT, 'content-encoding': 'br' }).end(compress(text, () => text));
      else response.writeHead(200, STRICT).end(text);
      return;
    }
    const inside = path.startsWith(base) ? normalize(path.slice(base.length) || 'index.html') : '..';
    const file = join(folder, inside);
    if (inside.startsWith('..') || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    const headers = { ...HEADERS, 'content-security-policy': policy, 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' };
    if (compressed) {
      response.writeHead(200, { ...headers, 'content-encoding': 'br' }).end(compress(file, () => readFileSync(file)));
      return;
    }
    response.writeHead(200, headers);
    createReadStream(file).pipe(response);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { origin, url: origin + base, pages, close: () => server.close() };
}
