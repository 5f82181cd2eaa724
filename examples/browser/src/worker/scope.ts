/** What a worker sees of itself, with its messages' types. */
export interface WorkerScope<Request, Reply> {
  postMessage(reply: Reply, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<Request>) => void) | null;
}

export function workerScope<Request, Reply>(): WorkerScope<Request, Reply> {
  return globalThis as unknown as WorkerScope<Request, Reply>;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Lets messages in that wait. */
export function otherMessages(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
