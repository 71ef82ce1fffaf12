import { describeValue } from "../core/check.ts";
import type { NumericArray } from "../core/dtype.ts";
import * as errors from "../core/errors.ts";
import * as faults from "../core/faults.ts";
import type { TrainEvent } from "../train/events.ts";
import { NonFiniteLossError } from "../train/non-finite.ts";

/** A captured value, read. */
export interface CapturedValues {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: NumericArray;
}

/** What a job in a worker tells the page: what `train` reports, with values that were read, and notes of its own. */
export type JobEvent<Note> =
  | (Omit<TrainEvent, "captured"> &
      TrainEvent & { readonly values?: Readonly<Record<string, CapturedValues>> })
  | { readonly event: "note"; readonly note: Note };

/** How a run in a worker has ended. */
export interface JobEnd {
  /** Steps that were made. */
  readonly step: number;
  /** Whether it was stopped before its last epoch. */
  readonly stopped: boolean;
}

/** An error as it goes from a worker to a page. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** What else the error tells, such as the step. */
  readonly own: Readonly<Record<string, unknown>>;
}

/** From the page: a request, which is answered by its number. */
export interface JobRequest {
  readonly gradus: number;
  /** Number of the request that began the run. */
  readonly run: number;
  readonly kind:
    | "start"
    | "go"
    | "pause"
    | "resume"
    | "step"
    | "stop"
    | "set"
    | "call"
    | "save"
    | "load"
    | "close";
  readonly given: unknown;
}

/** From the worker: an answer, or what happened meanwhile, some of it at once. */
export type JobReply =
  | { readonly gradus: number; readonly result: unknown }
  | { readonly gradus: number; readonly error: SentError }
  | { readonly gradus: number; readonly events: readonly unknown[] };

/** Whether a message is one of these: others may use the same worker. */
export function isMessage(data: unknown): data is JobRequest & JobReply {
  return typeof (data as { gradus?: unknown } | null)?.gradus === "number";
}

/** Classes that every realm has. */
const BUILT_IN = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/** Takes an error apart. */
export function sentError(error: unknown): SentError {
  if (!(error instanceof Error)) {
    const message = typeof error === "string" ? error : describeValue(error);
    return { name: "Error", message, own: {} };
  }
  const { name, message, stack } = error;
  const isPlain = (x: unknown) => x === null || /^(string|number|boolean)$/.test(typeof x);
  const own = Object.entries(error).filter(([key, x]) => key !== "name" && isPlain(x));
  return { name, message, ...(stack !== undefined && { stack }), own: Object.fromEntries(own) };
}

/** Makes an error of the same class as the one that was taken apart. */
export function receivedError({ name, message, stack, own }: SentError): Error {
  const classes = { ...BUILT_IN, ...errors, ...faults, NonFiniteLossError } as Record<
    string,
    unknown
  >;
  const known =
    typeof classes[name] === "function" && name.endsWith("Error") ? classes[name] : null;
  const error = new Error(message);
  if (known) Object.setPrototypeOf(error, (known as { prototype: object }).prototype);
  for (const [key, value] of Object.entries({ name, stack, ...own })) {
    if (value === undefined) continue;
    Object.defineProperty(error, key, {
      value,
      configurable: true,
      writable: true,
      enumerable: key !== "stack" && key !== "name",
    });
  }
  return error;
}
