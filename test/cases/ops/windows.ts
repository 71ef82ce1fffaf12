import { grad } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { bools, whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const windowsCases = {
  windows: {
    calls: [
      { inputs: [x(7)], run: (a) => ops.windows(a, 3) },
      { inputs: [x(5, 6)], run: (a) => ops.windows(a, 2, { axis: -1, stride: 3 }) },
      {
        inputs: [x(2, 9, 8, 3)],
        run: (a) => ops.windows(a, [3, 2], { axis: [1, 2], stride: [2, 1], dilation: [1, 3] }),
      },
      { inputs: [x(9, 8)], run: (a) => ops.windows(a, [2, 3], { axis: [1, 0], stride: 2 }) },
      { inputs: [x(2, 2, 5, 2, 3)], run: (a) => ops.windows(a, 2, { axis: [2, -1] }) },
      { inputs: [x(10)], run: (a) => ops.windows(a, 2, { stride: 5 }) },
      { inputs: [x(11)], run: (a) => ops.windows(a, 3, { stride: 2, dilation: 4 }) },
      { inputs: [x(6, 4)], run: (a) => ops.windows(ops.transpose(a), 4, { axis: 0 }) },
      { inputs: [x()], run: (a) => ops.windows(a, 3) },
      { inputs: [x(4)], run: (a) => ops.windows(a, 0) },
      { inputs: [x(0, 3)], run: (a) => ops.windows(a, 2, { axis: 1 }) },
      { inputs: [x(0)], run: (a) => ops.windows(a, 0, { stride: 2 }) },
      // Chains of maps: a dilated convolution's columns, padded; windows of windows.
      {
        inputs: [x(1, 5, 6, 4)],
        run: (a) => {
          const padded = ops.pad(ops.slice(a, [{}, { step: -1 }]), [
            [0, 0],
            [1, 2],
            [0, 1],
            [0, 0],
          ]);
          const all = ops.windows(padded, [3, 2], { axis: [1, 2], stride: [2, 1], dilation: 2 });
          const last = ops.permute(all, 0, 1, 2, 4, 5, 3);
          return ops.reshape(last, [last.size / 24, 24]);
        },
      },
      { inputs: [x(9)], run: (a) => ops.windows(ops.windows(a, 4, { stride: 2 }), 2, { axis: 1 }) },
      { inputs: [whole(99, 5, 4)], run: (a) => ops.windows(a, 2) },
      { inputs: [bools(5, 4)], run: (a) => ops.windows(a, 3, { axis: 0, stride: 2 }) },
      {
        inputs: [{ shape: [7, 3], dtype: "u8", low: 0, high: 256 }],
        run: (a) => ops.windows(a, 3, { axis: 0, dilation: 2 }),
      },
      {
        inputs: [{ shape: [7, 3], dtype: "i8", low: -128, high: 128 }],
        run: (a) => ops.windows(ops.transpose(a), 3),
      },
    ],
    golden: [
      {
        run: (t) => ops.windows(t([0, 1, 2, 3, 4, 5]), 3),
        is: [
          [0, 1, 2],
          [1, 2, 3],
          [2, 3, 4],
          [3, 4, 5],
        ],
        by: "numpy.lib.stride_tricks.sliding_window_view(numpy.arange(6), 3)",
      },
      {
        run: (t) => ops.windows(t([1, 2, 3, 4, 5, 6, 7]), 2, { stride: 2 }),
        is: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        by: "torch.arange(1., 8).unfold(0, 2, 2), as its documentation shows it",
      },
      {
        run: (t) => {
          const rows = t([
            [0, 1, 2, 3],
            [10, 11, 12, 13],
            [20, 21, 22, 23],
          ]);
          return ops.windows(rows, [2, 2], { axis: [1, 0] });
        },
        // [row, column, along 1, along 0]
        is: [
          [
            [
              [0, 10],
              [1, 11],
            ],
            [
              [1, 11],
              [2, 12],
            ],
            [
              [2, 12],
              [3, 13],
            ],
          ],
          [
            [
              [10, 20],
              [11, 21],
            ],
            [
              [11, 21],
              [12, 22],
            ],
            [
              [12, 22],
              [13, 23],
            ],
          ],
        ],
        by: "numpy.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(1, 0))",
      },
      {
        run: (t) => ops.windows(t([0, 1, 2, 3, 4, 5, 6]), 3, { dilation: 2, stride: 2 }),
        is: [
          [0, 2, 4],
          [2, 4, 6],
        ],
        by: "by hand",
      },
      {
        // Each element's weight is added for every window that holds it: the adjoint.
        run: (t) => {
          const a = t([0, 0, 0, 0, 0, 0]);
          const weights = t([
            [1, 2, 3],
            [10, 20, 30],
          ]);
          const y = ops.mul(ops.windows(a, 3, { stride: 2 }), weights);
          return grad(ops.sum(y), [a])[0];
        },
        is: [1, 2, 13, 20, 30, 0],
        by: "by hand",
      },
      {
        // d²/dx² Σ y² is twice the number of windows that hold x.
        run: (t) => {
          const a = t([1, 2, 3, 4]);
          const [first] = grad(ops.sum(ops.square(ops.windows(a, 2))), [a]);
          return ops.stack([first, grad(ops.sum(first), [a])[0]]);
        },
        is: [
          [2, 8, 12, 8],
          [2, 4, 4, 2],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.windows(t([1, 2, 3]), 4),
        says:
          "windows: size 4, dilation 1 span 4 elements of axis 0 of [3]; " + "expected at most 3",
      },
      {
        run: (t) => ops.windows(t([[1, 2, 3, 4]]), 3, { axis: 1, dilation: 2 }),
        says:
          "windows: size 3, dilation 2 span 5 elements of axis 1 of [1, 4]; " +
          "expected at most 4",
      },
      {
        run: (t) => ops.windows(t([[1, 2]]), [1, 1], { axis: [1, -1] }),
        says: "windows: axes [1, 1] repeat; expected each axis once",
      },
      {
        run: (t) => ops.windows(t([[1, 2]]), 1, { axis: 2 }),
        says: "windows: axis 2; expected an integer in [-2, 1] for rank 2",
      },
      {
        run: (t) => ops.windows(t([1, 2]), -1),
        says: "windows: size -1 for axes [0]; expected an integer from 0, or one for each",
      },
      {
        run: (t) => ops.windows(t([[1, 2]]), [2]),
        says: "windows: size [2] for axes [0, 1]; expected an integer from 0, or one for each",
      },
      {
        run: (t) => ops.windows(t([1, 2]), 1.5),
        says: "windows: size 1.5 for axes [0]; expected an integer from 0, or one for each",
      },
      {
        run: (t) => ops.windows(t([1, 2]), undefined as never),
        says: "windows: size undefined for axes [0]; expected an integer from 0, or one for each",
      },
      {
        run: (t) => ops.windows(t([1, 2]), 1, { stride: 0 }),
        says: "windows: stride 0 for axes [0]; expected an integer from 1, or one for each",
      },
      {
        run: (t) => ops.windows(ops.broadcastTo(t([1]), [2 ** 20]), 2 ** 13),
        says: "windows: shape [1048576, 8192]; expected fewer than 2^32 elements",
      },
      {
        run: (t) => ops.windows(t([1, 2]), 1, { dilation: [1, 2] }),
        says: "windows: dilation [1,2] for axes [0]; expected an integer from 1, or one for each",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
