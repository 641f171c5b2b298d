// The options of `irplan plan`, as the page's field has them: the command line's own words.

export const STRENGTHS = ['portfolio', 'limited', 'exact'] as const;
export type Strength = (typeof STRENGTHS)[number];

export interface Options {
  target: string;
  /** As written on the command line after --let. */
  lets: Record<string, string>;
  /** As written after --dim: fixed when compiling, unlike the sliders. */
  dims: Record<string, number>;
  /** As written after --retype: other dtypes of `state` and `weights`. */
  retypes: Partial<Record<'state' | 'weights', string>>;
  keepOrder: boolean;
  strength: Strength;
  denyWarnings: boolean;
}

export const DEFAULT_TARGET = 'cuda:sm_90';
/** What the page offers; `--target` takes the others. */
export const TARGETS = ['cuda:sm_80', 'cuda:sm_89', 'cuda:sm_90', 'cuda:sm_100', 'cpu'];

export function defaultOptions(): Options {
  return {
    target: DEFAULT_TARGET,
    lets: {},
    dims: {},
    retypes: {},
    keepOrder: false,
    strength: 'portfolio',
    denyWarnings: false,
  };
}

/** The options as they are typed: "--let C=4096 --dim B=8 --deny-warnings"; the target has its own control. */
export function optionsText(options: Options): string {
  return [
    ...Object.entries(options.lets).map(([name, value]) => `--let ${name}=${quoted(value)}`),
    ...Object.entries(options.dims).map(([name, size]) => `--dim ${name}=${size}`),
    ...Object.entries(options.retypes).map(([what, dtype]) => `--retype ${what}=${dtype}`),
    ...(options.keepOrder ? ['--keep-order'] : []),
    ...(options.strength === 'portfolio' ? [] : [`--strength ${options.strength}`]),
    ...(options.denyWarnings ? ['--deny-warnings'] : []),
  ].join(' ');
}

/** The same with the target, where that is another than what needs no saying: as the command line has it. */
export function commandOptions(options: Options): string {
  return [options.target === DEFAULT_TARGET ? '' : `--target ${options.target}`, optionsText(options)].filter(Boolean).join(' ');
}

export function quoted(value: string): string {
  return /^[\w.+-]*$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Words apart by blanks; quotes keep blanks. */
export function words(text: string): string[] {
  const found = text.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? [];
  return found.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, a?: string, b?: string) => a ?? b ?? ''));
}

const KNOWN = '--let NAME=VALUE, --dim NAME=N, --retype state|weights=DTYPE, --keep-order, --strength NAME, --target NAME, --deny-warnings';

type Reader = (options: Options, value: string) => string | null; // what is wrong, if anything

function pair(value: string, flag: string): [string, string] | string {
  const [, name, text] = /^(\w+)=(.+)$/s.exec(value) ?? [];
  return name && text ? [name, text] : `\`${flag}\` takes NAME=VALUE, not \`${value}\``;
}

const WITH_VALUE: Record<string, Reader> = {
  '--let': (options, value) => {
    const read = pair(value, '--let');
    if (typeof read === 'string') return read;
    options.lets[read[0]] = read[1];
    return null;
  },
  '--dim': (options, value) => {
    const read = pair(value, '--dim');
    if (typeof read === 'string') return read;
    const digits = read[1].replaceAll('_', '');
    if (!/^\d+$/.test(digits) || !Number.isSafeInteger(Number(digits))) return `\`--dim ${value}\`: \`${read[1]}\` is not a whole number`;
    options.dims[read[0]] = Number(digits);
    return null;
  },
  '--retype': (options, value) => {
    const read = pair(value, '--retype');
    if (typeof read === 'string') return read;
    if (read[0] !== 'state' && read[0] !== 'weights') return `\`--retype\` takes state=DTYPE or weights=DTYPE, not \`${value}\``;
    options.retypes[read[0]] = read[1];
    return null;
  },
  '--strength': (options, value) => {
    const found = STRENGTHS.find((one) => one === value);
    if (!found) return `\`--strength\` takes ${STRENGTHS.join(', ')}, not \`${value}\``;
    options.strength = found;
    return null;
  },
  '--target': (options, value) => {
    options.target = value;
    return null;
  },
};

const ALONE: Record<string, (options: Options) => void> = {
  '--keep-order': (options) => (options.keepOrder = true),
  '--deny-warnings': (options) => (options.denyWarnings = true),
};

/** Reads what optionsText writes, and `--target`; `wrong` says what cannot be read. */
export function parseOptions(text: string, target: string): { options: Options; wrong: string | null } {
  const options: Options = { ...defaultOptions(), target };
  const rest = words(text);
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i]!;
    const alone = ALONE[word];
    if (alone) {
      alone(options);
      continue;
    }
    const [flag, inline] = word.split(/=(.*)/s, 2) as [string, string | undefined];
    const read = WITH_VALUE[flag];
    if (!read) return { options, wrong: `there is no option \`${word}\` here; known are ${KNOWN}` };
    const value = inline ?? rest[++i];
    if (value === undefined) return { options, wrong: `\`${flag}\` has no value` };
    const wrong = read(options, value);
    if (wrong !== null) return { options, wrong };
  }
  return { options, wrong: null };
}
