// The language for CodeMirror: colours, and the service's answers in its types.
import { type CompletionContext, type CompletionResult, snippet } from '@codemirror/autocomplete';
import { HighlightStyle, StreamLanguage, type StringStream, syntaxHighlighting } from '@codemirror/language';
import type { Text } from '@codemirror/state';
import { tags } from '@lezer/highlight';
import type { LanguageService, Position, Words } from './service';

/** By words that the service knows; before it answers, none. */
export function irplan(words: Words | null): StreamLanguage<unknown> {
  const keywords = new Set(words?.keywords);
  const dtypes = new Set(words?.dtypes);
  const calls = new Set([...(words?.operators ?? []), ...(words?.functions ?? [])]);
  const token = (stream: StringStream): string | null => {
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return 'comment';
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string';
    if (stream.match(/^\d[\w.]*/)) return 'number';
    const word = stream.match(/^[A-Za-z_]\w*/) as RegExpMatchArray | null;
    if (!word) {
      stream.next();
      return 'punctuation';
    }
    if (keywords.has(word[0])) return 'keyword';
    if (dtypes.has(word[0])) return 'typeName';
    return calls.has(word[0]) ? 'function' : 'variableName';
  };
  return StreamLanguage.define({
    name: 'irplan',
    token,
    tokenTable: { function: tags.function(tags.variableName) },
    languageData: { commentTokens: { line: '#' }, closeBrackets: { brackets: ['(', '[', '{', '"'] } },
  });
}

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

export function positionAt(doc: Text, offset: number): Position {
  const line = doc.lineAt(offset);
  return { line: line.number - 1, character: offset - line.from };
}

export function offsetAt(doc: Text, { line, character }: Position): number {
  if (line >= doc.lines) return doc.length;
  const found = doc.line(line + 1);
  return Math.min(found.to, found.from + character);
}

/** The protocol's kinds of completions that have an icon. */
const TYPES: Record<number, string> = { 3: 'function', 5: 'property', 6: 'variable', 7: 'type', 10: 'property', 13: 'enum', 14: 'keyword', 21: 'constant', 25: 'type' };

export function completionSource(service: LanguageService): (context: CompletionContext) => Promise<CompletionResult | null> {
  return async (context) => {
    const { doc } = context.state;
    const typed = context.matchBefore(/[\w.("=]/);
    if (!typed && !context.explicit) return null;
    const { result } = await service.ask('textDocument/completion', doc.toString(), { position: positionAt(doc, context.pos) });
    const first = result?.items[0];
    if (!first || context.aborted) return null;
    const options = result.items.map((one) => ({
      label: one.label,
      apply: one.insertTextFormat === 2 ? snippet(one.textEdit.newText.replaceAll('$0', '${}')) : one.textEdit.newText,
      type: TYPES[one.kind] ?? 'text',
      boost: -Number(one.sortText[0]),
      ...(one.detail ? { detail: one.detail } : {}),
      ...(one.documentation ? { info: one.documentation.value.replaceAll('`', '') } : {}),
    }));
    return { from: offsetAt(doc, first.textEdit.range.start), options, validFor: /^\w*$/ };
  };
}
