import type { ElementContext } from "../forms/pointwise.ts";
import { Position } from "../forms/position.ts";
import { type Attributes, defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { add } from "./arithmetic.ts";
import { equal } from "./compare.ts";
import { iota } from "./creation.ts";
import { gatherRows } from "./gather.ts";
import { expandDims } from "./reshape.ts";
import { elementAt } from "./rows.ts";
import { placesAmong } from "./search-sorted.ts";
import { sort } from "./sort.ts";
import { where } from "./where.ts";

/** The row that the k-th index names, or the last one behind the end: k is a word, the row an i32. */
function rowAt<V>({ at, load, scalars, inputs }: ElementContext<Attributes, V>, k: V): V {
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
    const last = rowAt(context, words.call("-", next, words.literal(1)));
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
      const isWritten = rows.call("==", rowAt(context, last), row);
      return scalars(y.dtype).call("select", own, fresh, isWritten);
    },
    place: (context) => {
      const { at, scalars, inputs } = context;
      const [{ shape }, index] = inputs;
      const words = scalars("u32");
      const [k, column] = at.coordinates;
      const next = at.body.bind(words.call("+", k, words.literal(1)));
      const [row, other] = [k, next].map((one) => words.from(rowAt(context, one)));
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

/**
 * Puts rows of values, `[count, columns]`, in the place of those of x, `[rows, columns]`, that i32
 * `[count]` names, or of none; of several for one row the last stays. Gradients pass what is put to
 * the rows that stayed, and what is not replaced to x.
 */
export function overwriteRows(x: Tensor, index: Tensor, values: Tensor): Tensor {
  const { values: sorted, indices } = sort(index); // equal ones stay in order
  return overwriteSorted(x, sorted, gatherRows(values, indices, true));
}
