// What a reader can change and a link can carry: the program, its config, the options, and the sizes looked at.

export interface Options {
  target: string;
  /** As written on the command line after --let. */
  lets: Record<string, string>;
  /** As written after --dim: fixed when compiling, unlike the sliders. */
  dims: Record<string, number>;
  /** As written after --retype: other dtypes of `state` and `weights`. */
  retypes: Partial<Record<'state' | 'weights', string>>;
  denyWarnings: boolean;
}

export interface Document {
  file: string;
  text: string;
  /** Empty: none. */
  config: string;
  configName: string;
  options: Options;
  /** Sizes of the sliders that were moved. */
  sizes: Record<string, number>;
}

export const DEFAULT_TARGET = 'cuda:sm_90';
export const TARGETS = ['cuda:sm_90', 'cpu'];

export function defaultOptions(): Options {
  return { target: DEFAULT_TARGET, lets: {}, dims: {}, retypes: {}, denyWarnings: false };
}

/** The options as they are typed: "--let C=4096 --dim B=8 --deny-warnings"; the target has its own control. */
export function optionsText(options: Options): string {
  return [
    ...Object.entries(options.lets).map(([name, value]) => `--let ${name}=${quoted(value)}`),
    ...Object.entries(options.dims).map(([name, size]) => `--dim ${name}=${size}`),
    ...Object.entries(options.retypes).map(([what, dtype]) => `--retype ${what}=${dtype}`),
    ...(options.denyWarnings ? ['--deny-warnings'] : []),
  ].join(' ');
}

function quoted(value: string): string {
  return /^[\w.+-]*$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Words apart by blanks; quotes keep blanks. */
function words(text: string): string[] {
  const found = text.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? [];
  return found.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, a?: string, b?: string) => a ?? b ?? ''));
}

/** Reads what optionsText writes; `wrong` names the first word that is no option. */
export function parseOptions(text: string, target: string): { options: Options; wrong: string | null } {
  const options: Options = { ...defaultOptions(), target };
  const rest = words(text);
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i]!;
    if (word === '--deny-warnings') {
      options.denyWarnings = true;
      continue;
    }
    const [flag, inline] = word.split(/=(.*)/s, 2) as [string, string | undefined];
    const isPair = flag === '--let' || flag === '--dim' || flag === '--retype';
    const pair = isPair ? (inline ?? rest[++i] ?? '') : '';
    const [, name, value] = /^(\w+)=(.+)$/s.exec(pair) ?? [];
    if (!name || !value) return { options, wrong: word };
    if (flag === '--let') options.lets[name] = value;
    else if (flag === '--retype' && (name === 'state' || name === 'weights')) options.retypes[name] = value;
    else if (flag === '--retype') return { options, wrong: pair };
    else if (/^\d+$/.test(value)) options.dims[name] = Number(value);
    else return { options, wrong: pair };
  }
  return { options, wrong: null };
}

/** The command that gives the same plan.json, byte for byte. */
export function commandLine(document: Document): string {
  const parts = ['irplan', 'plan', quoted(document.file)];
  if (document.config.trim()) parts.push('--config', quoted(document.configName));
  if (document.options.target !== DEFAULT_TARGET) parts.push('--target', document.options.target);
  const options = optionsText(document.options);
  if (options) parts.push(options);
  return parts.join(' ');
}
