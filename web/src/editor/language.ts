// The .irplan language for the editor: colours, brackets, completion and hover from the compiler's own operator table.
import type { OpInfo } from 'irplan';
import * as monaco from 'monaco-editor/editor';
import type { LanguageHelp } from './editor';

export const LANGUAGE = 'irplan';
export const CONFIG_LANGUAGE = 'irplan-config';

const KEYWORDS = 'let dim input param state from fn return for in with if else phase budget require none true false'.split(' ');
const FUNCTIONS = 'min max ceil floor ceildiv sqrt log len has round'.split(' ');
const DTYPES = 'f32 f16 bf16 f8e4m3 f8e5m2 i32 i64 i8 bool q8_0 q4_0 i4g128 mxfp4'.split(' ');

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
      [/\d[\d_]*(\.\d+)?([eE][+-]?\d+)?([KMGT]i?B|B)?\b/, 'number'],
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

function signature(op: OpInfo): string {
  return op.operand_text ? `${op.name}: ${op.operand_text}` : op.name;
}

function attributesText(op: OpInfo): string {
  return op.attributes
    .map((one) => {
      const type = one.choices ?? one.kind;
      return `- \`${one.name}\`: ${type.replaceAll('|', ' | ')}${one.fallback === null ? ', required' : `, default \`${one.fallback}\``}`;
    })
    .join('\n');
}

function hoverText(op: OpInfo): monaco.IMarkdownString[] {
  const facts = [op.doc ?? '', op.shape_text ? `Shape: \`${op.shape_text}\`` : '', op.in_place ? 'May run in place.' : ''];
  return [
    { value: `\`\`\`${LANGUAGE}\n${signature(op)}\n\`\`\`` },
    { value: facts.filter(Boolean).join('\n\n') },
    { value: attributesText(op) },
  ];
}

function hover(help: LanguageHelp): monaco.languages.HoverProvider {
  return {
    provideHover(model, position) {
      const word = model.getWordAtPosition(position);
      const op = help.ops()?.ops.find((one) => one.name === word?.word && !one.fused);
      return op ? { contents: hoverText(op) } : null;
    },
  };
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

function names(text: string): Set<string> {
  const found = text.matchAll(/(?:^|[;{}(,]|\b(?:let|dim|input|fn|for))\s*([A-Za-z_]\w*)\s*(?=[=:,(]|\bin\b)/gm);
  return new Set([...found].map((match) => match[1]!));
}

function completion(help: LanguageHelp): monaco.languages.CompletionItemProvider {
  const { CompletionItemKind: Kind } = monaco.languages;
  return {
    triggerCharacters: ['('],
    provideCompletionItems(model, position) {
      const word = model.getWordUntilPosition(position);
      const range = new monaco.Range(position.lineNumber, word.startColumn, position.lineNumber, word.endColumn);
      const from = Math.max(1, position.lineNumber - 20);
      const before = model.getValueInRange(new monaco.Range(from, 1, position.lineNumber, word.startColumn));
      const ops = (help.ops()?.ops ?? []).filter((op) => !op.fused);
      const call = ops.find((op) => op.name === enclosingCall(before));
      const item = (label: string, kind: monaco.languages.CompletionItemKind, detail: string, insertText = label) => ({ label, kind, detail, insertText, range });
      const known = new Set([...ops.map((op) => op.name), ...KEYWORDS, ...FUNCTIONS, ...DTYPES, word.word]);
      const attributes = (call?.attributes ?? []).map((one) => ({
        ...item(one.name, Kind.Property, one.fallback === null ? 'required' : `= ${one.fallback}`, `${one.name}=`),
        sortText: `0${one.name}`,
      }));
      const own = [...names(model.getValue())].filter((name) => !known.has(name));
      return {
        suggestions: [
          ...attributes,
          ...own.map((name) => item(name, Kind.Variable, '')),
          ...ops.map((op) => ({ ...item(op.name, Kind.Function, op.operand_text ?? ''), documentation: op.doc ?? '' })),
          ...KEYWORDS.map((name) => item(name, Kind.Keyword, '')),
          ...FUNCTIONS.map((name) => item(name, Kind.Function, 'compile time')),
          ...DTYPES.map((name) => item(name, Kind.TypeParameter, 'dtype')),
        ],
      };
    },
  };
}

function formatting(help: LanguageHelp): monaco.languages.DocumentFormattingEditProvider {
  return {
    async provideDocumentFormattingEdits(model) {
      const text = await help.format(model.getValue());
      return text === null ? [] : [{ range: model.getFullModelRange(), text }];
    },
  };
}

export function registerLanguages(help: LanguageHelp): void {
  const { languages } = monaco;
  languages.register({ id: LANGUAGE, extensions: ['.irplan'] });
  languages.register({ id: CONFIG_LANGUAGE, extensions: ['.json'] });
  languages.setMonarchTokensProvider(LANGUAGE, TOKENS);
  languages.setMonarchTokensProvider(CONFIG_LANGUAGE, CONFIG_TOKENS);
  languages.setLanguageConfiguration(LANGUAGE, { comments: { lineComment: '#' }, ...BRACKETS });
  languages.setLanguageConfiguration(CONFIG_LANGUAGE, BRACKETS);
  languages.registerHoverProvider(LANGUAGE, hover(help));
  languages.registerCompletionItemProvider(LANGUAGE, completion(help));
  languages.registerDocumentFormattingEditProvider(LANGUAGE, formatting(help));
}
