import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { Make, OpCases } from "../../support/op-case.ts";

/** 0 to 15 as an image of one channel. */
const image = (t: Make) => ops.reshape(t(Array.from({ length: 16 }, (_, i) => i)), [1, 1, 4, 4]);

const kernel = (t: Make) =>
  t([
    [
      [
        [1, 2, 0],
        [0, -1, 3],
        [2, 0, 1],
      ],
    ],
  ]);

const small = (t: Make) =>
  t([
    [
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ]);

/** `small` by `kernel`, transposed, of twice the size. */
const doubled = [
  [
    [
      [-1, 3, -2, 6],
      [6, 9, 8, 2],
      [-3, 9, -4, 12],
      [0, 11, 0, 4],
    ],
  ],
];

const byLoops = "products added up by loops in Python";

export const convCases = {
  conv1d: {
    calls: [
      {
        inputs: [x(2, 3, 9), x(4, 3, 3), x(4)],
        run: (a, w, bias) => ops.conv1d(a, w, { bias, stride: 2, padding: [[2, 1]] }),
        scale: 4,
      },
      {
        inputs: [x(2, 8, 4), x(6, 2, 3)],
        run: (a, w) => ops.conv1d(a, w, { groups: 2, dilation: 2, padding: "same", layout: "NWC" }),
        scale: 4,
      },
    ],
    golden: [
      {
        run: (t) => ops.conv1d(t([[1, 2, 3, 4]]), t([[[1, 10]]]), { padding: 1 }),
        is: [[10, 21, 32, 43, 4]],
        by: "a kernel that shows the digits",
      },
    ],
    rejects: [
      {
        run: (t) => ops.conv1d(t([[[1, 2, 3]]]), t([[[1, 2]]]), { layout: "NCHW" as never }),
        says: 'conv1d: layout NCHW; expected NCW, NWC. Did you mean "NCW"?',
        error: GradusError,
      },
    ],
    gradient: true,
  },
  conv2d: {
    calls: [
      {
        inputs: [x(2, 3, 6, 5), x(5, 3, 3, 2), x(5)],
        run: (a, w, bias) => ops.relu(ops.conv2d(a, w, { bias, padding: [1, 0] })),
        scale: 8,
      },
      {
        inputs: [x(2, 9, 8, 4), x(8, 4, 3, 3)],
        run: (a, w) =>
          ops.conv2d(a, w, { stride: [2, 1], dilation: [1, 2], padding: 2, layout: "NHWC" }),
        scale: 16,
      },
      // Strides that leave a part over, and phases of the kernel of two lengths.
      {
        inputs: [x(1, 4, 8, 7), x(4, 4, 3, 4)],
        run: (a, w) => ops.conv2d(a, w, { stride: [3, 2], padding: "same" }),
        scale: 16,
      },
      // A kernel for each channel.
      {
        inputs: [x(2, 3, 5, 5), x(6, 1, 3, 3)],
        run: (a, w) => ops.conv2d(a, w, { groups: 3, padding: 1 }),
        scale: 4,
      },
      { inputs: [x(3, 4, 4), x(2, 3, 1, 1)], run: (a, w) => ops.conv2d(a, w), scale: 2 },
      { inputs: [x(0, 2, 4, 4), x(2, 2, 3, 3)], run: (a, w) => ops.conv2d(a, w) },
    ],
    golden: [
      {
        run: (t) => ops.conv2d(image(t), kernel(t)),
        is: [
          [
            [
              [41, 49],
              [73, 81],
            ],
          ],
        ],
        by: byLoops,
      },
      {
        run: (t) => ops.conv2d(image(t), kernel(t), { stride: 2, padding: 1, bias: t([100]) }),
        is: [
          [
            [
              [108, 124],
              [140, 181],
            ],
          ],
        ],
        by: byLoops,
      },
      {
        run: (t) => ops.conv2d(image(t), kernel(t), { dilation: 2, padding: 1 }),
        is: [
          [
            [
              [31, 18],
              [26, -6],
            ],
          ],
        ],
        by: byLoops,
      },
    ],
    rejects: [
      {
        run: (t) => ops.conv2d(t([1]), kernel(t)),
        says: "conv2d: input [1]; expected the 4 axes of NCHW, or those behind N",
      },
      {
        run: (t) => ops.conv2d(image(t), t([[1]])),
        says:
          "conv2d: weight [1, 1]; expected [outputs, channels, height, width] of at least one " +
          "element",
      },
      {
        run: (t) => ops.conv2d(ops.concat([image(t), image(t)], { axis: 1 }), kernel(t)),
        says: "conv2d: weight [1, 1, 3, 3] for 2 channels; expected [outputs, 2, …]",
      },
      {
        run: (t) =>
          ops.conv2d(ops.concat([image(t), image(t)], { axis: 1 }), kernel(t), { groups: 2 }),
        says: "conv2d: weight [1, 1, 3, 3] for 2 channels in 2 groups; expected [a multiple of 2, 1, …]",
      },
      {
        run: (t) => ops.conv2d(image(t), kernel(t), { groups: 3 }),
        says: "conv2d: groups 3 for 1 channels; expected a divisor of 1",
      },
      {
        run: (t) => ops.conv2d(image(t), kernel(t), { groups: 0 }),
        says: "conv2d: groups 0; expected an integer from 1",
        error: GradusError,
      },
      {
        run: (t) => ops.conv2d(image(t), kernel(t), { bias: t([1, 2]) }),
        says: "conv2d: bias [2]; expected [1]",
      },
      {
        run: (t) => ops.conv2d(image(t), kernel(t), { dilation: [1, 3] }),
        says:
          "conv2d: a window of 3, dilation 3, spans 7 elements of axis 3 of [1, 1, 4, 4]; expected " +
          "at most 4",
      },
      {
        run: (t) => ops.conv2d(image(t), kernel(t), { dilation: 3, padding: [[1, 1], 0] }),
        says:
          "conv2d: a window of 3, dilation 3, spans 7 elements of axis 2 of [1, 1, 4, 4] with 1 and " +
          "1 around it; expected at most 6",
      },
      {
        run: (t) => ops.conv2d(image(t), kernel(t), { stride: 0 }),
        says: "conv2d: stride 0 for axes [2, 3]; expected an integer from 1, or one for each",
      },
      {
        run: (t) => ops.conv2d(image(t), kernel(t), { padding: [1] }),
        says:
          "conv2d: padding [1] for axes [2, 3]; expected an integer from 0, or one or a pair " +
          "[before, after] for each",
      },
      {
        run: (t) => ops.conv2d(image(t), kernel(t), { padding: "some" as never }),
        says: 'conv2d: padding some; expected same, valid. Did you mean "same"?',
        error: GradusError,
      },
      {
        run: (t) => ops.conv2d(image(t), t([[[[1]]]], "i32")),
        says: "conv2d: dtypes FLOAT and i32 differ; expected one dtype. cast one of them",
      },
      {
        run: (t) => ops.conv2d(ops.cast(image(t), "i32"), t([[[[1]]]], "i32")),
        says: "conv2d: dtype i32; expected f32, f64",
      },
    ],
    gradient: true,
  },
  conv3d: {
    calls: [
      {
        inputs: [x(1, 2, 4, 3, 4), x(4, 2, 2, 2, 3), x(4)],
        run: (a, w, bias) => ops.conv3d(a, w, { bias, stride: [2, 1, 1], padding: [0, 1, 1] }),
        scale: 8,
      },
    ],
    golden: [
      {
        run: (t) =>
          ops.conv3d(
            ops.reshape(image(t), [1, 4, 2, 2]),
            ops.reshape(t([0, 1, 2, 3, 4, 5, 6, 7]), [1, 1, 2, 2, 2]),
          ),
        is: [[[[140]], [[252]], [[364]]]],
        by: "Σ i² + 4d Σ i",
      },
    ],
    rejects: [
      {
        run: (t) => ops.conv3d(image(t), kernel(t)),
        says:
          "conv3d: weight [1, 1, 3, 3]; expected [outputs, channels, depth, height, width] of at " +
          "least one element",
      },
    ],
    gradient: true,
  },
  convTranspose1d: {
    calls: [
      {
        inputs: [x(2, 4, 5), x(4, 3, 4), x(3)],
        run: (a, w, bias) => ops.convTranspose1d(a, w, { bias, stride: 2, padding: 1 }),
        scale: 4,
      },
    ],
    golden: [
      {
        run: (t) => ops.convTranspose1d(t([[1, 2, 3]]), t([[[1, 10]]]), { stride: 3 }),
        is: [[1, 10, 0, 2, 20, 0, 3, 30]],
        by: "a kernel that shows the digits",
      },
    ],
    rejects: [
      {
        run: (t) => ops.convTranspose1d(t([[[1]]]), t([[[1, 2]]]), { padding: 1 }),
        says: "convTranspose1d: a result of 0 elements along axis 2 of [1, 1, 1]; expected at least 1",
      },
    ],
    gradient: true,
  },
  convTranspose2d: {
    calls: [
      {
        inputs: [x(2, 4, 3, 4), x(4, 2, 3, 2)],
        run: (a, w) =>
          ops.convTranspose2d(a, w, {
            stride: [2, 1],
            padding: [[1, 0], 1],
            outputPadding: [1, 0],
            groups: 2,
          }),
        scale: 4,
      },
      {
        inputs: [x(1, 3, 3, 4), x(4, 5, 3, 3), x(5)],
        run: (a, w, bias) =>
          ops.convTranspose2d(a, w, { bias, stride: 2, dilation: 2, layout: "NHWC" }),
        scale: 8,
      },
      {
        inputs: [x(1, 2, 3, 2), x(2, 1, 3, 3)],
        run: (a, w) => ops.convTranspose2d(a, w, { stride: [3, 2], outputSize: [11, 5] }),
        scale: 4,
      },
    ],
    golden: [
      {
        run: (t) =>
          ops.convTranspose2d(small(t), kernel(t), { stride: 2, padding: 1, outputPadding: 1 }),
        is: doubled,
        by: byLoops,
      },
      {
        run: (t) =>
          ops.convTranspose2d(small(t), kernel(t), { stride: 2, padding: 1, outputSize: 4 }),
        is: doubled,
        by: byLoops,
      },
    ],
    rejects: [
      {
        run: (t) => ops.convTranspose2d(small(t), t([[[[1]]], [[[1]]]])),
        says: "convTranspose2d: weight [2, 1, 1, 1] for 1 channels; expected [1, outputs, …]",
      },
      {
        run: (t) => ops.convTranspose2d(small(t), kernel(t), { stride: 2, outputPadding: 2 }),
        says:
          "convTranspose2d: outputPadding 2 along axis 2 of [1, 1, 2, 2]; expected at most 1, less " +
          "than stride or dilation",
      },
      {
        run: (t) => ops.convTranspose2d(small(t), kernel(t), { stride: 2, outputSize: [5, 7] }),
        says: "convTranspose2d: outputSize 7 along axis 3 of [1, 1, 2, 2]; expected 5 to 6",
      },
      {
        run: (t) =>
          ops.convTranspose2d(small(t), kernel(t), { stride: 2, outputSize: 5, outputPadding: 1 }),
        says: "convTranspose2d: outputSize and outputPadding; expected one of them",
        error: GradusError,
      },
      {
        run: (t) => ops.convTranspose2d(small(t), kernel(t), { padding: "same" as never }),
        says:
          'convTranspose2d: padding "same" for axes [2, 3]; expected an integer from 0, or one or ' +
          "a pair [before, after] for each",
      },
    ],
    gradient: true,
  },
  convTranspose3d: {
    calls: [
      {
        inputs: [x(1, 4, 2, 3, 2), x(4, 2, 2, 3, 2)],
        run: (a, w) => ops.convTranspose3d(a, w, { stride: [1, 2, 2], padding: [0, 1, 0] }),
        scale: 8,
      },
    ],
    golden: [
      {
        run: (t) => ops.convTranspose3d(t([[[[1, 2]]]]), t([[[[[1, 10]]]]]), { stride: [1, 1, 2] }),
        is: [[[[1, 10, 2, 20]]]],
        by: "a kernel that shows the digits",
      },
    ],
    rejects: [],
    gradient: true,
  },
} satisfies OpCases;
