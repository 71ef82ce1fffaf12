import { type DType, is } from "../core/dtype.ts";
import { foldIn, type Key } from "../core/random.ts";
import type { Shape } from "../core/shape.ts";
import { drawnIndex } from "../core/shuffle.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { SHUFFLE } from "../kernels/shaders.ts";
import { add } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { keyAtStep } from "./fold-in-at.ts";

interface IndexDraw extends Record<string, unknown> {
  readonly key: Key;
  readonly shape: Shape;
  readonly count: number;
}

/** y[i] = a number from 0 to count − 1, each as likely, of the step's key and i. */
const drawnIndicesOp: OpDefinition<IndexDraw> = defineOp<IndexDraw>({
  name: "drawnIndices",
  infer: (_, { shape }) => ({ shape, dtype: "u32" }),
  cpu: (y, [step], { key, count }) => {
    const stepKey = foldIn(key, step.data[step.offset]);
    for (let i = 0; i < y.data.length; i++) y.data[i] = drawnIndex(stepKey, count, i);
  },
  cost: 230, // the step's key and a block
  form: {
    kind: "pointwise",
    libraries: SHUFFLE,
    element: (context) => {
      const { at, attributes, scalars } = context;
      const m = scalars("u32");
      return m.call("drawn_index", keyAtStep(context), m.literal(attributes.count), at.linear);
    },
  },
  vjp: () => [null],
});

/** Draws whole numbers from `low` to `high` − 1, of which there are at most 2³², of i32 at most 2³¹. */
export function drawIntegers(
  step: Tensor,
  shape: Shape,
  { key, dtype, low, high }: { key: Key; dtype: DType; low: number; high: number },
): Tensor {
  const drawn = apply(drawnIndicesOp, [step], { key, shape, count: high - low });
  const numbers = is(dtype, "counter") ? drawn : cast(drawn, dtype);
  return low === 0 ? numbers : add(numbers, low);
}
