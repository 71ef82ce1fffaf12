import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const seed = 4;
/** What PyTorch's `alpha_dropout` gives at a rate of 0.6 for what is dropped, and for 2, −3 and 0.5. */
const END = -0.6581194613065926;
const KEPT = [2.8588580158350774, -1.8203390438528944, 1.4550988979286859];

export const alphaDropoutCases = {
  alphaDropout: {
    calls: [
      { inputs: [x(7, 9)], run: (a) => ops.alphaDropout(a, 0.3, { seed }) },
      {
        inputs: [x(5, 3), { shape: [], dtype: "u32", low: 0, high: 2 ** 32 }],
        run: (a, step) => ops.alphaDropout(ops.transpose(a), 0.5, { key: [1, 2], step }),
      },
      { inputs: [x(0, 3)], run: (a) => ops.alphaDropout(a, 0.5, { seed }) },
    ],
    golden: [
      {
        run: (t) => ops.alphaDropout(t([1, 2, -3, 0.5, 4]), 0.6, { seed: 1, step: t(3, "u32") }),
        is: [END, ...KEPT, END],
        by: "torch.nn.functional.alpha_dropout, by the mask of the golden values of `dropout`",
      },
      {
        run: (t) => ops.alphaDropout(t([1, 2]), 0.9, { training: false }),
        is: [1, 2],
        by: "not in training",
      },
      { run: (t) => ops.alphaDropout(t([1, 2]), 0), is: [1, 2], by: "nothing is dropped" },
    ],
    rejects: [
      {
        run: (t) => ops.alphaDropout(t([1]), 1),
        says: "alphaDropout: rate 1; expected a number from 0 and below 1",
        error: GradusError,
      },
      {
        run: (t) => ops.alphaDropout(t([1], "i32")),
        says: "alphaDropout: dtype i32; expected f32, f64",
      },
      {
        run: (t) => ops.alphaDropout(t([1]), 0.5, { step: t(1, "i32") }),
        says: "alphaDropout: step has dtype i32; expected u32",
      },
    ],
    gradient: true,
  },
  featureAlphaDropout: {
    calls: [
      { inputs: [x(3, 4, 2, 5)], run: (a) => ops.featureAlphaDropout(a, 0.3, { seed }) },
      { inputs: [x(5, 3)], run: (a) => ops.featureAlphaDropout(a, 0.5, { seed }) },
      { inputs: [x(2, 0, 3)], run: (a) => ops.featureAlphaDropout(a, 0.5, { seed }) },
    ],
    golden: [
      {
        run: (t) => {
          const rows = t([
            [
              [1, -1],
              [2, 2],
              [-3, 0.5],
              [0.5, -3],
              [4, 4],
            ],
          ]);
          return ops.featureAlphaDropout(rows, 0.6, { seed: 1, step: t(3, "u32") });
        },
        is: [
          [
            [END, END],
            [KEPT[0], KEPT[0]],
            [KEPT[1], KEPT[2]],
            [KEPT[2], KEPT[1]],
            [END, END],
          ],
        ],
        by: "torch.nn.functional.alpha_dropout, by the mask of the golden values of `dropout`",
      },
    ],
    rejects: [
      {
        run: (t) => ops.featureAlphaDropout(t([1])),
        says: "featureAlphaDropout: input [1]; expected [n, channels, …]",
      },
      {
        run: (t) => ops.featureAlphaDropout(t([[1]]), -1),
        says: "featureAlphaDropout: rate -1; expected a number from 0 and below 1",
        error: GradusError,
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
