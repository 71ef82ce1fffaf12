import { describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { nodeModule } from "../core/node-module.ts";

/** One end of what a page and its worker say to each other, in a browser or in Node. */
export interface Port {
  send(message: unknown, transfer?: ArrayBuffer[]): void;
  /** Hears of messages, and of the end of the other side; gives what ends that. */
  listen(heard: (message: unknown) => void, ended: (reason: string) => void): () => void;
  /** Leaves the other side alone where nobody hears of it any more. */
  rest(): void;
}

/** Sends a message, or throws a `GradusError`, as `op`, where it holds what cannot be copied. */
export function sendCopy(
  op: string,
  port: Port,
  message: unknown,
  transfer: ArrayBuffer[] = [],
): void {
  try {
    port.send(message, transfer);
  } catch (error) {
    const { message: why } = error as Error;
    throw new GradusError(`${op}: ${why}; expected what can be copied`);
  }
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
  /** That of a worker, -1 when it has ended. */
  readonly threadId?: number;
}

/** A worker of a browser, or of Node's `worker_threads`. */
export interface AnyWorker {
  /** Sends a message. */
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Ends it at once. */
  terminate(): unknown;
}

/** The ports of workers, for all runs in one share its listeners. */
const ports = new WeakMap<object, Port>();

/** The end of a worker, or in a worker that of its page. */
export function portOf(worker: Pick<AnyWorker, "postMessage">): Port {
  return getOrInsert(ports, worker, () => new SharedPort(worker as BrowserEnd | NodeEnd));
}

/** What hears of one side. */
interface Hearer {
  readonly heard: (message: unknown) => void;
  readonly ended: (reason: string) => void;
}

/** A port whose hearers share one set of listeners. */
class SharedPort implements Port {
  readonly #hearers = new Set<Hearer>();
  #leave: (() => void) | null = null;
  /** Why the other side is there no more. */
  #over: string | null = null;

  constructor(readonly end: BrowserEnd | NodeEnd) {}

  send(message: unknown, transfer: ArrayBuffer[] = []): void {
    this.end.postMessage(message, transfer);
  }

  listen(heard: Hearer["heard"], ended: Hearer["ended"]): () => void {
    const { end } = this;
    if ("threadId" in end && end.threadId === -1) this.#over ??= "its thread is over";
    if (this.#over !== null) {
      ended(this.#over);
      return () => {};
    }
    const hearer = { heard, ended };
    this.#hearers.add(hearer);
    const hear = (message: unknown) => {
      for (const each of [...this.#hearers]) each.heard(message);
    };
    const lose = (reason: string, isOver: boolean) => {
      if (isOver) this.#over ??= reason;
      for (const each of [...this.#hearers]) each.ended(reason);
    };
    this.#leave ??= "on" in end ? listenInNode(end, hear, lose) : listen(end, hear, lose);
    return () => void this.#hearers.delete(hearer);
  }

  rest(): void {
    if (this.#hearers.size > 0) return;
    this.#leave?.();
    this.#leave = null;
  }
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
  lose: (reason: string, isOver: boolean) => void,
): () => void {
  const take = ({ data }: { data?: unknown }) => heard(data);
  const fail = ({ message }: { message?: string }) =>
    message ? lose(message, false) : lose("its script did not load", true);
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
  lose: (reason: string, isOver: boolean) => void,
): () => void {
  const fail = (error: unknown) =>
    lose((error as Error | null | undefined)?.message || describeValue(error), true);
  const exit = (code: unknown) => lose(`exit code ${code}`, true);
  end.on("message", heard);
  end.on("error", fail);
  end.on("exit", exit);
  return () => {
    end.off("message", heard);
    end.off("error", fail);
    end.off("exit", exit);
  };
}
