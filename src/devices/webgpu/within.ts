import { DeviceError } from "../../core/errors.ts";

/** The longest time that a timer takes. */
const LONGEST = 2 ** 31 - 1;

/**
 * Waits for an answer of the browser, but not for ever: while its GPU process is stuck there is none.
 * @param late what becomes of an answer that nobody waits for any more.
 * @throws DeviceError when there is no answer within `ms` milliseconds, or a refusal.
 */
export async function within<T>(
  call: string,
  ms: number,
  answer: Promise<T>,
  late?: (value: T) => void,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const expire = () => {
      if (late) answer.then(late, () => {});
      reject(
        new DeviceError(
          `init: ${call} gave no answer within ${ms / 1000} s; expected one. Restart the browser, ` +
            "use the cpu device, or wait longer by the option timeout",
        ),
      );
    };
    timer = setTimeout(expire, Math.min(ms, LONGEST));
  });
  const refused = answer.catch((error: unknown) => {
    const reason = (error as Error | undefined)?.message ?? String(error);
    throw new DeviceError(`init: ${call} failed (${reason}); expected an answer`);
  });
  try {
    return await Promise.race([refused, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
