// The full editor. Loaded after the first paint: it is most of the page's weight.
import type { Diagnostic } from 'irplan';
import * as monaco from 'monaco-editor/editor';
import EditorWorker from 'monaco-editor/editor/editor.worker?worker';
import 'monaco-editor/features/bracketMatching/register';
import 'monaco-editor/features/caretOperations/register';
import 'monaco-editor/features/clipboard/register';
import 'monaco-editor/features/codeAction/register';
import 'monaco-editor/features/comment/register';
import 'monaco-editor/features/contextmenu/register';
import 'monaco-editor/features/cursorUndo/register';
import 'monaco-editor/features/documentSymbols/register';
import 'monaco-editor/features/find/register';
import 'monaco-editor/features/folding/register';
import 'monaco-editor/features/format/register';
import 'monaco-editor/features/gotoError/register';
import 'monaco-editor/features/gotoLine/register';
import 'monaco-editor/features/gotoSymbol/register';
import 'monaco-editor/features/hover/register';
import 'monaco-editor/features/indentation/register';
import 'monaco-editor/features/inlayHints/register';
import 'monaco-editor/features/linesOperations/register';
import 'monaco-editor/features/multicursor/register';
import 'monaco-editor/features/parameterHints/register';
import 'monaco-editor/features/quickCommand/register';
import 'monaco-editor/features/quickOutline/register';
import 'monaco-editor/features/referenceSearch/register';
import 'monaco-editor/features/rename/register';
import 'monaco-editor/editor/contrib/semanticTokens/browser/documentSemanticTokens'; // the feature of this name knows ranges alone
import 'monaco-editor/features/smartSelect/register';
import 'monaco-editor/editor/contrib/suggest/browser/suggestController'; // features/suggest registers inline completion alone
import 'monaco-editor/features/snippet/register';
import 'monaco-editor/features/suggest/register';
import 'monaco-editor/features/toggleTabFocusMode/register';
import 'monaco-editor/features/wordHighlighter/register';
import 'monaco-editor/features/wordOperations/register';
import { CONFIG_LANGUAGE, LANGUAGE, registerLanguages } from '../language/monaco';
import type { LanguageService } from '../language/service';
import { columnInUnits } from '../model/text';
import type { EditorEvents, EditorPlace, Tab, TextEditor, Texts } from './editor';
import { followTheme } from './theme';

const OWNER = 'irplan';

interface Place {
  line: number;
  column: number;
  end_line: number;
  end_column: number;
}

export class MonacoEditor implements TextEditor {
  #editor: monaco.editor.IStandaloneCodeEditor;
  #models: Record<Tab, monaco.editor.ITextModel>;
  #views: Partial<Record<Tab, monaco.editor.ICodeEditorViewState | null>> = {};
  #shown: Tab = 'program';
  #lines: monaco.editor.IEditorDecorationsCollection;

  #events: EditorEvents;
  #endTheme: () => void;

