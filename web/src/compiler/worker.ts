// The compiler's thread: one request at a time, in order.
import { Engine } from './engine';
import type { FromWorker, ToWorker } from './protocol';

const post = (message: FromWorker): void => self.postMessage(message);
let now = 0; // the request that runs
const engine = new Engine((pass) => post({ id: now, pass }));

self.onmessage = (event: MessageEvent<ToWorker>): void => {
  const { id } = event.data;
  now = id;
  engine.answer(event.data).then(
    (reply) => post({ id, reply }),
    (error: unknown) => post({ id, crash: error instanceof Error ? error.message : String(error) }),
  );
};
