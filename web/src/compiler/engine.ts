// A compiler that answers the page's requests, in a worker or, where a page may have none, on the page's own thread.
// After a crash it is not to be used again.
import { type CompileRequest, type Fit, type Gpu, type Irplan, type NewReply, load } from 'irplan';
import type { Bound, Outline, PhaseSlice, PhaseTotals } from '../model/plan';
import type { Compiled, FromWorker, Handle, Opened, PassText, Proof, Request, Started } from './protocol';

type Numbers = (number | null)[];

const toIntegers = (columns: Record<string, number[]>): Record<string, Int32Array> =>
  Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, Int32Array.from(column)]));

const toDoubles = (list: Numbers): Float64Array => Float64Array.from(list, (n) => n ?? NaN);

interface BoundPhase extends PhaseTotals {
  offsets: number[];
  bytes: Numbers;
  flops: Numbers;
  op_bytes: Numbers;
}

function toBound(reply: { phases: BoundPhase[]; resident: Numbers }, phase: string): Bound {
  const own = reply.phases.find((one) => one.name === phase);
  return {
    phases: reply.phases.map(({ name, dims, arena, inputs, state, no_reuse, broken_guards }) => ({
      ...{ name, dims, arena, inputs, state, no_reuse, broken_guards },
    })),
    phase,
    offsets: toDoubles(own?.offsets ?? []),
    bytes: toDoubles(own?.bytes ?? []),
    flops: toDoubles(own?.flops ?? []),
    op_bytes: toDoubles(own?.op_bytes ?? []),
    resident: toDoubles(reply.resident),
  };
}

/** The phase that is shown first: the one asked for, else the one that takes the most. */
function chosenPhase(outline: Outline, wanted: string): string {
  const { phases } = outline;
  if (phases.some((one) => one.name === wanted)) return wanted;
  return phases.reduce((best, one) => (one.peak_bytes > best.peak_bytes ? one : best), phases[0]!)?.name ?? '';
}

/** What the compiler says to a request that it cannot answer; it goes on. */
export class Refusal extends Error {}

/** An answer as it is sent. */
export async function answered(engine: Engine, id: number, request: Request): Promise<FromWorker> {
  try {
    return { id, reply: await engine.answer(request) };
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error);
    const why = told.replace(/^the compiler met a fault of its own \((.*)\); please report it.*$/s, '$1'); // the page starts it anew
    return error instanceof Refusal ? { id, error: why } : { id, crash: why };
  }
}

export class Engine {
  #irplan: Irplan | undefined;
  #onPass: (pass: string) => void;

  constructor(onPass: (pass: string) => void) {
    this.#onPass = onPass;
  }

  async answer(request: Request): Promise<unknown> {
    switch (request.method) {
      case 'start':
        return this.#start(request.wasm);
      case 'compile':
        return this.#compile(request.request);
      case 'open':
        return this.#open(request.handle, request.dims, request.phase);
      case 'slice':
        return this.#slice(request.handle, request.dims, request.phase);
      case 'bind':
        return this.#bind(request.handle, request.dims, request.phase);
      case 'proof':
        return this.#ask<Proof>({ method: 'proof', handle: request.handle });
      case 'text':
        return this.#ask<{ text: string }>({ method: 'text', handle: request.handle }).text;
      case 'report':
        return this.#ask<{ text: string }>({ method: 'explain', handle: request.handle, phase: request.phase }).text;
      case 'picture':
        return this.#ask<{ svg: string }>({ method: 'picture', handle: request.handle, phase: request.phase }).svg;
      case 'diff':
        return this.#ask<{ text: string }>({ method: 'diff', before: request.before, after: request.after }).text;
      case 'release':
        this.#call({ method: 'release', handle: request.handle });
        return null;
      case 'passes':
        return this.#ask<{ passes: PassText[] }>({ ...request.request, method: 'passes' }).passes;
      case 'format':
        return this.#ready().format({ text: request.text, file: request.file });
      case 'fit':
        return this.#ask<{ fit: Fit }>({ ...request.request, method: 'fit' }).fit;
      case 'gpus':
        return this.#ask<{ gpus: Gpu[] }>({ method: 'gpus' }).gpus;
      case 'new':
        return this.#ask<NewReply>({ method: 'new', config: request.config });
      case 'language':
        return this.#ask<object>({ ...request.question, method: 'language' });
    }
  }

  #ready(): Irplan {
    if (!this.#irplan) throw new Error('the compiler was not started');
    return this.#irplan;
  }

  #call(request: object): Record<string, unknown> {
    return JSON.parse(this.#ready().call(JSON.stringify(request))) as Record<string, unknown>;
  }

  #ask<Reply>(request: object): Reply {
    const reply = this.#call(request);
    if (typeof reply['error'] === 'string') throw new Refusal(reply['error']);
    return reply as Reply;
  }

  async #start(wasm: WebAssembly.Module): Promise<Started> {
    this.#irplan = await load(wasm, { onPass: this.#onPass });
    return { version: this.#irplan.version() };
  }

  #compile(request: CompileRequest): Compiled {
    const begin = performance.now();
    const reply = this.#ask<Omit<Compiled, 'ms'>>({ ...request, method: 'compile', keep: true });
    const { ok, handle, refused, diagnostics, unread_config_keys } = reply;
    return { ok, handle, refused, diagnostics, unread_config_keys, ms: performance.now() - begin };
  }

  #open(handle: Handle, dims: Record<string, number>, wanted: string): Opened {
    const outline = this.#ask<Outline>({ method: 'outline', handle });
    return { outline, ...this.#slice(handle, dims, chosenPhase(outline, wanted)) };
  }

  #slice(handle: Handle, dims: Record<string, number>, phase: string): Omit<Opened, 'outline'> {
    const raw = this.#ask<{ texts: string[] } & Record<'buffers' | 'resident' | 'values' | 'ops', Record<string, number[]>>>({
      method: 'slice',
      handle,
      phase,
    });
    const { buffers, resident, values, ops } = raw;
    const columns = { buffers: toIntegers(buffers), resident: toIntegers(resident), values: toIntegers(values), ops: toIntegers(ops) };
    return { slice: { texts: raw.texts, ...columns } as PhaseSlice, bound: this.#bind(handle, dims, phase) };
  }

  #bind(handle: Handle, dims: Record<string, number>, phase: string): Bound {
    return toBound(this.#ask({ method: 'bind', handle, dims, phase }), phase);
  }
}
