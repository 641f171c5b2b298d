// The page's compilers: one answers while somebody types or moves a slider; long work (other choices for a missed
// budget, the graph after each pass) goes to another, which starts when it is first needed.
import wasmUrl from 'irplan/irplan.wasm?url';
import { CompilerClient } from './client';
import type { Compiled, Handle, Started } from './protocol';
import type { CompileRequest } from 'irplan';

const LONG_WORK = 600; // ticks of a tenth of a second

/** A plan that a compiler keeps. */
export interface PlanHandle {
  client: CompilerClient;
  handle: Handle;
}

export class CompilerPool {
  #module = compileModule();
  #first = new CompilerClient(this.#module);
  #second: CompilerClient | undefined;

  start(): Promise<Started> {
    return this.#first.start();
  }

  get now(): CompilerClient {
    return this.#first;
  }

  get later(): CompilerClient {
    this.#second ??= new CompilerClient(this.#module, LONG_WORK);
    return this.#second;
  }

  async compile(request: CompileRequest, by: CompilerClient): Promise<{ compiled: Compiled; plan: PlanHandle | null }> {
    const compiled = await by.ask<'compile'>({ method: 'compile', request });
    return { compiled, plan: compiled.handle === null ? null : { client: by, handle: compiled.handle } };
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
