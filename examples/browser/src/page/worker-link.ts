/** A worker with typed messages, that can be replaced by a fresh one. */
export class WorkerLink<Request, Reply> {
  readonly #url: URL;
  readonly #onReply: (reply: Reply) => void;
  readonly #onCrash: (reason: string) => void;
  #worker: Worker;

  constructor(url: URL, onReply: (reply: Reply) => void, onCrash: (reason: string) => void) {
    this.#url = url;
    this.#onReply = onReply;
    this.#onCrash = onCrash;
    this.#worker = this.#start();
  }

  send(request: Request): void {
    this.#worker.postMessage(request);
  }

  /** Ends the worker, whatever it is doing, and starts another one. */
  restart(): void {
    this.#worker.terminate();
    this.#worker = this.#start();
  }

  #start(): Worker {
    const worker = new Worker(this.#url, { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#onReply(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#onCrash(event.message || 'the worker could not be started');
    };
    return worker;
  }
}
