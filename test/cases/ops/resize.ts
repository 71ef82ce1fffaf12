import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { Make, OpCases } from "../../support/op-case.ts";

const small = (t: Make) =>
  t([
    [
      [1, 2],
      [3, 4],
    ],
  ]);

/** Four channels of one row. */
const four = (t: Make) => t([[[1, 5]], [[2, 6]], [[3, 7]], [[4, 8]]]);

const byTorch = "PyTorch, documentation of nn.Upsample";
const byLoops = "cubic convolution by loops in Python";

export const resizeCases = {
  resize: {
    calls: [
      { inputs: [x(2, 3, 4, 5)], run: (a) => ops.resize(a, [7, 3]) },
      {
        inputs: [x(1, 2, 4, 5)],
        run: (a) => ops.resize(a, [6, 9], { mode: "bilinear" }),
        scale: 2,
      },
      {
        inputs: [x(5, 4, 2)],
        run: (a) => ops.resize(a, [9, 2], { mode: "bicubic", alignCorners: true, layout: "NHWC" }),
        scale: 4,
      },
      { inputs: [x(0, 2, 3, 3)], run: (a) => ops.resize(a, 4, { mode: "bilinear" }) },
    ],
    golden: [
      {
        run: (t) => ops.resize(small(t), 4),
        is: [
          [
            [1, 1, 2, 2],
            [1, 1, 2, 2],
            [3, 3, 4, 4],
            [3, 3, 4, 4],
          ],
        ],
        by: byTorch,
      },
      {
        run: (t) => ops.resize(small(t), 4, { mode: "bilinear" }),
        is: [
          [
            [1, 1.25, 1.75, 2],
            [1.5, 1.75, 2.25, 2.5],
            [2.5, 2.75, 3.25, 3.5],
            [3, 3.25, 3.75, 4],
          ],
        ],
        by: byTorch,
      },
      {
        run: (t) => ops.resize(small(t), 4, { mode: "bilinear", alignCorners: true }),
        is: [
          [
            [1, 4 / 3, 5 / 3, 2],
            [5 / 3, 2, 7 / 3, 8 / 3],
            [7 / 3, 8 / 3, 3, 10 / 3],
            [3, 10 / 3, 11 / 3, 4],
          ],
        ],
        by: byTorch,
      },
      {
        run: (t) => ops.resize(t([[[1, 5, 2, 7]]]), [1, 6], { mode: "bicubic" }),
        is: [
          [
            [
              0.6527777777777817, 3.28125, 4.829861111111102, 2.065972222222221, 4.21875,
              7.43402777777778,
            ],
          ],
        ],
        by: byLoops,
      },
      {
        run: (t) =>
          ops.resize(t([[[1, 5, 2, 7]]]), [1, 7], { mode: "bicubic", alignCorners: true }),
        is: [[[1.0, 3.28125, 5.0, 3.40625, 2.0, 4.21875, 7.0]]],
        by: byLoops,
      },
      {
        run: (t) => ops.resize(t([[[1, 5, 2, 7]]]), [1, 3], { mode: "bicubic" }),
        is: [[[1.6261574074074074, 3.40625, 6.230324074074074]]],
        by: byLoops,
      },
      { run: (t) => ops.resize(t([[[1, 5, 2, 7, 9]]]), [1, 3]), is: [[[1, 5, 7]]], by: "by hand" },
    ],
    rejects: [
      {
        run: (t) => ops.resize(small(t), 0),
        says: "resize: size 0 for axes [1, 2]; expected an integer from 1, or one for each",
      },
      {
        run: (t) => ops.resize(small(t), 4, { mode: "linear" as never }),
        says: 'resize: mode linear; expected nearest, bilinear, bicubic. Did you mean "bilinear"?',
        error: GradusError,
      },
      {
        run: (t) => ops.resize(small(t), 4, { alignCorners: true }),
        says: "resize: alignCorners with mode nearest; expected bilinear or bicubic, which look between pixels",
        error: GradusError,
      },
      {
        run: (t) => ops.resize(ops.slice(small(t), [{}, { end: 0 }]), 4),
        says: "resize: input [1, 0, 2]; expected at least one pixel",
      },
    ],
    gradient: true,
  },
  pixelShuffle: {
    calls: [
      { inputs: [x(2, 12, 3, 2)], run: (a) => ops.pixelShuffle(a, 2) },
      { inputs: [x(2, 3, 9)], run: (a) => ops.pixelShuffle(a, 3, { layout: "NHWC" }) },
    ],
    golden: [
      {
        run: (t) => ops.pixelShuffle(four(t), 2),
        is: [
          [
            [1, 2, 5, 6],
            [3, 4, 7, 8],
          ],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.pixelShuffle(four(t), 3),
        says: "pixelShuffle: 4 channels of [4, 1, 2]; expected a multiple of 9",
      },
      {
        run: (t) => ops.pixelShuffle(four(t), 0),
        says: "pixelShuffle: factor 0; expected an integer from 1",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  pixelUnshuffle: {
    calls: [{ inputs: [x(2, 3, 4, 6)], run: (a) => ops.pixelUnshuffle(a, 2) }],
    golden: [
      {
        run: (t) => ops.pixelUnshuffle(ops.pixelShuffle(four(t), 2), 2),
        is: [[[1, 5]], [[2, 6]], [[3, 7]], [[4, 8]]],
        by: "what it was",
      },
    ],
    rejects: [
      {
        run: (t) => ops.pixelUnshuffle(small(t), 3),
        says: "pixelUnshuffle: 2 by 2 pixels of [1, 2, 2]; expected multiples of 3",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
