import {
  checkCounts,
  checkFunctions,
  checkNotNegative,
  checkOptions,
  checkSteps,
  type Known,
} from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { compile } from "../engine/compile.ts";
import { slopesOfResult } from "../graph/grad.ts";
import { assignAll, type Parameter } from "../graph/state.ts";
import { readAll, type Tensor } from "../graph/tensor.ts";
import { tensor } from "../ops/creation.ts";
import { parametersOf } from "../optim/check.ts";
import type { Parameters } from "../optim/optimizer.ts";
import { type Evaluation, searchLine } from "./line-search.ts";

/** Options of `lbfgs`. */
export interface LBFGSOptions {
  /** The most steps that are made, an integer from 1; 100 when left out. */
  steps?: number;
  /** Of how many steps the curvature is kept, an integer from 0; 10 when left out. */
  history?: number;
  /** Ends where no slope is larger, a finite number from 0; 1e-5 when left out. */
  tolerance?: number;
  /** Ends where a step changes the loss, relative to its size, by less; from 0, 1e-9 when left out. */
  change?: number;
}

const LBFGS: Known<LBFGSOptions> = { steps: true, history: true, tolerance: true, change: true };

/** Why a search ended: see the options of these names; `line` where no step made the loss less. */
export type LBFGSEnd = "tolerance" | "change" | "steps" | "line";

/** What a search came to. */
export interface LBFGSResult {
  /** The least loss, that of the parameters as they are now. */
  readonly loss: number;
  /** How many steps were made, and how often the loss and its gradient were computed for them. */
  readonly steps: number;
  readonly evaluations: number;
  readonly end: LBFGSEnd;
}

/** A step that was made, and how it changed the gradient. */
interface Pair {
  readonly s: Float64Array;
  readonly y: Float64Array;
  /** 1 / s·y */
  readonly rho: number;
}

/**
 * Minimizes a loss of all data by the curvature that its last gradients show, for problems that are
 * small enough for it: least squares, logistic regression, small nets.
 *
 *     d = −H g,   p ← p + t d
 *
 * where H, the inverse of the matrix of second derivatives, is made of the last steps s and changes y of
 * the gradient (Nocedal & Wright 2006, "Numerical Optimization", algorithm 7.4), and t keeps the strong
 * Wolfe conditions (algorithm 3.5), as PyTorch's `LBFGS` with `line_search_fn="strong_wolfe"`. The loss
 * and its gradient are one compiled function; directions are found on the host, in float64.
 * @param loss computes a scalar of the parameters, the same whenever it is called.
 * @param parameters what is changed: it ends as the best that was found.
 * @throws GradusError for options out of their ranges and for a loss that is not finite at the start.
 * @example
 * const { loss } = await lbfgs(() => meanSquaredError(model.call(x), y), model.parameters());
 */
export async function lbfgs(
  loss: () => Tensor,
  parameters: Parameters,
  options: LBFGSOptions = {},
  ...surplus: never[]
): Promise<LBFGSResult> {
  checkOptions("lbfgs", options, LBFGS, surplus);
  const { steps: most = 100, history = 10, tolerance = 1e-5, change = 1e-9 } = options;
  checkFunctions("lbfgs", { loss });
  checkSteps("lbfgs", { steps: most });
  checkCounts("lbfgs", { history });
  checkNotNegative("lbfgs", { tolerance, change });
  const problem = new VectorLoss(loss, parametersOf("lbfgs", parameters));
  try {
    return await problem.solve(most, history, tolerance, change);
  } finally {
    problem.dispose();
  }
}

/** A loss as a function of one long vector. */
class VectorLoss {
  readonly #parameters: readonly Parameter[];
  readonly #compute: ReturnType<typeof compile<[], Tensor[]>>;
  #evaluations = 0;

  constructor(loss: () => Tensor, parameters: readonly Parameter[]) {
    this.#parameters = parameters;
    const compute = () => {
      const value = loss();
      return [value, ...slopesOfResult("lbfgs", "loss", value, parameters)];
    };
    this.#compute = compile(compute, { name: "lbfgs" });
  }

