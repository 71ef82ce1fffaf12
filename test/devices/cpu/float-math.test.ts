import { beforeAll, expect, test } from "vitest";
import numerics from "../../../docs/numerics.md?raw";
import { randomBits } from "../../../src/core/random.ts";
import { hasMultiplyAdd } from "../../../src/devices/cpu/compiled/simd-level.ts";
import { trace } from "../../../src/engine/program.ts";
import {
  cos,
  type Device,
  exp,
  expm1,
  init,
  log,
  log1p,
  pow,
  sigmoid,
  sin,
  softplus,
  type Tensor,
  tanh,
  tensor,
} from "../../../src/index.ts";
import { vectorStep } from "../../support/vector-step.ts";

let device: Device;
beforeAll(async () => {
  device = (await init({ device: "cpu", isolated: true })).device;
});

const COUNT = 4096;

/** Sets of numbers: of all sizes by their bits, and of those that are met most. */
function samples(seed: number): Float32Array[] {
  const words = randomBits([seed, 1], 4 * COUNT);
  const unit = (set: number, i: number) => words[set * COUNT + i] / 2 ** 32;
  const of = (number: (i: number) => number) =>
    Float32Array.from({ length: COUNT }, (_, i) => number(i));
  const sign = (i: number) => (i % 2 === 0 ? 1 : -1);
  return [
    new Float32Array(words.slice(0, COUNT).buffer),
    of((i) => 4 * unit(1, i) - 2),
    of((i) => 200 * unit(2, i) - 100),
    of((i) => sign(i) * 2 ** (-148 * unit(3, i))),
  ];
}

/** The largest error, relative to the exact value; infinite where that is special and not found. */
function worstError(found: ArrayLike<number>, exact: (i: number) => number) {
  let worst = 0;
  for (let i = 0; i < COUNT; i++) {
    const want = exact(i);
    const rounded = Math.fround(want);
    if (Object.is(found[i], rounded)) continue;
    const isOrdinary = Number.isFinite(rounded) && rounded !== 0;
    // A subnormal result may be the next one.
    const error = Math.abs(found[i] - want) / Math.max(Math.abs(want), 2 ** -126);
    worst = Math.max(worst, isOrdinary ? error : Number.POSITIVE_INFINITY);
  }
  return worst;
}

/** Functions of one tensor, or two, and of numbers. */
type Pair = readonly [(x: Tensor, y: Tensor) => Tensor, (x: number, y: number) => number];

const functions: Record<string, Pair> = {
  exp: [(x) => exp(x), Math.exp],
  expm1: [(x) => expm1(x), Math.expm1],
  log: [(x) => log(x), Math.log],
  log1p: [(x) => log1p(x), Math.log1p],
  sigmoid: [
    (x) => sigmoid(x),
    (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
  ],
  tanh: [(x) => tanh(x), Math.tanh],
  softplus: [(x) => softplus(x), (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))],
  sin: [(x) => sin(x), Math.sin],
  cos: [(x) => cos(x), Math.cos],
  pow: [(x, y) => pow(x, y), Math.pow],
};

/** What the page promises of a function on the compiled CPU device. */
function promised(name: string): number {
  const [, error] =
    numerics.match(new RegExp(`^\\| .*\`${name}\`.* \\| (\\S+) relative`, "m")) ?? [];
  return Number(error);
}

const LEVELS = hasMultiplyAdd() ? [false, true] : [false];

test.each(Object.keys(functions))("%s lies as near to float64 as docs/numerics.md says", (name) => {
  const [run, reference] = functions[name];
  const isAngle = name === "sin" || name === "cos";
  for (const isFused of LEVELS) {
    for (const [k, first] of samples(3).entries()) {
      // Beyond that, sines are only bounded.
      const x = isAngle ? first.map((angle) => (Math.abs(angle) > 3e9 ? 1 : angle)) : first;
      const xs = name === "pow" ? [x, samples(4)[(k + 1) % 4]] : [x];
      const [a, b] = xs.map((values) => tensor(values, { device }));
      const { steps } = trace([run(a, b).node], name).program;
      const step = steps[steps.length - 1];
      const types = step.inputs.map((input) => steps[input]);
      const found = vectorStep(step, types, isFused)(xs);
      const worst = worstError(found, (i) => reference(xs[0][i], xs[1]?.[i]));
      expect(worst, `${name}, set ${k}, ${isFused}`).toBeLessThan(promised(name));
    }
  }
});

test("angles beyond all precision have sines between -1 and 1", () => {
  const x = Float32Array.from([3.4e38, -3.4e38, 1e20, Number.POSITIVE_INFINITY]);
  for (const name of ["sin", "cos"]) {
    const [run] = functions[name];
    const { steps } = trace(
      [run(tensor(x, { device }), tensor(x, { device })).node],
      "test",
    ).program;
    const y = vectorStep(steps[1], [steps[0]], false)([x]);
    for (const value of y.slice(0, 3)) expect(Math.abs(value)).toBeLessThanOrEqual(1);
    expect(y[3]).toBe(Number.NaN);
  }
});
