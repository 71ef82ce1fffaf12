import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { Make, OpCases } from "../../support/op-case.ts";

/** One channel of 2 by 2 pixels. */
const small = (t: Make) =>
  t([
    [
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ]);

/** The middle, a pixel's own place, halfway to the edge, and outside. */
const looks = (t: Make) =>
  t([
    [
      [
        [0, 0],
        [-0.5, -0.5],
        [1, 0.5],
        [3, 3],
      ],
    ],
  ]);

export const gridSampleCases = {
  gridSample: {
    calls: [
      {
        inputs: [x(2, 3, 4, 5), { shape: [2, 3, 2, 2], low: -1.3, high: 1.3 }],
        run: (a, b) => ops.gridSample(a, b),
        scale: 4,
      },
      {
        inputs: [x(1, 4, 3, 2), { shape: [1, 2, 5, 2], low: -1.2, high: 1.2 }],
        run: (a, b) =>
          ops.gridSample(a, b, { padding: "border", alignCorners: true, layout: "NHWC" }),
        scale: 4,
      },
      {
        inputs: [x(1, 1, 5, 6), { shape: [1, 3, 3, 2], low: -1, high: 1 }],
        run: (a, b) => ops.gridSample(a, b, { mode: "bicubic", padding: "reflection" }),
        scale: 16,
      },
      { inputs: [x(0, 2, 3, 3), x(0, 2, 2, 2)], run: (a, b) => ops.gridSample(a, b) },
    ],
    golden: [
      {
        run: (t) => ops.gridSample(small(t), looks(t)),
        is: [[[[2.5, 1, 2, 0]]]],
        by: "by hand",
      },
      {
        run: (t) => ops.gridSample(small(t), looks(t), { padding: "border" }),
        is: [[[[2.5, 1, 4, 4]]]],
        by: "by hand",
      },
      {
        run: (t) => ops.gridSample(small(t), looks(t), { mode: "nearest", alignCorners: true }),
        is: [[[[1, 1, 4, 0]]]],
        by: "by hand: of two equally near pixels the even one",
      },
      {
        run: (t) =>
          ops.gridSample(small(t), looks(t), { padding: "reflection", alignCorners: true }),
        is: [[[[2.5, 1.75, 3.5, 1]]]],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.gridSample(small(t), t([[[0, 0]]])),
        says: "gridSample: x [1, 1, 2, 2] and grid [1, 1, 2]; expected [n, channels, height, width] and [n, rows, columns, 2]",
      },
      {
        run: (t) => ops.gridSample(ops.concat([small(t), small(t)]), looks(t)),
        says: "gridSample: x [2, 1, 2, 2] and grid [1, 1, 4, 2]; expected [n, channels, height, width] and [n, rows, columns, 2]",
      },
      {
        run: (t) => ops.gridSample(ops.slice(small(t), [{}, {}, { end: 0 }]), looks(t)),
        says: "gridSample: x [1, 1, 0, 2]; expected at least one pixel",
      },
      {
        run: (t) => ops.gridSample(small(t), looks(t), { padding: "reflect" as never }),
        says: "gridSample: padding reflect; expected zeros, border, reflection",
        error: GradusError,
      },
      {
        run: (t) => ops.gridSample(small(t), looks(t), { mode: "linear" as never }),
        says: 'gridSample: mode linear; expected bilinear, nearest, bicubic. Did you mean "bilinear"?',
        error: GradusError,
      },
    ],
    gradient: true,
  },
  affineGrid: {
    calls: [
      { inputs: [x(3, 2, 3)], run: (a) => ops.affineGrid(a, [3, 4]), scale: 2 },
      { inputs: [x(1, 2, 3)], run: (a) => ops.affineGrid(a, 1, { alignCorners: true }) },
      { inputs: [x(0, 2, 3)], run: (a) => ops.affineGrid(a, 2) },
    ],
    golden: [
      {
        run: (t) =>
          ops.affineGrid(
            t([
              [
                [1, 0, 0],
                [0, 1, 0.5],
              ],
            ]),
            2,
          ),
        is: [
          [
            [
              [-0.5, 0],
              [0.5, 0],
            ],
            [
              [-0.5, 1],
              [0.5, 1],
            ],
          ],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.affineGrid(t([[1, 2, 3]]), 2),
        says: "affineGrid: theta [1, 3]; expected [n, 2, 3]",
      },
      {
        run: (t) => ops.affineGrid(t([[[1, 0, 0], [0, 1, 0]]]), [0, 2]), // biome-ignore format: a matrix
        says: "affineGrid: size [0,2] for axes [0, 1]; expected an integer from 1, or one for each",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
