// The text of a program as coloured lines: kinds of words by the compiler's own semantic tokens, and underlines where diagnostics are.
import type { Diagnostic, Irplan, LanguageRequest } from 'irplan';
import type { Answers, Legend } from '../language/service';
import { type Element, type Html, element } from './nodes';

interface Mark {
  begin: number;
  end: number;
  className: string;
  /** Of a diagnostic: what is wrong there. */
  title?: string;
}

/** UTF-16 units that so many bytes of UTF-8 are. */
const unitsOf = (line: string, bytes: number): number => Buffer.from(line).subarray(0, bytes).toString().length;

/** Per line; a token is five numbers, each place told from the one before. */
function tokenMarks(data: number[], { tokenTypes, tokenModifiers }: Legend): Mark[][] {
  const lines: Mark[][] = [];
  let line = 0;
  let begin = 0;
  for (let at = 0; at < data.length; at += 5) {
    const [down, along, length, type, modifiers] = data.slice(at, at + 5) as [number, number, number, number, number];
    line += down;
    begin = down ? along : begin + along;
    const own = tokenModifiers.filter((_, bit) => modifiers & (1 << bit)).map((name) => ` irplan-${name}`);
    (lines[line] ??= []).push({ begin, end: begin + length, className: `irplan-${tokenTypes[type]}${own.join('')}` });
  }
  return lines;
}

function problemMarks(diagnostics: Diagnostic[], lines: string[], number: number): Mark[] {
  const text = lines[number - 1]!;
  return diagnostics
    .filter((one) => one.line <= number && number <= one.end_line)
    .map((one) => {
      const begin = one.line === number ? unitsOf(text, one.column - 1) : 0;
      const end = one.end_line === number ? unitsOf(text, one.end_column - 1) : text.length;
      return { begin, end: Math.max(end, begin + 1), className: `irplan-${one.severity}`, title: one.message.replaceAll('`', '') };
    });
}

/** Cuts at every begin and end, so that marks can overlap. */
function lineOf(text: string, tokens: Mark[], problems: Mark[]): Html[] {
  const cuts = [...new Set([0, text.length, ...[...tokens, ...problems].flatMap(({ begin, end }) => [begin, end])])].filter((at) => at <= text.length);
  cuts.sort((a, b) => a - b);
  return cuts.slice(1).map((end, i): Html => {
    const begin = cuts[i]!;
    const part: Html = { type: 'text', value: text.slice(begin, end) };
    const covers = (mark: Mark): boolean => mark.begin <= begin && end <= mark.end;
    const token = tokens.find(covers);
    const problem = problems.find(covers);
    if (!token && !problem) return part;
    const className = [token, problem].flatMap((mark) => mark?.className.split(' ') ?? []);
    return element('span', { className, ...(problem?.title ? { title: problem.title } : {}) }, part);
  });
}

/** `diagnostics`: of this text alone. */
export function sourceOf(irplan: Irplan, request: Omit<LanguageRequest, 'ask'>, diagnostics: Diagnostic[]): Element {
  const answer = <A extends keyof Answers>(ask: A) => irplan.language({ ...request, ask }).result as Answers[A];
  const { legend } = answer('capabilities').semanticTokensProvider;
  const tokens = tokenMarks(answer('textDocument/semanticTokens/full').data, legend);
  const lines = request.text.replace(/\n$/, '').split('\n');
  const parts = lines.flatMap((text, i): Html[] => [...lineOf(text, tokens[i] ?? [], problemMarks(diagnostics, lines, i + 1)), { type: 'text', value: '\n' }]);
  return element('pre', { className: ['irplan-source'], tabIndex: 0, ariaLabel: 'program' }, element('code', { className: ['language-irplan'] }, ...parts));
}
