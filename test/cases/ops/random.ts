import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { like, texts, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const randomCases = {
  randomUniform: {
    calls: [
      { inputs: [x(9)], run: (a) => ops.add(a, ops.randomUniform([9], { seed: 3, ...like(a) })) },
    ],
    golden: [
      {
        run: (t) => ops.randomUniform([3], { seed: 1, low: 2, high: 2, ...like(t([])) }),
        is: [2, 2, 2],
        by: "an empty range",
      },
    ],
    rejects: [
      {
        run: () => ops.randomUniform([-1]),
        says: "randomUniform: shape [-1]; expected an array of non-negative integers",
      },
      {
        run: () => ops.randomUniform([1], { dtype: "i32" }),
        says: "randomUniform: dtype i32; expected f32 or f64",
      },
      ...texts("randomUniform", ["low", "high"], (bad) => ops.randomUniform([1], bad)),
      {
        run: () => ops.randomUniform([1], { low: 1, high: 0 }),
        says: "randomUniform: low 1, high 0; expected low ≤ high, finite",
        error: GradusError,
      },
    ],
    gradient: "a source",
  },
  randomNormal: {
    calls: [
      { inputs: [x(9)], run: (a) => ops.add(a, ops.randomNormal([9], { seed: 3, ...like(a) })) },
    ],
    golden: [
      {
        run: (t) => ops.randomNormal([2], { seed: 1, mean: 4, std: 0, ...like(t([])) }),
        is: [4, 4],
        by: "no spread",
      },
    ],
    rejects: [
      ...texts("randomNormal", ["mean", "std"], (bad) => ops.randomNormal([1], bad)),
      {
        run: () => ops.randomNormal([1], { std: -1 }),
        says: "randomNormal: mean 0, std -1; expected finite, std at least 0",
        error: GradusError,
      },
      {
        run: () => ops.randomNormal([1], { dtype: "i32" }),
        says: "randomNormal: dtype i32; expected f32 or f64",
      },
    ],
    gradient: "a source",
  },
  randomPermutation: {
    calls: [
      {
        inputs: [x(9)],
        run: (a) => ops.gather(a, ops.randomPermutation(9, { seed: 5, device: a.device })),
        scale: 3,
      },
    ],
    golden: [
      {
        run: (t) => ops.randomPermutation(1, { seed: 1, device: t([]).device }),
        is: [0],
        by: "only one",
      },
    ],
    rejects: [
      {
        run: () => ops.randomPermutation(-1),
        says: "randomPermutation: n -1; expected an integer from 0 to 2^32 - 1",
      },
    ],
    gradient: "a source",
  },
  setSeed: {
    calls: [
      {
        inputs: [x(4)],
        run: (a) => {
          ops.setSeed(11);
          return ops.add(a, ops.randomUniform([4], like(a)));
        },
      },
    ],
    golden: [
      {
        run: (t) => {
          ops.setSeed(4);
          const first = ops.randomUniform([2], like(t([])));
          ops.setSeed(4);
          return ops.sub(first, ops.randomUniform([2], like(t([]))));
        },
        is: [0, 0],
        by: "the same numbers again",
      },
    ],
    rejects: [
      {
        run: () => ops.setSeed(-1),
        says: "setSeed: seed -1; expected an integer from 0 to 2^53 - 1",
        error: GradusError,
      },
    ],
    gradient: "no tensor",
  },
} satisfies OpCases;
