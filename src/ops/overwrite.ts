import type { ElementContext } from "../forms/pointwise.ts";
import { Position } from "../forms/position.ts";
import { rare } from "../forms/rare.ts";
import { customGrad } from "../graph/custom-grad.ts";
import { type Attributes, defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { placeRows } from "../kernels/place-rows.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { equal, greaterEqual, less, logicalAnd } from "./compare.ts";
import { iota } from "./creation.ts";
import { gatherRows } from "./gather.ts";
import { expandDims, reshape } from "./reshape.ts";
import { elementAt } from "./rows.ts";
import { placesAmong } from "./search-sorted.ts";
import { sort } from "./sort.ts";
import { where } from "./where.ts";

/** The row that the k-th index names, or the last one behind the end: k is a word, the row an i32. */
function namedRow<V>({ at, load, scalars, inputs }: ElementContext<Attributes, V>, k: V): V {
  const [, { shape }] = inputs;
  const words = scalars("u32");
  const safe = at.body.bind(words.call("min", k, words.literal(shape[0] - 1)));
  return at.body.bind(load(1, Position.at(at.body, shape, [safe])));
}

/** How many of the sorted indices are not behind a row. */
function countUpTo<V>(context: ElementContext<Attributes, V>, row: V): V {
  const { at, scalars, inputs } = context;
  const [words, rows] = [scalars("u32"), scalars("i32")];
  const [count] = inputs[1].shape;
  let found = words.literal(0);
  for (let step = 2 ** Math.floor(Math.log2(count)); step >= 1; step /= 2) {
    const next = at.body.bind(words.call("+", found, words.literal(step)));
    const last = namedRow(context, words.call("-", next, words.literal(1)));
    const isThere = words.call("<=", next, words.literal(count));
    const isBefore = words.call("&", isThere, rows.call("<=", last, row));
    found = at.body.bind(words.call("select", found, next, isBefore));
  }
  return found;
}

/**
 * y = x, but y[index[k]] = values[k] where index[k], the last of equal ones, is a row: index is sorted.
 * As a state's new value it writes these rows and no others.
 */
const overwriteRowsOp: OpDefinition<Attributes> = defineOp<Attributes>({
  name: "overwriteRows",
  cpu: (y, [x, index, values]) => {
    const [rows, columns] = y.shape;
    const put = (row: number, from: typeof x, k: number) => {
      for (let c = 0; c < columns; c++) y.data[row * columns + c] = elementAt(from, k, c);
    };
    for (let row = 0; row < rows; row++) put(row, x, row);
    for (let k = 0; k < index.shape[0]; k++) {
      const row = index.data[index.offset + k * index.strides[0]];
      if (row >= 0 && row < rows) put(row, values, k);
    }
  },
  cost: 32, // a search among some thousand indices
  flops: () => 0,
  scatter: 2,
  form: {
    kind: "pointwise",
    element: (context) => {
      const { at, load, scalars, inputs, y } = context;
      const [, { shape }, values] = inputs;
      const own = load(0, at);
      if (shape[0] === 0) return own;
      const [words, rows] = [scalars("u32"), scalars("i32")];
      const [place, column] = at.coordinates;
      const row = at.body.bind(rows.from(place));
      const k = words.call("-", countUpTo(context, row), words.literal(1));
      const last = at.body.bind(words.call("min", k, words.literal(shape[0] - 1)));
      const fresh = load(2, Position.at(at.body, values.shape, [last, column]));
      const isWritten = rows.call("==", namedRow(context, last), row);
      return scalars(y.dtype).call("select", own, fresh, isWritten);
    },
    place: (context) => {
      const { at, scalars, inputs } = context;
      const [{ shape }, index] = inputs;
      const words = scalars("u32");
      const [k, column] = at.coordinates;
      const next = at.body.bind(words.call("+", k, words.literal(1)));
      const [row, other] = [k, next].map((one) => words.from(namedRow(context, one)));
      const isEnd = words.call("==", next, words.literal(index.shape[0]));
      const isLast = words.call("|", isEnd, words.call("!", words.call("==", row, other)));
      const isRow = words.call("<", row, words.literal(shape[0]));
      const place = words.call("+", words.call("*", row, words.literal(shape[1])), column);
      const none = words.literal(shape[0] * shape[1]);
      return words.call("select", none, place, words.call("&", isLast, isRow));
    },
  },
  vjp: (g, { inputs: [x, index] }) => {
    const own = iota(x.shape[0], "i32", g.device);
    const [before, upTo] = (["left", "right"] as const).map((side) =>
      placesAmong(index, own, side),
    );
    const place = add(iota(index.size, "i32", g.device), 1);
    const isLast = equal(placesAmong(index, index, "right"), place);
    return [
      where(expandDims(equal(before, upTo), 1), g, 0),
      null,
      where(expandDims(isLast, 1), gatherRows(g, index, true), 0),
    ];
  },
});

/** Does what `overwriteRows` does where the indices are sorted. */
export function overwriteSorted(x: Tensor, index: Tensor, values: Tensor): Tensor {
  return apply(overwriteRowsOp, [x, index, values], {});
}

/** The last place j with index[j] = r for each of `rows` rows r, or -1: index is i32 `[count]`. */
function lastBySorting(index: Tensor, rows: number): Tensor {
  const { values, indices } = sort(index); // equal ones stay in order
  const own = iota(rows, "i32", index.device);
  const last = sub(placesAmong(values, own, "right"), 1);
  const [row, place] = [values, indices].map((x) => elementsAt(x, last));
  return where(logicalAnd(equal(row, own), greaterEqual(last, 0)), place, -1);
}

interface LastAttributes extends Record<string, unknown> {
  /** Elements of a row of the result. */
  length: number;
}

/** y[row, r] = g[row, j] for the last j with index[row, j] = r, or 0 where there is none. */
const lastOp: OpDefinition<LastAttributes> = /* @__PURE__ */ rare(
  defineOp<LastAttributes>({
    name: "last",
    infer: ([{ shape }, { dtype }], { length }) => ({ shape: [shape[0], length], dtype }),
    cpu: (y, [index, g], { length }) => {
      y.data.fill(0);
      const [rows, count] = index.shape;
      for (let row = 0; row < rows; row++) {
        for (let j = 0; j < count; j++) {
          const place = elementAt(index, row, j);
          if (place >= 0 && place < length) y.data[row * length + place] = elementAt(g, row, j);
        }
      }
    },
    ofNothing: 0,
    flops: () => 0,
    form: {
      kind: "kernel",
      batching: "rows",
      family: placeRows,
      problem: ({ y: { shape, dtype } }) => ({ dtype, ROWS: shape[0], LENGTH: shape[1] }),
    },
    // Where several write at once, none is the last.
    lower: ([index, g], { length }) => {
      const [rows] = index.shape;
      const first = mul(reshape(iota(rows, "i32", index.device), [rows, 1]), length);
      const isPlace = logicalAnd(greaterEqual(index, 0), less(index, length));
      const places = where(isPlace, add(index, first), -1);
      const last = lastBySorting(reshape(places, [index.size]), rows * length);
      return [reshape(elementsAt(reshape(g, [g.size]), last), [rows, length])];
    },
    vjp: null,
  }),
  "places",
);

/** The same, without sorting where elements are put in order. */
function lastPlaces(index: Tensor, rows: number): Tensor {
  const numbers = add(iota(index.size, "i32", index.device), 1);
  const given = [index, numbers].map((x) => expandDims(x, 0));
  return sub(reshape(apply(lastOp, given, { length: rows }), [rows]), 1);
}

/** x[index] of vectors, and 0 where there is no such place. */
function elementsAt(x: Tensor, index: Tensor): Tensor {
  return reshape(gatherRows(expandDims(x, 1), index, true), [index.size]);
}

/** Where one of so many rows is named, states are not worth being written in place. */
const FEW = 16;

/**
 * Puts rows of values, `[count, columns]`, in the place of those of x, `[rows, columns]`, that i32
 * `[count]` names, or of none; of several for one row the last stays. Gradients pass what is put to
 * the rows that stayed, and what is not replaced to x.
 */
export function overwriteRows(x: Tensor, index: Tensor, values: Tensor): Tensor {
  const [rows] = x.shape;
  if (index.size * FEW < rows) {
    const { values: sorted, indices } = sort(index); // equal ones stay in order
    return overwriteSorted(x, sorted, gatherRows(values, indices, true));
  }
  const from = lastPlaces(index, rows);
  const isKept = expandDims(equal(from, -1), 1);
  const put = customGrad(
    (own: Tensor, fresh: Tensor) => where(isKept, own, gatherRows(fresh, from, true)),
    (g) => {
      const stayed = equal(elementsAt(from, index), iota(index.size, "i32", index.device));
      return [where(isKept, g, 0), where(expandDims(stayed, 1), gatherRows(g, index, true), 0)];
    },
  );
  return put(x, values);
}
