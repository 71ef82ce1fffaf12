import { checkOptions, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { checkShape, formatShape, normalizeAxes, type Shape } from "../core/shape.ts";
import { inside } from "../forms/inside.ts";
import { type AxisMap, along } from "../forms/map.ts";
import { rare } from "../forms/rare.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkTensors, type Tensor } from "../graph/tensor.ts";
import { broadcastTo } from "./broadcast.ts";
import { reshape } from "./reshape.ts";
import { forEachAxis, type PerAxis } from "./sliding.ts";

/** Where windows lie: each a number for all axes, or one for each axis that windows slide along. */
export interface WindowOptions {
  /** The axes that windows slide along, counted from the end when negative; all when left out. */
  axis?: number | readonly number[];
  /** How far a window lies from the one before, from 1; 1 when left out. */
  stride?: PerAxis;
  /** How far elements of a window lie apart, from 1; 1 when left out. */
  dilation?: PerAxis;
}

const WINDOWS: Known<WindowOptions> = { axis: "number", stride: true, dilation: true };

interface WindowAttributes extends Record<string, unknown> {
  shape: Shape;
  axes: readonly number[];
  stride: readonly number[];
  dilation: readonly number[];
}

/** The place on an axis of the input, given that on the same axis of the result and in the window. */
function places(
  rank: number,
  { axes, stride, dilation }: WindowAttributes,
  of: (axis: number, stride: number, offset: readonly [axis: number, step: number]) => AxisMap,
): AxisMap[] {
  return Array.from({ length: rank }, (_, axis) => {
    const i = axes.indexOf(axis);
    return i < 0 ? along(axis) : of(axis, stride[i], [rank - axes.length + i, dilation[i]]);
  });
}

/** y[…, o, …, k] = x[…, stride·o + dilation·k, …, k]. */
const windowsOp: OpDefinition<WindowAttributes> = /* @__PURE__ */ rare(
  defineOp<WindowAttributes>({
    name: "windows",
    infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
    cost: 0,
    form: {
      kind: "map",
      maps: ([x], attributes) => [
        places(x.shape.length, attributes, (axis, stride, offset) => {
          return { start: 0, terms: [[axis, stride], offset], divisor: 1 };
        }),
      ],
    },
    vjp: (g, { inputs: [x], attributes }) => [
      apply(unwindowOp, [g], { ...attributes, shape: x.shape }),
    ],
  }),
  "windows",
);

/** The adjoint: y[…, i, …, k] = x[…, (i − dilation·k) / stride, …, k], 0 where that is no place. */
const unwindowOp: OpDefinition<WindowAttributes> = defineOp<WindowAttributes>({
  name: "unwindow",
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  form: {
    kind: "map",
    maps: ([x], attributes) => [
      places(x.shape.length, attributes, (axis, divisor, [offset, step]) => {
        return {
          start: 0,
          terms: [
            [axis, 1],
            [offset, -step],
          ],
          divisor,
        };
      }),
    ],
    follow: inside,
    outside: () => 0,
  },
  vjp: (g, { inputs: [x], attributes }) => [
    apply(windowsOp, [g], { ...attributes, shape: x.shape }),
  ],
});

/**
 * Puts the elements of windows `[…places, …size]` where `windows` would find them, zeros elsewhere:
 * `[…shape, …size]`.
 */
export function unwindow(
  x: Tensor,
  shape: Shape,
  lie: Pick<WindowAttributes, "axes" | "stride" | "dilation">,
): Tensor {
  const { axes, stride, dilation } = lie;
  const sizes = x.shape.slice(x.rank - axes.length);
  return apply(unwindowOp, [x], { axes, stride, dilation, shape: [...shape, ...sizes] });
}

/**
 * Views a tensor through windows that slide along axes, as NumPy's `sliding_window_view` and PyTorch's
 * `unfold` do: along each of these the result has one place a window, and their elements on new last
 * axes, in the order in which the axes are given. No elements are copied. An axis of n elements has
 * ⌊(n − dilation·(size − 1) − 1) / stride⌋ + 1 windows; elements that are left over belong to none.
 * @param size elements of a window, from 0: a number for all axes, or one for each.
 * @throws ShapeError for windows longer than their axis and numbers that are no such integers.
 * @example windows(images, [3, 3], { axis: [1, 2] }); // [n, 28, 28, c] to [n, 26, 26, c, 3, 3]
 */
export function windows(
  x: Tensor,
  size: PerAxis,
  options: WindowOptions = {},
  ...surplus: never[]
): Tensor {
  checkTensors("windows", [x]);
  checkOptions("windows", options, WINDOWS, surplus);
  const sorted = normalizeAxes("windows", options.axis, x.rank);
  const given = options.axis === undefined ? sorted : [options.axis].flat();
  const axes = given.map((axis) => (axis < 0 ? axis + x.rank : axis)); // in the order given
  const sizes = forEachAxis("windows", "size", size, axes, 0);
  const stride = forEachAxis("windows", "stride", options.stride ?? 1, axes, 1);
  const dilation = forEachAxis("windows", "dilation", options.dilation ?? 1, axes, 1);
  const shape = [...x.shape, ...sizes];
  for (const [i, axis] of axes.entries()) {
    const span = Math.max(0, dilation[i] * (sizes[i] - 1) + 1);
    if (span > x.shape[axis]) {
      throw new ShapeError(
        `windows: size ${sizes[i]}, dilation ${dilation[i]} span ${span} elements of axis ${axis} ` +
          `of ${formatShape(x.shape)}; expected at most ${x.shape[axis]}`,
      );
    }
    shape[axis] = Math.floor((x.shape[axis] - span) / stride[i]) + 1;
  }
  // Every window has an axis of its own for each place in it: x repeated along it, and read askew.
  const target = checkShape("windows", [...x.shape, ...sizes]);
  const repeated = broadcastTo(reshape(x, [...x.shape, ...sizes.map(() => 1)]), target);
  return apply(windowsOp, [repeated], { shape, axes, stride, dilation });
}
