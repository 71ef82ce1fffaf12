import { GradusError } from "../core/errors.ts";
import { nodeModule } from "../core/node-module.ts";

/** One end of what a page and its worker say to each other, in a browser or in Node. */
export interface Port {
  send(message: unknown, transfer?: ArrayBuffer[]): void;
  /** Hears of messages, and of the end of the other side; gives what ends that. */
  listen(heard: (message: unknown) => void, ended: (reason: string) => void): () => void;
}

/** What a worker has in browsers. */
interface BrowserEnd {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(
    name: string,
    listener: (event: { data?: unknown; message?: string }) => void,
  ): void;
  removeEventListener(
    name: string,
    listener: (event: { data?: unknown; message?: string }) => void,
  ): void;
}

/** What a worker, or the port to its parent, has in Node. */
interface NodeEnd {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  on(name: string, listener: (value: unknown) => void): void;
  off(name: string, listener: (value: unknown) => void): void;
}

/** A worker of a browser, or of Node's `worker_threads`. */
export interface AnyWorker {
  /** Sends a message. */
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Ends it at once. */
  terminate(): unknown;
}

/** The end of a worker, or in a worker that of its page. */
export function portOf(worker: Pick<AnyWorker, "postMessage">): Port {
  const end = worker as BrowserEnd | NodeEnd;
  return {
    send: (message, transfer = []) => end.postMessage(message, transfer),
    listen:
      "on" in end ? (...given) => listenInNode(end, ...given) : (...given) => listen(end, ...given),
  };
}

/** The end that leads to who started this worker. */
export function portToParent(): Port {
  const node = nodeModule<{ parentPort: NodeEnd | null }>("worker_threads");
  const { parentPort = null } = node ?? {};
  if (parentPort) return portOf(parentPort);
  const scope = globalThis as unknown as BrowserEnd & { document?: unknown };
  if (!node && typeof scope.postMessage === "function" && scope.document === undefined) {
    return portOf(scope);
  }
  throw new GradusError("trainJob: called outside of a worker; expected the script of a worker");
}

function listen(
  end: BrowserEnd,
  heard: (message: unknown) => void,
  ended: (reason: string) => void,
): () => void {
  const take = ({ data }: { data?: unknown }) => heard(data);
  const fail = ({ message }: { message?: string }) => ended(message || "its script did not load");
  end.addEventListener("message", take);
  end.addEventListener("error", fail);
  return () => {
    end.removeEventListener("message", take);
    end.removeEventListener("error", fail);
  };
}

function listenInNode(
  end: NodeEnd,
  heard: (message: unknown) => void,
  ended: (reason: string) => void,
): () => void {
  const fail = (error: unknown) => ended((error as Error).message);
  const exit = (code: unknown) => ended(`exit code ${code}`);
  end.on("message", heard);
  end.on("error", fail);
  end.on("exit", exit);
  return () => {
    end.off("message", heard);
    end.off("error", fail);
    end.off("exit", exit);
  };
}
