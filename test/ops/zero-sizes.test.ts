import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  concat,
  type Device,
  div,
  evaluate,
  gather,
  grad,
  type InitOptions,
  init,
  logSumExp,
  matmul,
  max,
  mean,
  pad,
  relu,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "../../src/index.ts";
import { inBrowser } from "../support/device.ts";

type Case = readonly [name: string, y: Tensor, value: number];

/** Reductions of axes of size 0, alone and with others, over every shape with a zero. */
function reductions(device: Device): Case[] {
  const shapes = [[0], [0, 3], [3, 0], [2, 0, 3], [2, 3, 0], [0, 2, 3], [3, 0, 0]];
  const subsets = (rank: number) => [...Array(2 ** rank).keys()].slice(1);
  return shapes.flatMap((shape) =>
    subsets(shape.length).flatMap((bits): Case[] => {
      const axis = shape.map((_, i) => i).filter((i) => (bits >> i) & 1);
      if (axis.every((i) => shape[i] !== 0)) return [];
      const x = zeros(shape, { device });
      const of = `of axes ${axis} of [${shape}]`;
      return [
        [`sum ${of}`, sum(x, { axis }), 0],
        [`mean ${of}`, mean(x, { axis, keepDims: true }), Number.NaN],
        [`logSumExp ${of}`, logSumExp(x, { axis }), Number.NEGATIVE_INFINITY],
      ];
    }),
  );
}

/** Products, gradients and joins in which something has no elements but the result does. */
function others(device: Device): Case[] {
  const empty = (...shape: number[]) => zeros(shape, { device });
  const none = tensor(new Int32Array(0), { device });
  const table = zeros([4, 3], { device });
  const [dTable] = grad(sum(gather(table, none)), [table]);
  const w = zeros([0, 3], { device });
  const [dw] = grad(sum(matmul(empty(2, 0), w)), [w]);
  const e = empty(0);
  return [
    ["[3, 0] · [0, 2]", matmul(empty(3, 0), empty(0, 2)), 0],
    ["[5, 3, 0] · [0, 2]", matmul(empty(5, 3, 0), empty(0, 2)), 0],
    ["[0, 3]ᵀ · [0, 2]", matmul(transpose(empty(0, 3)), empty(0, 2)), 0],
    ["[0] · [0]", matmul(e, e), 0],
    ["[3, 0] · [0, 2] + 1", relu(add(matmul(empty(3, 0), empty(0, 2)), 1)), 1],
    ["Σ / Σ", div(sum(e), sum(e)), Number.NaN],
    ["a product / a product", div(matmul(e, e), matmul(e, e)), Number.NaN],
    ["the gradient of gathering nothing", dTable, 0],
    ["the gradient of a weight that meets nothing", dw, 0],
    [
      "padding",
      pad(
        empty(0, 2),
        [
          [1, 2],
          [0, 1],
        ],
        { value: 7 },
      ),
      7,
    ],
    [
      "concat",
      concat([empty(2, 0), add(zeros([2, 3], { device }), 2), empty(2, 0)], { axis: 1 }),
      2,
    ],
    ["the largest of a sum of nothing", max(sum(empty(3, 0), { axis: 1 })), 0],
    ["a slice of nothing", sum(slice(empty(3, 4), [{}, { start: 4 }]), { axis: 1 }), 0],
    ["softmax of nothing", sum(softmax(empty(3, 0)), { axis: 1 }), 0],
  ];
}

const kinds: readonly InitOptions[] = inBrowser
  ? [
      { device: "webgpu", kernels: "direct" },
      { device: "webgpu", kernels: "workgroup" },
    ]
  : [
      { device: "cpu", engine: "compiled" },
      { device: "cpu", engine: "plain" },
    ];

for (const options of kinds) {
  describe(`axes of size 0, ${options.kernels ?? options.engine}`, () => {
    let device: Device;
    beforeAll(async () => {
      device = (await init({ ...options, isolated: true })).device;
    });

    for (const [what, make] of Object.entries({ reductions, others })) {
      test(what, async () => {
        const cases = make(device);
        evaluate(...cases.map(([, y]) => y));
        for (const [name, y, value] of cases) {
          const read = await y.data();
          expect([name, ...read]).toEqual([name, ...new Array(y.size).fill(value)]);
        }
      });
    }
  });
}
