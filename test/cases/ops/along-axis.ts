import { DTypeError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { bools, N, signed, whole, x } from "../../support/op-calls.ts";
import type { OpCases, Reject } from "../../support/op-case.ts";

type Name = "takeAlongAxis" | "putAlongAxis" | "scatter" | "scatterAdd";

const alongRejects = (name: Name, rule: string): Reject[] => {
  const run = ops[name] as (...given: unknown[]) => unknown;
  const given = name === "takeAlongAxis" ? [] : [1];
  return [
    {
      run: (t) => run(t([1]), t([0]), ...given),
      says: `${name}: indices have dtype FLOAT; expected i32 or u32`,
    },
    {
      run: (t) => run(t([[1, 2]]), t([0], "i32"), ...given),
      says: `${name}: indices [1] for [1, 2] along axis 1; expected as many axes, the others ${rule}`,
    },
  ];
};

const writeRejects = (name: Exclude<Name, "takeAlongAxis">): Reject[] => [
  {
    run: (t) => ops[name](t([1, 2]), t([0], "i32"), t([1, 2])),
    says: `${name}: values [2] for indices [1]; expected values that broadcast to them`,
  },
  {
    run: (t) => ops[name](t([1, 2]), t([0], "i32"), t([1], "i32")),
    says: `${name}: dtypes FLOAT and i32 differ; expected one dtype. cast one of them`,
  },
  {
    run: (t) => ops[name](t([1, 2], "i32"), t([0], "i32"), 0.5),
    says: `${name}: number 0.5 beside dtype i32; expected a value that i32 holds. cast the tensor to f32`,
  },
  {
    run: (t) => ops[name](t([1, 2], "u8"), t([0], "i32"), 1),
    says: `${name}: dtype u8; expected ${name === "scatterAdd" ? "f32, f64, i32, u32" : "f32, f64, i32, u32, bool"}. cast it first`,
    error: DTypeError,
  },
];

export const alongAxisCases = {
  takeAlongAxis: {
    calls: [
      {
        inputs: [x(3, 4, 2), whole(4, 3, 5, 2)],
        run: (a, i) => ops.takeAlongAxis(a, i, { axis: 1 }),
        scale: 3,
      },
      {
        inputs: [x(4, 1), whole(4, 6, 5)],
        run: (a, i) => ops.takeAlongAxis(a, i, { axis: 0 }),
        scale: 6,
      },
      {
        inputs: [x(6, 5), whole(6, 3, 1)],
        run: (a, i) => ops.takeAlongAxis(ops.transpose(a), ops.transpose(i)),
        scale: 3,
      },
      { inputs: [x(2, 0), whole(1, 2, 0)], run: (a, i) => ops.takeAlongAxis(a, i) },
    ],
    golden: [
      {
        run: (t) =>
          ops.takeAlongAxis(
            t([
              [10, 30, 20],
              [60, 40, 50],
            ]),
            t(
              [
                [0, 2, 1],
                [1, -1, 3],
              ],
              "i32",
            ),
          ),
        is: [
          [10, 20, 30],
          [40, N, N],
        ],
        by: "numpy.take_along_axis, but outside is NaN",
      },
    ],
    rejects: alongRejects("takeAlongAxis", "equal or 1"),
    gradient: true,
  },
  putAlongAxis: {
    calls: [
      {
        inputs: [x(3, 4), whole(4, 1, 2), x(3, 1)],
        run: (a, i, v) => ops.putAlongAxis(a, i, v, { axis: 1 }),
      },
      // Many for each place.
      {
        inputs: [x(5, 3), whole(5, 40, 3), x(40, 3)],
        run: (a, i, v) => ops.putAlongAxis(ops.transpose(a), ops.transpose(i), ops.transpose(v)),
      },
      { inputs: [bools(6), whole(6, 2)], run: (a, i) => ops.putAlongAxis(a, i, 1) },
      { inputs: [x(2, 3), whole(3, 2, 0)], run: (a, i) => ops.putAlongAxis(a, i, 1) },
    ],
    golden: [
      {
        run: (t) =>
          ops.putAlongAxis(
            t([
              [10, 30, 20],
              [60, 40, 50],
            ]),
            t([[1], [0]], "i32"),
            99,
          ),
        is: [
          [10, 99, 20],
          [99, 40, 50],
        ],
        by: "numpy.put_along_axis, as its documentation shows it",
      },
      {
        run: (t) => ops.putAlongAxis(t([1, 2, 3]), t([0, 2, 0, 5, -1], "i32"), t([4, 5, 6, 7, 8])),
        is: [6, 2, 5],
        by: "the last stays; outside is nowhere",
      },
    ],
    rejects: [
      ...alongRejects("putAlongAxis", "equal or 1"),
      ...writeRejects("putAlongAxis"),
      {
        run: (t) => ops.putAlongAxis(t([[1, 2]]), t([[0], [1]], "i32"), 1),
        says:
          "putAlongAxis: indices [2, 1] for [1, 2] along axis 1; expected as many axes, the others " +
          "equal or 1",
      },
    ],
    gradient: true,
  },
  scatter: {
    calls: [
      {
        inputs: [x(4, 5), whole(4, 3, 2), x(2)],
        run: (a, i, v) => ops.scatter(a, i, v, { axis: 0 }),
      },
      { inputs: [x(3), whole(3, 2)], run: (a, i) => ops.scatter(a, i, 2) },
    ],
    golden: [
      {
        run: (t) =>
          ops.scatter(ops.broadcastTo(t(0), [3, 5]), t([[0, 1, 2, 0]], "i32"), t([[1, 2, 3, 4]]), {
            axis: 0,
          }),
        is: [
          [1, 0, 0, 4, 0],
          [0, 2, 0, 0, 0],
          [0, 0, 3, 0, 0],
        ],
        by: "torch.scatter, as its documentation shows it",
      },
    ],
    rejects: [...alongRejects("scatter", "at most as long"), ...writeRejects("scatter")],
    gradient: true,
  },
  scatterAdd: {
    calls: [
      {
        inputs: [x(4, 5), whole(4, 30, 2), x(30, 2)],
        run: (a, i, v) => ops.scatterAdd(a, i, v, { axis: 0 }),
        scale: 8,
      },
      { inputs: [signed(3), whole(3, 7)], run: (a, i) => ops.scatterAdd(a, i, 2) },
      { inputs: [x(2, 0), whole(1, 2, 0)], run: (a, i) => ops.scatterAdd(a, i, 2) },
    ],
    golden: [
      {
        run: (t) =>
          ops.scatterAdd(
            t([
              [1, 1, 1],
              [0, 0, 0],
            ]),
            t([[0, 1, 1, 9]], "u32"),
            t([[1, 2, 4, 8]]),
          ),
        is: [
          [2, 7, 1],
          [0, 0, 0],
        ],
        by: "torch.scatter_add, by hand; outside is nowhere",
      },
    ],
    rejects: [...alongRejects("scatterAdd", "at most as long"), ...writeRejects("scatterAdd")],
    gradient: true,
  },
} satisfies OpCases;
