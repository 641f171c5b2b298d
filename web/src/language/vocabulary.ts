// The language as the compiler's table of operators has it: completion of operators, attributes and the program's own
// names, and the operators' documentation.
import type { OpInfo, OpsReply } from 'irplan';
import type { Completion, CompletionKind, Hover, LanguageService } from './service';
import { DTYPES, FUNCTIONS, KEYWORDS } from './tokens';

const WORD = /[A-Za-z_]\w*/y;

function wordBefore(text: string, offset: number): number {
  let begin = offset;
  while (begin > 0 && /\w/.test(text[begin - 1]!)) begin--;
  return begin;
}

/** The op whose call the position stands in, looking back over the text before it. */
function enclosingCall(before: string): string | null {
  let depth = 0;
  for (let i = before.length - 1; i >= 0; i--) {
    if (before[i] === ')') depth++;
    else if (before[i] === '(' && depth-- === 0) return /(\w+)\s*$/.exec(before.slice(0, i))?.[1] ?? null;
  }
  return null;
}

function ownNames(text: string): Set<string> {
  const found = text.matchAll(/(?:^|[;{}(,]|\b(?:let|dim|input|fn|for))\s*([A-Za-z_]\w*)\s*(?=[=:,(]|\bin\b)/gm);
  return new Set([...found].map((match) => match[1]!));
}

function attributesText(op: OpInfo): string {
  return op.attributes
    .map((one) => {
      const type = one.choices ?? one.kind;
      return `- \`${one.name}\`: ${type.replaceAll('|', ' | ')}${one.fallback === null ? ', required' : `, default \`${one.fallback}\``}`;
    })
    .join('\n');
}

export class Vocabulary implements LanguageService {
  #ops: () => OpsReply | null;
  #format: (text: string) => Promise<string | null>;

  constructor(ops: () => OpsReply | null, format: (text: string) => Promise<string | null>) {
    this.#ops = ops;
    this.#format = format;
  }

  get #written(): OpInfo[] {
    return (this.#ops()?.ops ?? []).filter((op) => !op.fused);
  }

  format(text: string): Promise<string | null> {
    return this.#format(text);
  }

  hover(text: string, offset: number): Hover | null {
    const begin = wordBefore(text, offset);
    WORD.lastIndex = begin;
    const word = WORD.exec(text)?.[0];
    const op = this.#written.find((one) => one.name === word);
    if (!op || !word) return null;
    const facts = [op.doc ?? '', op.shape_text ? `Shape: \`${op.shape_text}\`` : '', op.in_place ? 'May run in place.' : ''];
    const signature = op.operand_text ? `${op.name}: ${op.operand_text}` : op.name;
    return { begin, end: begin + word.length, signature, parts: [facts.filter(Boolean).join('\n\n'), attributesText(op)] };
  }

  complete(text: string, offset: number): Completion[] {
    const begin = wordBefore(text, offset);
    const ops = this.#written;
    const call = ops.find((op) => op.name === enclosingCall(text.slice(Math.max(0, begin - 2000), begin)));
    const item = (label: string, kind: CompletionKind, detail = '', rank = 1): Completion => ({
      label,
      kind,
      detail,
      insert: label,
      documentation: '',
      rank,
    });
    const known = new Set([...ops.map((op) => op.name), ...KEYWORDS, ...FUNCTIONS, ...DTYPES, text.slice(begin, offset)]);
    for (const one of call?.attributes ?? []) known.add(one.name);
    return [
      ...(call?.attributes ?? []).map((one) => ({
        ...item(one.name, 'attribute', one.fallback === null ? 'required' : `= ${one.fallback}`, 0),
        insert: `${one.name}=`,
      })),
      ...[...ownNames(text)].filter((name) => !known.has(name)).map((name) => item(name, 'name')),
      ...ops.map((op) => ({ ...item(op.name, 'operator', op.operand_text ?? ''), documentation: op.doc ?? '' })),
      ...KEYWORDS.map((name) => item(name, 'keyword')),
      ...FUNCTIONS.map((name) => item(name, 'function', 'compile time')),
      ...DTYPES.map((name) => item(name, 'dtype', 'dtype')),
    ];
  }
}
