import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const distancesCases = {
  pairwiseSquaredDistances: {
    calls: [
      { inputs: [x(4, 3), x(5, 3)], run: (a, b) => ops.pairwiseSquaredDistances(a, b), scale: 4 },
      {
        inputs: [x(70, 65), x(3, 65)],
        run: (a, b) => ops.pairwiseSquaredDistances(a, b),
        scale: 40,
      },
      { inputs: [x(0, 2), x(3, 2)], run: (a, b) => ops.pairwiseSquaredDistances(a, b) },
    ],
    golden: [
      {
        run: (t) =>
          ops.pairwiseSquaredDistances(
            t([
              [0, 0],
              [3, 4],
            ]),
            t([
              [3, 4],
              [1, 1],
              [0, -1],
            ]),
          ),
        is: [
          [25, 2, 1],
          [0, 13, 34],
        ],
        by: "Pythagoras",
      },
      {
        run: (t) => {
          const near = Array.from({ length: 20 }, (_, i) => [1 + i * 1e-5, 0.7 - i * 1e-5, 0.3]);
          const squared = ops.pairwiseSquaredDistances(t(near), t(near));
          return ops.sum(ops.cast(ops.less(squared, 0), "i32"));
        },
        is: 0,
        by: "no distance is below 0, however it is rounded",
      },
    ],
    rejects: [
      {
        run: (t) => ops.pairwiseSquaredDistances(t([[1]]), t([1])),
        says: "pairwiseSquaredDistances: shapes [1, 1] and [1]; expected [m, features] and [n, features]",
      },
      {
        run: (t) => ops.pairwiseSquaredDistances(t([1]), t([[1]])),
        says: "pairwiseSquaredDistances: shapes [1] and [1, 1]; expected [m, features] and [n, features]",
      },
      {
        run: (t) => ops.pairwiseSquaredDistances(t([[1]]), t([[1, 2]])),
        says:
          "pairwiseSquaredDistances: shapes [1, 1] and [1, 2]; " +
          "expected [m, features] and [n, features]",
      },
      {
        run: (t) => ops.pairwiseSquaredDistances(t([[1]]), t([[1]], "i32")),
        says:
          "pairwiseSquaredDistances: dtypes FLOAT and i32 differ; expected one dtype. " +
          "cast one of them",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
