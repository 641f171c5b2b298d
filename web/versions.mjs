// Released versions of the page stay where links find them: c/<version>/ beside the newest, listed in c/index.json.
//
//   npm --prefix web run keep      keeps the built page as its version's, in web/released/<version>/
//
// Every later build serves what is kept (CONTRIBUTING.md, "Release a version").
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const VERSION = /^\d[\w.+-]*$/;
/** Whether a folder's name is a version's: a link must not lead anywhere else. */
export const isVersion = (name) => VERSION.test(name);

/** The version that a built page carries. */
export function versionOf(dist) {
  const [, version] = /<meta name="irplan-version" content="([^"]+)"/.exec(readFileSync(join(dist, 'index.html'), 'utf8')) ?? [];
  if (!version || !isVersion(version)) throw new Error(`${dist}/index.html names no version`);
  return version;
}

/** Keeps a built page, all but the versions that it serves itself. */
export function keep(dist, released) {
  const version = versionOf(dist);
  const to = join(released, version);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(released, { recursive: true });
  const inner = resolve(dist, 'c');
  cpSync(dist, to, { recursive: true, filter: (source) => resolve(source) !== inner });
  return version;
}

/** Puts what is kept beside the built page. */
export function serveReleased(dist, released) {
  const current = versionOf(dist);
  const kept = existsSync(released) ? readdirSync(released).filter((name) => isVersion(name) && existsSync(join(released, name, 'index.html'))) : [];
  const versions = kept.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  rmSync(join(dist, 'c'), { recursive: true, force: true });
  mkdirSync(join(dist, 'c'));
  for (const version of versions) cpSync(join(released, version), join(dist, 'c', version), { recursive: true });
  writeFileSync(join(dist, 'c/index.json'), `${JSON.stringify({ current, versions })}\n`);
  return versions;
}

if (process.argv[1] === import.meta.filename) {
  const dist = join(import.meta.dirname, 'dist');
  const released = process.env.IRPLAN_RELEASED ?? join(import.meta.dirname, 'released');
  if (process.argv[2] === 'keep') console.log(`kept as ${keep(dist, released)}`);
  console.log(`served besides: ${serveReleased(dist, released).join(', ') || 'no other version'}`);
}
