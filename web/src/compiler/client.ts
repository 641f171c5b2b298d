// The page's side of the compiler: keeps one worker, and replaces it when it hangs or crashes, so that no program can
// take the page down. The compiled WebAssembly module is kept and given to each new worker.
import type { CompileRequest } from 'irplan';
import wasmUrl from 'irplan/irplan.wasm?url';
import type { FromWorker, Replies, Request, Started } from './protocol';
import CompilerWorker from './worker?worker';

const WATCHDOG_MS = 10_000;

export class CompilerStopped extends Error {}

interface Waiting {
  resolve: (reply: unknown) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class CompilerClient {
  #worker: Worker | undefined;
  #module: Promise<WebAssembly.Module>;
  #started: Promise<Started> | undefined;
  #waiting = new Map<number, Waiting>();
  #nextId = 1;

  constructor() {
    this.#module = compileModule();
  }

  start(): Promise<Started> {
    this.#started ??= this.#spawn();
    return this.#started;
  }

  async compile(request: CompileRequest): Promise<Replies['compile']> {
    await this.start();
    return this.#send({ method: 'compile', request });
  }

  /** `plan`: null for the one that was compiled last in this worker. */
  async bind(plan: string | null, dims: Record<string, number>): Promise<Replies['bind']> {
    await this.start();
    return this.#send({ method: 'bind', plan, dims });
  }

  async format(text: string, file: string): Promise<Replies['format']> {
    await this.start();
    return this.#send({ method: 'format', text, file });
  }

  async #spawn(): Promise<Started> {
    const wasm = await this.#module;
    this.#worker = new CompilerWorker();
    this.#worker.onmessage = (event: MessageEvent<FromWorker>) => this.#receive(event.data);
    this.#worker.onerror = () => this.#stop('the compiler crashed');
    return this.#send({ method: 'start', wasm });
  }

  #send<R extends Request>(request: R): Promise<Replies[R['method']]> {
    return new Promise((resolve, reject) => {
      const worker = this.#worker;
      if (!worker) return reject(new CompilerStopped('the compiler is not running'));
      const id = this.#nextId++;
      const seconds = WATCHDOG_MS / 1000;
      const timer = setTimeout(() => this.#stop(`the compiler took more than ${seconds} s`), WATCHDOG_MS);
      this.#waiting.set(id, { resolve: resolve as (reply: unknown) => void, reject, timer });
      worker.postMessage({ ...request, id });
    });
  }

  #receive(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if ('crash' in message) return this.#stop(`the compiler crashed: ${message.crash}`);
    clearTimeout(waiting.timer);
    this.#waiting.delete(message.id);
    waiting.resolve(message.reply);
  }

  /** Ends the worker; the next request starts a fresh one. */
  #stop(why: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#started = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) {
      clearTimeout(one.timer);
      one.reject(new CompilerStopped(why));
    }
  }
}

async function compileModule(): Promise<WebAssembly.Module> {
  const response = await fetch(wasmUrl);
  if (!response.ok) throw new Error(`the compiler could not be loaded: ${response.status} ${response.statusText}`);
  if (response.headers.get('content-type')?.startsWith('application/wasm'))
    return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer()); // a host that does not know the type
}
