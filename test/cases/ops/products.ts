import * as ops from "../../../src/ops/index.ts";
import { signed, x } from "../../support/op-calls.ts";
import type { OpCases, Reject } from "../../support/op-case.ts";

type Name = "outer" | "inner" | "dot" | "vdot" | "vecdot" | "tensordot" | "kron";

const factorRejects = (name: Name): Reject[] => [
  {
    run: (t) => ops[name](t([1]), t([1], "i32")),
    says: `${name}: dtypes FLOAT and i32 differ; expected one dtype. cast one of them`,
  },
  {
    run: (t) => ops[name](t([true]), t([true])),
    says: `${name}: dtype bool; expected f32, f64, i32, u32. cast it first`,
  },
];

const matrices = (t: (values: number[][]) => ReturnType<typeof ops.zeros>) =>
  [
    t([
      [1, 2],
      [3, 4],
    ]),
    t([
      [5, 6],
      [7, 8],
    ]),
  ] as const;

export const productsCases = {
  outer: {
    calls: [
      { inputs: [x(3), x(2, 2)], run: (a, b) => ops.outer(a, b) },
      { inputs: [x(), x(0)], run: (a, b) => ops.outer(a, b) },
    ],
    golden: [
      {
        run: (t) => ops.outer(t([1, 2]), t([3, 4])),
        is: [
          [3, 4],
          [6, 8],
        ],
        by: "by hand",
      },
    ],
    rejects: factorRejects("outer"),
    gradient: true,
  },
  inner: {
    calls: [
      { inputs: [x(2, 3, 4), x(5, 4)], run: (a, b) => ops.inner(a, b), scale: 2 },
      { inputs: [x(2, 3), x()], run: (a, b) => ops.inner(a, b) },
      { inputs: [x(4), x(4)], run: (a, b) => ops.inner(a, b), scale: 2 },
      { inputs: [x(2, 0), x(3, 0)], run: (a, b) => ops.inner(a, b) },
    ],
    golden: [
      {
        run: (t) => ops.inner(...matrices(t)),
        is: [
          [17, 23],
          [39, 53],
        ],
        by: "numpy.inner",
      },
    ],
    rejects: [
      ...factorRejects("inner"),
      {
        run: (t) => ops.inner(t([1, 2]), t([[1]])),
        says: "inner: axis 0 of [2] and 1 of [1, 1] differ (2 vs 1); expected one size",
      },
    ],
    gradient: true,
  },
  dot: {
    calls: [
      { inputs: [x(2, 3), x(4, 3, 2)], run: (a, b) => ops.dot(a, b), scale: 2 },
      { inputs: [signed(2, 3), signed(3, 4)], run: (a, b) => ops.dot(a, b) },
      { inputs: [x(2, 3), x(3)], run: (a, b) => ops.dot(a, b), scale: 2 },
    ],
    golden: [
      {
        run: (t) => ops.dot(...matrices(t)),
        is: [
          [19, 22],
          [43, 50],
        ],
        by: "numpy.dot",
      },
      { run: (t) => ops.dot(t([1, 2, 3]), t([4, 5, 6])), is: 32, by: "by hand" },
    ],
    rejects: [
      ...factorRejects("dot"),
      {
        run: (t) => ops.dot(t([[1, 2]]), t([[1, 2]])),
        says: "dot: axis 1 of [1, 2] and 0 of [1, 2] differ (2 vs 1); expected one size",
      },
    ],
    gradient: true,
  },
  vdot: {
    calls: [
      { inputs: [x(3, 2), x(2, 3)], run: (a, b) => ops.vdot(ops.transpose(a), b), scale: 2 },
      { inputs: [x(0), x(2, 0)], run: (a, b) => ops.vdot(a, b) },
    ],
    golden: [{ run: (t) => ops.vdot(...matrices(t)), is: 70, by: "numpy.vdot" }],
    rejects: [
      ...factorRejects("vdot"),
      {
        run: (t) => ops.vdot(t([1]), t([1, 2])),
        says: "vdot: shapes [1] and [2]; expected as many elements",
      },
    ],
    gradient: true,
  },
  vecdot: {
    calls: [
      { inputs: [x(4, 3, 2), x(3, 1)], run: (a, b) => ops.vecdot(a, b, { axis: 1 }), scale: 2 },
      { inputs: [x(2, 5), x(5)], run: (a, b) => ops.vecdot(a, b), scale: 2 },
    ],
    golden: [{ run: (t) => ops.vecdot(...matrices(t)), is: [17, 53], by: "numpy.vecdot" }],
    rejects: [
      ...factorRejects("vecdot"),
      {
        run: (t) => ops.vecdot(t([1]), t([1, 2])),
        says: "vecdot: shapes [1] and [2]; expected one size along axis 0",
      },
    ],
    gradient: true,
  },
  tensordot: {
    calls: [
      {
        inputs: [x(2, 3, 4), x(4, 5, 3)],
        run: (a, b) =>
          ops.tensordot(a, b, [
            [1, -1],
            [2, 0],
          ]),
        scale: 4,
      },
      { inputs: [x(2, 3, 4), x(3, 4, 2)], run: (a, b) => ops.tensordot(a, b), scale: 4 },
      { inputs: [x(2), x(3)], run: (a, b) => ops.tensordot(a, b, 0) },
    ],
    golden: [
      {
        run: (t) => ops.tensordot(...matrices(t), [[0], [1]]),
        is: [
          [23, 31],
          [34, 46],
        ],
        by: "numpy.tensordot",
      },
    ],
    rejects: [
      {
        run: (t) => ops.tensordot(t([1]), t([1], "i32"), 0),
        says: "tensordot: dtypes FLOAT and i32 differ; expected one dtype. cast one of them",
      },
      {
        run: (t) => ops.tensordot(t([1]), t([1])),
        says: "tensordot: axes 2; expected an integer from 0 to 1, or as many axes of a as of b",
      },
      {
        run: (t) => ops.tensordot(t([[1]]), t([1]), [[0, 1], [0]]),
        says: "tensordot: axes [[0,1],[0]]; expected an integer from 0 to 1, or as many axes of a as of b",
      },
      {
        run: (t) => ops.tensordot(t([[1, 2]]), t([1]), [[1], [0]]),
        says: "tensordot: axis 1 of [1, 2] and 0 of [1] differ (2 vs 1); expected one size",
      },
      {
        run: (t) =>
          ops.tensordot(t([[1]]), t([[1]]), [
            [0, -2],
            [0, 1],
          ]),
        says: "tensordot: axes [0, 0] repeat; expected each axis once",
      },
    ],
    gradient: true,
  },
  kron: {
    calls: [
      { inputs: [x(2, 3), x(2)], run: (a, b) => ops.kron(a, b) },
      { inputs: [x(), x(2, 1)], run: (a, b) => ops.kron(a, b) },
    ],
    golden: [
      {
        run: (t) => ops.kron(t([[1, 2]]), t([[1], [10]])),
        is: [
          [1, 2],
          [10, 20],
        ],
        by: "numpy.kron",
      },
      {
        run: (t) => ops.kron(t([1, 10, 100]), t([5, 6, 7])),
        is: [5, 6, 7, 50, 60, 70, 500, 600, 700],
        by: "numpy.kron, as its documentation shows it",
      },
    ],
    rejects: factorRejects("kron"),
    gradient: true,
  },
} satisfies OpCases;
