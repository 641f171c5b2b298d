// The compiler's thread: one request at a time, in order.
import { Engine, answered } from './engine';
import type { FromWorker, ToWorker } from './protocol';

const post = (message: FromWorker): void => self.postMessage(message);
let now = 0; // the request that runs
const engine = new Engine((pass) => post({ id: now, pass }));

self.onmessage = (event: MessageEvent<ToWorker>): void => {
  now = event.data.id;
  void answered(engine, now, event.data).then(post);
};
