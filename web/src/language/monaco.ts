// The language for Monaco: colours, brackets, and the service's answers in its types.
import * as monaco from 'monaco-editor/editor';
import type { CompletionKind, LanguageService } from './service';
import { DTYPES, KEYWORDS, NUMBER } from './tokens';

export const LANGUAGE = 'irplan';
export const CONFIG_LANGUAGE = 'irplan-config';

const TOKENS: monaco.languages.IMonarchLanguage = {
  keywords: KEYWORDS,
  dtypes: DTYPES,
  tokenizer: {
    root: [
      [/#.*$/, 'comment'],
      [/\b(irplan)(\s+)(\d+)/, ['keyword', '', 'number']],
      [/\b(fn)(\s+)([A-Za-z_]\w*)/, ['keyword', '', 'function']],
      [/\b(let|dim|input|phase)(\s+)([A-Za-z_]\w*)/, ['keyword', '', 'variable']],
      [/\bconfig\b(?=\s*[.[])/, 'type'],
      [/[A-Za-z_]\w*(?=\s*=[^=])/, 'variable'],
      [/[A-Za-z_]\w*(?=\s*\()/, { cases: { '@keywords': 'keyword', '@default': 'function' } }],
      [/[A-Za-z_]\w*/, { cases: { '@keywords': 'keyword', '@dtypes': 'type', '@default': 'identifier' } }],
      [NUMBER, 'number'],
      [/"/, 'string', '@string'],
      [/[-+*\/%!<>=?:|&]+|\.\./, 'operator'],
      [/[[\](){},.;]/, 'delimiter'],
    ],
    string: [
      [/\\./, 'string.escape'],
      [/\{[^}"]*\}/, 'string.escape'],
      [/[^"\\{]+/, 'string'],
      [/"/, 'string', '@pop'],
    ],
  },
};

const CONFIG_TOKENS: monaco.languages.IMonarchLanguage = {
  tokenizer: {
    root: [
      [/"(?:[^"\\]|\\.)*"(?=\s*:)/, 'variable'],
      [/"(?:[^"\\]|\\.)*"/, 'string'],
      [/-?\d[\d.eE+-]*/, 'number'],
      [/\b(?:true|false|null)\b/, 'keyword'],
    ],
  },
};

const BRACKETS: monaco.languages.LanguageConfiguration = {
  brackets: [
    ['{', '}'],
    ['[', ']'],
    ['(', ')'],
  ],
  autoClosingPairs: [
    { open: '{', close: '}' },
    { open: '[', close: ']' },
    { open: '(', close: ')' },
    { open: '"', close: '"', notIn: ['string', 'comment'] },
  ],
};

const { CompletionItemKind: Kind } = monaco.languages;
const KINDS: Record<CompletionKind, monaco.languages.CompletionItemKind> = {
  attribute: Kind.Property,
  name: Kind.Variable,
  operator: Kind.Function,
  keyword: Kind.Keyword,
  function: Kind.Function,
  dtype: Kind.TypeParameter,
};

function hover(service: LanguageService): monaco.languages.HoverProvider {
  return {
    provideHover(model, position) {
      const found = service.hover(model.getValue(), model.getOffsetAt(position));
      if (!found) return null;
      const begin = model.getPositionAt(found.begin);
      const end = model.getPositionAt(found.end);
      return {
        range: new monaco.Range(begin.lineNumber, begin.column, end.lineNumber, end.column),
        contents: [{ value: `\`\`\`${LANGUAGE}\n${found.signature}\n\`\`\`` }, ...found.parts.map((value) => ({ value }))],
      };
    },
  };
}

function completion(service: LanguageService): monaco.languages.CompletionItemProvider {
  return {
    triggerCharacters: ['(', '.'],
    provideCompletionItems(model, position) {
      const word = model.getWordUntilPosition(position);
      const range = new monaco.Range(position.lineNumber, word.startColumn, position.lineNumber, word.endColumn);
      const found = service.complete(model.getValue(), model.getOffsetAt(position));
      return {
        suggestions: found.map(({ label, kind, detail, insert, documentation, rank }) => ({
          ...{ label, detail, documentation, range },
          kind: KINDS[kind],
          insertText: insert,
          sortText: `${rank}${label}`,
        })),
      };
    },
  };
}

function formatting(service: LanguageService): monaco.languages.DocumentFormattingEditProvider {
  return {
    async provideDocumentFormattingEdits(model) {
      const text = await service.format(model.getValue());
      return text === null ? [] : [{ range: model.getFullModelRange(), text }];
    },
  };
}

export function registerLanguages(service: LanguageService): void {
  const { languages } = monaco;
  languages.register({ id: LANGUAGE, extensions: ['.irplan'] });
  languages.register({ id: CONFIG_LANGUAGE, extensions: ['.json'] });
  languages.setMonarchTokensProvider(LANGUAGE, TOKENS);
  languages.setMonarchTokensProvider(CONFIG_LANGUAGE, CONFIG_TOKENS);
  languages.setLanguageConfiguration(LANGUAGE, { comments: { lineComment: '#' }, ...BRACKETS });
  languages.setLanguageConfiguration(CONFIG_LANGUAGE, BRACKETS);
  languages.registerHoverProvider(LANGUAGE, hover(service));
  languages.registerCompletionItemProvider(LANGUAGE, completion(service));
  languages.registerDocumentFormattingEditProvider(LANGUAGE, formatting(service));
}
