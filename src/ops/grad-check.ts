import {
  checkEach,
  checkFunctions,
  checkNumbers,
  checkOptions,
  checkPositive,
} from "../core/check.ts";
import { DTYPES } from "../core/dtype.ts";
import { GradusError } from "../core/errors.ts";
import { foldIn, keyFromSeed, normals } from "../core/random.ts";
import type { Device } from "../graph/device.ts";
import { slopesOfResult } from "../graph/grad.ts";
import { checkTensors, evaluate, sourceTensor, type Tensor } from "../graph/tensor.ts";

/** Settings of `gradCheck`. */
export interface GradCheckOptions {
  /** Distance of the central difference; 1e-5 when left out. */
  epsilon?: number;
  /** Largest relative difference accepted; 1e-6 when left out. */
  tolerance?: number;
  /** Chooses the directions. */
  seed?: number;
}

/** What `gradCheck` found for one input. */
export interface GradCheckResult {
  /** Derivative along a random direction, by the graph. */
  readonly analytic: number;
  /** The same by central differences. */
  readonly numeric: number;
  /** |analytic − numeric| / max(1, |analytic|, |numeric|). */
  readonly error: number;
}

/**
 * Compares gradients with central differences (f(x + εv) − f(x − εv)) / 2ε along a random
 * direction v for each input, in float64.
 *
 * @param fn computes a scalar from the inputs.
 * @param inputs float64 tensors on the CPU device, away from kinks of `fn`.
 * @throws GradusError naming the worst input when a difference exceeds the tolerance.
 */
export async function gradCheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradCheckOptions = {},
  ...surplus: never[]
): Promise<GradCheckResult[]> {
  const known = { epsilon: "number", tolerance: true, seed: true } as const;
  checkOptions("gradCheck", options, known, surplus);
  checkFunctions("gradCheck", { fn });
  checkEach("gradCheck", { inputs }, Array.isArray, "an array of tensors. Did you mean [x]?");
  checkTensors("gradCheck", inputs);
  const { epsilon = 1e-5, tolerance = 1e-6, seed = 0 } = options;
  checkPositive("gradCheck", { epsilon });
  checkNumbers("gradCheck", { tolerance });
  const wrong = inputs.find((x) => DTYPES[x.dtype].epsilon > Number.EPSILON);
  if (wrong) {
    throw new GradusError(
      `gradCheck: an input has dtype ${wrong.dtype}; expected f64 on the cpu device`,
    );
  }
  const gradients = slopesOfResult("gradCheck", "fn", fn(...inputs), inputs);
  evaluate(...gradients);
  const results: GradCheckResult[] = [];
  for (let i = 0; i < inputs.length; i++) {
    const x = (await inputs[i].data()) as Float64Array;
    const direction = normals(foldIn(keyFromSeed(seed), i), x.length);
    const slope = (await gradients[i].data()) as Float64Array;
    const analytic = slope.reduce((sum, g, j) => sum + g * direction[j], 0);
    const at = async (step: number): Promise<number> => {
      const moved = x.map((v, j) => v + step * direction[j]);
      const { device, shape } = inputs[i];
      return fn(...inputs.map((y, j) => (j === i ? place(device, shape, moved) : y))).item();
    };
    const numeric = ((await at(epsilon)) - (await at(-epsilon))) / (2 * epsilon);
    const scale = Math.max(1, Math.abs(analytic), Math.abs(numeric));
    results.push({ analytic, numeric, error: Math.abs(analytic - numeric) / scale });
  }
  report(results, tolerance);
  return results;
}

function place(device: Device, shape: readonly number[], values: Float64Array): Tensor {
  return sourceTensor(device, shape, "f64", values);
}

function report(results: readonly GradCheckResult[], tolerance: number): void {
  const worst = results.findIndex(({ error }) => !(error <= tolerance));
  if (worst < 0) return;
  const { analytic, numeric, error } = results[worst];
  throw new GradusError(
    `gradCheck: input ${worst} has slope ${analytic} by the graph and ${numeric} by differences ` +
      `(error ${error}); expected at most ${tolerance}`,
  );
}
