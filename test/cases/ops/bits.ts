import * as ops from "../../../src/ops/index.ts";
import type { OpCase, OpCases } from "../../support/op-case.ts";

const [MIN, MAX, WORD] = [-(2 ** 31), 2 ** 31 - 1, 2 ** 32 - 1];

type Name = "bitwiseAnd" | "bitwiseOr" | "bitwiseXor" | "bitwiseLeftShift" | "bitwiseRightShift";

interface Values {
  a: number[];
  b: number[];
  i32: number[];
  u32: number[];
}

const bitwise = (name: Name, { a, b, i32, u32 }: Values): OpCase => ({
  calls: (["i32", "u32"] as const).map((dtype) => ({
    inputs: [
      { shape: [13, 5], dtype, low: dtype === "i32" ? MIN : 0, high: MAX },
      { shape: [5], dtype, low: dtype === "i32" ? -2 : 0, high: 34 },
    ],
    run: ops[name],
  })),
  golden: [
    { run: (t) => ops[name](t(a, "i32"), t(b, "i32")), is: i32, by: "by hand" },
    {
      run: (t) =>
        ops[name](
          ops.bitwiseAnd(
            t(
              a.map((x) => x >>> 0),
              "u32",
            ),
            WORD,
          ),
          t(
            b.map((x) => x >>> 0),
            "u32",
          ),
        ),
      is: u32,
      by: "by hand",
    },
    { run: (t) => ops[name](t([5], "i32"), 3), is: [ops5(name)], by: "beside a number" },
  ],
  rejects: [
    { run: (t) => ops[name](t([1]), t([1])), says: `${name}: dtype FLOAT; expected i32, u32` },
    {
      run: (t) => ops[name](t([true]), t([true])),
      says: `${name}: dtype bool; expected i32, u32. cast it first`,
    },
  ],
  gradient: "whole numbers",
});

/** 5 and 3. */
function ops5(name: Name): number {
  return { bitwiseAnd: 1, bitwiseOr: 7, bitwiseXor: 6, bitwiseLeftShift: 40, bitwiseRightShift: 0 }[
    name
  ];
}

const PAIRS = { a: [0b1100, -1, MIN, MAX], b: [0b1010, 7, -1, MIN] };
const SHIFTS = { a: [1, -5, MIN, MAX, 6, -6, 6, -6, -6], b: [31, 1, 31, 1, 32, 32, -1, -1, 0] };

export const bitsCases = {
  bitwiseAnd: bitwise("bitwiseAnd", {
    ...PAIRS,
    i32: [0b1000, 7, MIN, 0],
    u32: [0b1000, 7, 2 ** 31, 0],
  }),
  bitwiseOr: bitwise("bitwiseOr", {
    ...PAIRS,
    i32: [0b1110, -1, -1, -1],
    u32: [0b1110, WORD, WORD, WORD],
  }),
  bitwiseXor: bitwise("bitwiseXor", {
    ...PAIRS,
    i32: [0b0110, -8, MAX, -1],
    u32: [0b0110, WORD - 7, MAX, WORD],
  }),
  bitwiseLeftShift: bitwise("bitwiseLeftShift", {
    ...SHIFTS,
    i32: [MIN, -10, 0, -2, 0, 0, 0, 0, -6],
    u32: [2 ** 31, WORD - 9, 0, WORD - 1, 0, 0, 0, 0, WORD - 5],
  }),
  bitwiseRightShift: bitwise("bitwiseRightShift", {
    ...SHIFTS,
    i32: [0, -3, -1, 2 ** 30 - 1, 0, -1, 0, -1, -6],
    u32: [0, MAX - 2, 1, 2 ** 30 - 1, 0, 0, 0, 0, WORD - 5],
  }),
  bitwiseNot: {
    calls: [{ inputs: [{ shape: [13], dtype: "i32", low: MIN, high: MAX }], run: ops.bitwiseNot }],
    golden: [
      { run: (t) => ops.bitwiseNot(t([0, -1, 5, MIN], "i32")), is: [-1, 0, -6, MAX], by: "−x − 1" },
      { run: (t) => ops.bitwiseNot(t([0, 5], "u32")), is: [WORD, WORD - 5], by: "2³² − 1 − x" },
    ],
    rejects: [
      { run: (t) => ops.bitwiseNot(t([1])), says: "bitwiseNot: dtype FLOAT; expected i32, u32" },
    ],
    gradient: "whole numbers",
  },
} satisfies OpCases;
