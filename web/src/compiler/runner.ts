// The thread that runs plans. It is ended, not asked to stop.
import { RunWork, type ToRunner } from './run_work';

const work = new RunWork((message) => self.postMessage(message));

self.onmessage = (event: MessageEvent<ToRunner>): void => void work.answer(event.data);
