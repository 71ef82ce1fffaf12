import * as ops from "../../../src/ops/index.ts";
import { signed, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const diffCases = {
  diff: {
    calls: [
      { inputs: [x(4, 3)], run: (a) => ops.diff(a, { axis: 0, times: 2 }), scale: 2 },
      { inputs: [signed(5)], run: (a) => ops.diff(a) },
      { inputs: [x(2, 3)], run: (a) => ops.diff(a, { times: 0 }) },
      { inputs: [x(2, 3)], run: (a) => ops.diff(a, { times: 3 }) },
      { inputs: [x(0)], run: (a) => ops.diff(a) },
    ],
    golden: [
      {
        run: (t) => ops.diff(t([1, 2, 4, 7, 0])),
        is: [1, 2, 3, -7],
        by: "numpy.diff, as its documentation shows it",
      },
      {
        run: (t) => ops.diff(t([1, 2, 4, 7, 0]), { times: 2 }),
        is: [1, 1, -10],
        by: "numpy.diff, as its documentation shows it",
      },
    ],
    rejects: [
      {
        run: (t) => ops.diff(t([1]), { times: -1 }),
        says: "diff: times -1; expected an integer from 0",
      },
      {
        run: (t) => ops.diff(t([true])),
        says: "diff: dtype bool; expected f32, f64, i32, u32. cast it first",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
