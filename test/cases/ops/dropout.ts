import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const seed = 4;

export const dropoutCases = {
  dropout: {
    calls: [
      { inputs: [x(7, 9)], run: (a) => ops.dropout(a, 0.3, { seed }) },
      {
        inputs: [x(5, 3), { shape: [], dtype: "u32", low: 0, high: 2 ** 32 }],
        run: (a, step) => ops.dropout(ops.transpose(a), 0.5, { key: [1, 2], step }),
      },
      { inputs: [x(0, 3)], run: (a) => ops.dropout(a, 0.5, { seed }) },
    ],
    golden: [
      {
        run: (t) => ops.dropout(t([1, 2, 3, 4, 5]), 0.6, { seed: 1, step: t(3, "u32") }),
        is: [0, 5, 7.5, 10, 0],
        by: "an independent program of Threefry: 0.458, 0.059, 0.149, 0.388, 0.470 < 1 − 0.6, / 0.4",
      },
      {
        run: (t) => ops.dropout(t([1, 2]), 0.9, { training: false }),
        is: [1, 2],
        by: "not in training",
      },
      { run: (t) => ops.dropout(t([1, 2]), 0), is: [1, 2], by: "nothing is dropped" },
      {
        run: (t) => {
          ops.setSeed(4);
          const first = ops.dropout(t([1, 2, 3, 4, 5, 6, 7, 8]));
          const second = ops.dropout(t([1, 2, 3, 4, 5, 6, 7, 8]));
          ops.setSeed(4);
          const again = ops.dropout(t([1, 2, 3, 4, 5, 6, 7, 8]));
          const isSame = (y: typeof first) => ops.all(ops.equal(first, y));
          return ops.stack([isSame(again), isSame(second)]);
        },
        is: [1, 0],
        by: "the default sequence goes on, and begins anew",
      },
    ],
    rejects: [
      {
        run: (t) => ops.dropout(t([1]), 1),
        says: "dropout: rate 1; expected a number from 0 and below 1",
        error: GradusError,
      },
      {
        run: (t) => ops.dropout(t([1], "i32")),
        says: "dropout: dtype i32; expected f32, f64",
      },
      {
        run: (t) => ops.dropout(t([1]), 0.5, { step: t(1, "i32") }),
        says: "dropout: step has dtype i32; expected u32",
      },
      {
        run: (t) => ops.dropout(t([1]), 0.5, { step: t([1], "u32") }),
        says: "dropout: step has shape [1]; expected a scalar",
      },
      {
        run: (t) => ops.dropout(t([1]), 0.5, { seed: -1 }),
        says: "dropout: seed -1; expected an integer from 0 to 2^53 - 1",
        error: GradusError,
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
