import * as ops from "../../../src/ops/index.ts";
import { whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const gatherCases = {
  gather: {
    calls: [
      { inputs: [x(5, 3), whole(5, 4)], run: (a, i) => ops.gather(a, i), scale: 3 },
      { inputs: [x(5), whole(5, 2, 3)], run: (a, i) => ops.gather(a, i), scale: 3 },
      { inputs: [x(2, 6, 3), whole(6, 4)], run: (a, i) => ops.gather(a, i, { axis: 1 }), scale: 3 },
      { inputs: [x(4, 5), whole(4, 3)], run: (a, i) => ops.gather(ops.transpose(a), i), scale: 3 },
      {
        inputs: [{ shape: [6, 5], dtype: "u8", low: 0, high: 256 }, whole(6, 4)],
        run: (a, i) => ops.cast(ops.gather(a, i), "f32"),
      },
      {
        inputs: [{ shape: [6, 5], dtype: "i16", low: -(2 ** 15), high: 2 ** 15 }, whole(6, 3)],
        run: (a, i) => ops.gather(a, i),
      },
    ],
    golden: [
      {
        run: (t) =>
          ops.gather(
            t([
              [1, 2],
              [3, 4],
            ]),
            t([1, 1, 0], "u32"),
          ),
        is: [
          [3, 4],
          [3, 4],
          [1, 2],
        ],
        by: "by hand",
      },
      {
        run: (t) => ops.gather(t([1, 2]), t([2, -1], "i32")),
        is: [Number.NaN, Number.NaN],
        by: "outside is NaN",
      },
      {
        run: (t) => ops.gather(t([1, 2], "i32"), t([2, 1], "i32")),
        is: [0, 2],
        by: "outside is 0",
      },
      {
        run: (t) =>
          ops.gather(
            t(
              [
                [1, 2, 3],
                [4, 5, 255],
              ],
              "u8",
            ),
            t([1, 1, 0], "u32"),
          ),
        is: [
          [4, 5, 255],
          [4, 5, 255],
          [1, 2, 3],
        ],
        by: "by hand, in bytes",
      },
    ],
    rejects: [
      {
        run: (t) => ops.gather(t([1]), t([0])),
        says: "gather: indices have dtype FLOAT; expected i32 or u32",
      },
      {
        run: (t) => ops.gather(t(1), t([0], "i32")),
        says: "gather: x has shape []; expected at least one axis",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
