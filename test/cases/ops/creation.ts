import * as ops from "../../../src/ops/index.ts";
import { like, whole, x } from "../../support/op-calls.ts";
import type { Make, OpCases } from "../../support/op-case.ts";

export const creationCases = {
  oneHot: {
    calls: [{ inputs: [whole(4, 3, 2)], run: (i) => ops.oneHot(i, 4) }],
    golden: [
      {
        run: (t) => ops.oneHot(t([0, 3], "u8"), 2),
        is: [
          [1, 0],
          [0, 0],
        ],
        by: "by hand",
      },
      {
        run: (t) => ops.oneHot(t([1, 3], "u32"), 3),
        is: [
          [0, 1, 0],
          [0, 0, 0],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.oneHot(t([1], "i32"), -1),
        says: "oneHot: depth -1; expected an integer from 0",
      },
      {
        run: (t) => ops.oneHot(t([true], "bool"), 3),
        says: "oneHot: labels have dtype bool; expected i32, u32, u8, i8, u16 or i16",
      },
      {
        run: (t) => ops.oneHot(t([1]), 3),
        says: "oneHot: labels have dtype FLOAT; expected i32, u32, u8, i8, u16 or i16",
      },
    ],
    gradient: "labels are whole numbers",
  },
  tensor: {
    calls: [{ inputs: [x(3, 2)], run: (a) => ops.reshape(a, [6]) }],
    golden: [
      {
        run: (t) =>
          t([
            [1, 2],
            [3, 4],
          ]),
        is: [
          [1, 2],
          [3, 4],
        ],
        by: "definition",
      },
      ...[Uint8Array.of(0, 1, 2, 255), [0, 1, 2.7, -1], Float32Array.of(0, 1, Number.NaN, 0.1)].map(
        (data) => ({
          run: (t: Make) => ops.tensor(data, { dtype: "bool", device: t([]).device }),
          is: [0, 1, 1, 1],
          by: "all but 0 is 1, as in NumPy",
        }),
      ),
    ],
    rejects: [
      {
        run: () => ops.tensor([[1, 2], [3]]),
        says: "tensor: an array of 1 at depth 1; expected arrays of 2 there, as in shape [2, 2]",
      },
      {
        run: () => ops.tensor([1, 2], { shape: [3] }),
        says: "tensor: 2 values for shape [3]; expected 3",
      },
    ],
    gradient: "a source",
  },
  zeros: {
    calls: [{ inputs: [x(2)], run: (a) => ops.add(a, ops.zeros([3, 1], like(a))) }],
    golden: [{ run: (t) => ops.zeros([2, 1], like(t([]))), is: [[0], [0]], by: "definition" }],
    rejects: [
      {
        run: () => ops.zeros([-1]),
        says: "zeros: shape [-1]; expected an array of non-negative integers",
      },
    ],
    gradient: "a source",
  },
  ones: {
    calls: [{ inputs: [x(2)], run: (a) => ops.mul(a, ops.ones([3, 1], like(a))) }],
    golden: [{ run: (t) => ops.ones([2], like(t([]))), is: [1, 1], by: "definition" }],
    rejects: [
      {
        run: () => ops.ones([1.5]),
        says: "ones: shape [1.5]; expected an array of non-negative integers",
      },
    ],
    gradient: "a source",
  },
  full: {
    calls: [{ inputs: [x(2)], run: (a) => ops.mul(a, ops.full([3, 1], 2.5, like(a))) }],
    golden: [{ run: (t) => ops.full([2], 0.25, like(t([]))), is: [0.25, 0.25], by: "definition" }],
    rejects: [
      {
        run: () => ops.full([2 ** 17, 2 ** 17], 0),
        says: "full: shape [131072, 131072]; expected fewer than 2^32 elements",
      },
    ],
    gradient: "a source",
  },
  arange: {
    calls: [{ inputs: [x(5)], run: (a) => ops.add(a, ops.arange(0, 5, 1, like(a))) }],
    golden: [
      { run: (t) => ops.arange(2, 9, 3, like(t([]))), is: [2, 5, 8], by: "by hand" },
      { run: (t) => ops.arange(3, 0, -1, like(t([]))), is: [3, 2, 1], by: "by hand" },
      { run: (t) => ops.arange(4, undefined, 1, like(t([]))), is: [0, 1, 2, 3], by: "by hand" },
      { run: () => ops.arange(2, 5), is: [2, 3, 4], by: "by hand" },
      { run: () => ops.arange(0, 6, 2), is: [0, 2, 4], by: "by hand" },
      { run: () => ops.arange(1, 1), is: [], by: "by hand" },
      { run: () => ops.arange(5, 1), is: [], by: "by hand" },
    ],
    rejects: [
      {
        run: () => ops.arange(0, 5, 0),
        says: "arange: start 0, end 5, step 0; expected finite numbers and a step not 0",
      },
      {
        run: () => ops.arange(0, 2 ** 32),
        says: "arange: shape [4294967296]; expected fewer than 2^32 elements",
      },
    ],
    gradient: "a source",
  },
  eye: {
    calls: [{ inputs: [x(3, 3)], run: (a) => ops.add(a, ops.eye(3, 3, like(a))) }],
    golden: [
      {
        run: (t) => ops.eye(2, 3, like(t([]))),
        is: [
          [1, 0, 0],
          [0, 1, 0],
        ],
        by: "definition",
      },
    ],
    rejects: [
      {
        run: () => ops.eye(-1),
        says: "eye: n -1; expected an integer from 0",
      },
      {
        run: () => ops.eye(2 ** 16, 2 ** 16),
        says: "eye: shape [65536, 65536]; expected fewer than 2^32 elements",
      },
      {
        run: () => ops.eye(2, "3" as never),
        says: 'eye: m "3"; expected an integer from 0',
      },
    ],
    gradient: "a source",
  },
} satisfies OpCases;
