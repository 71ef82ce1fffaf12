/** Gives what a call throws; throws itself if that is nothing. */
export function errorOf(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("no error");
}
