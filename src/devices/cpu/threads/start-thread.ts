import { nodeModule } from "../../../core/node-module.ts";

/** A thread as browsers and Node have it. */
export interface Thread {
  send(message: unknown): void;
  /** Settles when it has answered its first message; rejects where it cannot be had. */
  readonly ready: Promise<void>;
  end(): void;
}

/** What is used of Node's threads. */
interface NodeWorker {
  postMessage(message: unknown): void;
  on(event: "message" | "error", listener: (value: unknown) => void): void;
  unref(): void;
  terminate(): Promise<number>;
}
interface NodeThreads {
  readonly Worker: new (text: string, options: object) => NodeWorker;
}

/** How many threads run at once on this machine. */
export function coreCount(): number {
  const cores = globalThis.navigator?.hardwareConcurrency;
  return cores ?? nodeModule<{ availableParallelism(): number }>("os")?.availableParallelism() ?? 1;
}

/** Starts a thread that runs a text. Throws, or its `ready` rejects, where that is not allowed. */
export function startThread(text: string): Thread {
  return typeof Worker === "function" ? webThread(text) : nodeThread(text);
}

function webThread(text: string): Thread {
  // A data: URL would be another origin, with which no memory is shared.
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "gradus" });
  const ready = new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => {
      event.preventDefault();
      reject(
        new Error(event.message || "the page's content policy forbids workers of its own text"),
      );
    };
  });
  ready.catch(() => {}).finally(() => URL.revokeObjectURL(url));
  return { send: (message) => worker.postMessage(message), ready, end: () => worker.terminate() };
}

function nodeThread(text: string): Thread {
  const threads = nodeModule<NodeThreads>("worker_threads");
  if (!threads) throw new Error("there are no workers");
  const worker = new threads.Worker(text, { eval: true, execArgv: [], name: "gradus" });
  const ready = new Promise<void>((resolve, reject) => {
    worker.on("message", () => resolve());
    worker.on("error", reject);
  });
  // From then on it keeps no process alive.
  ready.catch(() => {}).finally(() => worker.unref());
  return {
    send: (message) => worker.postMessage(message),
    ready,
    end: () => void worker.terminate(),
  };
}
