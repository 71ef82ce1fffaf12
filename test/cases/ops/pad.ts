import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const padCases = {
  pad: {
    calls: [
      {
        inputs: [x(3, 4)],
        run: (a) =>
          ops.pad(
            a,
            [
              [1, 0],
              [2, 3],
            ],
            { value: 0.5 },
          ),
      },
      // Each mode on an axis of its own, one joined into the other.
      {
        inputs: [x(3, 4, 2)],
        run: (a) => {
          const sides = [
            [2, 0],
            [1, 3],
            [2, 2],
          ] as const;
          const [none] = [[0, 0]] as const;
          const reflected = ops.pad(a, [sides[0], sides[1], none], { mode: "reflect" });
          return ops.pad(reflected, [none, none, sides[2]], { mode: "symmetric" });
        },
      },
      {
        inputs: [x(3, 4)],
        run: (a) =>
          ops.pad(
            ops.pad(
              a,
              [
                [3, 0],
                [1, 4],
              ],
              { mode: "circular" },
            ),
            [
              [0, 5],
              [1, 1],
            ],
            { mode: "replicate" },
          ),
      },
      {
        inputs: [x(0, 2)],
        run: (a) =>
          ops.pad(a, [
            [1, 1],
            [0, 0],
          ]),
      },
    ],
    golden: [
      {
        run: (t) => ops.pad(t([1, 2]), [[1, 2]], { value: 9 }),
        is: [9, 1, 2, 9, 9],
        by: "by hand",
      },
      { run: (t) => ops.pad(t([1, 2]), [[1, 0]]), is: [0, 1, 2], by: "by hand" },
      {
        run: (t) => {
          const modes = ["reflect", "symmetric", "replicate", "circular"] as const;
          return ops.stack(modes.map((mode) => ops.pad(t([1, 2, 3]), [[2, 1]], { mode })));
        },
        is: [
          [3, 2, 1, 2, 3, 2],
          [2, 1, 1, 2, 3, 3],
          [1, 1, 1, 2, 3, 3],
          [2, 3, 1, 2, 3, 1],
        ],
        by: "numpy.pad's reflect, symmetric, edge and wrap",
      },
    ],
    rejects: [
      {
        run: (t) =>
          ops.pad(
            t([[1, 2]]),
            [
              [0, 0],
              [0, 2],
            ],
            { mode: "reflect" },
          ),
        says: "pad: mode reflect, padding [0,2] on axis 1 of [1, 2]; expected at most 1",
      },
      {
        run: (t) => ops.pad(t([]), [[0, 1]], { mode: "replicate" }),
        says: "pad: mode replicate, padding [0,1] on axis 0 of [0]; expected at most 0",
      },
      {
        run: (t) => ops.pad(t([1]), [[2, 0]], { mode: "circular" }),
        says: "pad: mode circular, padding [2,0] on axis 0 of [1]; expected at most 1",
      },
      {
        run: (t) => ops.pad(t([1]), [[1, 0]], { mode: "wrap" as never }),
        says: "pad: mode wrap; expected constant, reflect, symmetric, replicate, circular",
        error: GradusError,
      },
      {
        run: (t) => ops.pad(t([1]), [[1, 0]], 7 as never),
        says: "pad: options 7; expected an object of mode, value. Did you mean { value: 7 }?",
        error: GradusError,
      },
      {
        run: (t) => ops.pad(t([1]), []),
        says: "pad: padding [] for [1]; expected one pair of non-negative integers for each axis",
      },
      {
        run: (t) => ops.pad(t([1]), [[0.5, 0]]),
        says: "pad: padding [[0.5,0]] for [1]; expected one pair of non-negative integers for each axis",
      },
      {
        run: (t) => ops.pad(t([1]), [3] as never),
        says: "pad: padding [3] for [1]; expected one pair of non-negative integers for each axis",
      },
      {
        run: (t) => ops.pad(t([1]), [[1]] as never),
        says: "pad: padding [[1]] for [1]; expected one pair of non-negative integers for each axis",
      },
      {
        run: (t) => ops.pad(t([1]), { length: 1 } as never),
        says: 'pad: padding {"length":1} for [1]; expected one pair of non-negative integers for each axis',
      },
      {
        run: (t) => ops.pad(t([1]), [[-1, 0]]),
        says: "pad: padding [[-1,0]] for [1]; expected one pair of non-negative integers for each axis",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
