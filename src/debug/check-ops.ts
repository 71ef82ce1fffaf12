import { isFloat } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import { UNMOVED } from "../forms/map.ts";
import { type Attributes, defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { BITS } from "../kernels/shaders.ts";
import { reshape } from "../ops/reshape.ts";
import { rowReduction } from "../ops/row-reduction.ts";

/** Bits of a mark: whether there is an infinity, and a NaN. */
const INFINITE = 1;
export const NAN = 2;

/** How many marks one word holds, two bits each. */
const PER_WORD = 16;

interface MarkAttributes extends Attributes {
  /** Which bits of the word are the element's. */
  shift: number;
}

function markOf(x: number): number {
  return Number.isNaN(x) ? NAN : Number.isFinite(x) ? 0 : INFINITE;
}

/** y = a mark of each float, shifted. */
const markOp: OpDefinition<MarkAttributes> = defineOp<MarkAttributes>({
  name: "mark",
  infer: ([x]) => ({ shape: x.shape, dtype: "u32" }),
  scalar:
    (_, { shift }) =>
    (x) =>
      markOf(x) * 2 ** shift,
  // The same: a sum of x · 0 is 0 where all are finite, as they are as a rule.
  cpu: (y, [{ data, offset, strides }], { shift }) => {
    const [, length] = y.shape;
    const [, stride] = strides;
    let sum = 0;
    for (let i = 0; i < length; i++) sum += data[offset + i * stride] * 0;
    y.data.fill(0, 0, length);
    if (sum === 0) return;
    for (let i = 0; i < length; i++) {
      y.data[i] = markOf(data[offset + i * stride]) * 2 ** shift;
    }
  },
  cost: 2,
  linear: true,
  form: {
    kind: "pointwise",
    libraries: BITS,
    element: ({ at, load, scalars, inputs, attributes: { shift } }) => {
      const [m, words] = [scalars(inputs[0].dtype), scalars("u32")];
      const x = at.body.bind(load(0, at));
      const [nan, infinite] = [NAN, INFINITE].map((mark) => words.literal(mark * 2 ** shift));
      const mark = words.call("select", infinite, nan, m.call("g_is_nan", x));
      return words.call("select", mark, words.literal(0), m.call("g_is_finite", x));
    },
  },
  vjp: null,
});

/** The range of indices. */
export interface IndexAttributes extends Attributes {
  caller: string;
  size: number;
  ignored: number | null;
}

/** y = x: indices that are going to be checked. */
export const indicesOp: OpDefinition<IndexAttributes> = defineOp<IndexAttributes>({
  name: "indices",
  infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
  cost: 0,
  linear: true,
  form: UNMOVED,
  vjp: null,
});

/** Says whether an index is what it may be. */
export function isInRange(
  index: number,
  { size, ignored }: Pick<IndexAttributes, "size" | "ignored">,
) {
  return (index >= 0 && index < size) || index === ignored;
}

/** y = a | b. */
const orOp: OpDefinition<Attributes> = defineOp<Attributes>({
  name: "or",
  infer: ([a]) => ({ shape: a.shape, dtype: a.dtype }),
  scalar: () => (a, b) => (a | b) >>> 0,
  cpu: (y, [a, b]) => {
    const [, length] = y.shape;
    for (let i = 0; i < length; i++) {
      y.data[i] = a.data[a.offset + i * a.strides[1]] | b.data[b.offset + i * b.strides[1]];
    }
  },
  passes: ([a, b]) => (b === 0 ? 0 : a === 0 ? 1 : null),
  linear: true,
  form: {
    kind: "pointwise",
    element: ({ at, load, scalars, y }) => scalars(y.dtype).call("|", load(0, at), load(1, at)),
  },
  vjp: null,
});

/** y[0] = x[0, 0] | x[0, 1] | … */
const orReduceOp = rowReduction({
  name: "orReduce",
  row: (data, start, stride, length) => {
    let word = 0;
    for (let i = 0; i < length; i++) word |= data[start + i * stride];
    return word >>> 0;
  },
  functions: () => ({ identity: (m) => m.literal(0), combine: "|" }),
  vjp: null,
});

/** Words that hold the marks of tensors. */
export interface FloatMarks {
  readonly words: readonly Tensor[];
  /** Gives the marks in order, from the words' values. */
  of(values: readonly ArrayLike<number>[]): number[];
}

/** Marks floats: where they hold infinities or NaN. */
export function markAll(floats: readonly Tensor[]): FloatMarks {
  // One word reduces tensors of one size together: the more, the fewer kernels.
  const groups: { size: number; members: number[] }[] = [];
  floats.forEach((x, i) => {
    const fits = (group: (typeof groups)[number]) =>
      group.size === x.size && group.members.length < PER_WORD;
    const group = groups.find(fits);
    if (group) group.members.push(i);
    else groups.push({ size: x.size, members: [i] });
  });
  return {
    words: groups.map(({ members }) => wordOf(members.map((i) => floats[i]))),
    of: (values) => {
      const marks: number[] = [];
      groups.forEach(({ members }, word) => {
        for (const [place, i] of members.entries())
          marks[i] = (values[word][0] >>> (2 * place)) & 3;
      });
      return marks;
    },
  };
}

/** The marks of tensors of one size, each at its place in one word. */
function wordOf(tensors: readonly Tensor[]): Tensor {
  const rows = tensors.map((x, place) => {
    return apply(markOp, [reshape(x, [1, x.size])], { shift: 2 * place });
  });
  return apply(orReduceOp, [rows.reduce((a, b) => apply(orOp, [a, b], {}))], {});
}

/** Says whether a tensor has something to mark. */
export function isMarked({ dtype, shape }: Pick<Tensor, "dtype" | "shape">): boolean {
  return isFloat(dtype) && sizeOf(shape) > 0;
}
