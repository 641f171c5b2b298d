// The page's side of a compiler: keeps one worker, and replaces it when it hangs or crashes, so that no program can
// take the page down. Where a page may have no worker (a frame of an opaque origin) the compiler runs beside the page.
import type { FromWorker, Method, Reply, Request, Started, ToWorker } from './protocol';
import { type Engine, workerEngine } from './worker_engine';
import CompilerWorker from './worker?worker';

const TICK_MS = 100;
const PATIENCE = 100; // ticks without a sign of life until the first compilation came back: the code is made while it runs
const WATCHDOG = 20; // and afterwards
const LARGE_MS = 1000; // of a compilation whose plan takes long to be written, too
const FIRST = 5; // times longer, since the compiler's own code is made meanwhile
const LONGER = 5; // times its compilation

export class CompilerStopped extends Error {}

interface Waiting {
  resolve: (reply: never) => void;
  reject: (error: Error) => void;
  compiles: boolean;
}

export class CompilerClient {
  #module: Promise<WebAssembly.Module>;
  #engine: Engine<ToWorker> | undefined;
  #started: Promise<Started> | undefined;
  #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #generation = 0;
  #patience: number; // ticks
  #isLong: boolean;
  #silent = 0; // ticks since something was heard
  #clock: ReturnType<typeof setInterval> | undefined; // runs while something is waited for

  /** `patience`: ticks, for work that takes long by its nature. */
  constructor(module: Promise<WebAssembly.Module>, patience?: number) {
    this.#module = module;
    this.#patience = patience ?? PATIENCE;
    this.#isLong = patience !== undefined;
  }

  /** Of compilers that this one has been: what an earlier one kept is gone. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether something is asked and not answered yet. */
  get busy(): boolean {
    return this.#waiting.size > 0;
  }

  start(): Promise<Started> {
    this.#started ??= this.#spawn();
    return this.#started;
  }

  async ask<M extends Method>(request: Extract<Request, { method: M }>): Promise<Reply<M>> {
    await this.start();
    return this.#send<M>(request);
  }

  /** Ends what runs; the next request starts a fresh compiler. */
  stop(why: string): void {
    this.#generation++;
    this.#engine?.end();
    this.#engine = undefined;
    this.#started = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#watch();
    for (const one of waiting) one.reject(new CompilerStopped(why));
  }

  async #spawn(): Promise<Started> {
    const wasm = await this.#module;
    const receive = (message: FromWorker): void => this.#receive(message);
    this.#engine = workerEngine<ToWorker, FromWorker>(CompilerWorker, receive, () => this.stop('the compiler crashed')) ?? (await ownEngine(receive));
    return this.#send<'start'>({ method: 'start', wasm });
  }

  #send<M extends Method>(request: Extract<Request, { method: M }>): Promise<Reply<M>> {
    return new Promise((resolve, reject) => {
      const engine = this.#engine;
      if (!engine) return reject(new CompilerStopped('the compiler is not running'));
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject, compiles: request.method === 'compile' });
      engine.post({ ...request, id });
      this.#watch();
    });
  }

  /** Counts ticks, not time: on a machine that is busy with other things those are rarer, too. */
  #watch(): void {
    if (this.#waiting.size === 0) {
      clearInterval(this.#clock);
      this.#clock = undefined;
      this.#silent = 0;
    }
    if (this.#waiting.size === 0 || this.#clock !== undefined) return;
    this.#clock = setInterval(() => {
      if (++this.#silent > this.#patience)
        this.stop(`the compiler did not answer for ${(this.#patience * TICK_MS) / 1000} s`);
    }, TICK_MS);
  }

  /** Nothing loops in what is asked of a plan; how long it takes grows with the plan. */
  #learn(compiledMs: number): void {
    const ms = this.#patience === PATIENCE ? compiledMs / FIRST : compiledMs;
    this.#patience = ms < LARGE_MS ? WATCHDOG : Math.ceil((LONGER * ms) / TICK_MS);
  }

  #receive(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#silent = 0;
    if ('pass' in message) return;
    if ('crash' in message) return this.stop(`the compiler crashed: ${message.crash}`);
    this.#waiting.delete(message.id);
    this.#watch();
    if ('error' in message) return waiting.reject(new Error(message.error));
    if (waiting.compiles && !this.#isLong) this.#learn((message.reply as Reply<'compile'>).ms);
    waiting.resolve(message.reply as never);
  }
}

async function ownEngine(receive: (message: FromWorker) => void): Promise<Engine<ToWorker>> {
  const { Engine, answered } = await import('./engine');
  const engine = new Engine(() => undefined);
  let ended = false;
  const post = ({ id, ...request }: ToWorker): void => {
    void answered(engine, id, request as Request).then((message) => ended || receive(message));
  };
  return { post, end: () => (ended = true) };
}
