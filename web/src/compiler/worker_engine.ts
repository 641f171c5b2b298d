// What answers messages in a worker of its own.

export interface Engine<To> {
  post(message: To): void;
  end(): void;
}

/** None where the browser refuses a worker. */
export function workerEngine<To, From>(Made: new () => Worker, receive: (message: From) => void, crashed: () => void): Engine<To> | null {
  try {
    const worker = new Made();
    worker.onmessage = (event: MessageEvent<From>) => receive(event.data);
    worker.onerror = crashed;
    return { post: (message) => worker.postMessage(message), end: () => worker.terminate() };
  } catch {
    return null;
  }
}
