import * as losses from "../src/losses/index.ts";
import type { embeddingLossCases } from "./embedding-cases.ts";
import type { Input, OpCase } from "./support/op-case.ts";

const x = (...shape: number[]): Input => ({ shape });
const labels = (classes: number, n: number): Input => ({
  shape: [n],
  dtype: "i32",
  low: 0,
  high: classes,
});

export const lossCases = {
  crossEntropy: {
    calls: [
      { inputs: [x(5, 3), labels(3, 5)], run: (z, t) => losses.crossEntropy(z, t) },
      {
        inputs: [x(4, 70), labels(70, 4)],
        run: (z, t) => losses.crossEntropy(z, t, { reduction: "none" }),
      },
      { inputs: [x(5, 3), x(5, 3)], run: (z, t) => losses.crossEntropy(z, t) },
    ],
    golden: [
      {
        run: (t) => losses.crossEntropy(t([[0, 0]]), t([1], "i32")),
        is: Math.LN2,
        by: "closed form",
      },
    ],
    rejects: [
      {
        run: (t) => losses.crossEntropy(t([1]), t([0], "i32")),
        says: "crossEntropy: logits [1]; expected [n, c]",
      },
    ],
    gradient: true,
  },
  meanSquaredError: {
    calls: [
      { inputs: [x(65, 3), x(65, 3)], run: (y, t) => losses.meanSquaredError(y, t) },
      { inputs: [x(7), x(7)], run: (y, t) => losses.meanSquaredError(y, t, { reduction: "none" }) },
    ],
    golden: [
      {
        run: (t) => losses.meanSquaredError(t([1, 2]), t([0, 5])),
        is: 5,
        by: "(1 + 9) / 2",
      },
    ],
    rejects: [
      {
        run: (t) => losses.meanSquaredError(t([1]), t([[1]])),
        says: "meanSquaredError: outputs [1] with targets [1, 1]; expected equal shapes",
      },
    ],
    gradient: true,
  },
  quadratic: {
    calls: [
      { inputs: [x(65, 3), x(65, 3)], run: (y, t) => losses.quadratic(y, t) },
      { inputs: [x(4, 3), x(4, 3)], run: (y, t) => losses.quadratic(y, t, { reduction: "none" }) },
    ],
    golden: [
      {
        run: (t) => losses.quadratic(t([[1, 2]]), t([[0, 5]])),
        is: 5,
        by: "½ (1 + 9)",
      },
    ],
    rejects: [
      {
        run: (t) => losses.quadratic(t(1), t(1)),
        says: "quadratic: a scalar; expected examples along axis 0",
      },
    ],
    gradient: true,
  },
} satisfies Record<Exclude<Functions<typeof losses>, keyof typeof embeddingLossCases>, OpCase>;

/** Names of what is a function and no class. */
type Functions<M> = {
  [K in keyof M]: M[K] extends abstract new (...args: never[]) => unknown ? never : K;
}[keyof M];
