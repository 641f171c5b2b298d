// Where nodes and edges of a graph lie; the last that was asked for, since an older one is of no use.
import LayoutWorker from './layout.worker?worker';

export interface Point {
  x: number;
  y: number;
}

export interface LayoutRequest {
  count: number;
  edges: [number, number][];
  /** Of every node, px. */
  width: number;
  height: number;
}

export interface LayoutReply {
  width: number;
  height: number;
  nodes: Point[];
  edges: Point[][];
}

export class Layout {
  #worker: Worker | null = null;

  lay(request: LayoutRequest): Promise<LayoutReply> {
    this.end();
    return new Promise((done, failed) => {
      const worker = new LayoutWorker();
      this.#worker = worker;
      worker.onmessage = (event: MessageEvent<LayoutReply>) => {
        done(event.data);
        this.end();
      };
      worker.onerror = () => failed(new Error('the graph could not be laid out'));
      worker.postMessage(request);
    });
  }

  end(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }
}
