import * as ops from "../../../src/ops/index.ts";
import { binaryRejects, N } from "../../support/op-calls.ts";
import type { Call, OpCase, OpCases } from "../../support/op-case.ts";

type Name = "fmod" | "remainder" | "floorDivide";

const INF = Number.POSITIVE_INFINITY;
const [MIN, MAX] = [-(2 ** 31), 2 ** 31 - 1];

/** Quotients up to some 30, dividends and divisors of both signs, and a view that is broadcast. */
const calls = (name: Name): Call[] => [
  {
    inputs: [
      { shape: [13, 5], low: -9, high: 9 },
      { shape: [13, 1], low: 0.3, high: 2 },
    ],
    run: (a, b) =>
      ops[name](
        ops.transpose(a),
        ops.transpose(ops.mul(b, ops.sign(ops.slice(b, [{ step: -1 }])))),
      ),
  },
  {
    inputs: [
      { shape: [7], dtype: "i32", low: -99, high: 99 },
      { shape: [7], dtype: "i32", low: -4, high: 4 },
    ],
    run: (a, b) => ops[name](a, b),
  },
];

const A = [7, -7, 7, -7, 6, -6, 0, 5, 1, 1, 2 ** 100, -(2 ** 100), 16777215.5, 2 ** -100];
const B = [3, 3, -3, -3, 3, 3, 3, N, INF, 2 ** 127, 7, 7, 0.125, 2 ** 100];
const WHOLE_A = [7, -7, 7, -7, 5, 0, MIN, MIN, MAX, MIN];
const WHOLE_B = [3, 3, -3, -3, 0, 0, -1, 1, MIN, MAX];
const WORDS_A = [7, 2 ** 32 - 1, 2 ** 32 - 1, 3];
const WORDS_B = [3, 10, 2 ** 31, 0];

interface Values {
  floats: number[];
  whole: number[];
  words: number[];
}

const row = (name: Name, { floats, whole, words }: Values): OpCase => ({
  calls: calls(name),
  golden: [
    { run: (t) => ops[name](t(A), t(B)), is: floats, by: "exact fractions" },
    { run: (t) => ops[name](t([1, INF, 0]), t([0, 3, 0])), is: [N, N, N], by: "IEEE 754" },
    { run: (t) => ops[name](t(WHOLE_A, "i32"), t(WHOLE_B, "i32")), is: whole, by: "modulo 2³²" },
    { run: (t) => ops[name](t(WORDS_A, "u32"), t(WORDS_B, "u32")), is: words, by: "by hand" },
  ],
  rejects: binaryRejects(name),
  gradient: true,
});

const floored = row("floorDivide", {
  floats: [2, -3, -3, 2, 2, -2, 0, N, 0, 0, (2 ** 100 - 2) / 7, -(2 ** 100 + 5) / 7, 134217724, 0],
  whole: [2, -3, -3, 2, 0, 0, MIN, MIN, -1, -2],
  words: [2, 429496729, 1, 0],
});

export const remainderCases = {
  fmod: row("fmod", {
    floats: [1, -1, 1, -1, 0, 0, 0, N, 1, 1, 2, -2, 0, 2 ** -100],
    whole: [1, -1, 1, -1, 0, 0, 0, 0, MAX, -1],
    words: [1, 5, MAX, 0],
  }),
  remainder: row("remainder", {
    floats: [1, 2, -2, -1, 0, 0, 0, N, 1, 1, 2, 5, 0, 2 ** -100],
    whole: [1, 2, -2, -1, 0, 0, 0, 0, -1, MAX - 1],
    words: [1, 5, MAX, 0],
  }),
  floorDivide: {
    ...floored,
    golden: [
      floored.golden[0],
      ...floored.golden.slice(2),
      { run: (t) => ops.floorDivide(t([1, 6]), t([0.1, 0.1])), is: [9, 59], by: "0.1 is more" },
    ],
    gradient: "0 everywhere",
  },
} satisfies OpCases;
