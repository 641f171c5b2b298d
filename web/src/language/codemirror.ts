// The language for CodeMirror: colours, and the service's answers in its types.
import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { HighlightStyle, StreamLanguage, type StringStream, syntaxHighlighting } from '@codemirror/language';
import { tags } from '@lezer/highlight';
import type { CompletionKind, LanguageService } from './service';
import { DTYPES, KEYWORDS, NUMBER } from './tokens';

const keywords = new Set(KEYWORDS);
const dtypes = new Set(DTYPES);
const number = new RegExp(`^(?:${NUMBER.source})`);

function token(stream: StringStream): string | null {
  if (stream.eatSpace()) return null;
  if (stream.match(/^#.*/)) return 'comment';
  if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string';
  if (stream.match(number)) return 'number';
  const word = stream.match(/^[A-Za-z_]\w*/) as RegExpMatchArray | null;
  if (!word) {
    stream.next();
    return 'punctuation';
  }
  if (keywords.has(word[0])) return 'keyword';
  if (dtypes.has(word[0])) return 'typeName';
  return stream.match(/^\s*\(/, false) ? 'function' : 'variableName';
}

export const irplan = StreamLanguage.define({
  name: 'irplan',
  token,
  tokenTable: { function: tags.function(tags.variableName) },
  languageData: { commentTokens: { line: '#' }, closeBrackets: { brackets: ['(', '[', '{', '"'] } },
});

export const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.keyword, color: 'var(--code-keyword)' },
    { tag: tags.function(tags.variableName), color: 'var(--code-call)' },
    { tag: tags.typeName, color: 'var(--code-type)' },
    { tag: tags.string, color: 'var(--code-text)' },
    { tag: tags.number, color: 'var(--code-number)' },
    { tag: tags.comment, color: 'var(--code-comment)', fontStyle: 'italic' },
    { tag: tags.punctuation, color: 'var(--code-mark)' },
  ]),
);

const TYPES: Record<CompletionKind, string> = {
  attribute: 'property',
  name: 'variable',
  operator: 'function',
  keyword: 'keyword',
  function: 'function',
  dtype: 'type',
};

export function completionSource(service: LanguageService): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const word = context.matchBefore(/\w+/);
    if (!word && !context.explicit) return null;
    const options = service.complete(context.state.doc.toString(), context.pos).map((one) => ({
      label: one.label,
      apply: one.insert,
      detail: one.detail,
      type: TYPES[one.kind],
      boost: one.rank === 0 ? 10 : 0,
      ...(one.documentation ? { info: one.documentation } : {}),
    }));
    return { from: word?.from ?? context.pos, options, validFor: /^\w*$/ };
  };
}
