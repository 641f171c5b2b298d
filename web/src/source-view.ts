// The left side: editor, its two files, and the problems.
import type { Diagnostic } from 'irplan';
import { byId } from './base/dom';
import { tabs } from './base/tabs';
import { columnInUnits } from './base/text';
import { type EditorEvents, type LanguageHelp, PlainEditor, type Tab, type TextEditor } from './editor/editor';
import { COMMAND_LINE, type ProblemActions, problemCount, problemList } from './panels/problems';

export class SourceView {
  #plain: PlainEditor;
  #editor: TextEditor;
  #shown: Tab = 'program';
  #diagnostics: Record<Tab, Diagnostic[]> = { program: [], config: [] };
  #configName = '';
  #marked: number[] = [];
  #showTab: (id: string) => void;

  constructor(events: EditorEvents) {
    const area = (id: string): HTMLTextAreaElement => byId<HTMLTextAreaElement>(id);
    this.#plain = new PlainEditor(area('plain-program'), area('plain-config'), events);
    this.#editor = this.#plain;
    this.#showTab = tabs([byId('tab-program'), byId('tab-config')], (id) => {
      this.#shown = id === 'tab-config' ? 'config' : 'program';
      this.#editor.show(this.#shown);
      byId('format').hidden = this.#shown !== 'program';
      this.#editor.markLines(this.#marked);
    });
  }

  /** Replaces the plain text area; most of the page's weight comes with this. */
  async loadFullEditor(events: EditorEvents, help: LanguageHelp): Promise<void> {
    const { MonacoEditor } = await import('./editor/monaco');
    const host = document.createElement('div');
    host.className = 'full';
    byId('editor').append(host);
    const texts = { program: this.text('program'), config: this.text('config') };
    const full = new MonacoEditor(host, texts, events, help);
    full.show(this.#shown);
    full.setDiagnostics(this.#diagnostics);
    full.markLines(this.#marked);
    full.continueFrom(this.#plain);
    this.#plain.dispose();
    this.#editor = full;
    byId('editor').dataset['editor'] = 'full';
  }

  text(tab: Tab): string {
    return this.#editor.text(tab);
  }

  setTexts(program: string, config: string): void {
    this.#editor.setText('program', program);
    this.#editor.setText('config', config);
  }

  setFiles(program: string, config: string): void {
    byId('tab-program').textContent = program;
    byId('tab-config').textContent = config;
    this.#configName = config;
  }

  show(tab: Tab): void {
    if (this.#shown !== tab) this.#showTab(`tab-${tab}`);
  }

  setDiagnostics(diagnostics: Diagnostic[]): void {
    const of = (tab: Tab): Diagnostic[] => diagnostics.filter((one) => this.#tabOf(one.file) === tab);
    this.#diagnostics = { program: of('program'), config: of('config') };
    this.#editor.setDiagnostics(this.#diagnostics);
    const actions: ProblemActions = {
      reveal: (place) => {
        const tab = this.#tabOf(place.file);
        if (tab) this.reveal(place.line, place.column, tab);
      },
      apply: (diagnostic: Diagnostic, fix: number) => this.#apply(diagnostic, fix),
    };
    byId('problems').replaceChildren(...problemList(diagnostics, actions));
    const worst = diagnostics.some((one) => one.severity === 'error') ? 'error' : diagnostics.length ? 'warning' : 'ok';
    this.setStatus(problemCount(diagnostics), worst);
  }

  setStatus(text: string, mood: 'ok' | 'warning' | 'error' | 'busy'): void {
    const status = byId('status');
    if (status.textContent !== text) status.textContent = text;
    status.className = mood;
  }

  markLines(lines: number[]): void {
    this.#marked = lines;
    this.#editor.markLines(lines);
  }

  reveal(line: number, column = 1, tab: Tab = 'program'): void {
    this.show(tab);
    this.#editor.reveal(line, column);
  }

  /** None of a place on the command line: in the value that stands for a `let`. */
  #tabOf(file: string): Tab | null {
    if (file === COMMAND_LINE) return null;
    return file === this.#configName ? 'config' : 'program';
  }

  #apply(diagnostic: Diagnostic, fix: number): void {
    const lines = this.text('program').split('\n');
    const starts = lines.reduce<number[]>((all, line) => [...all, all.at(-1)! + line.length + 1], [0]);
    const at = (line: number, column: number): number =>
      (starts[line - 1] ?? 0) + columnInUnits(lines[line - 1] ?? '', column) - 1;
    const edits = diagnostic.fixes[fix]!.edits
      .map((edit) => ({ begin: at(edit.line, edit.column), end: at(edit.end_line, edit.end_column), text: edit.text }))
      .sort((a, b) => b.begin - a.begin);
    let text = this.text('program');
    for (const edit of edits) text = text.slice(0, edit.begin) + edit.text + text.slice(edit.end);
    this.#editor.setText('program', text);
    this.#editor.focus();
  }
}
