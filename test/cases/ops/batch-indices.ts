import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const batchIndicesCases = {
  batchIndices: {
    calls: [
      {
        inputs: [{ shape: [], dtype: "u32", low: 0, high: 500 }],
        run: (step) => ops.batchIndices(step, { size: 70, batchSize: 7, seed: 2 }),
      },
      {
        inputs: [x(40, 3), { shape: [], dtype: "u32", low: 0, high: 2 ** 32 }],
        run: (a, step) => ops.gather(a, ops.batchIndices(step, { size: 40, batchSize: 8 })),
        scale: 3,
      },
    ],
    golden: [
      {
        run: (t) => ops.batchIndices(t(7, "u32"), { size: 6, batchSize: 2, shuffle: false }),
        is: [2, 3],
        by: "by hand",
      },
      {
        run: (t) => ops.batchIndices(t(4294967295, "u32"), { size: 60000, batchSize: 4, seed: 1 }),
        is: [7889, 15236, 36528, 28546],
        by: "an independent program of the two papers",
      },
      {
        run: (t) =>
          ops.batchIndices(t(5, "u32"), { size: 4294967295, batchSize: 3, dropLast: true }),
        is: [1211909273, 4184481677, 187108879],
        by: "an independent program of the two papers",
      },
      {
        run: (t) => ops.batchIndices(t(3, "u32"), { size: 9, batchSize: 3, replacement: true }),
        is: [2, 5, 5],
        by: "an independent program, ⌊w · 9 / 2⁶⁴⌋ in whole numbers",
      },
    ],
    rejects: [
      {
        run: (t) => ops.batchIndices(t(1), { size: 4, batchSize: 2 }),
        says: "batchIndices: step has dtype FLOAT; expected u32",
      },
      {
        run: (t) => ops.batchIndices(t([1], "u32"), { size: 4, batchSize: 2 }),
        says: "batchIndices: step has shape [1]; expected a scalar",
      },
      {
        run: (t) => ops.batchIndices(t(1, "u32"), { size: 7, batchSize: 2 }),
        says:
          "batchIndices: batchSize 2 leaves 1 of 7 examples over; " +
          "expected batches of one size. Set dropLast: true",
      },
      {
        run: (t) => ops.batchIndices(t(1, "u32"), { size: 0, batchSize: 2 }),
        says: "batchIndices: size 0; expected an integer from 1 to 2^32",
      },
      {
        run: (t) => ops.batchIndices(t(1, "u32"), { size: 2 ** 32, batchSize: 2 }),
        says: "batchIndices: size 4294967296; expected an integer from 1 to 2^32 - 1",
      },
      {
        run: (t) => ops.batchIndices(t(1, "u32"), { size: 4, batchSize: 2, seed: -1 }),
        says: "batchIndices: seed -1; expected an integer from 0 to 2^53 - 1",
        error: GradusError,
      },
    ],
    gradient: "whole numbers",
  },
} satisfies OpCases;
