import { isInteger } from "../core/check.ts";
import { FormatError } from "../core/errors.ts";
import { isPlainObject } from "../core/kind.ts";
import { list, quote } from "../core/quote.ts";
import type { Fingerprint } from "./batches.ts";
import type { RunEnd } from "./callback.ts";
import type { EpochEvent } from "./events.ts";
import type { Sums } from "./means.ts";
import type { Progressed } from "./training.ts";

/** What a checkpoint of `fit` keeps beside the states. */
export interface Kept {
  readonly history: readonly EpochEvent[];
  readonly progressed: Progressed;
  /** What each callback gave, by name. */
  readonly callbacks: Readonly<Record<string, unknown>>;
  /** Why the run had ended; null where it had not. */
  readonly end: RunEnd | null;
  readonly fingerprint: Fingerprint;
}

/**
 * Checks that the values of a checkpoint are what `fit` saves.
 * @param names those of the loss and the metrics.
 * @throws FormatError, as `op`, for anything else.
 */
export function checkKept(op: string, values: unknown, names: readonly string[]): Kept {
  const check = new PartChecker(op);
  const { history, progressed, callbacks, end, fingerprint } = check.object("values", values);
  check.progress(progressed, names);
  check.that("callbacks", callbacks, isPlainObject(callbacks), "an object");
  check.that("end", end, end === null || isEnd(end), "null, or what ended the run");
  check.that("fingerprint", fingerprint, isFingerprint(fingerprint), "values by name");
  check.history(history, (progressed as Progressed).epochs);
  return values as Kept;
}

/**
 * The number of the step after which a run goes on, if where its checkpoint says that it is can be.
 * @param own the run's batches an epoch, and whether that number may be another one than before.
 * @throws FormatError, as `op`, for a place that is none.
 */
export function checkPlace(
  op: string,
  step: number,
  { progressed }: Kept,
  own: { readonly stepsPerEpoch: number; readonly mayDiffer: boolean },
): number {
  const { epochs, steps } = progressed;
  const known = Number.isFinite(own.stepsPerEpoch) ? own.stepsPerEpoch : progressed.stepsPerEpoch;
  const count = known ?? Number.POSITIVE_INFINITY;
  const place = epochs === 0 ? steps : epochs * count + steps;
  const isPlace = isInteger(place, 0, 2 ** 32 - 1) && steps <= count;
  if (isPlace && (own.mayDiffer || place === step)) return place;
  throw new FormatError(
    `${op}: a checkpoint of step ${step}, ${steps} steps after ${epochs} epochs; expected a place ` +
      `in epochs of ${count} steps`,
  );
}

/** Whether sums are those of the loss and the metrics of these names. */
export function hasNames({ sums }: Sums, names: readonly string[]): boolean {
  return Object.keys(sums).length === names.length && names.every((n) => Object.hasOwn(sums, n));
}

/** Checks parts of a checkpoint's values. */
class PartChecker {
  constructor(readonly op: string) {}

  that(what: string, value: unknown, isRight: boolean, rule: string): void {
    if (isRight) return;
    const given = `a checkpoint with ${what} ${quote(value)}`;
    throw new FormatError(`${this.op}: ${given}; expected ${rule}, as fit saves it`);
  }

  object(what: string, value: unknown): Record<string, unknown> {
    this.that(what, value, isPlainObject(value), "an object");
    return value as Record<string, unknown>;
  }

  progress(value: unknown, names: readonly string[]): void {
    const { epochs, steps, stepsPerEpoch, epoch, recent } = this.object("progress", value);
    this.that("epochs", epochs, isInteger(epochs, 0), "an integer from 0");
    this.that("steps", steps, isInteger(steps, 0), "an integer from 0");
    const isLength = stepsPerEpoch === null || isInteger(stepsPerEpoch, 1);
    this.that("stepsPerEpoch", stepsPerEpoch, isLength, "an integer from 1, or null");
    this.sums("epoch's sums", epoch, names);
    this.sums("sums", recent, steps === 0 ? null : names);
  }

  /** Checks sums, of the loss and metrics by these names if they are to be gone on with. */
  sums(what: string, value: unknown, names: readonly string[] | null): void {
    const { examples, sums } = this.object(what, value);
    this.that(`${what} of examples`, examples, isInteger(examples, 0), "an integer from 0");
    this.that(what, sums, isNumbers(sums), "numbers by name");
    if (!names) return;
    const isRight = examples === 0 || hasNames(value as Sums, names);
    const own = Object.keys(sums as object);
    this.that(`${what} of`, own, isRight, `those of ${list(names)}`);
  }

  history(value: unknown, epochs: number): void {
    this.that("history", value, Array.isArray(value), "a list of epochs");
    const list = value as unknown[];
    for (const [i, epoch] of list.entries()) {
      const isRight = isEpoch(epoch, epochs - list.length + i);
      this.that(`epoch ${i + 1} of its history`, epoch, isRight, "a report of that epoch");
    }
  }
}

const NUMBERS = ["loss", "stepsPerSecond"];
const MAYBE_NUMBERS = ["validationLoss", "trainAccuracy", "testAccuracy"];
const MAYBE_MEANS = ["metrics", "validationMetrics"];

function isEpoch(value: unknown, epoch: number): boolean {
  if (!isPlainObject(value)) return false;
  const isMaybe = (test: (x: unknown) => boolean) => (name: string) =>
    value[name] === undefined || test(value[name]);
  return (
    value.event === "epoch" &&
    value.epoch === epoch &&
    isInteger(epoch, 0) &&
    isInteger(value.step, 0) &&
    NUMBERS.every((name) => isNumber(value[name])) &&
    MAYBE_NUMBERS.every(isMaybe(isNumber)) &&
    MAYBE_MEANS.every(isMaybe(isNumbers))
  );
}

function isEnd(value: unknown): boolean {
  if (!isPlainObject(value)) return false;
  const { by, reason } = value;
  const isReason = reason === undefined || typeof reason === "string";
  return (by === "epochs" || by === "callback") && isReason;
}

function isFingerprint(value: unknown): boolean {
  const kinds = ["string", "number", "boolean"];
  return isPlainObject(value) && Object.values(value).every((x) => kinds.includes(typeof x));
}

function isNumbers(value: unknown): boolean {
  return isPlainObject(value) && Object.values(value).every(isNumber);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}
