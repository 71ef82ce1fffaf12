import type { Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const matmulCases = {
  matmul: {
    calls: [
      ...[
        [1, 1, 1],
        [2, 3, 4],
        [7, 9, 5],
        [8, 4, 16],
        [31, 33, 32],
        [33, 31, 65],
        [100, 50, 784],
        [513, 514, 5], // enough outputs for the bigger tile
        [5, 3, 0],
        [0, 3, 2],
      ].map(([m, n, k]) => ({
        inputs: [x(m, k), x(k, n)],
        run: (a: Tensor, b: Tensor) => ops.matmul(a, b),
        scale: 1 + Math.max(k, m, n) / 3,
      })),
      { inputs: [x(6, 4), x(6, 5)], run: (a, b) => ops.matmul(ops.transpose(a), b), scale: 3 },
      {
        inputs: [x(16, 8), x(8, 12)], // views that run backwards in whole vectors of four
        run: (a, b) =>
          ops.matmul(ops.slice(a, [{ step: -2 }]), ops.slice(b, [{ step: -1 }, { end: 8 }])),
        scale: 3,
      },
      {
        inputs: [x(8, 8), x(8, 8)],
        run: (a, b) =>
          ops.matmul(ops.slice(a, [{}, { step: -1 }]), ops.transpose(ops.slice(b, [{ step: -1 }]))),
        scale: 3,
      },
      { inputs: [x(4, 6), x(5, 6)], run: (a, b) => ops.matmul(a, ops.transpose(b)), scale: 3 },
      { inputs: [x(3, 4, 6), x(3, 6, 2)], run: (a, b) => ops.matmul(a, b), scale: 3 },
      { inputs: [x(2, 1, 4, 6), x(3, 6, 2)], run: (a, b) => ops.matmul(a, b), scale: 6 },
      // Stacks by one matrix, which are one product of all rows.
      ...[
        [
          [2, 3, 4],
          [4, 5],
        ],
        [
          [2, 3, 5, 4],
          [1, 4, 3],
        ],
        [
          [3, 4],
          [1, 1, 4, 5],
        ],
        [[2, 3, 4], [4]],
        [[4], [1, 4, 3]],
        [
          [0, 3, 4],
          [4, 2],
        ],
        [
          [2, 0, 4],
          [4, 2],
        ],
        [
          [2, 3, 0],
          [0, 2],
        ],
      ].map(([a, b]) => ({
        inputs: [x(...a), x(...b)],
        run: (a: Tensor, b: Tensor) => ops.matmul(a, b),
        scale: 4,
      })),
      ...[
        (a: Tensor) => ops.transpose(a),
        (a: Tensor) => ops.permute(a, 1, 0, 2),
        (a: Tensor) => ops.broadcastTo(ops.slice(a, [{ end: 1 }]), [4, 8, 8]),
        (a: Tensor) => ops.slice(a, [{}, { start: 1, step: 3 }]),
      ].map((view) => ({
        inputs: [x(3, 8, 8), x(8, 12)],
        run: (a: Tensor, b: Tensor) => ops.matmul(view(a), b),
        scale: 5,
      })),
      { inputs: [x(5), x(5, 3)], run: (a, b) => ops.matmul(a, b), scale: 3 },
      { inputs: [x(3, 5), x(5)], run: (a, b) => ops.matmul(a, b), scale: 3 },
      { inputs: [x(5), x(5)], run: (a, b) => ops.matmul(a, b), scale: 3 },
      {
        inputs: [x(9, 7), x(7, 3), x(3)],
        run: (a, b, c) => ops.sigmoid(ops.add(ops.matmul(a, b), c)),
        scale: 4,
      },
      {
        // Large enough for loads that four neighbours share, and a multiple of no tile.
        inputs: [x(2, 130, 68), x(2, 130, 61), x(61)],
        run: (a, b, c) => ops.tanh(ops.add(ops.matmul(ops.transpose(a), ops.mul(b, 0.1)), c)),
        scale: 10,
      },
    ],
    golden: [
      {
        run: (t) =>
          ops.matmul(
            t([
              [1, 2],
              [3, 4],
            ]),
            t([
              [5, 6],
              [7, 8],
            ]),
          ),
        is: [
          [19, 22],
          [43, 50],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.matmul(ops.reshape(t([1, 2, 3, 4, 5, 6]), [2, 3]), t([[1, 2, 3]])),
        says:
          "matmul: shapes [2, 3] and [1, 3] do not multiply (3 vs 1); " +
          "expected [m, k] and [k, n]. Transpose b?",
      },
      {
        run: (t) => ops.matmul(t(1), t([1])),
        says: "matmul: shapes [] and [1]; expected at least one axis each. Use mul for scalars",
      },
      {
        run: (t) => ops.matmul(t([[1]], "i32"), t([[1]], "i32")),
        says: "matmul: dtype i32; expected f32, f64",
      },
      {
        run: (t) => ops.matmul(t([[1]]), t([[1]], "i32")),
        says: "matmul: dtypes f32 and i32 differ; expected one dtype. cast one of them",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
