import numerics from "../../docs/numerics.md?raw";
import { randomBits } from "../../src/core/random.ts";
import type { Attributes, Op } from "../../src/graph/op.ts";
import {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cbrt,
  cos,
  cosh,
  digamma,
  erf,
  erfc,
  erfInv,
  exp,
  exp2,
  expm1,
  hypot,
  lgamma,
  log,
  log1p,
  log2,
  log10,
  logAddExp,
  normalCdf,
  polygamma,
  pow,
  rsqrt,
  sigmoid,
  sin,
  sinh,
  softplus,
  type Tensor,
  tan,
  tanh,
  tanhShrink,
} from "../../src/index.ts";

const COUNT = 4096;

/** Sets of numbers: of all sizes by their bits, and of those that are met most. */
export function samples(seed: number): Float32Array[] {
  const words = randomBits([seed, 1], 5 * COUNT);
  const unit = (set: number, i: number) => words[set * COUNT + i] / 2 ** 32;
  const of = (number: (i: number) => number) =>
    Float32Array.from({ length: COUNT }, (_, i) => number(i));
  const sign = (i: number) => (i % 2 === 0 ? 1 : -1);
  return [
    new Float32Array(words.slice(0, COUNT).buffer),
    of((i) => 4 * unit(1, i) - 2),
    of((i) => 200 * unit(2, i) - 100),
    of((i) => sign(i) * 2 ** (-148 * unit(3, i))),
    of((i) => 12 * unit(4, i)),
  ];
}

/** What a function of one tensor, or two, should give, and where. */
export interface MeasuredFunction {
  readonly of: (x: Tensor, y: Tensor) => Tensor;
  /** Left out where only the op's specification has it. */
  readonly exact?: (x: number, y: number) => number;
  readonly inputs?: 2;
  /** Whether its errors below 0, where it has zeros, are relative or absolute. */
  readonly hasZeros?: true;
  /** Beyond which size of x it is only bounded. */
  readonly within?: number;
}

/** The inputs of a function in one of the sets. */
export function inputsOf({ inputs, within }: MeasuredFunction, set: number): Float32Array[] {
  const all = samples(3);
  const x = all[set].map((value) => (within && Math.abs(value) > within ? 1 : value));
  return inputs === 2 ? [x, samples(4)[(set + 1) % all.length]] : [x];
}

/** The numbers below which there are only subnormal ones. */
const SMALLEST = 2 ** -126;

/** What counts as 0 of its sign where subnormal numbers do. */
const flushed = (x: number) => (Math.abs(x) < SMALLEST ? Math.sign(x) * 0 : x);

const F64 = [{ shape: [], dtype: "f64" as const }];

/** The largest error, relative to the exact value; infinite where that is special and not found. */
export function worstError(
  step: { readonly op: Op | null; readonly attributes: Attributes },
  { hasZeros, exact = step.op?.scalar?.(F64, step.attributes) }: MeasuredFunction,
  inputs: readonly Float32Array[],
  found: ArrayLike<number>,
  isFlushed = false,
): number {
  let worst = 0;
  for (let i = 0; i < COUNT; i++) {
    const [x, y] = inputs.map((values) => (isFlushed ? flushed(values[i]) : values[i]));
    const want = exact?.(x, y) as number;
    const rounded = Math.fround(want);
    if (Object.is(found[i], rounded)) continue;
    if (isFlushed && Object.is(flushed(found[i]), flushed(rounded))) continue;
    const isOrdinary = Number.isFinite(rounded) && rounded !== 0;
    // A subnormal result may be the next one.
    const least = hasZeros && x < 0 ? 1 : SMALLEST;
    const relative = Math.abs(found[i] - want) / Math.max(Math.abs(want), least);
    worst = Math.max(worst, isOrdinary ? relative : Number.POSITIVE_INFINITY);
  }
  return worst;
}

/** Functions that devices compute by functions of their own. */
export const functions: Record<string, MeasuredFunction> = {
  erf: { of: (x) => erf(x) },
  erfc: { of: (x) => erfc(x) },
  erfInv: { of: (x) => erfInv(x) },
  normalCdf: { of: (x) => normalCdf(x) },
  lgamma: { of: (x) => lgamma(x), hasZeros: true },
  digamma: { of: (x) => digamma(x), hasZeros: true },
  "polygamma of order 1": { of: (x) => polygamma(x, 1) },
  "polygamma of order 3": { of: (x) => polygamma(x, 3) },
  exp: { of: (x) => exp(x), exact: Math.exp },
  expm1: { of: (x) => expm1(x), exact: Math.expm1 },
  exp2: { of: (x) => exp2(x), exact: (x) => 2 ** x },
  log: { of: (x) => log(x), exact: Math.log },
  log1p: { of: (x) => log1p(x), exact: Math.log1p },
  log2: { of: (x) => log2(x), exact: Math.log2 },
  log10: { of: (x) => log10(x), exact: Math.log10 },
  sigmoid: {
    of: (x) => sigmoid(x),
    exact: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
  },
  softplus: {
    of: (x) => softplus(x),
    exact: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  },
  pow: { of: (x, y) => pow(x, y), exact: Math.pow, inputs: 2 },
  rsqrt: { of: (x) => rsqrt(x), exact: (x) => 1 / Math.sqrt(x) },
  cbrt: { of: (x) => cbrt(x), exact: Math.cbrt },
  hypot: { of: (x, y) => hypot(x, y), exact: Math.hypot, inputs: 2 },
  logAddExp: {
    of: (x, y) => logAddExp(x, y),
    exact: (x, y) => Math.max(x, y) + (x === y ? Math.LN2 : Math.log1p(Math.exp(-Math.abs(x - y)))),
    inputs: 2,
    hasZeros: true,
  },
  sin: { of: (x) => sin(x), exact: Math.sin, within: 3e9 },
  cos: { of: (x) => cos(x), exact: Math.cos, within: 3e9 },
  tan: { of: (x) => tan(x), exact: Math.tan, within: 3e9 },
  asin: { of: (x) => asin(x), exact: Math.asin },
  acos: { of: (x) => acos(x), exact: Math.acos },
  atan: { of: (x) => atan(x), exact: Math.atan },
  atan2: { of: (x, y) => atan2(x, y), exact: Math.atan2, inputs: 2 },
  sinh: { of: (x) => sinh(x), exact: Math.sinh },
  cosh: { of: (x) => cosh(x), exact: Math.cosh },
  tanh: { of: (x) => tanh(x), exact: Math.tanh },
  tanhShrink: { of: (x) => tanhShrink(x) },
  asinh: { of: (x) => asinh(x), exact: Math.asinh },
  acosh: { of: (x) => acosh(x), exact: Math.acosh },
  atanh: { of: (x) => atanh(x), exact: Math.atanh },
};

/** The errors that docs/numerics.md promises of a function: on the CPU, and on WebGPU. */
export function promised(name: string): { cpu: number; webgpu: number } {
  const label = name.replace(/^\w+/, "`$&`");
  const row = numerics.match(new RegExp(`^\\| .*${label}.* \\| (\\S+) \\| (\\S+) \\|`, "m"));
  const [cpu, webgpu] = (row ?? []).slice(1).map(Number);
  return { cpu, webgpu };
}
