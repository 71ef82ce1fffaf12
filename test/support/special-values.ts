import type { Device } from "../../src/index.ts";
import { type Call, draw, floats, type OpCase, tolerance } from "./op-case.ts";
import { TINY } from "./op-errors.ts";
import { outcome } from "./parity.ts";
import { generator } from "./reference.ts";

/** What arithmetic treats specially, and what it does not. */
export const SPECIAL: readonly number[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1,
  -1,
  2.5,
  -2.5,
];
const HUGE = [3e38, -3e38].map(Math.fround);

const TIES = [0, -0, 1, -1, 1];

/** Puts special values into ordinary ones, in different ways. */
export type Fill = (values: Float64Array, next: () => number) => void;

const from = (list: readonly number[]): Fill => {
  return (values, next) => {
    for (let i = 0; i < values.length; i++) values[i] = list[Math.floor(next() * list.length)];
  };
};
const one = (value: number): Fill => {
  return (values, next) => {
    if (values.length > 0) values[Math.floor(next() * values.length)] = value;
  };
};

/** For all inputs at once: every element special, so that each meets each. */
const DENSE: Fill = from([...SPECIAL, ...HUGE]);
const DENSE_BUT_HUGE: Fill = from(SPECIAL);

const A_HUGE_NUMBER = "a huge number";

/** For one input at a time, the others being ordinary. */
const SPARSE: Record<string, Fill> = {
  "a NaN": one(Number.NaN),
  "an infinity": one(Number.POSITIVE_INFINITY),
  "a negative infinity": one(Number.NEGATIVE_INFINITY),
  "only negative infinities": from([Number.NEGATIVE_INFINITY]),
  [A_HUGE_NUMBER]: one(HUGE[0]),
  "zeros of both signs": from([0, -0, 0.5, -0.5]),
  ties: from(TIES),
};

/** One set of inputs and what it is called. */
interface Filled {
  readonly name: string;
  readonly values: Float64Array[];
}

function* fillings(call: Call, seed: number, isHugeFine: boolean): Generator<Filled> {
  const next = generator(seed);
  const which = floats(call, [...call.inputs.keys()]);
  const dense = draw(call, seed);
  for (const k of which) (isHugeFine ? DENSE : DENSE_BUT_HUGE)(dense[k], next);
  yield { name: "special values", values: dense };
  for (const [name, fill] of Object.entries(SPARSE)) {
    if (name === A_HUGE_NUMBER && !isHugeFine) continue;
    for (const k of which) {
      const values = draw(call, seed);
      fill(values[k], next);
      yield { name: `${name} in input ${k}`, values };
    }
  }
}

/** The call of a row that reads the most floats; none where no call reads any. */
export function largestCall({ calls }: OpCase): Call | undefined {
  const size = (call: Call) =>
    Math.max(0, ...floats(call, call.inputs).map(({ shape }) => shape.reduce((a, b) => a * b, 1)));
  const [largest] = [...calls].sort((a, b) => size(b) - size(a));
  return largest && size(largest) > 0 ? largest : undefined;
}

/** Whether NaN, ±∞ and the signs of zeros, unless these are free, are the same, and other numbers close. */
export function agrees(actual: number, expected: number, scale = 1, areSignsFree = false): boolean {
  if (!Number.isFinite(expected)) return Object.is(actual, expected);
  if (expected === 0 && actual === 0) return areSignsFree || Object.is(actual, expected);
  const error = Math.abs(actual - expected);
  return error <= tolerance(expected, scale) + TINY;
}

/** Says where the outcomes of a row's call differ between a device and the specification in f32. */
export async function disagreements(
  { gradient }: OpCase,
  call: Call,
  [device, specification]: readonly [Device, Device],
  options: {
    readonly seed: number;
    readonly isHugeFine: boolean;
    /** Whether a zero may have either sign, as WGSL lets it; false when left out. */
    readonly areSignsFree?: boolean;
  },
): Promise<string[]> {
  const { seed, isHugeFine, areSignsFree } = options;
  const found: string[] = [];
  const scale = 4 * (call.scale ?? 1);
  for (const { name, values } of fillings(call, seed, isHugeFine)) {
    const expected = await outcome(call, values, specification, "f32", gradient === true);
    const actual = await outcome(call, values, device, "f32", gradient === true);
    for (const [k, wanted] of expected.entries()) {
      const i = wanted.findIndex((want, i) => !agrees(actual[k][i], want, scale, areSignsFree));
      if (i < 0) continue;
      const where = k === 0 ? "value" : `gradient ${k}`;
      const given = values.map((x) => (x.length === wanted.length ? x[i] : "…"));
      const [is, want] = [text(actual[k][i]), text(wanted[i])];
      found.push(`${name}, ${where} [${i}] of ${given}: ${is}; expected ${want}`);
    }
  }
  return found;
}

/** Writes a number with its sign. */
export function text(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}
