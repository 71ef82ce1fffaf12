import type { Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { whole, x } from "../../support/op-calls.ts";
import type { Make, OpCases, Reject } from "../../support/op-case.ts";

const matrix = (t: Make) =>
  t([
    [1, 2, 3],
    [4, 5, 6],
  ]);

const matrixRejects = (name: "tril" | "triu"): Reject[] => [
  {
    run: (t) => ops[name](t([1])),
    says: `${name}: shape [1]; expected at least two axes`,
  },
  {
    run: (t) => ops[name](t([[1]]), 0.5),
    says: `${name}: offset 0.5; expected an integer`,
  },
];

const all = (f: (offset: number) => Tensor, offsets: readonly number[]) =>
  ops.concat(offsets.map((offset) => ops.flatten(f(offset))));

export const diagonalsCases = {
  tril: {
    calls: [
      { inputs: [x(2, 4, 3)], run: (a) => ops.tril(a, -1) },
      { inputs: [x(3, 5)], run: (a) => ops.tril(ops.transpose(a), 99) },
      { inputs: [x(0, 3)], run: (a) => ops.tril(a) },
      { inputs: [whole(9, 3, 3)], run: (a) => ops.tril(a, 1) },
    ],
    golden: [
      {
        run: (t) => all((offset) => ops.tril(matrix(t), offset), [0, 1, -1, -9, 9]),
        is: [
          [1, 0, 0, 4, 5, 0],
          [1, 2, 0, 4, 5, 6],
          [0, 0, 0, 4, 0, 0],
          [0, 0, 0, 0, 0, 0],
          [1, 2, 3, 4, 5, 6],
        ].flat(),
        by: "by hand",
      },
    ],
    rejects: matrixRejects("tril"),
    gradient: true,
  },
  triu: {
    calls: [
      { inputs: [x(2, 3, 4)], run: (a) => ops.triu(a, 1) },
      { inputs: [x(2, 0)], run: (a) => ops.triu(a) },
    ],
    golden: [
      {
        run: (t) => all((offset) => ops.triu(matrix(t), offset), [0, 1, -1, -9, 9]),
        is: [
          [1, 2, 3, 0, 5, 6],
          [0, 2, 3, 0, 0, 6],
          [1, 2, 3, 4, 5, 6],
          [1, 2, 3, 4, 5, 6],
          [0, 0, 0, 0, 0, 0],
        ].flat(),
        by: "by hand",
      },
    ],
    rejects: matrixRejects("triu"),
    gradient: true,
  },
  diagonal: {
    calls: [
      { inputs: [x(4, 2, 3)], run: (a) => ops.diagonal(a, { offset: -1, axis: [0, 2] }) },
      { inputs: [x(2, 3, 5)], run: (a) => ops.diagonal(a) },
      { inputs: [x(3, 3)], run: (a) => ops.diagonal(a, { offset: 3 }) },
      { inputs: [x(0, 0)], run: (a) => ops.diagonal(a) },
      { inputs: [x(2, 2, 0)], run: (a) => ops.diagonal(a, { axis: [0, 1] }) },
    ],
    golden: [
      {
        run: (t) =>
          all((offset) => ops.diagonal(matrix(t), { offset }), [0, 1, 2, 3, -1, -2, -9, 9]),
        is: [1, 5, 2, 6, 3, 4],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.diagonal(t([[1]]), { offset: 0.5 }),
        says: "diagonal: offset 0.5; expected an integer",
      },
      {
        run: (t) => ops.diagonal(t([[1]]), { axis: [0, 0] }),
        says: "diagonal: axes [0, 0] repeat; expected each axis once",
      },
      {
        run: (t) => ops.diagonal(t([[1]]), { axis: 1 as never }),
        says: "diagonal: axis 1; expected two axes",
      },
      {
        run: (t) => ops.diagonal(t([1])),
        says: "diagonal: axis -2; expected an integer in [-1, 0] for rank 1",
      },
    ],
    gradient: true,
  },
  diag: {
    calls: [
      { inputs: [x(4)], run: (a) => ops.diag(a, -2) },
      { inputs: [x(4, 3)], run: (a) => ops.diag(a, 1) },
      { inputs: [x(0)], run: (a) => ops.diag(a, 2) },
      { inputs: [whole(9, 3)], run: (a) => ops.diag(a) },
    ],
    golden: [
      {
        run: (t) => ops.diag(t([1, 2]), 1),
        is: [
          [0, 1, 0],
          [0, 0, 2],
          [0, 0, 0],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.diag(t(1)),
        says: "diag: shape []; expected one or two axes",
      },
      {
        run: (t) => ops.diag(t([1]), 0.5),
        says: "diag: offset 0.5; expected an integer",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
