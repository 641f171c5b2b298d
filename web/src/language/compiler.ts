// The language service of the page: asks the compiler that also compiles, so that it knows the last plan.
import type { Answer, Ask, LanguageService } from './service';

/** A question as the compiler takes it. */
export interface Question {
  ask: Ask;
  params: object;
  text: string;
  file: string;
  config: string | null;
  config_name: string;
}

type Send = (question: Question) => Promise<Answer<Ask>>;
type Beside = () => Pick<Question, 'file' | 'config' | 'config_name'>;

export class CompilerLanguage implements LanguageService {
  #send: Send;
  #beside: Beside;
  #told: (() => void)[] = [];

  /** `beside`: what belongs to the text that is shown. */
  constructor(send: Send, beside: Beside) {
    this.#send = send;
    this.#beside = beside;
  }

  async ask<A extends Ask>(ask: A, text: string, params: object = {}): Promise<Answer<A>> {
    try {
      return (await this.#send({ ask, params, text, ...this.#beside() })) as Answer<A>;
    } catch {
      return { result: null }; // a compiler that is started anew: the next keystroke asks again
    }
  }

  onCompiled(told: () => void): void {
    this.#told.push(told);
  }

  compiled(): void {
    for (const told of this.#told) told();
  }
}
