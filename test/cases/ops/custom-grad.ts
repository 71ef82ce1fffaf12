import { grad, type Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const customGradCases = {
  customGrad: {
    calls: [
      {
        inputs: [x(4)],
        run: ops.customGrad(
          (a) => ops.square(a),
          (g, _, a) => [ops.mul(g, ops.mul(a, 2))],
        ),
      },
    ],
    golden: [
      {
        run: (t) =>
          ops.customGrad(
            (a: Tensor) => ops.neg(a),
            (g) => [g],
          )(t([1, 2])),
        is: [-1, -2],
        by: "its function",
      },
      {
        run: (t) => {
          const a = t([1, 2]);
          const triple = ops.customGrad(
            (b: Tensor) => ops.neg(b),
            (g) => [ops.mul(g, 3)],
          );
          return grad(ops.sum(triple(a)), [a])[0];
        },
        is: [3, 3],
        by: "its rule, which is not the function's derivative",
      },
    ],
    rejects: [],
    gradient: true,
  },
  stopGradient: {
    calls: [{ inputs: [x(4)], run: (a) => ops.stopGradient(a) }],
    golden: [
      { run: (t) => ops.stopGradient(t([1, 2])), is: [1, 2], by: "definition" },
      {
        run: (t) => {
          const a = t([1, 2]);
          return grad(ops.sum(ops.mul(a, ops.stopGradient(a))), [a])[0];
        },
        is: [1, 2],
        by: "one factor counts as constant",
      },
    ],
    rejects: [],
    gradient: "it is stopped",
  },
} satisfies OpCases;
