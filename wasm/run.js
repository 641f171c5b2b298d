// Plans run in WebAssembly: `irplan/run`. A second module, so that who compiles alone never loads it.
import createRunner from './dist/irplan-run.js';

const BINS = 64;
const SLICE_MS = 50; // between two tellings of progress
const ONE_PIECE = 2 ** 31 - 2 ** 16; // bytes that the module's allocator gives at once

async function toModule(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  return WebAssembly.compileStreaming(source);
}

// Where the package keeps it; bundlers know the form, and take the file along.
const packaged = () => new URL('./dist/irplan-run.wasm', import.meta.url);

/** The plan cannot be run so; the message says why, and what to do. */
export class RunRefused extends Error {
  name = 'RunRefused';
}
/** The module met a fault of its own, or memory that the browser did not give. */
export class RunFault extends Error {
  name = 'RunFault';
}

/** One instance of the module, and what it is asked. */
class Instance {
  #module;
  #fault = null;

  static async make(source, onWeights) {
    const wasm = await toModule(await source);
    const one = new Instance();
    one.#module = await createRunner({
      onWeights,
      instantiateWasm(imports, done) {
        WebAssembly.instantiate(wasm, imports).then((ready) => done(ready, wasm));
        return {};
      },
    });
    return one;
  }

  #guarded(work) {
    if (this.#fault) throw this.#fault;
    try {
      return work(this.#module);
    } catch (error) {
      this.#fault = new RunFault(`the run met a fault of its own (${error}); where memory was short, smaller sizes may help`);
      throw this.#fault;
    }
  }

  ask(method, request = {}) {
    const reply = this.#guarded((module) => JSON.parse(module.call(JSON.stringify({ ...request, method }))));
    if (typeof reply.error === 'string') throw new RunRefused(reply.error);
    return reply;
  }

  /** What the last reply speaks of, copied. */
  bytes() {
    return this.#guarded((module) => module.HEAPU8.slice(module.data(), module.data() + module.dataBytes()));
  }

  file(name, content) {
    const bytes = content instanceof Uint8Array ? content : ArrayBuffer.isView(content) ? new Uint8Array(content.buffer, content.byteOffset, content.byteLength) : new Uint8Array(content);
    const at = this.#guarded((module) => module.room(bytes.length));
    if (at === 0)
      throw new RunRefused(bytes.length === 0 ? `${name} is empty` : `${name}: WebAssembly has no room for its ${bytes.length} bytes`);
    this.#guarded((module) => module.HEAPU8.set(bytes, at));
    return this.ask('file', { name });
  }
}

class Output {
  #instance;

  constructor(instance, name) {
    this.#instance = instance;
    this.name = name;
    const { dtype, shape, floats, statistics, histogram } = instance.ask('output', { name, bins: BINS });
    Object.assign(this, { dtype, shape, statistics, histogram });
    const { buffer } = instance.bytes();
    this.values = floats ? new Float32Array(buffer) : new BigInt64Array(buffer);
  }

  npy() {
    this.#instance.ask('npy', { name: this.name });
    return this.#instance.bytes();
  }
}

const isBytes = (what) => what instanceof ArrayBuffer || ArrayBuffer.isView(what);

/** Puts the files of a request into the module; what is left names them. */
function withFiles(instance, { weights = { seed: 1 }, inputs = {} }) {
  const files = isBytes(weights) ? [{ name: 'weights', bytes: weights }] : Array.isArray(weights) ? weights : null;
  for (const { name, bytes } of files ?? []) instance.file(name, bytes);
  const specs = {};
  for (const [input, spec] of Object.entries(inputs)) {
    const bytes = isBytes(spec) ? spec : spec.bytes;
    if (!bytes) {
      specs[input] = spec;
      continue;
    }
    const name = spec.name ?? `input ${input}`;
    instance.file(name, bytes);
    specs[input] = { file: name, ...(spec.tensor === undefined ? {} : { tensor: spec.tensor }) };
  }
  return { weights: files ? { files: files.map((one) => one.name) } : weights, inputs: specs };
}

/** Runs one step of a plan. */
export async function run(request, options = {}) {
  const { onProgress = () => undefined, onNeed = () => undefined, signal } = options;
  const instance = await Instance.make(options.source ?? fetch(packaged()), (done, of) => onProgress({ stage: 'weights', done, of, op: null, flops: null }));
  const asked = { phase: request.phase ?? '', dims: request.dims ?? {} };
  instance.ask('open', { plan: request.plan, backend: request.backend ?? 'cpu' });
  const need = instance.ask('need', asked);
  const large = ['weights', 'state', 'inputs', 'arena'].find((part) => need.bytes[part] > ONE_PIECE);
  if (large) throw new RunRefused(`out of memory: ${large} takes ${need.bytes[large]} bytes in one piece, and WebAssembly gives 2 GiB; run it natively, or at smaller sizes`);
  onNeed(need);
  signal?.throwIfAborted();
  const given = withFiles(instance, request);
  for (const { name } of need.inputs) given.inputs[name] ??= { seed: 2 };
  const begin = performance.now();
  const { bytes, notes } = instance.ask('prepare', { ...asked, ...given, states: request.states ?? 'unset' });
  if (['weights', 'state', 'inputs', 'arena'].some((part) => bytes[part] !== need.bytes[part])) throw new RunFault('allocated bytes are not the predicted ones');
  const prepared = performance.now();
  let state = { done: 0, of: need.ops, op: '', flops: null };
  while (state.done < state.of) {
    state = instance.ask('step', { ms: SLICE_MS });
    onProgress({ stage: 'ops', ...state });
    if (!signal) continue;
    await new Promise((next) => setTimeout(next)); // so that somebody else can abort it
    signal.throwIfAborted();
  }
  const ran = performance.now();
  const outputs = need.outputs.map((name) => new Output(instance, name));
  return { phase: need.phase, dims: need.dims, bytes, notes, ms: { load: prepared - begin, run: ran - prepared }, outputs };
}
