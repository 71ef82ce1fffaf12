/** How long work may go on before input, timers and signals get their turn. */
export const SLICE_MS = 12;

/** Lets other tasks run; unlike a timer it is not throttled in a hidden page. */
export function nextTask(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Gives way to other tasks now and then. */
export class Breather {
  #since = performance.now();

  /** Whether the last wait is long ago. */
  get isDue(): boolean {
    return performance.now() - this.#since >= SLICE_MS;
  }

  /** Waits for the next task if the last wait is long ago. */
  async rest(): Promise<void> {
    if (!this.isDue) return;
    await nextTask();
    this.#since = performance.now();
  }
}
