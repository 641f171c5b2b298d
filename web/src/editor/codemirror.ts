// The editor for fingers: CodeMirror, a tenth of Monaco's weight, in a shadow root of its own so that it needs no style of
// the page.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, foldGutter, indentOnInput } from '@codemirror/language';
import { type Diagnostic as Mark, lintGutter, setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState, type Extension, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, drawSelection, hoverTooltip, keymap, lineNumbers } from '@codemirror/view';
import type { Diagnostic } from 'irplan';
import { colours, completionSource, irplan, offsetAt, positionAt } from '../language/codemirror';
import type { LanguageService } from '../language/service';
import { lineOf, offsetOf, withEdits } from '../model/text';
import { h } from '../parts/dom';
import type { EditorEvents, EditorPlace, Tab, TextEditor, Texts } from './editor';

const setLines = StateEffect.define<number[]>();

const linkedLines = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects)
      if (effect.is(setLines)) {
        const { doc } = transaction.state;
        const lines = effect.value.filter((line) => line >= 1 && line <= doc.lines).sort((a, b) => a - b);
        return Decoration.set(lines.map((line) => Decoration.line({ class: 'cm-linked' }).range(doc.line(line).from)));
      }
    return marks.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', backgroundColor: 'var(--panel)', fontSize: '14px' },
  '.cm-content': { fontFamily: 'var(--font-mono)', caretColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--ink-soft)', border: 'none' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--selection)' },
  '.cm-linked': { backgroundColor: 'var(--accent-soft)' },
  '.cm-tooltip': { backgroundColor: 'var(--panel)', color: 'var(--ink)', border: '1px solid var(--hairline)', maxWidth: '90vw' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--ink)' },
  '.cm-hover': { padding: '6px 10px', whiteSpace: 'pre-wrap' },
});

class TouchEditor implements TextEditor {
  #view: EditorView;
  #states: Record<Tab, EditorState>;
  #shown: Tab = 'program';
  #events: EditorEvents;
  #extensions: Record<Tab, Extension>;
  #language = new Compartment(); // which learns the language's words when the compiler is there

  constructor(host: HTMLElement, texts: Texts, events: EditorEvents, service: LanguageService) {
    this.#events = events;
    this.#extensions = { program: [this.#common('Program'), this.#language.of(irplan(null)), this.#help(service)], config: this.#common('Config') };
    this.#states = this.#makeStates(texts);
    const root = host.attachShadow({ mode: 'open' });
    const parent = h('div');
    parent.style.height = '100%';
    root.append(parent);
    this.#view = new EditorView({ state: this.#states.program, parent, root });
    void this.#learn(service);
  }

  async #learn(service: LanguageService): Promise<void> {
    const { result } = await service.ask('irplan/words', '');
    if (!result) return;
    const effects = this.#language.reconfigure(irplan(result));
    this.#extensions.program = [this.#common('Program'), this.#language.of(irplan(result)), this.#help(service)];
    if (this.#shown === 'program') this.#view.dispatch({ effects });
    else this.#states.program = this.#states.program.update({ effects }).state;
  }

  #common(label: string): Extension {
    const listener = EditorView.updateListener.of((update) => {
      if (update.docChanged) this.#events.change();
      if (update.selectionSet && this.#shown === 'program')
        this.#events.cursor(update.state.doc.lineAt(update.state.selection.main.head).number);
    });
    const keys = keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]);
    const behaviour = [history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), keys];
    const aria = EditorView.contentAttributes.of({ 'aria-label': label, autocapitalize: 'off', spellcheck: 'false' });
    return [lineNumbers(), foldGutter(), lintGutter(), behaviour, linkedLines, colours, look, aria, listener];
  }

  #help(service: LanguageService): Extension {
    const tell = hoverTooltip(async ({ state: { doc } }, pos) => {
      const { result } = await service.ask('textDocument/hover', doc.toString(), { position: positionAt(doc, pos) });
      if (!result) return null;
      const text = result.contents.value.replace(/^```.*\n/gm, '').replaceAll(/[`*]/g, '');
      const dom = h('div', { class: 'cm-hover' }, text);
      return { pos: offsetAt(doc, result.range.start), end: offsetAt(doc, result.range.end), create: () => ({ dom }) };
    });
    return [autocompletion({ override: [completionSource(service)] }), tell];
  }

  #makeStates(texts: Texts): Record<Tab, EditorState> {
    const make = (tab: Tab): EditorState => EditorState.create({ doc: texts[tab], extensions: this.#extensions[tab] });
    return { program: make('program'), config: make('config') };
  }

  #state(tab: Tab): EditorState {
    return tab === this.#shown ? this.#view.state : this.#states[tab];
  }

  text(tab: Tab): string {
    return this.#state(tab).doc.toString();
  }

  open(texts: Texts): void {
    this.#states = this.#makeStates(texts);
    this.#view.setState(this.#states[this.#shown]);
  }

  change(tab: Tab, text: string): void {
    const state = this.#state(tab);
    if (state.doc.toString() === text) return;
    const changes = { from: 0, to: state.doc.length, insert: text };
    if (tab === this.#shown) this.#view.dispatch({ changes });
    else {
      this.#states[tab] = state.update({ changes }).state;
      this.#events.change();
    }
  }

  show(tab: Tab): void {
    if (tab === this.#shown) return;
    this.#states[this.#shown] = this.#view.state;
    this.#shown = tab;
    this.#view.setState(this.#states[tab]);
  }

  setDiagnostics(diagnostics: Record<Tab, Diagnostic[]>): void {
    for (const tab of ['program', 'config'] as const) {
      const state = this.#state(tab);
      const marks = diagnostics[tab].map((one) => this.#mark(one, state.doc.toString()));
      const transaction = setDiagnostics(state, marks);
      if (tab === this.#shown) this.#view.dispatch(transaction);
      else this.#states[tab] = state.update(transaction).state;
    }
  }

  #mark(one: Diagnostic, text: string): Mark {
    const from = Math.min(text.length, offsetOf(text, one.line, one.column));
    const to = Math.min(text.length, Math.max(from, offsetOf(text, one.end_line, one.end_column)));
    const actions = one.fixes
      .filter((fix) => fix.edits.length)
      .map((fix) => ({
        name: fix.message.replaceAll('`', ''),
        apply: () => this.change('program', withEdits(this.text('program'), fix.edits)),
      }));
    return { from, to, severity: one.severity, message: [one.message, ...one.notes].join('\n').replaceAll('`', ''), actions };
  }

  markLines(lines: number[]): void {
    if (this.#shown === 'program') this.#view.dispatch({ effects: setLines.of(lines) });
  }

  reveal(line: number, column: number): void {
    const anchor = Math.min(this.#view.state.doc.length, offsetOf(this.#view.state.doc.toString(), line, column));
    this.#view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
    this.#events.cursor(lineOf(this.#view.state.doc.toString(), anchor));
    this.#view.focus();
  }

  focus(): void {
    this.#view.focus();
  }

  continueFrom({ focused, offset }: EditorPlace): void {
    if (!focused) return;
    this.#view.dispatch({ selection: { anchor: Math.min(offset, this.#view.state.doc.length) } });
    this.#view.focus();
  }

  place(): EditorPlace {
    return { focused: this.#view.hasFocus, offset: this.#view.state.selection.main.head };
  }

  dispose(): void {
    this.#view.destroy();
  }
}

export const createEditor = (host: HTMLElement, texts: Texts, events: EditorEvents, service: LanguageService): TouchEditor =>
  new TouchEditor(host, texts, events, service);
