import { checkWords, isInteger } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape, type Shape } from "../core/shape.ts";

/** A number for each axis that windows slide along, or one for all. */
export type PerAxis = number | readonly number[];

/** What lies around each axis: as much on both sides, or so much before and after. */
export type EdgePadding = number | readonly (number | readonly [before: number, after: number])[];

/** Gives a number for each of some axes. */
export function forEachAxis(
  op: string,
  name: string,
  given: PerAxis,
  axes: readonly number[],
  low: number,
): readonly number[] {
  const numbers: readonly number[] = Array.isArray(given) ? given : axes.map(() => given as number);
  if (numbers.length === axes.length && numbers.every((n) => isInteger(n, low))) return numbers;
  throw new ShapeError(
    `${op}: ${name} ${quote(given)} for axes ${formatShape(axes)}; expected an integer from ` +
      `${low}, or one for each`,
  );
}

/** Gives what lies before and after each of some axes. */
export function edgesOf(
  op: string,
  given: EdgePadding,
  axes: readonly number[],
): readonly (readonly [before: number, after: number])[] {
  const items = Array.isArray(given) ? given : axes.map(() => given);
  const pairs = items.map((item) => (Array.isArray(item) ? item : [item, item]));
  const holds = (pair: readonly number[]) =>
    pair.length === 2 && pair.every((n) => isInteger(n, 0));
  if (pairs.length === axes.length && pairs.every(holds)) {
    return pairs as [number, number][];
  }
  throw new ShapeError(
    `${op}: padding ${quote(given)} for axes ${formatShape(axes)}; expected an integer from 0, or ` +
      "one or a pair [before, after] for each",
  );
}

/** How windows lie along one axis. */
export interface Sliding {
  /** Elements of the axis. */
  readonly input: number;
  /** Elements of a window, how far they lie apart, and how far windows do. */
  readonly size: number;
  readonly dilation: number;
  readonly stride: number;
  /** What lies around the axis. */
  readonly before: number;
  readonly after: number;
}

/** From the first to the last element of a window. */
export function spanOf({ size, dilation }: Pick<Sliding, "size" | "dilation">): number {
  return dilation * (size - 1) + 1;
}

/** Zeros around an axis so that there are ⌈n / stride⌉ windows, one more behind where they are odd. */
function sameEdges(one: Omit<Sliding, "before" | "after">): [before: number, after: number] {
  const { input, stride } = one;
  const total = Math.max(0, (Math.ceil(input / stride) - 1) * stride + spanOf(one) - input);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

/** Gives what lies around axes by numbers, pairs or a word. */
export function edgesFor(
  op: string,
  padding: EdgePadding | "same" | "valid",
  all: readonly Omit<Sliding, "before" | "after">[],
  axes: readonly number[],
): readonly (readonly [before: number, after: number])[] {
  if (typeof padding !== "string") return edgesOf(op, padding, axes);
  checkWords(op, { padding }, ["same", "valid"]);
  return all.map((one) => (padding === "same" ? sameEdges(one) : [0, 0]));
}

/** Counts the windows that fit along an axis. */
export function countOf(one: Sliding): number {
  const { input, before, after, stride } = one;
  return Math.floor((input + before + after - spanOf(one)) / stride) + 1;
}

/** Throws a `ShapeError` unless a window fits along each of some axes of x. */
export function checkWindows(
  op: string,
  all: readonly Sliding[],
  x: Shape,
  axes: readonly number[],
): void {
  for (const [i, one] of all.entries()) {
    const { size, dilation, input, before, after } = one;
    const room = input + before + after;
    if (spanOf(one) <= room) continue;
    const padded = room > input ? ` with ${before} and ${after} around it` : "";
    throw new ShapeError(
      `${op}: a window of ${size}, dilation ${dilation}, spans ${spanOf(one)} elements of axis ` +
        `${axes[i]} of ${formatShape(x)}${padded}; expected at most ${room}`,
    );
  }
}
