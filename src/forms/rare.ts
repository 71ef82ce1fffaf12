let isWanted = false;
let load: (() => unknown) | null = null;

/** Notes that an app has an op whose code devices may load apart, for few apps do; gives the op. */
export function rare<T>(op: T): T {
  isWanted = true;
  load?.();
  return op;
}

/** Loads code of rare ops where an app has some, else as soon as it does: null till then. */
export function whenRare<T>(fn: () => Promise<T>): Promise<T> | null {
  // Until it is there, or where it cannot be had, plain forms serve.
  load = () => fn().catch(() => {});
  return isWanted ? fn() : null;
}
