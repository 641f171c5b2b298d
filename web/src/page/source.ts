// The left side: editor, its two files, and the problems.
import type { Diagnostic } from 'irplan';
import { render } from 'lit';
import type { EditorEvents, Tab, TextEditor, Texts } from '../editor/editor';
import { PlainEditor } from '../editor/plain';
import type { LanguageService } from '../language/service';
import { withEdits } from '../model/text';
import { byId } from '../parts/dom';
import { tabList } from '../parts/tabs';
import { COMMAND_LINE, type ProblemActions, type Problems, problemCount } from '../views/problems';

export type Mood = 'ok' | 'warning' | 'error' | 'busy';

export interface SourceHost extends EditorEvents {
  takeChange: (change: string) => void;
  revealOptions: () => void;
}

export class SourceView {
  #plain: PlainEditor;
  #editor: TextEditor;
  #host: SourceHost;
  #shown: Tab = 'program';
  #names: Texts = { program: '', config: '' };
  #diagnostics: Record<Tab, Diagnostic[]> = { program: [], config: [] };
  #marked: number[] = [];
  #problems = byId<Problems>('problems');

  constructor(host: SourceHost) {
    const area = (id: string): HTMLTextAreaElement => byId<HTMLTextAreaElement>(id);
    this.#host = host;
    this.#plain = new PlainEditor(area('plain-program'), area('plain-config'), host);
    this.#editor = this.#plain;
    const actions: ProblemActions = {
      reveal: (place) => {
        const tab = this.#tabOf(place.file);
        if (tab) this.reveal(place.line, place.column, tab);
        else host.revealOptions();
      },
      apply: (diagnostic, fix) => {
        this.#editor.change('program', withEdits(this.text('program'), diagnostic.fixes[fix]!.edits));
        this.#editor.focus();
      },
      takeChange: host.takeChange,
    };
    this.#problems.actions = actions;
  }

  /** Replaces the plain text area; most of the page's weight comes with this. */
  async loadFullEditor(service: LanguageService): Promise<void> {
    const parent = document.createElement('div');
    parent.className = 'full';
    const touch = matchMedia('(pointer: coarse)').matches;
    const make = touch ? await import('../editor/codemirror') : await import('../editor/monaco');
    byId('editor').append(parent);
    const texts = { program: this.text('program'), config: this.text('config') };
    const full = make.createEditor(parent, texts, this.#host, service);
    full.show(this.#shown);
    full.setDiagnostics(this.#diagnostics);
    full.markLines(this.#marked);
    full.continueFrom(this.#plain.place());
    this.#plain.dispose();
    this.#editor = full;
    byId('editor').dataset['editor'] = touch ? 'touch' : 'full';
  }

  text(tab: Tab): string {
    return this.#editor.text(tab);
  }

  /** Another document. */
  open(names: Texts, texts: Texts): void {
    this.#names = names;
    this.#editor.open(texts);
    this.show('program');
  }

  rename(names: Texts): void {
    this.#names = names;
    this.show(this.#shown);
  }

  /** A change of this document's program. */
  change(text: string): void {
    this.#editor.change('program', text);
  }

  show(tab: Tab): void {
    this.#shown = tab;
    this.#editor.show(tab);
    byId('format').hidden = tab !== 'program';
    this.#editor.markLines(this.#marked);
    const choices = (['program', 'config'] as const).map((name) => ({ name, label: this.#names[name], controls: 'editor' }));
    render(tabList('Files', choices, tab, (name) => this.show(name)), byId('file-tabs'));
  }

  setDiagnostics(diagnostics: Diagnostic[]): void {
    const of = (tab: Tab): Diagnostic[] => diagnostics.filter((one) => this.#tabOf(one.file) === tab);
    this.#diagnostics = { program: of('program'), config: of('config') };
    this.#editor.setDiagnostics(this.#diagnostics);
    this.#problems.diagnostics = diagnostics;
    const worst = diagnostics.some((one) => one.severity === 'error') ? 'error' : diagnostics.length ? 'warning' : 'ok';
    this.setStatus(problemCount(diagnostics), worst);
  }

  setStatus(text: string, mood: Mood): void {
    const status = byId('status');
    if (status.textContent !== text) status.textContent = text;
    status.className = mood;
  }

  markLines(lines: number[]): void {
    this.#marked = lines;
    this.#editor.markLines(lines);
  }

  reveal(line: number, column = 1, tab: Tab = 'program'): void {
    if (this.#shown !== tab) this.show(tab);
    this.#editor.reveal(line, column);
  }

  /** None of a place on the command line: in the value that stands for a `let`. */
  #tabOf(file: string): Tab | null {
    if (file === COMMAND_LINE) return null;
    return file === this.#names.config ? 'config' : 'program';
  }
}
