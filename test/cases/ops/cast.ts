import { DTypeError, type Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { bools, whole } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

/** Kept as f16, and computed with as what it was. */
const halved = (a: Tensor) => ops.cast(ops.cast(ops.mul(a, 0.3), "f16"), a.dtype);

export const castCases = {
  cast: {
    calls: [
      { inputs: [{ shape: [40], low: -9, high: 9 }], run: (a) => ops.cast(a, "i32") },
      { inputs: [{ shape: [40], low: -9, high: 9 }], run: (a) => ops.cast(a, "u32") },
      { inputs: [whole(2, 40)], run: (a) => ops.cast(a, "bool") },
      { inputs: [{ shape: [41], dtype: "u8", low: 0, high: 256 }], run: (a) => ops.cast(a, "f32") },
      { inputs: [bools(9)], run: (a) => ops.cast(a, "f32") },
      {
        inputs: [{ shape: [3, 7], dtype: "i8", low: -128, high: 128 }],
        run: (a) => ops.cast(ops.transpose(a), "i32"),
      },
      {
        inputs: [{ shape: [41], dtype: "u16", low: 0, high: 2 ** 16 }],
        run: (a) => ops.cast(a, "f32"),
      },
      {
        inputs: [{ shape: [5, 5], dtype: "i16", low: -(2 ** 15), high: 2 ** 15 }],
        run: (a) => ops.cast(ops.slice(a, [{ start: 1 }, { start: 1 }]), "u32"),
      },
      ...[0, 1, 2, 65].map((n) => ({
        inputs: [{ shape: [n, 3], low: -9, high: 9 }],
        run: (a: Tensor) => ops.cast(ops.transpose(a), "f16"),
      })),
      {
        inputs: [{ shape: [7, 9], dtype: "f16", low: -9, high: 9 }],
        run: (a) => ops.cast(ops.slice(ops.transpose(a), [{ start: 1, step: 2 }]), "f32"),
      },
      {
        inputs: [{ shape: [2, 5], dtype: "f16", low: -9, high: 9 }],
        run: (a) =>
          ops.concat([
            a,
            ops.flip(a),
            ops.pad(
              a,
              [
                [1, 0],
                [0, 0],
              ],
              { value: 0.1 },
            ),
          ]),
      },
      { inputs: [{ shape: [40], dtype: "f16", low: -9, high: 9 }], run: (a) => ops.cast(a, "i32") },
      { inputs: [{ shape: [3, 40], low: -9, high: 9 }], run: (a) => halved(halved(a)) },
    ],
    golden: [
      { run: (t) => ops.cast(t([1.9, -1.9, 0]), "i32"), is: [1, -1, 0], by: "towards 0" },
      {
        run: (t) => ops.cast(t([3e9, -3e9, Number.NaN]), "i32"),
        is: [2147483647, -2147483648, 0],
        by: "limited to the range",
      },
      { run: (t) => ops.cast(t([-1, 5e9]), "u32"), is: [0, 4294967295], by: "limited" },
      { run: (t) => ops.cast(t([0, 0.5, -2]), "bool"), is: [0, 1, 1], by: "definition" },
      { run: (t) => ops.cast(t([-5, 7], "i32"), "u32"), is: [0, 7], by: "limited" },
      {
        run: (t) => ops.cast(t([-128, 127, -1], "i8"), "i32"),
        is: [-128, 127, -1],
        by: "the sign of what is stored",
      },
      {
        run: (t) => ops.cast(t([-32768, 32767, -1], "i16"), "i32"),
        is: [-32768, 32767, -1],
        by: "the sign of what is stored",
      },
      { run: (t) => ops.cast(t([65535, 0], "u16"), "i32"), is: [65535, 0], by: "no sign" },
      {
        run: (t) =>
          ops.cast(t([0.1, 2049, 2051, 65519, 65520, -1e9, 2 ** -25, 1.5 * 2 ** -24]), "f16"),
        is: [
          ...[0.0999755859375, 2048, 2052, 65504, Number.POSITIVE_INFINITY],
          ...[Number.NEGATIVE_INFINITY, 0, 2 ** -23],
        ],
        by: "IEEE 754: to the nearest, ties to even",
      },
      {
        run: (t) => ops.cast(ops.cast(t([2, Number.NaN, -0.1]), "f16"), "bool"),
        is: [1, 1, 1],
        by: "all but 0",
      },
      {
        run: (t) => ops.cast(t([7, 70000], "u32"), "f16"),
        is: [7, Number.POSITIVE_INFINITY],
        by: "rounded",
      },
    ],
    rejects: [
      {
        run: (t) => ops.cast(t([1]), "u8"),
        says: "cast: FLOAT to u8; expected f32, i32, u32, bool, f64 or f16",
        error: DTypeError,
      },
      {
        run: (t) => ops.cast(t([1], "f16"), "u8"),
        says: "cast: f16 to u8; expected f32, i32, u32, bool, f64 or f16",
        error: DTypeError,
      },
    ],
    gradient: "between f32 and f64 only, which no device has both of",
  },
} satisfies OpCases;
