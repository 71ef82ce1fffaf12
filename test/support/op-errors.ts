import type { Device } from "../../src/index.ts";
import { type Call, draw, floats, type OpCase } from "./op-case.ts";
import { outcome } from "./parity.ts";
import { generator } from "./reference.ts";

/** Sets of numbers: powers of two with which a call's floats are multiplied, from and to. */
const SETS = {
  ordinary: [0, 0],
  small: [-24, -4],
  large: [2, 10],
  "of all sizes": [-20, 20],
} as const;

/** A set of numbers that a call is given. */
export type NumberSet = keyof typeof SETS;

/** All sets that are not ordinary. */
export const EXTREMES: readonly NumberSet[] = ["small", "large", "of all sizes"];

/** Half the distance of two float32 numbers, relative to the larger one. */
const ROUNDING = 2 ** -24;

/** Below this, a factor may have been below the normal numbers, which count as 0 on WebGPU. */
export const TINY = 1e-36;

/** The error of what is nowhere near, as NaN in the place of a number. */
export const UNBOUNDED = 1e9;

/** How often numbers are moved, to see what rounding them changes. */
const MOVES = 8;

type Values = ArrayLike<number>;

/** Largest errors of a call's values, and of its gradients. */
export interface Errors {
  readonly value: number;
  readonly gradient: number;
}

/** Numbers of a set for a call. */
function numbers(call: Call, set: NumberSet, seed: number): Float64Array[] {
  const [least, largest] = SETS[set];
  const next = generator(seed);
  const values = draw(call, seed);
  for (const x of floats(call, values)) {
    for (let i = 0; i < x.length; i++) {
      x[i] = Math.fround(x[i] * 2 ** (least + Math.floor((largest - least + 1) * next())));
    }
  }
  return values;
}

/** Moves numbers as rounding does: by ROUNDING, as the root of the mean of squares. */
function mover(seed: number): (value: number) => number {
  const next = generator(seed);
  return (value) => value * (1 + ROUNDING * Math.sqrt(3) * (2 * next() - 1));
}

/**
 * The largest error relative to the exact result, or to what rounding the inputs changes of that
 * where it is more. Where numbers overflow on the way, special-values.ts compares.
 */
function worst(found: Values, wanted: Values, plain: Values, moved: readonly Values[]): number {
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) {
    const want = wanted[i];
    const isSame = Object.is(found[i], Math.fround(want));
    const error = Math.abs(found[i] - want) - TINY;
    if (isSame || error <= 0 || !Number.isFinite(plain[i])) continue;
    const squares = moved.reduce((sum, all) => sum + (all[i] - want) ** 2, 0);
    const change = Math.sqrt(squares / MOVES) / ROUNDING || 0;
    const share = error / Math.max(Math.abs(want), change);
    largest = Math.max(largest, Number.isNaN(share) ? UNBOUNDED : Math.min(share, UNBOUNDED));
  }
  return largest;
}

/** A row's call with numbers for it. */
export interface Measured {
  readonly row: OpCase;
  readonly call: Call;
  readonly set: NumberSet;
  readonly seed: number;
}

/**
 * Measures how far devices, in float32, lie from the specification in float64. What rounding the
 * inputs changes is left out as long as errors are within bounds without.
 */
export async function errorsOf<Name extends string>(
  { row, call, set, seed }: Measured,
  devices: Readonly<Record<Name, Device>>,
  specification: Device,
  isWithin: (name: Name, errors: Errors) => boolean = () => false,
): Promise<Record<Name, Errors>> {
  const isSmooth = row.gradient === true;
  const values = numbers(call, set, seed);
  const wanted = await outcome(call, values, specification, "f64", isSmooth);
  const plain = await outcome(call, values, specification, "f32", isSmooth);
  const names = Object.keys(devices) as Name[];
  const found = new Map<Name, Values[]>();
  for (const name of names) {
    const isPlain = devices[name] === specification;
    found.set(name, isPlain ? plain : await outcome(call, values, devices[name], "f32", isSmooth));
  }
  const compare = (moved: readonly Values[][]) => {
    const errors = names.map((name) => {
      const all = (found.get(name) as Values[]).map((own, k) =>
        worst(
          own,
          wanted[k],
          plain[k],
          moved.map((m) => m[k]),
        ),
      );
      return [name, { value: all[0], gradient: Math.max(0, ...all.slice(1)) }];
    });
    return Object.fromEntries(errors) as Record<Name, Errors>;
  };
  const alone = compare([]);
  if (names.every((name) => isWithin(name, alone[name]))) return alone;
  const which = new Set(floats(call, values));
  const moved: Values[][] = [];
  for (let k = 0; k < MOVES; k++) {
    const move = mover(seed + k);
    const own = values.map((x) => (which.has(x) ? x.map(move) : x));
    moved.push(await outcome(call, own, specification, "f64", isSmooth, move));
  }
  return compare(moved);
}
