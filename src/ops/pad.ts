import { checkNumbers, checkOptions, checkWords, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { checkShape, formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { stretch } from "./broadcast.ts";
import { concat, embed, type Range, slice } from "./slice.ts";

/** What lies around a tensor. */
export interface PadOptions {
  /**
   * `constant`, when left out: a value. `reflect`: the elements next to the edge, mirrored at it;
   * `symmetric`: the same with the edge itself; `replicate`: the edge; `circular`: the other end.
   */
  mode?: "constant" | "reflect" | "symmetric" | "replicate" | "circular";
  /** The value of mode `constant`; 0 when left out. */
  value?: number;
}

/** How many elements come before and after on each axis. */
export type Padding = readonly (readonly [number, number])[];

const PAD: Known<PadOptions> = { mode: "string", value: "number" };

/** Parts of an axis of n elements that lie before and behind it, and the most that one may have. */
interface Edges {
  most(n: number): number;
  before(n: number, count: number): Range;
  after(n: number, count: number): Range;
}

/** `count` elements backwards, from one on. */
function backwards(start: number, count: number): Range {
  const end = start - count;
  return end < 0 ? { start, step: -1 } : { start, end, step: -1 };
}

const EDGES: Readonly<Record<Exclude<Required<PadOptions>["mode"], "constant">, Edges>> = {
  reflect: {
    most: (n) => Math.max(0, n - 1),
    before: (_, count) => backwards(count, count),
    after: (n, count) => backwards(n - 2, count),
  },
  symmetric: {
    most: (n) => n,
    before: (_, count) => backwards(count - 1, count),
    after: (n, count) => backwards(n - 1, count),
  },
  replicate: {
    most: (n) => (n === 0 ? 0 : Number.POSITIVE_INFINITY),
    before: () => ({ end: 1 }),
    after: (n) => ({ start: n - 1 }),
  },
  circular: {
    most: (n) => n,
    before: (n, count) => ({ start: n - count }),
    after: (_, count) => ({ end: count }),
  },
};

/**
 * Surrounds a tensor with a value, or with its own elements.
 * @param padding how many elements come before and after on each axis, from 0: one pair for each.
 * Modes `symmetric` and `circular` take at most the axis's own number, `reflect` one less.
 * @param options `mode` and `value`.
 * @throws ShapeError for other padding.
 * @example await pad(tensor([1, 2, 3]), [[2, 0]], { mode: "reflect" }).toArray(); // [3, 2, 1, 2, 3]
 */
export function pad(
  x: Tensor,
  padding: Padding,
  options: PadOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("pad", options, PAD, surplus);
  checkTensors("pad", [x]);
  const { mode = "constant", value = 0 } = options;
  checkWords("pad", { mode }, ["constant", ...Object.keys(EDGES)]);
  checkNumbers("pad", { value });
  checkPadding(x, padding);
  const sizes = x.shape.map((n, axis) => n + padding[axis][0] + padding[axis][1]);
  const shape = checkShape("pad", sizes);
  if (mode === "constant") {
    const start = padding.map(([before]) => before);
    return embed(x, shape, start, new Array(x.rank).fill(1), value);
  }
  const edges = EDGES[mode];
  for (const [axis, pair] of padding.entries()) {
    const most = edges.most(x.shape[axis]);
    if (Math.max(...pair) <= most) continue;
    throw new ShapeError(
      `pad: mode ${mode}, padding ${quote(pair)} on axis ${axis} of ${formatShape(x.shape)}; ` +
        `expected at most ${most}`,
    );
  }
  return padding.reduce((y, pair, axis) => padAxis(y, axis, pair, edges), slice(x, []));
}

function checkPadding(x: Tensor, padding: Padding): void {
  const isValid =
    Array.isArray(padding) &&
    padding.length === x.rank &&
    padding.every((pair) => Array.isArray(pair) && pair.length === 2) &&
    padding.flat().every((n) => Number.isInteger(n) && n >= 0);
  if (isValid) return;
  throw new ShapeError(
    `pad: padding ${quote(padding)} for ${formatShape(x.shape)}; expected one pair of ` +
      "non-negative integers for each axis",
  );
}

function padAxis(
  x: Tensor,
  axis: number,
  [before, after]: readonly [number, number],
  edges: Edges,
): Tensor {
  const n = x.shape[axis];
  const part = (count: number, range: Range): Tensor[] => {
    if (count === 0) return [];
    const piece = slice(
      x,
      x.shape.map((_, i) => (i === axis ? range : {})),
    );
    return [
      stretch(
        piece,
        x.shape.map((size, i) => (i === axis ? count : size)),
      ),
    ];
  };
  const parts = [
    ...part(before, edges.before(n, before)),
    x,
    ...part(after, edges.after(n, after)),
  ];
  return parts.length === 1 ? x : concat(parts, { axis });
}
