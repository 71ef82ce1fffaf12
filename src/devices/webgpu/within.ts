import { NO_ANSWER } from "../../core/advice.ts";
import { DeviceError } from "../../core/errors.ts";

/** The longest time that a timer takes. */
const LONGEST = 2 ** 31 - 1;

/** Says whether an answer, or a refusal, comes within `ms` milliseconds. */
export async function settles(answer: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(ms, LONGEST));
  });
  const settled = () => true;
  try {
    return await Promise.race([answer.then(settled, settled), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks and waits for an answer of the browser, but not for ever: while its GPU process is stuck there
 * is none.
 * @param late what becomes of an answer that nobody waits for any more.
 * @throws DeviceError, as `op`, when there is no answer within `ms` milliseconds, or a refusal.
 */
export async function within<T>(
  op: string,
  call: string,
  ms: number,
  ask: () => Promise<T>,
  late?: (value: T) => void,
): Promise<T> {
  const answer = (async () => ask())();
  if (!(await settles(answer, ms))) {
    answer.then(late, () => {});
    throw new DeviceError(
      `${op}: ${call} gave no answer within ${ms / 1000} s; expected one${NO_ANSWER}`,
    );
  }
  try {
    return await answer;
  } catch (error) {
    throw refusal(op, call, error);
  }
}

/** What a refused answer is to whoever called `op`. */
export function refusal(op: string, call: string, error: unknown): DeviceError {
  const reason = (error as Error | undefined)?.message ?? String(error);
  return new DeviceError(`${op}: ${call} failed (${reason}); expected an answer`);
}
