// Two text areas: what is there before a full editor is, and all there is where none loads.
import { lineOf } from '../model/text';
import type { EditorEvents, EditorPlace, Tab, TextEditor, Texts } from './editor';

export class PlainEditor implements TextEditor {
  #areas: Record<Tab, HTMLTextAreaElement>;
  #shown: Tab = 'program';

  constructor(program: HTMLTextAreaElement, config: HTMLTextAreaElement, events: EditorEvents) {
    this.#areas = { program, config };
    program.readOnly = false; // until now nobody would have heard what is typed
    for (const area of [program, config]) area.addEventListener('input', events.change);
    const cursor = (): void => events.cursor(lineOf(program.value, program.selectionStart));
    for (const name of ['keyup', 'click'] as const) program.addEventListener(name, cursor);
  }

  text(tab: Tab): string {
    return this.#areas[tab].value;
  }

  open(texts: Texts): void {
    for (const tab of ['program', 'config'] as const) this.change(tab, texts[tab]);
  }

  change(tab: Tab, text: string): void {
    if (this.#areas[tab].value !== text) this.#areas[tab].value = text;
  }

  show(tab: Tab): void {
    this.#shown = tab;
    for (const [name, area] of Object.entries(this.#areas)) area.hidden = name !== tab;
  }

  setDiagnostics(): void {
    // A text area has no marks; the list of problems below it says the same.
  }

  markLines(): void {
    // As above.
  }

  reveal(line: number): void {
    const area = this.#areas[this.#shown];
    const start = area.value.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start);
  }

  focus(): void {
    this.#areas[this.#shown].focus();
  }

  place(): EditorPlace {
    const area = this.#areas[this.#shown];
    return { focused: document.activeElement === area, offset: area.selectionStart };
  }

  dispose(): void {
    for (const area of Object.values(this.#areas)) area.remove();
  }
}
