import { checkOptions, checkWords, type Known } from "../core/check.ts";
import { type DType, isFloat } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape, sizeOf } from "../core/shape.ts";
import type { OwnFunctions } from "../forms/kernel.ts";
import { rare } from "../forms/rare.ts";
import type { Formula } from "../forms/scalars.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkTensors, type Tensor } from "../graph/tensor.ts";
import { sortedPlaces } from "../kernels/segment-sum.ts";
import { BITS } from "../kernels/shaders.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { reshape } from "./reshape.ts";
import { elementAt, forEachRow } from "./rows.ts";

/** Options of `searchSorted`. */
export interface SearchOptions {
  /**
   * Whether a value is put before equal ones, `left`, or behind them, `right`; `left` when left
   * out.
   */
  side?: "left" | "right";
}

const SEARCH: Known<SearchOptions> = { side: "string" };

interface SearchAttributes extends Record<string, unknown> {
  side: "left" | "right";
}

/** Whether a comes before b where NaN is the last of all. */
function isBefore(a: number, b: number): boolean {
  return a < b || (Number.isNaN(b) && !Number.isNaN(a));
}

function comesBefore(type: DType, { side }: SearchAttributes): OwnFunctions {
  const before: Formula = isFloat(type)
    ? (m, a, b) => {
        const isLast = m.call("&", m.call("g_is_nan", b), m.call("!", m.call("g_is_nan", a)));
        return m.call("|", m.call("<", a, b), isLast);
      }
    : (m, a, b) => m.call("<", a, b);
  return {
    comes_before: side === "left" ? before : (m, x, v) => m.call("!", before(m, v, x)),
  };
}

/** y[r, i] = how many of the sorted x[r, …] come before v[r, i]. */
const searchSortedOp: OpDefinition<SearchAttributes> = defineOp<SearchAttributes>({
  name: "searchSorted",
  infer: ([, { shape }]) => ({ shape, dtype: "i32" }),
  ofNothing: 0,
  flops: ([{ shape }], y) => sizeOf(y.shape) * Math.ceil(Math.log2(shape[1] + 1)),
  cpu: (y, [x, v], { side }) => {
    const count = y.shape[1];
    const comes = side === "left" ? isBefore : (a: number, b: number) => !isBefore(b, a);
    forEachRow(x, (row, data, start, stride, length) => {
      for (let i = 0; i < count; i++) {
        const value = elementAt(v, row, i);
        let [low, high] = [0, length];
        while (low < high) {
          const middle = (low + high) >> 1;
          if (comes(data[start + middle * stride], value)) low = middle + 1;
          else high = middle;
        }
        y.data[row * count + i] = low;
      }
    });
  },
  form: {
    kind: "kernel",
    batching: "rows",
    family: sortedPlaces,
    problem: ({ inputs: [{ dtype, shape }, v] }) => {
      const [ROWS, LENGTH] = shape;
      return { dtype, ROWS, LENGTH, COUNT: v.shape[1] };
    },
    functions: comesBefore,
    libraries: BITS,
  },
  vjp: null,
});

/** The same op, where more than shaders compute it. */
const searchOp: OpDefinition<SearchAttributes> = /* @__PURE__ */ rare(searchSortedOp);

function placesBy(
  op: OpDefinition<SearchAttributes>,
  x: Tensor,
  v: Tensor,
  side: "left" | "right",
) {
  const rows = [x, v].map((row) => reshape(row, [1, row.size]));
  return reshape(apply(op, rows, { side }), [v.size]);
}

/** How many of the sorted x, `[n]`, come before each of v, `[m]`. */
export function placesAmong(x: Tensor, v: Tensor, side: "left" | "right" = "left"): Tensor {
  return placesBy(searchOp, x, v, side);
}

/** The same in what only shaders compute: other devices need no code for it. */
export function placesInShaders(x: Tensor, v: Tensor): Tensor {
  return placesBy(searchSortedOp, x, v, "left");
}

/**
 * Finds where values would be put among sorted ones so that these stay sorted, as i32 from 0 to n.
 * NaN is the last of all, as `sort` has it. What is not sorted gives some such number.
 * @param sorted `[n]`, or `[…, n]` with rows that are sorted each, the smallest first.
 * @param values of any shape, or `[…, m]` for such rows, with the same axes in front.
 * @returns in the shape of the values.
 * @throws ShapeError or DTypeError for others.
 * @example await searchSorted(tensor([1, 3, 5]), tensor([0, 3, 4])).toArray(); // [0, 1, 2]
 */
export function searchSorted(
  sorted: Tensor,
  values: Tensor,
  options: SearchOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("searchSorted", options, SEARCH, surplus);
  checkTensors("searchSorted", [sorted, values]);
  const { side = "left" } = options;
  checkWords("searchSorted", { side }, ["left", "right"]);
  checkDomain("searchSorted", sorted.dtype, "number");
  checkSameDType("searchSorted", sorted, values);
  if (sorted.rank === 1)
    return reshape(placesAmong(sorted, reshape(values, [values.size]), side), values.shape);
  const outer = sorted.shape.slice(0, -1);
  if (sorted.rank === 0 || !sameShape(outer, values.shape.slice(0, -1))) {
    throw new ShapeError(
      `searchSorted: sorted ${formatShape(sorted.shape)}, values ${formatShape(values.shape)}; ` +
        "expected [n], or [..., n] and [..., m] with the same axes in front",
    );
  }
  const rows = [sorted, values].map((x) => reshape(x, [sizeOf(outer), x.shape[outer.length]]));
  return reshape(apply(searchOp, rows, { side }), values.shape);
}
