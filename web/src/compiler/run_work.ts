// One run, in a worker or, where a page may have none, beside the page. What it made stays until the next one.
import { type RunNeed, type RunOutput, type RunProgress, type RunRequest, RunRefused, run } from 'irplan/run';
import { SHOWN_VALUES, type ShownResult } from '../model/run';

export type ToRunner = { run: RunRequest; wasm: WebAssembly.Module } | { npy: string };
/** `refused`: it cannot be run so, and the runner is well; `fault`: it is not. */
export type FromRunner =
  | { need: RunNeed }
  | { progress: RunProgress }
  | { result: ShownResult }
  | { refused: string }
  | { fault: string }
  | { npy: string; bytes: Uint8Array };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const firstOf = (values: RunOutput['values']): Float32Array | Float64Array =>
  values instanceof Float32Array ? values.slice(0, SHOWN_VALUES) : Float64Array.from(values.subarray(0, SHOWN_VALUES), Number);

export class RunWork {
  #post: (message: FromRunner) => void;
  #outputs: RunOutput[] = [];

  constructor(post: (message: FromRunner) => void) {
    this.#post = post;
  }

  async answer(asked: ToRunner, signal?: AbortSignal): Promise<void> {
    try {
      if ('npy' in asked) this.#npy(asked.npy);
      else await this.#run(asked.run, asked.wasm, signal);
    } catch (error) {
      this.#post(error instanceof RunRefused ? { refused: error.message } : { fault: messageOf(error) });
    }
  }

  async #run(request: RunRequest, wasm: WebAssembly.Module, signal: AbortSignal | undefined): Promise<void> {
    const { outputs, ...told } = await run(request, {
      source: wasm,
      onNeed: (need) => this.#post({ need }),
      onProgress: (progress) => this.#post({ progress }),
      ...(signal ? { signal } : {}),
    });
    this.#outputs = outputs;
    const shown = outputs.map(({ name, dtype, shape, statistics, histogram, values }) => ({ name, dtype, shape, statistics, histogram, values: firstOf(values) }));
    this.#post({ result: { ...told, outputs: shown } });
  }

  #npy(name: string): void {
    const output = this.#outputs.find((one) => one.name === name);
    if (output) this.#post({ npy: name, bytes: output.npy() });
  }
}
