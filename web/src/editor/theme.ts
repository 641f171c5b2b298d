// The editor's colours: the page's own, in both themes.
import * as monaco from 'monaco-editor/editor';

interface Colours {
  base: 'vs' | 'vs-dark';
  paper: string;
  ink: string;
  soft: string;
  line: string;
  selection: string;
  keyword: string;
  call: string;
  name: string;
  type: string;
  text: string;
  number: string;
  comment: string;
}

const LIGHT: Colours = {
  base: 'vs',
  paper: '#ffffff',
  ink: '#1c2026',
  soft: '#8a909a',
  line: '#f4f5f7',
  selection: '#cfe0fb',
  keyword: '#8a3ea8',
  call: '#1f5fbf',
  name: '#1c2026',
  type: '#0f7468',
  text: '#9a4a16',
  number: '#3a6b1e',
  comment: '#6d7480',
};

const DARK: Colours = {
  base: 'vs-dark',
  paper: '#191c21',
  ink: '#e3e6ea',
  soft: '#737a85',
  line: '#20242a',
  selection: '#2c4670',
  keyword: '#c79ae0',
  call: '#82b4f5',
  name: '#e3e6ea',
  type: '#6fcfbf',
  text: '#e0a679',
  number: '#a9cf86',
  comment: '#8b93a0',
};

function define(name: string, colours: Colours): void {
  const rule = (token: string, colour: string, fontStyle = ''): monaco.editor.ITokenThemeRule => ({
    token,
    foreground: colour.slice(1),
    fontStyle,
  });
  monaco.editor.defineTheme(name, {
    base: colours.base,
    inherit: true,
    rules: [
      rule('', colours.ink),
      rule('keyword', colours.keyword),
      rule('function', colours.call),
      rule('variable', colours.name),
      rule('identifier', colours.ink),
      rule('type', colours.type),
      rule('string', colours.text),
      rule('string.escape', colours.type),
      rule('number', colours.number),
      rule('comment', colours.comment, 'italic'),
      rule('operator', colours.soft),
      rule('delimiter', colours.soft),
    ],
    colors: {
      'editor.background': colours.paper,
      'editor.foreground': colours.ink,
      'editorLineNumber.foreground': colours.soft,
      'editorLineNumber.activeForeground': colours.ink,
      'editor.lineHighlightBackground': colours.line,
      'editor.lineHighlightBorder': '#00000000',
      'editor.selectionBackground': colours.selection,
      'editorGutter.background': colours.paper,
      'scrollbar.shadow': '#00000000',
    },
  });
}

export function followTheme(): void {
  define('irplan-light', LIGHT);
  define('irplan-dark', DARK);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = (): void => monaco.editor.setTheme(dark.matches ? 'irplan-dark' : 'irplan-light');
  dark.addEventListener('change', apply);
  apply();
}
