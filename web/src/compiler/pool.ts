// The page's compilers: one answers while somebody types or moves a slider; long work (other choices for a missed
// budget, the graph after each pass) goes to another, which starts when it is first needed.
import wasmUrl from 'irplan/irplan.wasm?url';
import { CompilerClient, CompilerStopped } from './client';
import type { Compiled, Handle, Method, Reply, Request, Started } from './protocol';
import type { CompileRequest } from 'irplan';

const LONG_WORK = 600; // ticks of a tenth of a second

type Asked<M extends Method> = Omit<Extract<Request, { method: M }>, 'handle'>;

/** A plan that a compiler keeps, as long as that compiler lives. */
export class PlanHandle {
  #client: CompilerClient;
  #generation: number;
  #handle: Handle;

  constructor(client: CompilerClient, handle: Handle) {
    this.#client = client;
    this.#generation = client.generation;
    this.#handle = handle;
  }

  async ask<M extends Method>(request: Asked<M>): Promise<Reply<M>> {
    if (this.#client.generation !== this.#generation) throw new CompilerStopped('the compiler that kept the plan is gone');
    return this.#client.ask<M>({ ...request, handle: this.#handle } as unknown as Extract<Request, { method: M }>);
  }

  release(): void {
    this.ask<'release'>({ method: 'release' }).catch(() => undefined); // gone with its compiler
  }
}

export class CompilerPool {
  #module = compileModule();
  #first = new CompilerClient(this.#module);
  #second: CompilerClient | undefined;
  #third: CompilerClient | undefined;

  start(): Promise<Started> {
    return this.#first.start();
  }

  /** The compiler is there, or will not come: whatever else is large may load now. */
  async loaded(): Promise<void> {
    await this.#module.catch(() => undefined); // whoever starts it is told
  }

  get now(): CompilerClient {
    return this.#first;
  }

  get later(): CompilerClient {
    this.#second ??= new CompilerClient(this.#module, LONG_WORK);
    return this.#second;
  }

  /** Of what is compared with. */
  get beside(): CompilerClient {
    this.#third ??= new CompilerClient(this.#module, LONG_WORK);
    return this.#third;
  }

  async compile(request: CompileRequest, by: CompilerClient): Promise<{ compiled: Compiled; plan: PlanHandle | null }> {
    const compiled = await by.ask<'compile'>({ method: 'compile', request });
    return { compiled, plan: compiled.handle === null ? null : new PlanHandle(by, compiled.handle) };
  }

  /** Nobody will ask again. */
  end(): void {
    for (const one of [this.#first, this.#second, this.#third]) one?.stop('it is not wanted any more');
  }

  /** Long work that nobody waits for any more. */
  stopLater(): void {
    if (this.#second?.busy) this.#second.stop('its answer is not wanted any more');
  }
}

async function compileModule(): Promise<WebAssembly.Module> {
  const response = await fetch(wasmUrl);
  if (!response.ok) throw new Error(`the compiler could not be loaded: ${response.status} ${response.statusText}`);
  if (response.headers.get('content-type')?.startsWith('application/wasm'))
    return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer()); // a host that does not know the type
}
