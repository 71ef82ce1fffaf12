import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { texts, x } from "../../support/op-calls.ts";
import type { Input, OpCases, Reject } from "../../support/op-case.ts";

/** A step's number. */
const COUNTER: Input = { shape: [], dtype: "u32", low: 0, high: 2 ** 32 };

/** What an independent program of Threefry draws with key [1, 0] at step 3, and N(2, ½²) of it. */
const UNIFORM = [
  0.4575139880180359, 0.05916959047317505, 0.14912855625152588, 0.38826680183410645,
  0.4697345495223999,
];
const NORMAL = [
  2.582562840776641, 2.2271441072183444, 1.2552297801587913, 2.6299130787866467, 1.4020269017132851,
];

const drawRejects = (name: "uniformAt" | "normalAt"): Reject[] => [
  {
    run: (t) => ops[name](t(1), [2], { seed: 1 }),
    says: `${name}: step has dtype FLOAT; expected u32`,
  },
  {
    run: (t) => ops[name](t([1], "u32"), [2], { seed: 1 }),
    says: `${name}: step has shape [1]; expected a scalar`,
  },
  {
    run: (t) => ops[name](t(1, "u32"), [2, -1], { seed: 1 }),
    says: `${name}: shape [2, -1]; expected an array of non-negative integers`,
  },
  {
    run: (t) => ops[name](t(1, "u32"), [2], { seed: 1, dtype: "i32" }),
    says: `${name}: dtype i32; expected f32 or f64`,
  },
  {
    run: (t) => ops[name](t(1, "u32"), [2], { seed: 0.5 }),
    says: `${name}: seed 0.5; expected an integer from 0 to 2^53 - 1`,
    error: GradusError,
  },
  {
    run: (t) => ops[name](t(1, "u32"), [2], {}),
    says: `${name}: no seed and no key; expected one of them`,
    error: GradusError,
  },
];

export const randomAtCases = {
  uniformAt: {
    calls: [
      {
        inputs: [COUNTER],
        run: (step) => ops.uniformAt(step, [37], { seed: 4 }),
      },
      {
        inputs: [x(5, 9), COUNTER],
        run: (a, step) => {
          const { dtype } = a;
          const u = ops.uniformAt(step, [9, 5], { seed: 2 ** 40 + 1, low: -0.3, high: 1.1, dtype });
          return ops.mul(a, ops.transpose(u));
        },
        scale: 3,
      },
      {
        inputs: [x(3, 4), COUNTER],
        run: (a, step) => {
          const kept = ops.less(ops.uniformAt(step, a.shape, { key: [7, 8] }), 0.5);
          return ops.where(kept, ops.mul(a, 2), 0);
        },
      },
      { inputs: [COUNTER], run: (step) => ops.uniformAt(step, [], { seed: 4, low: 5, high: 9 }) },
      { inputs: [COUNTER], run: (step) => ops.uniformAt(step, [0, 3], { seed: 4 }) },
    ],
    golden: [
      {
        run: (t) => ops.uniformAt(t(3, "u32"), [5], { seed: 1, dtype: t([]).dtype }),
        is: UNIFORM,
        by: "an independent program, words of Threefry by the paper",
      },
      {
        run: (t) => {
          const range = { low: -1.5, high: 0.75 };
          return ops.uniformAt(t(3, "u32"), [5], { seed: 1, ...range, dtype: t([]).dtype });
        },
        is: UNIFORM.map((u) => 2.25 * u - 1.5),
        by: "the same, −1.5 + 2.25 u",
      },
    ],
    rejects: [
      ...drawRejects("uniformAt"),
      ...texts("uniformAt", ["low", "high"], (bad, t) =>
        ops.uniformAt(t(1, "u32"), [2], { seed: 1, ...bad }),
      ),
      {
        run: (t) => ops.uniformAt(t(1, "u32"), [2], { seed: 1, low: 1, high: 0.5 }),
        says: "uniformAt: low 1, high 0.5; expected low ≤ high, finite",
        error: GradusError,
      },
    ],
    gradient: "random numbers",
  },
  normalAt: {
    calls: [
      {
        inputs: [COUNTER],
        run: (step) => ops.normalAt(step, [501], { seed: 4 }),
      },
      {
        inputs: [x(5, 9), COUNTER],
        run: (a, step) => {
          const { dtype } = a;
          return ops.add(a, ops.normalAt(step, [9], { seed: 2 ** 40, mean: 0.5, std: 0.2, dtype }));
        },
      },
      { inputs: [COUNTER], run: (step) => ops.normalAt(step, [], { key: [1, 2] }) },
    ],
    golden: [
      {
        run: (t) => {
          const options = { seed: 1, mean: 2, std: 0.5, dtype: t([]).dtype };
          return ops.normalAt(t(3, "u32"), [5], options);
        },
        is: NORMAL,
        by: "an independent program, Box and Muller's formula",
      },
    ],
    rejects: [
      ...drawRejects("normalAt"),
      ...texts("normalAt", ["mean", "std"], (bad, t) =>
        ops.normalAt(t(1, "u32"), [2], { seed: 1, ...bad }),
      ),
      {
        run: (t) => ops.normalAt(t(1, "u32"), [2], { seed: 1, std: -1 }),
        says: "normalAt: mean 0, std -1; expected finite, std at least 0",
        error: GradusError,
      },
    ],
    gradient: "random numbers",
  },
} satisfies OpCases;