  async solve(
    most: number,
    history: number,
    tolerance: number,
    change: number,
  ): Promise<LBFGSResult> {
    const pairs: Pair[] = [];
    let x = joined(await readAll("lbfgs", this.#parameters));
    let here = await this.#evaluate();
    if (!Number.isFinite(here.value)) {
      throw new GradusError(`lbfgs: loss ${here.value} at the start; expected a finite number`);
    }
    let end: LBFGSEnd = "steps";
    let steps = 0;
    for (; steps < most; steps++) {
      if (here.gradient.every((slope) => Math.abs(slope) <= tolerance)) {
        end = "tolerance";
        break;
      }
      const d = direction(here.gradient, pairs);
      const first = 1 / here.gradient.reduce((sum, slope) => sum + Math.abs(slope), 0);
      const [from, start] = [here, x];
      const at = (t: number) => this.#evaluate(farOn(start, t, d));
      const { t, found } = await searchLine(at, from, d, pairs.length > 0 ? 1 : Math.min(1, first));
      if (t === 0 && pairs.length === 0) {
        end = "line";
        break;
      }
      if (t === 0) {
        pairs.length = 0; // what they show is wrong here: go on along the gradient
        continue;
      }
      x = farOn(start, t, d);
      here = found;
      remember(
        pairs,
        history,
        d.map((value) => t * value),
        difference(found, from),
      );
      if (Math.abs(from.value - here.value) <= change * Math.max(1, Math.abs(here.value))) {
        steps++;
        end = "change";
        break;
      }
    }
    await this.#assign(x);
    return { loss: here.value, steps, evaluations: this.#evaluations, end };
  }

  /** The loss and its gradient, at another place if one is given. */
  async #evaluate(x?: Float64Array): Promise<Evaluation> {
    if (x) await this.#assign(x);
    this.#evaluations++;
    const results = await this.#compute();
    try {
      const [[value], ...slopes] = await readAll("lbfgs", results);
      return { value, gradient: joined(slopes) };
    } finally {
      for (const result of results) result.dispose();
    }
  }

  async #assign(x: Float64Array): Promise<void> {
    let begin = 0;
    const pairs = this.#parameters.map((p) => {
      const data = x.subarray(begin, begin + p.size);
      begin += p.size;
      return [p, tensor(data, { shape: p.shape, dtype: p.dtype, device: p.device })] as const;
    });
    assignAll(pairs);
    for (const [, value] of pairs) value.dispose();
  }

  dispose(): void {
    this.#compute.dispose();
  }
}

/** −H g by the recursion in two loops: H₀ = s·y / y·y of the last pair, or 1. */
function direction(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const q = gradient.map((slope) => -slope);
  const shares = pairs.toReversed().map(({ s, y, rho }) => {
    const share = rho * innerProduct(s, q);
    addTo(q, -share, y);
    return share;
  });
  const last = pairs.at(-1);
  const scale = last ? 1 / (last.rho * innerProduct(last.y, last.y)) : 1;
  const d = q.map((value) => scale * value);
  for (const [i, { s, y, rho }] of pairs.entries()) {
    addTo(d, shares[pairs.length - 1 - i] - rho * innerProduct(y, d), s);
  }
  return d;
}

/** Keeps a step, unless it shows no curvature, in the place of the oldest if there are too many. */
function remember(pairs: Pair[], history: number, s: Float64Array, y: Float64Array): void {
  const curvature = innerProduct(s, y);
  if (!(curvature > Number.EPSILON * innerProduct(y, y)) || history === 0) return;
  if (pairs.length === history) pairs.shift();
  pairs.push({ s, y, rho: 1 / curvature });
}

function joined(parts: readonly ArrayLike<number>[]): Float64Array {
  return Float64Array.from(parts.flatMap((part) => Array.from(part)));
}

function innerProduct(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addTo(y: Float64Array, share: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] += share * x[i];
}

function farOn(x: Float64Array, t: number, d: Float64Array): Float64Array {
  return x.map((value, i) => value + t * d[i]);
}

function difference(a: Evaluation, b: Evaluation): Float64Array {
  return a.gradient.map((slope, i) => slope - b.gradient[i]);
}
