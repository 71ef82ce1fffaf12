import * as ops from "../../../src/ops/index.ts";
import { binaryRejects, N, unaryRejects, viewCall, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const PI = Math.PI;
const DIGITS = "40 digits in decimal arithmetic";

export const trigonometricCases = {
  tan: {
    calls: [viewCall(ops.tan, -1.3, 1.3)],
    golden: [
      {
        run: (t) => ops.tan(t([0, 1, -0.5, 1.5, PI / 4])),
        is: [0, 1.5574077246549023, -0.5463024898437905, 14.101419947171719, 1],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("tan"),
    gradient: true,
  },
  asin: {
    calls: [viewCall(ops.asin, -0.95, 0.95)],
    golden: [
      {
        run: (t) => ops.asin(t([0.25, -0.75, 0.125, 0, 0.5, 1, -1, 1.5, -2])),
        is: [
          0.25268025514207865,
          -0.848062078981481,
          0.1253278311680654,
          0,
          PI / 6,
          PI / 2,
          -PI / 2,
          N,
          N,
        ],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("asin"),
    gradient: true,
  },
  acos: {
    calls: [viewCall(ops.acos, -0.95, 0.95)],
    golden: [
      {
        run: (t) => ops.acos(t([0.25, -0.75, 0.125, 0, 0.5, 1, -1, 1.5, -2])),
        is: [
          1.318116071652818,
          2.4188584057763776,
          1.4454684956268313,
          PI / 2,
          PI / 3,
          0,
          PI,
          N,
          N,
        ],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("acos"),
    gradient: true,
  },
  atan: {
    calls: [viewCall(ops.atan, -3, 3)],
    golden: [
      {
        run: (t) => ops.atan(t([0.5, -3, 100, 0, 1])),
        is: [0.4636476090008061, -1.2490457723982544, 1.5607966601082315, 0, PI / 4],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("atan"),
    gradient: true,
  },
  atan2: {
    calls: [
      {
        inputs: [x(1, 65), { shape: [4, 1], low: 0.2, high: 2 }],
        run: (y, width) => ops.atan2(y, width),
      },
      { inputs: [{ shape: [65], low: 0.2, high: 2 }], run: (y) => ops.atan2(y, -0.7) },
      { inputs: [x(65)], run: (width) => ops.atan2(-2, width) },
    ],
    golden: [
      {
        run: (t) => ops.atan2(t([1, -3, 2, -1]), t([2, 1, -1, -4])),
        is: [0.4636476090008061, -1.2490457723982544, 2.0344439357957027, -2.896613990462929],
        by: DIGITS,
      },
      {
        run: (t) => ops.atan2(t([0, 0, -0, 1, 5, 3]), t([0, -0, -0, 0, 5, -3])),
        is: [0, PI, -PI, PI / 2, PI / 4, (3 * PI) / 4],
        by: "angles",
      },
    ],
    rejects: binaryRejects("atan2"),
    gradient: true,
  },
} satisfies OpCases;
