// The compiler's thread: one request at a time, in order. After a crash it is not to be used again.
import { type CompileRequest, type Irplan, load } from 'irplan';
import { sha256 } from '../base/sha256';
import type { Compiled, FromWorker, Started, ToWorker } from './protocol';

let compiler: Irplan | undefined;

function ready(): Irplan {
  if (!compiler) throw new Error('the compiler was not started');
  return compiler;
}

async function start(wasm: WebAssembly.Module): Promise<Started> {
  compiler = await load(wasm);
  return { version: compiler.version(), ops: compiler.ops() };
}

function compile(request: CompileRequest): Compiled {
  const begin = performance.now();
  const reply = ready().compile(request);
  const ms = performance.now() - begin;
  return { ...reply, sha256: reply.plan ? sha256(reply.plan) : '', ms };
}

async function answer(message: ToWorker): Promise<unknown> {
  switch (message.method) {
    case 'start':
      return start(message.wasm);
    case 'compile':
      return compile(message.request);
    case 'bind':
      return ready().bind(message.plan === null ? { dims: message.dims } : { plan: message.plan, dims: message.dims });
    case 'format':
      return ready().format({ text: message.text, file: message.file });
  }
}

function post(message: FromWorker): void {
  self.postMessage(message);
}

self.onmessage = (event: MessageEvent<ToWorker>): void => {
  const { id } = event.data;
  answer(event.data).then(
    (reply) => post({ id, reply }),
    (error: unknown) => post({ id, crash: error instanceof Error ? error.message : String(error) }),
  );
};
