import { MemoryError } from "./errors.ts";

/**
 * Runs what makes arrays on the host.
 * @throws MemoryError, as `op`, where the engine has no room for one of them.
 */
export function inMemory<T>(op: string, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    throw asMemoryError(op, error);
  }
}

/** What the engine throws where an array is too large, as an error of what the user called. */
export function asMemoryError(op: string, error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  return new MemoryError(`${op}: ${error.message}; expected arrays that fit the host's memory`);
}
