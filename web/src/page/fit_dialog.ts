// Whether a model fits, as a dialog of the page.
import { html } from 'lit';
import type { FitQuestion } from '../model/fit';
import { Dialog } from '../parts/dialog';
import { type FitHost, FitView } from '../views/fit';

export class FitDialog {
  #dialog = new Dialog('fit-dialog', 'What fits');
  #view = new FitView();

  constructor(host: FitHost) {
    this.#view.host = host;
  }

  open(question: FitQuestion): void {
    this.#view.question = question;
    this.#dialog.show(html`${this.#view}`);
  }

  close(): void {
    this.#dialog.close();
  }
}