  constructor(host: HTMLElement, texts: Texts, events: EditorEvents, service: LanguageService) {
    self.MonacoEnvironment = { getWorker: () => new EditorWorker() };
    void registerLanguages(service);
    this.#endTheme = followTheme(host);
    this.#events = events;
    this.#models = this.#makeModels(texts);
    const style = getComputedStyle(host);
    this.#editor = monaco.editor.create(host, {
      model: this.#models.program,
      automaticLayout: true,
      fontFamily: style.getPropertyValue('--font-mono'),
      fontSize: 13,
      lineHeight: 20,
      minimap: { enabled: false },
      bracketPairColorization: { enabled: false },
      scrollBeyondLastLine: false,
      renderLineHighlight: 'line',
      overviewRulerBorder: false,
      overviewRulerLanes: 2,
      hideCursorInOverviewRuler: true,
      lineNumbersMinChars: 3,
      lineDecorationsWidth: 8,
      padding: { top: 10, bottom: 10 },
      tabSize: 2,
      wordBasedSuggestions: 'off',
      fixedOverflowWidgets: true,
      scrollbar: { verticalScrollbarSize: 10, horizontalScrollbarSize: 10, useShadows: false },
      ariaLabel: 'Program. Control M frees the Tab key.',
      accessibilitySupport: 'auto',
      suggest: { showIcons: true },
      'semanticHighlighting.enabled': true,
      inlayHints: { enabled: 'on', fontSize: 12, padding: false },
    });
    this.#lines = this.#editor.createDecorationsCollection();
    this.#editor.onDidChangeCursorPosition((event) => {
      if (this.#shown === 'program') events.cursor(event.position.lineNumber);
    });
  }

  #makeModels(texts: Texts): Record<Tab, monaco.editor.ITextModel> {
    const models = {
      program: monaco.editor.createModel(texts.program, LANGUAGE),
      config: monaco.editor.createModel(texts.config, CONFIG_LANGUAGE),
    };
    const plainBrackets = { bracketColorizationOptions: { enabled: false, independentColorPoolPerBracketType: false } };
    for (const model of Object.values(models)) {
      model.updateOptions(plainBrackets);
      model.onDidChangeContent(this.#events.change);
    }
    return models;
  }

  /** Takes over from another editor: same place, same focus. */
  continueFrom({ focused, offset }: EditorPlace): void {
    const model = this.#editor.getModel();
    if (!focused || !model) return;
    this.#editor.setPosition(model.getPositionAt(offset));
    this.#editor.focus();
  }

  place(): EditorPlace {
    const position = this.#editor.getPosition();
    const offset = position ? (this.#editor.getModel()?.getOffsetAt(position) ?? 0) : 0;
    return { focused: this.#editor.hasTextFocus(), offset };
  }

  text(tab: Tab): string {
    return this.#models[tab].getValue();
  }

  open(texts: Texts): void {
    const before = this.#models;
    this.#models = this.#makeModels(texts);
    this.#views = {};
    this.#lines.clear();
    this.#editor.setModel(this.#models[this.#shown]);
    this.#lines = this.#editor.createDecorationsCollection();
    for (const model of Object.values(before)) model.dispose();
  }

  change(tab: Tab, text: string): void {
    const model = this.#models[tab];
    if (model.getValue() === text) return;
    model.pushStackElement();
    model.pushEditOperations([], [{ range: model.getFullModelRange(), text }], () => null);
    model.pushStackElement();
  }

  show(tab: Tab): void {
    if (tab === this.#shown) return;
    this.#views[this.#shown] = this.#editor.saveViewState();
    this.#shown = tab;
    this.#editor.setModel(this.#models[tab]);
    const view = this.#views[tab];
    if (view) this.#editor.restoreViewState(view);
  }

  setDiagnostics(diagnostics: Record<Tab, Diagnostic[]>): void {
    for (const tab of ['program', 'config'] as const) {
      const model = this.#models[tab];
      monaco.editor.setModelMarkers(model, OWNER, diagnostics[tab].map((one) => this.#marker(one, model)));
    }
  }

  #marker(diagnostic: Diagnostic, model: monaco.editor.ITextModel): monaco.editor.IMarkerData {
    const { code, severity, message, notes, fixes, labels } = diagnostic;
    const { MarkerSeverity } = monaco;
    return {
      ...this.#range(diagnostic, model),
      severity: severity === 'error' ? MarkerSeverity.Error : MarkerSeverity.Warning,
      code,
      source: 'irplan',
      message: [message, ...notes, ...fixes.map((fix) => `help: ${fix.message}`)].join('\n'),
      relatedInformation: labels.map((label) => ({
        ...this.#range(label, model),
        message: label.message,
        resource: model.uri,
      })),
    };
  }

  markLines(lines: number[]): void {
    const count = this.#models.program.getLineCount();
    this.#lines.set(
      this.#shown === 'program'
        ? lines
            .filter((line) => line >= 1 && line <= count)
            .map((line) => ({
              range: new monaco.Range(line, 1, line, 1),
              options: { isWholeLine: true, className: 'linked-line', linesDecorationsClassName: 'linked-gutter' },
            }))
        : [],
    );
  }

  reveal(line: number, column: number): void {
    const text = lineText(this.#models[this.#shown], line);
    const position = { lineNumber: line, column: columnInUnits(text, column) };
    this.#editor.setPosition(position);
    this.#editor.revealPositionInCenterIfOutsideViewport(position);
    this.#editor.focus();
  }

  focus(): void {
    this.#editor.focus();
  }

  dispose(): void {
    this.#endTheme();
    this.#editor.dispose();
    for (const model of Object.values(this.#models)) model.dispose();
  }

  #range(place: Place, model: monaco.editor.ITextModel): monaco.IRange {
    const startColumn = columnInUnits(lineText(model, place.line), place.column);
    const endColumn = columnInUnits(lineText(model, place.end_line), place.end_column);
    const empty = place.line === place.end_line && endColumn <= startColumn;
    return {
      startLineNumber: place.line,
      startColumn,
      endLineNumber: place.end_line,
      endColumn: empty ? startColumn + 1 : endColumn,
    };
  }
}

function lineText(model: monaco.editor.ITextModel, line: number): string {
  return line >= 1 && line <= model.getLineCount() ? model.getLineContent(line) : '';
}

export const createEditor = (host: HTMLElement, texts: Texts, events: EditorEvents, service: LanguageService): MonacoEditor =>
  new MonacoEditor(host, texts, events, service);
