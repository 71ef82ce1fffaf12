import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { around, PLACES, valueAndSlope } from "../../support/activation-case.ts";
import { unaryRejects } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const sigma = (v: number) => (v >= 0 ? 1 / (1 + Math.exp(-v)) : Math.exp(v) / (1 + Math.exp(v)));
const softplus = (v: number) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
/** tanh(softplus(v)). */
const gate = (v: number) => Math.tanh(softplus(v));
const sech2 = (v: number) => 4 / (Math.exp(softplus(v)) + Math.exp(-softplus(v))) ** 2;
const [SCALE, ALPHA] = [1.0507009873554805, 1.6732632423543772];

/** Without NaN, whose slope is 0. */
const ORDINARY = PLACES.filter((v) => !Number.isNaN(v));

export const smoothCases = {
  softsign: {
    calls: around(ops.softsign),
    golden: [
      valueAndSlope(
        ops.softsign,
        (v) => v / (1 + Math.abs(v)),
        (v) => 1 / (1 + Math.abs(v)) ** 2,
      ),
      valueAndSlope(
        ops.softsign,
        Math.sign,
        () => 0,
        [-1, 1].map((v) => v * Number.POSITIVE_INFINITY),
      ),
    ],
    rejects: unaryRejects("softsign"),
    gradient: true,
  },
  mish: {
    calls: around(ops.mish),
    golden: [
      valueAndSlope(
        ops.mish,
        (v) => (v < -800 ? 0 : v * gate(v)),
        (v) => (v < -800 ? 0 : v > 800 ? 1 : gate(v) + v * sech2(v) * sigma(v)),
        ORDINARY,
      ),
    ],
    rejects: unaryRejects("mish"),
    gradient: true,
  },
  selu: {
    calls: around(ops.selu),
    golden: [
      valueAndSlope(
        ops.selu,
        (v) => SCALE * (v > 0 ? v : ALPHA * Math.expm1(v)),
        (v) => SCALE * (v > 0 ? 1 : ALPHA * Math.exp(v)),
      ),
    ],
    rejects: unaryRejects("selu"),
    gradient: true,
  },
  celu: {
    calls: around((a) => ops.celu(a, 0.5)),
    golden: [
      valueAndSlope(
        (a) => ops.celu(a, 2),
        (v) => (v > 0 ? v : 2 * Math.expm1(v / 2)),
        (v) => (v > 0 ? 1 : Math.exp(v / 2)),
      ),
    ],
    rejects: [
      ...unaryRejects("celu"),
      {
        run: (t) => ops.celu(t([1]), 0),
        says: "celu: alpha 0; expected a finite number above 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  tanhShrink: {
    calls: around(ops.tanhShrink),
    golden: [
      valueAndSlope(
        ops.tanhShrink,
        (v) => v - Math.tanh(v),
        (v) => Math.tanh(v) ** 2,
      ),
    ],
    rejects: unaryRejects("tanhShrink"),
    gradient: true,
  },
} satisfies OpCases;
