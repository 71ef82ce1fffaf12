import { GradusError, grad, type Tensor, tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { Make, OpCases } from "../../support/op-case.ts";

/** An image of two rows, of which some elements are equal. */
const image = (t: Make) =>
  t([
    [
      [1, 3, 3, -2],
      [0, 3, 4, 4],
    ],
  ]);

const byHand = "by hand";

/** The same indices in each image, as many as its pixels. */
const places = (a: Tensor, ...all: number[]) => {
  const own = tensor(all, {
    dtype: "i32",
    device: a.device,
    shape: a.shape.map((n, i) => (i < 2 ? 1 : n)),
  });
  return ops.broadcastTo(own, a.shape);
};

export const poolCases = {
  maxPool1d: {
    calls: [
      {
        inputs: [x(2, 3, 9)],
        run: (a) => ops.maxPool1d(a, 3, { stride: 2, padding: 1, dilation: 1 }),
      },
    ],
    golden: [
      { run: (t) => ops.maxPool1d(t([[1, 5, 2, 0, 7]]), 2), is: [[5, 2]], by: byHand },
      {
        run: (t) => ops.maxPool1d(t([[1, 5, 2, 0, 7]]), 2, { ceilMode: true }),
        is: [[5, 2, 7]],
        by: byHand,
      },
    ],
    rejects: [
      {
        run: (t) => ops.maxPool1d(t([[1, 2]]), 3),
        says: "maxPool1d: a window of 3, dilation 1, spans 3 elements of axis 1 of [1, 2]; expected at most 2",
      },
    ],
    gradient: true,
  },
  maxPool2d: {
    calls: [
      { inputs: [x(2, 3, 6, 5)], run: (a) => ops.maxPool2d(a, 2) },
      {
        inputs: [x(2, 7, 6, 3)],
        run: (a) =>
          ops.relu(ops.maxPool2d(a, 3, { stride: 2, padding: 1, ceilMode: true, layout: "NHWC" })),
      },
      {
        inputs: [x(3, 6, 5)],
        run: (a) => ops.maxPool2d(a, [2, 1], { stride: [3, 2], dilation: [2, 1] }),
      },
    ],
    golden: [
      { run: (t) => ops.maxPool2d(image(t), 2), is: [[[3, 4]]], by: byHand },
      {
        run: (t) => ops.cast(ops.maxPool2d(image(t), 2, { returnIndices: true }).indices, "f32"),
        is: [[[1, 6]]],
        by: byHand,
      },
      {
        run: (t) => {
          const a = image(t);
          return grad(ops.sum(ops.maxPool2d(a, 2, { stride: 1 })), [a])[0];
        },
        is: [
          [
            [0, 1, 0, 0],
            [0, 0, 2, 0],
          ],
        ],
        by: byHand,
      },
    ],
    rejects: [
      {
        run: (t) => ops.maxPool2d(image(t), 0),
        says: "maxPool2d: size 0 for axes [1, 2]; expected an integer from 1, or one for each",
      },
      {
        run: (t) => ops.maxPool2d(image(t), 2, { padding: 2 }),
        says: "maxPool2d: padding 2 for a window of 2, dilation 1; expected at most 1, half of it",
      },
      {
        run: (t) => ops.maxPool2d(t([1]), 1),
        says: "maxPool2d: input [1]; expected the 4 axes of NCHW, or those behind N",
      },
      {
        run: (t) => ops.maxPool2d(ops.cast(image(t), "i32"), 2),
        says: "maxPool2d: dtype i32; expected f32, f64",
      },
      {
        run: (t) => ops.maxPool2d(image(t), 2, { ceilMode: 1 as never }),
        says: "maxPool2d: ceilMode 1; expected true or false",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  maxPool3d: {
    calls: [{ inputs: [x(1, 2, 4, 3, 4)], run: (a) => ops.maxPool3d(a, [2, 1, 2]) }],
    golden: [
      {
        run: (t) => ops.maxPool3d(ops.expandDims(image(t), 0), [1, 2, 4]),
        is: [[[[4]]]],
        by: byHand,
      },
    ],
    rejects: [],
    gradient: true,
  },
  avgPool1d: {
    calls: [
      {
        inputs: [x(2, 3, 9)],
        run: (a) => ops.avgPool1d(a, 3, { stride: 2, padding: 1 }),
        scale: 2,
      },
    ],
    golden: [
      {
        run: (t) => ops.avgPool1d(t([[2, 4, 6, 8, 1]]), 2, { padding: 1, ceilMode: true }),
        is: [[1, 5, 4.5]],
        by: byHand,
      },
    ],
    rejects: [],
    gradient: true,
  },
  avgPool2d: {
    calls: [
      { inputs: [x(2, 3, 6, 5)], run: (a) => ops.avgPool2d(a, 2), scale: 2 },
      {
        inputs: [x(2, 7, 6, 3)],
        run: (a) =>
          ops.avgPool2d(a, 3, { stride: 2, padding: 1, countIncludePad: false, layout: "NHWC" }),
        scale: 2,
      },
    ],
    golden: [
      { run: (t) => ops.avgPool2d(image(t), 2), is: [[[1.75, 2.25]]], by: byHand },
      {
        run: (t) => ops.avgPool2d(image(t), 2, { padding: [0, 1] }),
        is: [[[0.25, 3.25, 0.5]]],
        by: byHand,
      },
      {
        run: (t) => ops.avgPool2d(image(t), 2, { padding: [0, 1], countIncludePad: false }),
        is: [[[0.5, 3.25, 1]]],
        by: byHand,
      },
      {
        run: (t) => ops.avgPool2d(image(t), 2, { divisorOverride: 2 }),
        is: [[[3.5, 4.5]]],
        by: byHand,
      },
    ],
    rejects: [
      {
        run: (t) => ops.avgPool2d(image(t), 2, { divisorOverride: 0 }),
        says: "avgPool2d: divisorOverride 0; expected a finite number above 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  avgPool3d: {
    calls: [{ inputs: [x(1, 2, 4, 3, 4)], run: (a) => ops.avgPool3d(a, 2), scale: 2 }],
    golden: [
      {
        run: (t) => ops.avgPool3d(ops.expandDims(image(t), 0), [1, 2, 4]),
        is: [[[[2]]]],
        by: byHand,
      },
    ],
    rejects: [],
    gradient: true,
  },
  lpPool1d: {
    calls: [{ inputs: [x(2, 3, 9)], run: (a) => ops.lpPool1d(a, 2, 3, { stride: 2 }), scale: 4 }],
    golden: [{ run: (t) => ops.lpPool1d(t([[3, -4, 0, 0]]), 2, 2), is: [[5, 0]], by: byHand }],
    rejects: [],
    gradient: true,
  },
  lpPool2d: {
    calls: [{ inputs: [x(2, 3, 6, 5)], run: (a) => ops.lpPool2d(a, 3, 2), scale: 8 }],
    golden: [{ run: (t) => ops.lpPool2d(image(t), 1, 2), is: [[[7, 13]]], by: byHand }],
    rejects: [
      {
        run: (t) => ops.lpPool2d(image(t), 0, 2),
        says: "lpPool2d: power 0; expected a finite number above 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  lpPool3d: {
    calls: [{ inputs: [x(1, 2, 4, 3, 4)], run: (a) => ops.lpPool3d(a, 2, [2, 1, 2]), scale: 4 }],
    golden: [
      {
        run: (t) => ops.lpPool3d(ops.expandDims(image(t), 0), 1, [1, 2, 4]),
        is: [[[[20]]]],
        by: byHand,
      },
    ],
    rejects: [],
    gradient: true,
  },
  adaptiveAvgPool1d: {
    calls: [{ inputs: [x(2, 3, 9)], run: (a) => ops.adaptiveAvgPool1d(a, 4), scale: 2 }],
    golden: [
      { run: (t) => ops.adaptiveAvgPool1d(t([[1, 2, 3, 4, 5]]), 2), is: [[2, 4]], by: byHand },
    ],
    rejects: [],
    gradient: true,
  },
  adaptiveAvgPool2d: {
    calls: [
      { inputs: [x(2, 3, 6, 5)], run: (a) => ops.adaptiveAvgPool2d(a, 1), scale: 2 },
      {
        inputs: [x(2, 5, 4, 3)],
        run: (a) => ops.adaptiveAvgPool2d(a, [3, 2], { layout: "NHWC" }),
        scale: 2,
      },
    ],
    golden: [
      {
        run: (t) => ops.adaptiveAvgPool2d(image(t), [null, 2]),
        is: [
          [
            [2, 0.5],
            [1.5, 4],
          ],
        ],
        by: byHand,
      },
    ],
    rejects: [
      {
        run: (t) => ops.adaptiveAvgPool2d(image(t), 0),
        says: "adaptiveAvgPool2d: size 0 for axes [1, 2]; expected an integer from 1, or one or null for each",
      },
      {
        run: (t) => ops.adaptiveAvgPool2d(ops.slice(image(t), [{}, { end: 0 }]), 1),
        says: "adaptiveAvgPool2d: input [1, 0, 4]; expected at least one element along axes [1, 2]",
      },
    ],
    gradient: true,
  },
  adaptiveAvgPool3d: {
    calls: [
      { inputs: [x(1, 2, 4, 3, 4)], run: (a) => ops.adaptiveAvgPool3d(a, [2, 1, 2]), scale: 2 },
    ],
    golden: [
      {
        run: (t) => ops.adaptiveAvgPool3d(ops.expandDims(image(t), 0), 1),
        is: [[[[2]]]],
        by: byHand,
      },
    ],
    rejects: [],
    gradient: true,
  },
  adaptiveMaxPool1d: {
    calls: [{ inputs: [x(2, 3, 9)], run: (a) => ops.adaptiveMaxPool1d(a, 4) }],
    golden: [
      { run: (t) => ops.adaptiveMaxPool1d(t([[1, 2, 3, 5, 4]]), 2), is: [[3, 5]], by: byHand },
    ],
    rejects: [],
    gradient: true,
  },
  adaptiveMaxPool2d: {
    calls: [{ inputs: [x(2, 3, 6, 5)], run: (a) => ops.adaptiveMaxPool2d(a, [3, 2]) }],
    golden: [
      { run: (t) => ops.adaptiveMaxPool2d(image(t), 1), is: [[[4]]], by: byHand },
      {
        run: (t) =>
          ops.cast(ops.adaptiveMaxPool2d(image(t), [1, 3], { returnIndices: true }).indices, "f32"),
        is: [[[1, 6, 6]]],
        by: byHand,
      },
    ],
    rejects: [],
    gradient: true,
  },
  adaptiveMaxPool3d: {
    calls: [{ inputs: [x(1, 2, 4, 3, 4)], run: (a) => ops.adaptiveMaxPool3d(a, [2, null, 1]) }],
    golden: [
      {
        run: (t) => ops.adaptiveMaxPool3d(ops.expandDims(image(t), 0), 1),
        is: [[[[4]]]],
        by: byHand,
      },
    ],
    rejects: [],
    gradient: true,
  },
  maxUnpool1d: {
    calls: [{ inputs: [x(2, 2, 3)], run: (a) => ops.maxUnpool1d(a, places(a, 1, 3, 4), 2) }],
    golden: [
      {
        run: (t) => ops.maxUnpool1d(t([[5, 7]]), t([[1, 2]], "i32"), 2, { outputSize: 5 }),
        is: [[0, 5, 7, 0, 0]],
        by: byHand,
      },
    ],
    rejects: [
      {
        run: (t) => ops.maxUnpool1d(t([[5, 7]]), t([[1]], "i32"), 2),
        says: "maxUnpool1d: indices [1, 1] for [1, 2]; expected as many",
      },
      {
        run: (t) => ops.maxUnpool1d(t([[5, 7]]), t([[1, 2]], "i32"), 2, { outputSize: 6 }),
        says: "maxUnpool1d: outputSize 6 along axis 1 of [1, 2]; expected 4, or less than 2 from it",
      },
      {
        run: (t) => ops.maxUnpool1d(t([[5, 7]]), t([[1, 2]]), 2),
        says: "maxUnpool1d: indices have dtype FLOAT; expected i32 or u32",
      },
    ],
    gradient: true,
  },
  maxUnpool2d: {
    calls: [
      {
        inputs: [x(2, 2, 3, 3)],
        run: (a) => ops.maxUnpool2d(a, places(a, 0, 7, 12, 1, 9, 14, 3, 20, 33), 2),
      },
    ],
    golden: [
      {
        run: (t) => ops.maxUnpool2d(t([[[5]]]), t([[[2]]], "i32"), 2),
        is: [
          [
            [0, 0],
            [5, 0],
          ],
        ],
        by: byHand,
      },
    ],
    rejects: [],
    gradient: true,
  },
  maxUnpool3d: {
    calls: [
      { inputs: [x(1, 1, 1, 1, 3)], run: (a) => ops.maxUnpool3d(a, places(a, 4, 1, 9), [1, 2, 2]) },
    ],
    golden: [
      {
        run: (t) => ops.maxUnpool3d(t([[[[5]]]]), t([[[[1]]]], "i32"), [1, 2, 1]),
        is: [[[[0], [5]]]],
        by: byHand,
      },
    ],
    rejects: [],
    gradient: true,
  },
} satisfies OpCases;
