import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { Make, OpCases } from "../../support/op-case.ts";

/** 1, 2, 3, … row by row. */
const counted = (t: Make, ...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b);
  return ops.reshape(t(Array.from({ length: size }, (_, i) => i + 1)), shape);
};

export const foldCases = {
  unfold: {
    calls: [
      { inputs: [x(2, 3, 5, 6)], run: (a) => ops.unfold(a, 3, { padding: 1, stride: 2 }) },
      {
        inputs: [x(2, 6, 5)],
        run: (a) =>
          ops.unfold(a, [3, 2], { dilation: [1, 3], padding: [[0, 2], 1], stride: [2, 1] }),
      },
      { inputs: [x(1, 2, 4, 4)], run: (a) => ops.unfold(a, 2, { stride: 3 }) },
      { inputs: [x(0, 2, 4, 4)], run: (a) => ops.unfold(a, 2) },
    ],
    golden: [
      {
        run: (t) =>
          ops.unfold(counted(t, 1, 1, 3, 4), 2, {
            dilation: [1, 2],
            padding: [0, 1],
            stride: [1, 2],
          }),
        is: [
          [
            [0, 2, 0, 6],
            [2, 4, 6, 8],
            [0, 6, 0, 10],
            [6, 8, 10, 12],
          ],
        ],
        by: "torch.nn.functional.unfold, PyTorch 1.13",
      },
      {
        run: (t) => {
          const image = t([
            [
              [1, Number.POSITIVE_INFINITY, 3],
              [4, 5, Number.NaN],
            ],
          ]);
          return ops.unfold(image, [2, 1]);
        },
        is: [
          [1, Number.POSITIVE_INFINITY, 3],
          [4, 5, Number.NaN],
        ],
        by: "no block has another's elements",
      },
    ],
    rejects: [
      {
        run: (t) => ops.unfold(t([[1]]), 1),
        says: "unfold: input [1, 1]; expected [n, channels, height, width], or that without n",
      },
      {
        run: (t) => ops.unfold(t([[[1, 2]]]), [1, 3]),
        says: "unfold: a window of 3, dilation 1, spans 3 elements of axis 3 of [1, 1, 2]; expected at most 2",
      },
      {
        run: (t) => ops.unfold(t([[[1, 2]]]), 0),
        says: "unfold: size 0 for axes [2, 3]; expected an integer from 1, or one for each",
      },
      {
        run: (t) => ops.unfold(t([[[1]]], "i32"), 1),
        says: "unfold: dtype i32; expected f32, f64",
      },
    ],
    gradient: true,
  },
  fold: {
    calls: [
      { inputs: [x(2, 27, 9)], run: (a) => ops.fold(a, [5, 6], 3, { padding: 1, stride: 2 }) },
      {
        inputs: [x(12, 6)],
        run: (a) =>
          ops.fold(a, [6, 5], [3, 2], { dilation: [1, 3], padding: [0, [0, 1]], stride: [2, 1] }),
      },
      { inputs: [x(1, 8, 1)], run: (a) => ops.fold(a, 4, 2, { stride: 3 }) },
      { inputs: [x(0, 4, 9)], run: (a) => ops.fold(a, 4, 2) },
    ],
    golden: [
      {
        run: (t) => ops.fold(counted(t, 1, 4, 4), 3, 2),
        is: [
          [
            [
              [1, 7, 6],
              [12, 34, 22],
              [11, 27, 16],
            ],
          ],
        ],
        by: "torch.nn.functional.fold, PyTorch 1.13",
      },
      {
        run: (t) => ops.fold(counted(t, 4, 6), 4, 2, { stride: [2, 1] }),
        is: [
          [
            [1, 9, 11, 9],
            [13, 33, 35, 21],
            [4, 15, 17, 12],
            [16, 39, 41, 24],
          ],
        ],
        by: "torch.nn.functional.fold, PyTorch 1.13",
      },
    ],
    rejects: [
      {
        run: (t) => ops.fold(counted(t, 1, 4, 4), 4, 2),
        says: "fold: input [1, 4, 4]; expected [n, a multiple of 4, 9], or that without n",
      },
      {
        run: (t) => ops.fold(counted(t, 1, 6, 4), 3, 2),
        says: "fold: input [1, 6, 4]; expected [n, a multiple of 4, 4], or that without n",
      },
      {
        run: (t) => ops.fold(counted(t, 1, 4, 4), [3, 1], 2),
        says: "fold: a window of 2, dilation 1, spans 2 elements of axis 1 of [3, 1]; expected at most 1",
      },
      {
        run: (t) => ops.fold(counted(t, 4, 4), 3, 2, { stride: 0 }),
        says: "fold: stride 0 for axes [2, 3]; expected an integer from 1, or one for each",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
