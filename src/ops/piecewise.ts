import { checkFinite, checkNotNegative } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { customGrad } from "../graph/custom-grad.ts";
import { checkArguments, type Tensor } from "../graph/tensor.ts";
import { add, clip, div, maximum, minimum, mul, sub } from "./arithmetic.ts";
import { greater, greaterEqual, less, lessEqual, logicalAnd } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { broadcastInputs } from "./elementwise.ts";
import { abs } from "./unary.ts";
import { where } from "./where.ts";

/** Limits x to [low, high]; unlike `clip`, the gradient is 0 at the limits too. */
function limited(x: Tensor, low: number, high: number): Tensor {
  const limit = customGrad(
    (y: Tensor) => minimum(maximum(y, low), high),
    (g, _, y) => [where(logicalAnd(greater(y, low), less(y, high)), g, 0)],
  );
  return limit(x);
}

/**
 * Computes min(max(x, 0), 6); the gradient is 0 at 0 and at 6.
 * Source: Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10".
 */
export function relu6(x: Tensor, ...surplus: never[]): Tensor {
  checkArguments("relu6(x)", [x], surplus);
  checkDomain("relu6", x.dtype, "signed");
  return limited(x, 0, 6);
}

/**
 * Limits x to [low, high]; the gradient is 0 at the limits and outside.
 * @param low a finite number; −1 when left out.
 * @param high a finite number from low on; 1 when left out.
 * Source: Collobert 2004, "Large scale machine learning".
 * @example await hardTanh(tensor([-3, 0.5, 3])).toArray(); // [-1, 0.5, 1]
 */
export function hardTanh(x: Tensor, low = -1, high = 1, ...surplus: never[]): Tensor {
  checkArguments("hardTanh(x, low, high)", [x], surplus);
  checkDomain("hardTanh", x.dtype, "float");
  checkFinite("hardTanh", { low, high });
  if (low > high) {
    throw new GradusError(`hardTanh: low ${low}, high ${high}; expected low ≤ high`);
  }
  return limited(x, low, high);
}

/**
 * Computes min(max(x + 3, 0), 6) / 6; the gradient is 0 at −3 and at 3.
 * Source: Howard et al. 2019, "Searching for MobileNetV3", section 5.2.
 */
export function hardSigmoid(x: Tensor, ...surplus: never[]): Tensor {
  checkArguments("hardSigmoid(x)", [x], surplus);
  checkDomain("hardSigmoid", x.dtype, "float");
  return div(limited(add(x, 3), 0, 6), 6);
}

/**
 * Computes x · min(max(x + 3, 0), 6) / 6: 0 below −3, x above 3. The gradient is 0 at −3 and 1 at
 * 3.
 * Source: Howard et al. 2019, "Searching for MobileNetV3", section 5.2.
 */
export function hardSwish(x: Tensor, ...surplus: never[]): Tensor {
  checkArguments("hardSwish(x)", [x], surplus);
  checkDomain("hardSwish", x.dtype, "float");
  const u = limited(x, -3, 3);
  return where(greaterEqual(x, 3), x, mul(u, div(add(u, 3), 6)));
}

/**
 * Computes x for x > 0 and slope · x elsewhere, with slopes that are learned: x and slope
 * broadcast, so one slope for each channel has the shape of x from that axis on, with 1 for what
 * shares a slope. The gradient at 0 is the slope.
 * @throws DTypeError unless both are floats of one dtype, ShapeError where shapes do not broadcast.
 * Source: He, Zhang, Ren, Sun 2015, "Delving deep into rectifiers", eq. 1.
 * @example await prelu(tensor([-2, 3]), tensor(0.25)).toArray(); // [-0.5, 3]
 */
export function prelu(x: Tensor, slope: Tensor, ...surplus: never[]): Tensor {
  checkArguments("prelu(x, slope)", [x, slope], surplus);
  checkDomain("prelu", x.dtype, "float");
  const [a, b] = broadcastInputs("prelu", x, slope);
  const positive = greater(a, 0);
  // The side that is not taken sees 0, so that infinities give its gradient no NaN.
  return where(positive, a, mul(where(positive, 0, a), b));
}

/**
 * Brings x nearer to 0 by a distance λ, and to 0 what is not farther: x − λ above λ, x + λ below
 * −λ, else 0. The gradient is 0 at ±λ.
 * @param lambda λ, a finite number from 0; 0.5 when left out.
 * Source: Donoho 1995, "De-noising by soft-thresholding".
 * @example await softShrink(tensor([-2, 0.3, 2])).toArray(); // [-1.5, 0, 1.5]
 */
export function softShrink(x: Tensor, lambda = 0.5, ...surplus: never[]): Tensor {
  checkArguments("softShrink(x, lambda)", [x], surplus);
  checkDomain("softShrink", x.dtype, "float");
  checkNotNegative("softShrink", { lambda });
  return sub(x, clip(x, -lambda, lambda));
}

/**
 * Makes 0 of what is not farther than λ from it; the gradient is 0 at ±λ.
 * @param lambda λ, a finite number from 0; 0.5 when left out.
 * Source: Donoho & Johnstone 1994, "Ideal spatial adaptation by wavelet shrinkage".
 * @example await hardShrink(tensor([-2, 0.3, 2])).toArray(); // [-2, 0, 2]
 */
export function hardShrink(x: Tensor, lambda = 0.5, ...surplus: never[]): Tensor {
  checkArguments("hardShrink(x, lambda)", [x], surplus);
  checkDomain("hardShrink", x.dtype, "float");
  checkNotNegative("hardShrink", { lambda });
  return where(lessEqual(abs(x), lambda), 0, x);
}

/**
 * Puts a value in the place of what is not above a limit; the gradient is 0 there.
 * @param limit a finite number.
 * @param value a finite number.
 * @example await threshold(tensor([-2, 0.3, 2]), 0.5, 7).toArray(); // [7, 7, 2]
 */
export function threshold(x: Tensor, limit: number, value: number, ...surplus: never[]): Tensor {
  checkArguments("threshold(x, limit, value)", [x], surplus);
  checkDomain("threshold", x.dtype, "float");
  checkFinite("threshold", { limit, value });
  return where(lessEqual(x, limit), value, x);
}
