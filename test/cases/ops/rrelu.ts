import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const training = true;

export const rreluCases = {
  rrelu: {
    calls: [
      { inputs: [x(7, 9)], run: (a) => ops.rrelu(a, { training, seed: 4 }) },
      {
        inputs: [x(5, 3), { shape: [], dtype: "u32", low: 0, high: 2 ** 32 }],
        run: (a, step) => {
          return ops.rrelu(ops.transpose(a), { lower: -1, upper: 2, training, key: [1, 2], step });
        },
      },
      { inputs: [x(4)], run: (a) => ops.rrelu(a) },
      { inputs: [x(0, 3)], run: (a) => ops.rrelu(a, { training, seed: 4 }) },
    ],
    golden: [
      {
        run: (t) => ops.rrelu(t([-3, 0, 2]), { lower: 0.1, upper: 0.5 }),
        is: [-0.9, 0, 2],
        by: "torch.nn.functional.rrelu(x, 0.1, 0.5)",
      },
      {
        run: (t) => ops.rrelu(t([-24, -0.5, 24])),
        is: [-5.5, -0.11458333333333333, 24],
        by: "(1/8 + 1/3) / 2 = 11/48",
      },
      {
        run: (t) => ops.rrelu(t([-3, 0, 2]), { lower: 0.25, upper: 0.25, training, seed: 1 }),
        is: [-0.75, 0, 2],
        by: "all slopes are the same",
      },
      {
        run: (t) => {
          const options = { training, seed: 1, step: t(3, "u32") };
          const y = ops.rrelu(t([-1, -2, 3, -4, 5]), { ...options, lower: 1, upper: 2 });
          const u = ops.sub(ops.div(y, t([-1, -2, 3, -4, 5])), t([1, 1, 1, 1, 1]));
          const isNear = ops.less(ops.abs(ops.sub(u, t([0.458, 0.059, 0, 0.388, 0]))), 6e-4);
          return isNear;
        },
        is: [1, 1, 1, 1, 1],
        by: "an independent program of Threefry: 0.458, 0.059, 0.149, 0.388, 0.470",
      },
    ],
    rejects: [
      {
        run: (t) => ops.rrelu(t([1]), { lower: 1, upper: 0 }),
        says: "rrelu: lower 1, upper 0; expected lower ≤ upper",
        error: GradusError,
      },
      {
        run: (t) => ops.rrelu(t([1]), { upper: Number.POSITIVE_INFINITY }),
        says: "rrelu: upper Infinity; expected a finite number",
        error: GradusError,
      },
      { run: (t) => ops.rrelu(t([1], "i32")), says: "rrelu: dtype i32; expected f32, f64" },
      {
        run: (t) => ops.rrelu(t([1]), { training, step: t([1], "u32") }),
        says: "rrelu: step has shape [1]; expected a scalar",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
