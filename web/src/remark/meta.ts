// What stands behind ```irplan: words of the plugin's own, then options as the command line has them.
//
//     ```irplan file=mlp.irplan phase=decode view=memory embed=frame --dim B=8 --target cpu
import { DEFAULT_TARGET, type Options, parseOptions, quoted, words } from '../model/options';

export const VIEWS = ['memory', 'report', 'none'] as const;
export const EMBEDS = ['link', 'frame', 'element', 'none'] as const;
export type View = (typeof VIEWS)[number];
export type Embed = (typeof EMBEDS)[number];

export interface Fence {
  /** The name of the program in messages and commands. */
  file: string;
  /** Paths of files, from the document's folder: a config.json, and a program in place of the fence's text. */
  config: string | null;
  from: string | null;
  phase: string;
  view: View;
  embed: Embed;
  /** Codes of diagnostics that must come; without an error among them the program must compile. */
  expect: string[];
  options: Options;
}

const KNOWN = `file=NAME, config=PATH, from=PATH, phase=NAME, view=${VIEWS.join('|')}, embed=${EMBEDS.join('|')}, expect=CODE,…, and options of irplan plan`;

function oneOf<Name extends string>(names: readonly Name[], key: string, value: string): Name {
  const found = names.find((one) => one === value);
  if (!found) throw new Error(`\`${key}\` is one of ${names.join(', ')}, not \`${value}\``);
  return found;
}

/** `embed`: where the fence does not say. */
export function readMeta(meta: string, embed: Embed): Fence {
  const all = words(meta);
  const first = all.findIndex((word) => word.startsWith('--'));
  const own = first < 0 ? all : all.slice(0, first);
  const { options, wrong } = parseOptions(all.slice(own.length).map(quoted).join(' '), DEFAULT_TARGET);
  if (wrong !== null) throw new Error(wrong);
  const fence: Fence = { file: '', config: null, from: null, phase: '', view: 'memory', embed, expect: [], options };
  for (const word of own) {
    const [, key = word, value = ''] = /^(\w+)=(.*)$/s.exec(word) ?? [];
    if (key === 'file' || key === 'config' || key === 'from' || key === 'phase') fence[key] = value;
    else if (key === 'view') fence.view = oneOf(VIEWS, key, value);
    else if (key === 'embed') fence.embed = oneOf(EMBEDS, key, value);
    else if (key === 'expect') fence.expect = value.split(',');
    else throw new Error(`there is no \`${key}\` behind \`\`\`irplan; known are ${KNOWN}`);
  }
  fence.file ||= fence.from?.replace(/^.*\//, '') ?? 'program.irplan';
  return fence;
}
