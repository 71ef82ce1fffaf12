import type { TensorType } from "../core/tensor-type.ts";
import type { AxisMap, MapForm } from "../forms/map.ts";
import type { PointwiseForm } from "../forms/pointwise.ts";
import type { Traits } from "../forms/traits.ts";

// Part of the script of larger tiles: without it the parts of a product are summed as rows are.

/** More parts are added by a kernel of their own: who loads what they make would wait too long. */
const FEW_PARTS = 8;
/** Rows of fewer sums are added by trees of workgroups. */
const MANY_SUMS = 64;

const whole = (axis: number): AxisMap => ({ start: 0, terms: [[axis, 1]], divisor: 1 });

/** y[i, j] = x[i, part, j]. */
const slicePart = {
  name: "slice",
  infer: ([{ shape, dtype }]: readonly TensorType[]): TensorType => {
    return { shape: [shape[0], shape[2]], dtype };
  },
  cost: 0,
  form: {
    kind: "map",
    maps: (_, { part }) => [[whole(0), { start: part, terms: [], divisor: 1 }, whole(1)]],
  } satisfies MapForm<{ part: number }>,
  vjp: null,
};

/** Adds in the order of reduce-direct.wgsl: four chains, each from 0, and what is left to the first. */
function addParts<V>(parts: readonly V[], zero: V, add: (a: V, b: V) => V): V {
  const chains = [zero, zero, zero, zero];
  const rest = parts.length - (parts.length % 4);
  for (const [i, part] of parts.entries()) {
    const chain = i < rest ? i % 4 : 0;
    chains[chain] = add(chains[chain], part);
  }
  return add(add(chains[0], chains[1]), add(chains[2], chains[3]));
}

/** y = Σ_p x_p, for so many inputs. */
const partSum = (count: number) => ({
  name: "sum",
  cost: count - 1,
  linear: true,
  scalar:
    () =>
    (...values: number[]) =>
      addParts(values, 0, (a, b) => a + b),
  form: {
    kind: "pointwise",
    element: ({ at, load, inputs, y, scalars }) => {
      const m = scalars(y.dtype);
      const parts = inputs.map((_, i) => load(i, at));
      return addParts(parts, m.literal(0), (a, b) => m.call("+", a, b));
    },
  } satisfies PointwiseForm<unknown>,
  vjp: null,
});

const sums = Array.from({ length: FEW_PARTS + 1 }, (_, count) => partSum(count));

/** An op of this file, and how it is called. */
export type PartOp = typeof slicePart | (typeof sums)[number];
export type ApplyPart<X> = (op: PartOp, inputs: readonly X[], attributes: { part: number }) => X;

/**
 * Sums the parts `[batch, parts, elements]` of a product as `sum` does, bit for bit, but by what is
 * computed in whatever kernel loads the sums; null where `sum` does better.
 * @param apply calls an op.
 */
export function sumParts<X extends TensorType>(
  x: X,
  { workgroupMemory }: Traits,
  apply: ApplyPart<X>,
): X | null {
  const [batch, count, elements] = x.shape;
  if (!workgroupMemory || count > FEW_PARTS || batch * elements < MANY_SUMS) return null;
  const parts = Array.from({ length: count }, (_, part) => apply(slicePart, [x], { part }));
  return apply(sums[count], parts, { part: 0 });
}
