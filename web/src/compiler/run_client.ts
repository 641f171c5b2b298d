// The page's side of a run: one worker a run, which is ended when the reader gives it up, when it hangs, and when another run
// begins; so that nothing that goes wrong in it reaches the page.
import wasmUrl from 'irplan/irplan-run.wasm?url';
import type { RunNeed, RunProgress, RunRequest } from 'irplan/run';
import type { ShownResult } from '../model/run';
import type { FromRunner, ToRunner } from './run_work';
import RunnerWorker from './runner?worker';
import { type Engine, workerEngine } from './worker_engine';

const TICK_MS = 100;
const PATIENCE = 100; // ticks without a sign of life
const SLOWEST = 1e7; // operations a tick of the slowest machine that is waited for

export interface RunListener {
  need(need: RunNeed): void;
  progress(progress: RunProgress): void;
}

/** Why a run came to no end; `refused`: by its own words. */
export class RunEnded extends Error {
  readonly refused: boolean;

  constructor(why: string, refused = false) {
    super(why);
    this.refused = refused;
  }
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** Loaded when the first run begins, and kept. */
function runModule(): Promise<WebAssembly.Module> {
  compiled ??= fetch(wasmUrl).then(async (response) => {
    if (!response.ok) throw new Error(`what runs plans could not be loaded: ${response.status} ${response.statusText}`);
    return WebAssembly.compile(await response.arrayBuffer());
  });
  compiled.catch(() => (compiled = undefined)); // the next run tries again
  return compiled;
}

export class RunClient {
  #engine: Engine<ToRunner> | undefined;
  #listener: RunListener | undefined;
  #done: { resolve: (result: ShownResult) => void; reject: (error: Error) => void } | undefined;
  #saved: { name: string; resolve: (bytes: Uint8Array) => void } | undefined;
  #patience = PATIENCE;
  #silent = 0; // ticks since something was heard
  #clock: ReturnType<typeof setInterval> | undefined;
  #round = 0;

  async run(request: RunRequest, listener: RunListener): Promise<ShownResult> {
    this.end('another run began');
    const round = this.#round;
    const wasm = await runModule().catch((error: unknown) => {
      throw new RunEnded(error instanceof Error ? error.message : String(error));
    });
    if (round !== this.#round) throw new RunEnded('cancelled');
    const receive = (message: FromRunner): void => {
      if (round === this.#round) this.#receive(message);
    };
    this.#listener = listener;
    this.#engine = workerEngine<ToRunner, FromRunner>(RunnerWorker, receive, () => round === this.#round && this.end('the run crashed')) ?? (await ownEngine(receive));
    this.#patience = PATIENCE;
    return new Promise((resolve, reject) => {
      this.#done = { resolve, reject };
      this.#watch();
      this.#engine?.post({ run: request, wasm });
    });
  }

  /** The bytes of an output's .npy file; the run that made it is over. */
  npy(name: string): Promise<Uint8Array> {
    return new Promise((resolve) => {
      this.#saved = { name, resolve };
      this.#engine?.post({ npy: name });
    });
  }

  end(why: string): void {
    this.#round++;
    this.#engine?.end();
    this.#engine = undefined;
    this.#rest();
    const done = this.#done;
    this.#done = undefined;
    done?.reject(new RunEnded(why));
  }

  /** Counts ticks, not time: on a machine that is busy with other things those are rarer, too. */
  #watch(): void {
    this.#silent = 0;
    this.#clock = setInterval(() => {
      if (++this.#silent > this.#patience) this.end(`the run gave no sign of life for ${Math.round((this.#patience * TICK_MS) / 1000)} s, and was ended`);
    }, TICK_MS);
  }

  #rest(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  #receive(message: FromRunner): void {
    this.#silent = 0;
    if ('need' in message) this.#listener?.need(message.need);
    else if ('progress' in message) {
      this.#patience = PATIENCE + Math.ceil((message.progress.flops ?? 0) / SLOWEST);
      this.#listener?.progress(message.progress);
    } else if ('bytes' in message) {
      if (message.npy === this.#saved?.name) this.#saved.resolve(message.bytes);
    } else if ('result' in message) {
      this.#rest();
      this.#done?.resolve(message.result);
      this.#done = undefined;
    } else {
      const done = this.#done;
      this.#done = undefined;
      this.end('');
      done?.reject('refused' in message ? new RunEnded(message.refused, true) : new RunEnded(message.fault));
    }
  }
}

async function ownEngine(receive: (message: FromRunner) => void): Promise<Engine<ToRunner>> {
  const { RunWork } = await import('./run_work');
  const stop = new AbortController();
  const work = new RunWork((message) => stop.signal.aborted || receive(message));
  return { post: (message) => void work.answer(message, stop.signal), end: () => stop.abort() };
}
