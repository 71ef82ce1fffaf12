import { checkFunctions, checkNotNegative, checkOptions, checkSteps } from "../core/check.ts";
import { dtypesOf, either, expectDType, type NumericArray } from "../core/dtype.ts";
import { GradusError } from "../core/errors.ts";
import { compile } from "../engine/compile.ts";
import { slopesOfResult } from "../graph/grad.ts";
import { State } from "../graph/state.ts";
import { readAll, Tensor } from "../graph/tensor.ts";
import { add, mul, square, sub } from "../ops/arithmetic.ts";
import { lessEqual } from "../ops/compare.ts";
import { sum } from "../ops/reduce.ts";
import { sqrt } from "../ops/unary.ts";
import { where } from "../ops/where.ts";

/** Options of `gradientDescent`. */
export interface GradientDescentOptions {
  /** Step size, a finite number from 0. */
  learningRate: number;
  /** The most steps that are made. */
  steps: number;
  /** Ends where ‖∇f(x)‖ is at most this, a finite number from 0; then every step is waited for. */
  tolerance?: number;
  /** Whether the way is kept; false when left out. */
  history?: boolean;
}

/** A place on the way down: x, row-major, and f(x). */
export interface GradientDescentPoint {
  readonly x: NumericArray;
  readonly value: number;
}

/** Where a descent ended. */
export interface GradientDescentResult {
  /** The last x, for the caller to dispose. */
  readonly x: Tensor;
  /** How many steps were made. */
  readonly steps: number;
  /** The place before each step, the start first; empty unless asked for. */
  readonly history: readonly GradientDescentPoint[];
}

/**
 * Walks down the gradient of a function: x ← x − learningRate · ∇f(x) (Cauchy 1847; K. Saito 2016,
 * "Deep Learning from Scratch", section 4.4), one compiled step after the other.
 * @param f computes a scalar from x.
 * @param x0 where to begin, f32 or f64; it stays as it is.
 * @throws DTypeError for another dtype, GradusError for options out of their ranges, and what `f`
 * and `grad` throw.
 * @example
 * const bowl = (x: Tensor) => sum(square(x));
 * const { x } = await gradientDescent(bowl, tensor([-3, 4]), { learningRate: 0.1, steps: 100 });
 */
export async function gradientDescent(
  f: (x: Tensor) => Tensor,
  x0: Tensor,
  options: GradientDescentOptions,
): Promise<GradientDescentResult> {
  checkDescent(f, x0, options);
  const { steps: most, tolerance = Number.NaN } = options;
  const x = new State(add(x0, 0), { name: "x" });
  const step = compile(() => descend(f, x, options), { name: "gradientDescent" });
  const way: Point[] = [];
  try {
    let steps = 0;
    for (; steps < most; steps++) {
      const { norm, place } = await step();
      if (place) way.push(place);
      if (norm && (await readOnce(norm)) <= tolerance) break;
    }
    return { x, steps, history: await Promise.all(way.map(read)) };
  } catch (error) {
    for (const made of [x, ...way.flatMap(({ x, value }) => [x, value])]) made.dispose();
    throw error;
  } finally {
    step.dispose();
  }
}

/** A place on the way, on the device. */
interface Point {
  readonly x: Tensor;
  readonly value: Tensor;
}

/** What is wanted of a step. */
interface Report {
  readonly place: Point | null;
  /** ‖∇f(x)‖ before the step. */
  readonly norm: Tensor | null;
}

/** One step; where the gradient is within the tolerance, x stays. */
function descend(
  f: (x: Tensor) => Tensor,
  x: State,
  { learningRate, tolerance, history = false }: GradientDescentOptions,
): Report {
  const value = f(x);
  const [g] = slopesOfResult("gradientDescent", "f", value, [x]);
  const place = history ? { x: add(x, 0), value: add(value, 0) } : null;
  const next = sub(x, mul(g, learningRate));
  if (tolerance === undefined) {
    x.assign(next);
    return { place, norm: null };
  }
  const norm = sqrt(sum(square(g)));
  x.assign(where(lessEqual(norm, tolerance), x, next));
  return { place, norm };
}

async function read({ x, value }: Point): Promise<GradientDescentPoint> {
  try {
    const [values, [y]] = await readAll("gradientDescent", [x, value]);
    return { x: values, value: y };
  } finally {
    x.dispose();
    value.dispose();
  }
}

async function readOnce(x: Tensor): Promise<number> {
  try {
    return await x.item();
  } finally {
    x.dispose();
  }
}

function checkDescent(f: unknown, x0: Tensor, options: GradientDescentOptions): void {
  checkFunctions("gradientDescent", { f });
  if (!(x0 instanceof Tensor)) {
    throw new GradusError(
      `gradientDescent: x0 is no tensor; expected one of ${either(dtypesOf("float"))}`,
    );
  }
  checkOptions<GradientDescentOptions>("gradientDescent", options, {
    learningRate: true,
    steps: true,
    tolerance: true,
    history: "boolean",
  });
  const { dtype } = x0;
  const { learningRate, tolerance = 0, steps } = options;
  checkNotNegative("gradientDescent", { learningRate, tolerance });
  checkSteps("gradientDescent", { steps });
  expectDType("gradientDescent: x0 has dtype", dtype, "float");
}
