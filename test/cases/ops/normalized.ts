import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { positive, x } from "../../support/op-calls.ts";
import type { Make, OpCases } from "../../support/op-case.ts";

/** Two examples of two channels of two elements. */
const batch = (t: Make) =>
  t([
    [
      [1, 3],
      [10, 30],
    ],
    [
      [5, 7],
      [50, 70],
    ],
  ]);

const byHand = "by hand";
const exact = { epsilon: 0 };
/** 1 / √ε, what gradients of rows of one number are multiplied with; those of such a row sum to 0. */
const equalScale = 1 / Math.sqrt(1e-5);
const root5 = Math.sqrt(5);

export const normalizedCases = {
  layerNorm: {
    calls: [
      {
        inputs: [x(6, 20), positive(20), x(20)],
        run: (a, weight, bias) => ops.layerNorm(a, 20, { weight, bias }),
        scale: 8,
        equalScale,
      },
      { inputs: [x(3, 2, 70)], run: (a) => ops.layerNorm(a, [2, 70]), scale: 8, equalScale },
      {
        inputs: [x(5, 3)],
        run: (a) => ops.layerNorm(ops.transpose(a), [3, 5]),
        scale: 8,
        equalScale,
      },
      { inputs: [x(0, 3)], run: (a) => ops.layerNorm(a, 3) },
    ],
    golden: [
      {
        run: (t) =>
          ops.layerNorm(
            t([
              [1, 3],
              [-4, 4],
            ]),
            2,
            { ...exact, weight: t([2, 3]), bias: t([0, 1]) },
          ),
        is: [
          [-2, 4],
          [-2, 4],
        ],
        by: byHand,
      },
      { run: (t) => ops.layerNorm(t([[2, 2]]), 2), is: [[0, 0]], by: byHand },
    ],
    rejects: [
      {
        run: (t) => ops.layerNorm(t([[1, 2]]), 3),
        says: "layerNorm: input [1, 2]; expected […, 3]",
      },
      {
        run: (t) => ops.layerNorm(t([[1, 2]]), [2, 1, 2]),
        says: "layerNorm: input [1, 2]; expected […, 2, 1, 2]",
      },
      {
        run: (t) => ops.layerNorm(t([[1, 2]]), []),
        says: "layerNorm: normalizedShape []; expected an integer from 1, or several",
      },
      {
        run: (t) => ops.layerNorm(t([[1, 2]]), 2, { weight: t([1]) }),
        says: "layerNorm: weight [1]; expected [2]",
      },
      {
        run: (t) => ops.layerNorm(t([[1, 2]]), 2, { epsilon: -1 }),
        says: "layerNorm: epsilon -1; expected a finite number from 0",
        error: GradusError,
      },
      {
        run: (t) => ops.layerNorm(t([[1, 2]], "i32"), 2),
        says: "layerNorm: dtype i32; expected f32, f64",
      },
    ],
    gradient: true,
  },
  rmsNorm: {
    calls: [
      {
        inputs: [x(6, 20), positive(20)],
        run: (a, weight) => ops.rmsNorm(a, 20, { weight }),
        scale: 8,
      },
      { inputs: [x(3, 70)], run: (a) => ops.rmsNorm(a, 70, { epsilon: 0.1 }), scale: 4 },
    ],
    golden: [
      {
        run: (t) => ops.rmsNorm(t([[1, 7]]), 2, { ...exact, weight: t([5, 10]) }),
        is: [[1, 14]],
        by: byHand,
      },
    ],
    rejects: [
      {
        run: (t) => ops.rmsNorm(t(1), 3),
        says: "rmsNorm: input []; expected […, 3]",
      },
    ],
    gradient: true,
  },
  groupNorm: {
    calls: [
      {
        inputs: [x(2, 4, 3, 5), positive(4), x(4)],
        run: (a, weight, bias) => ops.groupNorm(a, 2, { weight, bias }),
        scale: 8,
      },
      { inputs: [x(2, 5, 4)], run: (a) => ops.groupNorm(a, 2, { axis: -1 }), scale: 8 },
    ],
    golden: [
      {
        run: (t) => ops.groupNorm(t([[1, 3, 10, 30]]), 2, exact),
        is: [[-1, 1, -1, 1]],
        by: byHand,
      },
    ],
    rejects: [
      {
        run: (t) => ops.groupNorm(batch(t), 3),
        says: "groupNorm: groups 3 for 2 channels; expected a divisor of 2",
      },
      {
        run: (t) => ops.groupNorm(batch(t), 0),
        says: "groupNorm: groups 0; expected an integer from 1",
        error: GradusError,
      },
      {
        run: (t) => ops.groupNorm(batch(t), 1, { axis: 0 }),
        says: "groupNorm: axis 0, which is n; expected that of the channels",
      },
      {
        run: (t) => ops.groupNorm(t([1, 2]), 1),
        says: "groupNorm: input [2]; expected at least two axes",
      },
      {
        run: (t) => ops.groupNorm(batch(t), 1, { bias: t([1]) }),
        says: "groupNorm: bias [1]; expected [2]",
      },
    ],
    gradient: true,
  },
  instanceNorm: {
    calls: [
      {
        inputs: [x(2, 3, 4, 5), positive(3), x(3)],
        run: (a, weight, bias) => ops.instanceNorm(a, { weight, bias }),
        scale: 8,
      },
    ],
    golden: [
      {
        run: (t) => ops.instanceNorm(batch(t), { ...exact, weight: t([1, 2]) }),
        is: [
          [
            [-1, 1],
            [-2, 2],
          ],
          [
            [-1, 1],
            [-2, 2],
          ],
        ],
        by: byHand,
      },
    ],
    rejects: [
      {
        run: (t) => ops.instanceNorm(batch(t), { axis: 3 }),
        says: "instanceNorm: axis 3; expected an integer in [-3, 2] for rank 3",
      },
    ],
    gradient: true,
  },
  batchNorm: {
    calls: [
      {
        inputs: [x(5, 3, 4), positive(3), x(3)],
        run: (a, weight, bias) => ops.batchNorm(a, { weight, bias }),
        scale: 8,
      },
      {
        inputs: [x(4, 3, 2, 2), x(3), positive(3)],
        run: (a, mean, variance) => ops.batchNorm(a, { mean, variance }),
        scale: 4,
      },
      { inputs: [x(6, 5, 4)], run: (a) => ops.batchNorm(a, { axis: -1, epsilon: 0.1 }), scale: 4 },
    ],
    golden: [
      {
        run: (t) => ops.batchNorm(batch(t), exact),
        is: [
          [
            [-3 / root5, -1 / root5],
            [-3 / root5, -1 / root5],
          ],
          [
            [1 / root5, 3 / root5],
            [1 / root5, 3 / root5],
          ],
        ],
        by: byHand,
      },
      {
        run: (t) => ops.batchNorm(t([[3, 8]]), { ...exact, mean: t([1, 2]), variance: t([4, 9]) }),
        is: [[1, 2]],
        by: byHand,
      },
    ],
    rejects: [
      {
        run: (t) => ops.batchNorm(batch(t), { mean: t([1, 2]) }),
        says: "batchNorm: one of mean and variance; expected both, or none",
        error: GradusError,
      },
      {
        run: (t) => ops.batchNorm(batch(t), { mean: t([1]), variance: t([1, 2]) }),
        says: "batchNorm: mean [1]; expected [2]",
      },
    ],
    gradient: true,
  },
  localResponseNorm: {
    calls: [
      {
        inputs: [x(2, 5, 3)],
        run: (a) => ops.localResponseNorm(a, 3, { alpha: 2, k: 0.5 }),
        scale: 2,
      },
    ],
    golden: [
      {
        run: (t) => ops.localResponseNorm(t([[1, 2, 3, 4]]), 2, { alpha: 2, beta: 1 }),
        is: [[1 / 2, 2 / 6, 3 / 14, 4 / 26]],
        by: "by hand: Σ of 1, 1 + 4, 4 + 9 and 9 + 16",
      },
    ],
    rejects: [
      {
        run: (t) => ops.localResponseNorm(batch(t), 0),
        says: "localResponseNorm: size 0; expected an integer from 1",
        error: GradusError,
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
