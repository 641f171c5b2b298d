// The editor's colours: the page's own, in all themes.
import * as monaco from 'monaco-editor/editor';
import { colourReader, isDark, onThemeChange } from '../parts/theme';

/** "rgb(28, 32, 38)", "color(srgb 0.11 0.125 0.149)": "#1c2026", as Monaco takes colours. */
function hex(colour: string): string {
  const parts = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0];
  const most = colour.startsWith('color(') ? 255 : 1;
  const digits = (n: number): string => Math.round(n * most).toString(16).padStart(2, '0');
  const alpha = parts[3] === undefined || parts[3] === 1 ? '' : digits((parts[3] * 255) / most);
  return `#${digits(parts[0]!)}${digits(parts[1]!)}${digits(parts[2]!)}${alpha}`;
}

const RULES: Record<string, string> = {
  '': '--ink',
  keyword: '--code-keyword',
  function: '--code-call',
  variable: '--ink',
  identifier: '--ink',
  type: '--code-type',
  enum: '--code-type',
  enumMember: '--ink',
  typeParameter: '--code-type',
  parameter: '--ink',
  property: '--ink',
  string: '--code-text',
  'string.escape': '--code-type',
  number: '--code-number',
  comment: '--code-comment',
  operator: '--code-mark',
  delimiter: '--code-mark',
};

const COLOURS: Record<string, string> = {
  'editor.background': '--panel',
  'editor.foreground': '--ink',
  'editorLineNumber.foreground': '--ink-soft',
  'editorLineNumber.dimmedForeground': '--ink-soft',
  'editorLineNumber.activeForeground': '--ink',
  'editor.lineHighlightBackground': '--lane',
  'editor.selectionBackground': '--selection',
  'editor.inactiveSelectionBackground': '--selection',
  'editor.wordHighlightBackground': '--accent-soft',
  'editor.wordHighlightStrongBackground': '--accent-soft',
  'editorGutter.background': '--panel',
  'editorCursor.foreground': '--ink',
  'editorInlayHint.background': '--panel',
  'editorInlayHint.foreground': '--ink-soft',
  'editorBracketMatch.background': '--accent-soft',
  'editorBracketMatch.border': '--field',
  'editorError.foreground': '--bad',
  'editorWarning.foreground': '--warn',
  'editorWidget.background': '--panel',
  'editorWidget.foreground': '--ink',
  'editorWidget.border': '--hairline',
  'editorHoverWidget.background': '--panel',
  'editorHoverWidget.foreground': '--ink',
  'editorHoverWidget.border': '--hairline',
  'editorHoverWidget.statusBarBackground': '--lane',
  'editorSuggestWidget.background': '--panel',
  'editorSuggestWidget.foreground': '--ink',
  'editorSuggestWidget.border': '--hairline',
  'editorSuggestWidget.highlightForeground': '--accent',
  'editorSuggestWidget.focusHighlightForeground': '--accent',
  'editorSuggestWidget.selectedBackground': '--accent-soft',
  'editorSuggestWidget.selectedForeground': '--ink',
  'editorSuggestWidget.selectedIconForeground': '--ink',
  'list.focusBackground': '--accent-soft',
  'list.focusForeground': '--ink',
  'list.highlightForeground': '--accent',
  'list.focusHighlightForeground': '--accent',
  'list.hoverBackground': '--lane',
  'list.activeSelectionBackground': '--accent-soft',
  'list.activeSelectionForeground': '--ink',
  'quickInput.background': '--panel',
  'quickInput.foreground': '--ink',
  'quickInputList.focusBackground': '--accent-soft',
  'quickInputList.focusForeground': '--ink',
  'input.background': '--panel',
  'input.foreground': '--ink',
  'input.border': '--field',
  'menu.background': '--panel',
  'menu.foreground': '--ink',
  'menu.selectionBackground': '--accent-soft',
  'menu.selectionForeground': '--ink',
  'menu.border': '--hairline',
  focusBorder: '--accent',
  'textLink.foreground': '--accent',
  'textCodeBlock.background': '--lane',
  'peekView.border': '--accent',
  'editorMarkerNavigation.background': '--lane',
  'keybindingLabel.background': '--lane',
  'keybindingLabel.foreground': '--ink',
};
for (let i = 1; i <= 6; i++) COLOURS[`editorBracketHighlight.foreground${i}`] = '--code-mark';
COLOURS['editorBracketHighlight.unexpectedBracket.foreground'] = '--bad';

const NONE = '#00000000';

function define(host: HTMLElement): void {
  const at = colourReader(host);
  const rules = Object.entries(RULES).map(([token, colour]) => ({
    token,
    foreground: hex(at(colour)).slice(1, 7),
    fontStyle: token === 'comment' ? 'italic' : '',
  }));
  const colors = Object.fromEntries(Object.entries(COLOURS).map(([name, token]) => [name, hex(at(token))]));
  monaco.editor.defineTheme('irplan', {
    base: isDark() ? 'vs-dark' : 'vs',
    inherit: true,
    rules,
    colors: { ...colors, 'editor.lineHighlightBorder': NONE, 'scrollbar.shadow': NONE, 'widget.shadow': NONE },
  });
  monaco.editor.setTheme('irplan');
}

/** Follows the page's theme until the returned function is called. */
export function followTheme(host: HTMLElement): () => void {
  define(host);
  return onThemeChange(() => define(host));
}
