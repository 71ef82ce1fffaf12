import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import {
  axisCalls,
  axisReject,
  manyAxes,
  N,
  signed,
  type Unary,
  unaryRejects,
  whole,
  x,
} from "../../support/op-calls.ts";
import type { OpCases, Reject } from "../../support/op-case.ts";

const emptyReject = (name: keyof typeof ops): Reject => ({
  run: (t) => (ops[name] as Unary)(t([])),
  says: `${name}: shape [0] has no elements there; expected at least one`,
});

export const reduceCases = {
  mean: {
    calls: manyAxes(ops.mean),
    golden: [
      {
        run: (t) =>
          ops.mean(
            t([
              [1, 2],
              [3, 6],
            ]),
            { axis: 1 },
          ),
        is: [1.5, 4.5],
        by: "by hand",
      },
    ],
    rejects: [axisReject("mean"), ...unaryRejects("mean")],
    gradient: true,
  },
  max: {
    calls: [...manyAxes(ops.max), { inputs: [signed(4, 70)], run: (a) => ops.max(a, { axis: 1 }) }],
    golden: [
      {
        run: (t) =>
          ops.max(
            t([
              [1, N, 2],
              [1, 2, N],
              [N, 1, 2],
            ]),
            { axis: 1 },
          ),
        is: [N, N, N],
        by: "NaN stays, wherever it stands",
      },
      {
        run: (t) =>
          ops.max(
            t([
              [1, 5],
              [3, 2],
            ]),
            { axis: 0 },
          ),
        is: [3, 5],
        by: "by hand",
      },
    ],
    rejects: [axisReject("max"), emptyReject("max")],
    gradient: true,
  },
  min: {
    calls: [...manyAxes(ops.min), { inputs: [signed(4, 70)], run: (a) => ops.min(a, { axis: 1 }) }],
    golden: [
      {
        run: (t) =>
          ops.min(
            t([
              [1, N, 2],
              [1, 2, N],
              [N, 1, 2],
            ]),
            { axis: 1 },
          ),
        is: [N, N, N],
        by: "NaN stays, wherever it stands",
      },
      {
        run: (t) =>
          ops.min(
            t([
              [1, 5],
              [3, 2],
            ]),
            { axis: 1 },
          ),
        is: [1, 2],
        by: "by hand",
      },
    ],
    rejects: [axisReject("min"), emptyReject("min")],
    gradient: true,
  },
  argmax: {
    calls: [
      ...axisCalls(ops.argmax),
      { inputs: [x(3, 4)], run: (a) => ops.argmax(a, { axis: -2, keepDims: true }) },
      { inputs: [whole(3, 5, 200)], run: (a) => ops.argmax(a, { axis: 1 }) },
      { inputs: [whole(3, 5, 200)], run: (a) => ops.argmax(a, { axis: 1, ties: "last" }) },
    ],
    golden: [
      {
        run: (t) =>
          ops.argmax(
            t([
              [1, N, 2],
              [1, 2, N],
              [N, 1, N],
            ]),
            { axis: 1 },
          ),
        is: [1, 2, 0],
        by: "the first NaN, as NumPy",
      },
      {
        run: (t) =>
          ops.argmax(
            t([
              [1, 5, 5],
              [3, 2, 1],
            ]),
            { axis: 1 },
          ),
        is: [1, 0],
        by: "first",
      },
      {
        run: (t) =>
          ops.argmax(
            t([
              [1, 5, 5, 2],
              [3, 3, 1, -3],
              [N, 7, N, 9],
            ]),
            { axis: 1, ties: "last" },
          ),
        is: [2, 1, 2],
        by: "last",
      },
      {
        run: (t) =>
          ops.argmax(
            t([
              [1, 5],
              [7, 2],
            ]),
          ),
        is: 2,
        by: "row-major",
      },
    ],
    rejects: [
      axisReject("argmax"),
      emptyReject("argmax"),
      {
        run: (t) => ops.argmax(t([1]), { ties: "lst" as never }),
        says: 'argmax: ties lst; expected first, last. Did you mean "last"?',
        error: GradusError,
      },
    ],
    gradient: "an index",
  },
  argmin: {
    calls: [
      ...axisCalls(ops.argmin),
      { inputs: [x(3, 4)], run: (a) => ops.argmin(a, { axis: -2, keepDims: true }) },
      { inputs: [whole(3, 5, 200)], run: (a) => ops.argmin(a, { axis: 1 }) },
    ],
    golden: [
      {
        run: (t) =>
          ops.argmin(
            t([
              [1, N, 2],
              [1, 2, N],
              [N, 1, N],
            ]),
            { axis: 1 },
          ),
        is: [1, 2, 0],
        by: "the first NaN, as NumPy",
      },
      {
        run: (t) =>
          ops.argmin(
            t([
              [1, 5, 1],
              [3, 2, 1],
            ]),
            { axis: 1 },
          ),
        is: [0, 2],
        by: "first",
      },
      {
        run: (t) => ops.argmin(t([[3, 1, 1, 2]]), { axis: 1, ties: "last", keepDims: true }),
        is: [[2]],
        by: "last",
      },
    ],
    rejects: [axisReject("argmin"), emptyReject("argmin")],
    gradient: "an index",
  },
} satisfies OpCases;
