// The compiler with types: a thin face over its one function, a string of JSON in, a string of JSON out.
import createIrplan from './dist/irplan.js';

async function toModule(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  return WebAssembly.compileStreaming(source);
}

const decoder = new TextDecoder();

// Where the package keeps it; bundlers know the form, and take the file along.
const packaged = () => new URL('./dist/irplan.wasm', import.meta.url);

// `source`: a compiled module, the bytes of irplan.wasm, or a (promise of a) Response that has them; the package's own
// file unless given.
// `options.onPass`: told the name of each pass of a compilation when it is done.
export async function load(source = fetch(packaged()), options = {}) {
  const wasm = await toModule(await source);
  const instance = await createIrplan({
    onPass: options.onPass,
    instantiateWasm(imports, done) {
      WebAssembly.instantiate(wasm, imports).then((ready) => done(ready, wasm));
      return {};
    },
  });
  let fault = null; // what was thrown leaves the module's memory in any state: it is not asked again
  const call = (request) => {
    if (fault) throw fault;
    try {
      return decoder.decode(instance.call(request));
    } catch (error) {
      fault = new Error(`the compiler met a fault of its own (${error}); please report it, with the program and its config, and load() it anew`);
      throw fault;
    }
  };
  const ask = (method) => (request) => JSON.parse(call(JSON.stringify({ ...request, method })));
  const methods = ['compile', 'bind', 'explain', 'picture', 'diff', 'fit', 'gpus', 'new', 'pack', 'format', 'language', 'ops', 'version'];
  return {
    call,
    ...Object.fromEntries(methods.map((method) => [method, ask(method)])),
  };
}
