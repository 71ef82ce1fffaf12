import { GradusError, grad } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { axisCalls, axisReject, unaryRejects, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const l2NormalizeCases = {
  l2Normalize: {
    calls: [
      ...axisCalls((a, options) => ops.l2Normalize(a, options)),
      { inputs: [x(3, 4, 5)], run: (a) => ops.l2Normalize(a, { axis: [0, 2] }) },
      { inputs: [x(4, 6)], run: (a) => ops.l2Normalize(a, { epsilon: 2 }) },
      { inputs: [x(0, 3)], run: (a) => ops.l2Normalize(a) },
      { inputs: [x(3, 0)], run: (a) => ops.l2Normalize(a) },
    ],
    golden: [
      {
        run: (t) =>
          ops.l2Normalize(
            t([
              [3, -4],
              [0, 0],
              [0, -2],
            ]),
          ),
        is: [
          [0.6, -0.8],
          [0, 0],
          [0, -1],
        ],
        by: "the triangle 3, 4, 5",
      },
      {
        run: (t) => ops.l2Normalize(t([[3e36], [4e36]]), { axis: 0 }),
        is: [[0.6], [0.8]],
        by: "squares beyond f32",
      },
      { run: (t) => ops.l2Normalize(t([6e-36, 8e-36])), is: [0.6, 0.8], by: "squares below f32" },
      {
        run: (t) => ops.l2Normalize(t([0.3, 0.4]), { epsilon: 2 }),
        is: [0.15, 0.2],
        by: "a divisor of ε",
      },
      {
        run: (t) => {
          const a = t([
            [3, 4],
            [0, 0],
            [0.3, 0.4],
            [3e-20, 4e-20],
          ]);
          const y = ops.l2Normalize(a, { epsilon: 1e-30 });
          const [g] = grad(ops.sum(ops.mul(y, t([1, 0]))), [a]);
          return ops.mul(g, t([[1], [1], [1], [1e-20]]));
        },
        // dx = (g − y (g · y)) / ‖x‖ with g = (1, 0)
        is: [
          [0.128, -0.096],
          [0, 0],
          [1.28, -0.96],
          [0.128, -0.096],
        ],
        by: "the derivative of x / ‖x‖, and 0 for a zero vector",
      },
    ],
    rejects: [
      axisReject("l2Normalize"),
      ...unaryRejects("l2Normalize"),
      {
        run: (t) => ops.l2Normalize(t([1]), { epsilon: 0 }),
        says: "l2Normalize: epsilon 0; expected a finite number from 1e-36",
        error: GradusError,
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
