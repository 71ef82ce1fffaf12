import {
  checkEach,
  checkFinite,
  checkIntegers,
  checkOptions,
  checkPositive,
  isInteger,
  type Known,
} from "../core/check.ts";
import { DTYPES, type DType, expectDType, is, type Trait } from "../core/dtype.ts";
import { DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import { foldIn, type Key, neededKey } from "../core/random.ts";
import { broadcastShapes, checkShape, formatShape, type Shape, sameShape } from "../core/shape.ts";
import { stopGradient } from "../graph/custom-grad.ts";
import { checkDevice, defaultDevice } from "../graph/default-device.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, clip, div, mul, neg, square, sub } from "./arithmetic.ts";
import { less } from "./compare.ts";
import { full, zeros } from "./creation.ts";
import { checkStep } from "./domain.ts";
import { erfInv, erfValue } from "./error-function.ts";
import { drawIntegers } from "./integers-at.ts";
import { pow } from "./pow.ts";
import { keyOf, type RandomOptions } from "./random.ts";
import { normalAt, type RandomAtOptions, uniformAt } from "./random-at.ts";
import { log, log1p, sqrt } from "./unary.ts";
import { where } from "./where.ts";

/** A parameter of a distribution: a number, or a tensor that broadcasts to the draws' shape. */
export type Parametric = number | Tensor;

/** Draws numbers of a shape; from the default sequence when options name neither seed nor key. */
export type HostDraw<Options> = (
  shape: Shape,
  options?: Options & RandomOptions,
  ...surplus: never[]
) => Tensor;

/** Draws numbers of a shape from a step counter, where the graph runs. */
export type StepDraw<Options> = (
  step: Tensor,
  shape: Shape,
  options: Options & RandomAtOptions,
  ...surplus: never[]
) => Tensor;

/** Where draws come from, and what they are to be. */
export interface DrawSource {
  readonly op: string;
  readonly step: Tensor;
  readonly key: Key;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A distribution: the names of its parameters, what it can draw, and how. */
interface Distribution<Options extends object> {
  readonly parameters: Known<Options>;
  /** The dtypes that may be asked for, the usual one first; bools alone when null. */
  readonly dtypes: readonly [DType, Trait] | null;
  draw(source: DrawSource, options: Options): Tensor;
}

/** Uniform numbers of a source's shape; other numbers for each `part`. */
export function uniformPart({ step, key, shape, dtype }: DrawSource, part = 0): Tensor {
  return uniformAt(step, shape, { key: part === 0 ? key : foldIn(key, part), dtype });
}

function normalPart({ step, key, shape, dtype }: DrawSource, part: number): Tensor {
  return normalAt(step, shape, { key: foldIn(key, part), dtype });
}

function dtypeOf(op: string, { dtypes }: Pick<Distribution<object>, "dtypes">, given?: DType) {
  const [usual, trait] = dtypes ?? ["f32", "float"];
  const dtype = given ?? usual;
  expectDType(`${op}: dtype`, dtype, trait);
  return dtype;
}

/** What a draw in one of both styles is given. */
interface DrawCall<Options> {
  readonly shape: Shape;
  readonly options: Options;
  readonly surplus: readonly never[];
}

/**
 * Checks what draws in both styles are told, and makes one of them.
 * @param own options of the style.
 * @param begin checks where the numbers come from, and gives that.
 */
function drawn<Options extends Pick<RandomOptions, "dtype">>(
  op: string,
  distribution: Distribution<Options>,
  { shape, options, surplus }: DrawCall<Options>,
  own: Readonly<Record<string, true>>,
  begin: () => Pick<DrawSource, "step" | "key">,
): Tensor {
  const { parameters, dtypes } = distribution;
  const known = {
    ...parameters,
    ...own,
    seed: true,
    key: true,
    ...(dtypes && { dtype: "string" }),
  };
  checkOptions(op, options, known as Known<Options>, surplus);
  const dtype = dtypeOf(op, distribution, options.dtype);
  const target = checkShape(op, shape);
  return distribution.draw({ op, shape: target, dtype, ...begin() }, options);
}

/* @__NO_SIDE_EFFECTS__ */
function drawing<Options extends object>(
  op: string,
  distribution: Distribution<Options>,
): HostDraw<Options> {
  return (shape, options = {} as Options & RandomOptions, ...surplus) =>
    drawn(op, distribution, { shape, options, surplus }, { device: true }, () => {
      const { device = defaultDevice() } = options;
      checkDevice(op, device);
      return { step: zeros([], { dtype: "u32", device }), key: keyOf(op, options) };
    });
}

/* @__NO_SIDE_EFFECTS__ */
function drawingAt<Options extends object>(
  op: string,
  distribution: Distribution<Options>,
): StepDraw<Options> {
  return (step, shape, options, ...surplus) =>
    drawn(op, distribution, { shape, options, surplus }, {}, () => {
      checkStep(op, step);
      return { step, key: neededKey(op, options) };
    });
}

/** A parameter as a tensor of the draws' dtype; a number must be above 0, or pass another check. */
function parameter(
  { op, shape, dtype, step }: DrawSource,
  name: string,
  given: Parametric,
  check: (op: string, options: Readonly<Record<string, number>>) => void = checkPositive,
): Tensor {
  if (typeof given !== "object" || given === null) {
    check(op, { [name]: given });
    return full([], given, { dtype, device: step.device });
  }
  checkTensors(op, [step, given]);
  if (given.dtype !== dtype) {
    throw new DTypeError(`${op}: ${name} has dtype ${given.dtype}; expected ${dtype}`);
  }
  if (!sameShape(broadcastShapes(op, given.shape, shape), shape)) {
    throw new ShapeError(
      `${op}: ${name} has shape ${formatShape(given.shape)}; expected one that broadcasts to ` +
        formatShape(shape),
    );
  }
  return given;
}

/** The probability of true, ½ when left out. */
export interface BernoulliOptions {
  p?: Parametric;
}

function checkShare(op: string, options: Readonly<Record<string, number>>): void {
  const holds = (x: unknown) => typeof x === "number" && x >= 0 && x <= 1;
  checkEach(op, options, holds, "a number from 0 to 1");
}

const BERNOULLI: Distribution<BernoulliOptions> = {
  parameters: { p: true },
  dtypes: null,
  draw: (source, { p = 0.5 }) => less(uniformPart(source), parameter(source, "p", p, checkShare)),
};

/**
 * Draws bools that are true with probability `p`.
 * @example randomBernoulli([3, 2], { p: 0.1, seed: 1 });
 */
export const randomBernoulli: HostDraw<BernoulliOptions> = /* @__PURE__ */ drawing(
  "randomBernoulli",
  BERNOULLI,
);
/**
 * Draws bools that are true with probability `p`, where the graph runs, as `uniformAt` does.
 * @example where(bernoulliAt(step, x.shape, { p: 0.8, seed: 1 }), x, 0);
 */
export const bernoulliAt: StepDraw<BernoulliOptions> = /* @__PURE__ */ drawingAt(
  "bernoulliAt",
  BERNOULLI,
);

/** The range of whole numbers: from `low`, 0 when left out, and below `high`. */
export interface IntegersOptions {
  low?: number;
  high: number;
}

const INTEGERS: Distribution<IntegersOptions> = {
  parameters: { low: true, high: true },
  dtypes: ["i32", "index"],
  draw: ({ op, step, key, shape, dtype }, { low = 0, high }) => {
    checkIntegers(op, { low, high });
    const { min, max } = DTYPES[dtype];
    const most = is(dtype, "counter") ? 2 ** 32 - 1 : 2 ** 31; // what is drawn is a u32 at first
    if (low < min || high > max + 1 || !isInteger(high - low, 1, most)) {
      throw new GradusError(
        `${op}: low ${low}, high ${high}; expected low < high, both of ${dtype}, at most ${most} apart`,
      );
    }
    return drawIntegers(step, shape, { key, dtype, low, high });
  },
};

/**
 * Draws whole numbers from `low` to `high` − 1, each as likely but for 2⁻³², i32 or u32.
 * @example await randomIntegers([2], { high: 6, seed: 1 }).toArray();
 */
export const randomIntegers: HostDraw<IntegersOptions> = /* @__PURE__ */ drawing(
  "randomIntegers",
  INTEGERS,
);
/** Draws whole numbers as `randomIntegers` does, where the graph runs, as `uniformAt` does. */
export const integersAt: StepDraw<IntegersOptions> = /* @__PURE__ */ drawingAt(
  "integersAt",
  INTEGERS,
);

/** The rate λ, 1 when left out; the mean is 1/λ. */
export interface ExponentialOptions {
  rate?: Parametric;
}

const EXPONENTIAL: Distribution<ExponentialOptions> = {
  parameters: { rate: true },
  dtypes: ["f32", "float"],
  draw: (source, { rate = 1 }) =>
    div(neg(log1p(neg(uniformPart(source)))), parameter(source, "rate", rate)),
};

/**
 * Draws from the exponential distribution, of density λ e^(−λx) from 0 on, as −ln(1 − u)/λ; what is drawn
 * has a gradient with respect to λ.
 * @example randomExponential([100], { rate: 2, seed: 1 });
 */
export const randomExponential: HostDraw<ExponentialOptions> = /* @__PURE__ */ drawing(
  "randomExponential",
  EXPONENTIAL,
);
/** Draws from the exponential distribution as `randomExponential` does, where the graph runs. */
export const exponentialAt: StepDraw<ExponentialOptions> = /* @__PURE__ */ drawingAt(
  "exponentialAt",
  EXPONENTIAL,
);

/** The mean and the standard deviation before what lies outside [low, high] is left out. */
export interface TruncatedNormalOptions {
  /** 0 when left out. */
  mean?: number;
  /** 1 when left out. */
  std?: number;
  /** Two standard deviations below the mean when left out. */
  low?: number;
  /** Two standard deviations above the mean when left out. */
  high?: number;
}

const TRUNCATED: Distribution<TruncatedNormalOptions> = {
  parameters: { mean: true, std: true, low: true, high: true },
  dtypes: ["f32", "float"],
  draw: (source, { mean = 0, std = 1, low = mean - 2 * std, high = mean + 2 * std }) => {
    const { op } = source;
    checkFinite(op, { mean, std, low, high });
    if (!(std > 0) || !(low < high)) {
      throw new GradusError(
        `${op}: std ${std}, low ${low}, high ${high}; expected std above 0, low < high`,
      );
    }
    // What lies above the mean is drawn below it, where float32 tells small shares apart.
    const isAbove = low > mean;
    const bounds = isAbove ? [mean - high, mean - low] : [low - mean, high - mean];
    const [first, last] = bounds.map((x) => erfValue(x / (std * Math.SQRT2)));
    const place = add(mul(uniformPart(source), last - first), first);
    const from = mul(erfInv(place), (isAbove ? -1 : 1) * std * Math.SQRT2);
    return clip(add(from, mean), low, high);
  },
};

/**
 * Draws from the normal distribution N(mean, std²) what lies in [low, high], two standard deviations to each
 * side when left out, as mean + √2 std erf⁻¹ of a uniform number: farther than four deviations from
 * the mean, f32 leaves gaps between draws.
 * @example randomTruncatedNormal([784, 50], { std: 0.05, seed: 1 });
 */
export const randomTruncatedNormal: HostDraw<TruncatedNormalOptions> = /* @__PURE__ */ drawing(
  "randomTruncatedNormal",
  TRUNCATED,
);
/** Draws from a truncated normal distribution as `randomTruncatedNormal` does, where the graph runs. */
export const truncatedNormalAt: StepDraw<TruncatedNormalOptions> = /* @__PURE__ */ drawingAt(
  "truncatedNormalAt",
  TRUNCATED,
);

/** The concentration α (shape) and the rate β, 1 when left out; the mean is α/β. */
export interface GammaOptions {
  concentration?: Parametric;
  rate?: Parametric;
}

/** Of 10⁸ draws one is still refused after so many rounds, and becomes what is most likely. */
const GAMMA_ROUNDS = 6;

const GAMMA: Distribution<GammaOptions> = {
  parameters: { concentration: true, rate: true },
  dtypes: ["f32", "float"],
  draw: (source, { concentration = 1, rate = 1 }) => {
    const alpha = parameter(source, "concentration", concentration);
    const beta = parameter(source, "rate", rate);
    // x ~ Γ(α + 1) and u uniform make x · u^(1/α) ~ Γ(α), for what is below 1.
    const isSmall = less(alpha, 1);
    const d = sub(where(isSmall, add(alpha, 1), alpha), 1 / 3);
    const c = div(1 / 3, sqrt(d));
    let drawn = d;
    for (let part = 2 * GAMMA_ROUNDS; part > 0; part -= 2) {
      const x = normalPart(source, part);
      const root = add(mul(c, x), 1);
      const v = mul(square(root), root);
      // NaN, where v is below 0, is no acceptance.
      const bound = add(mul(square(x), 0.5), mul(d, add(sub(1, v), log(v))));
      drawn = where(less(log(uniformPart(source, part - 1)), bound), mul(d, v), drawn);
    }
    const boost = where(isSmall, pow(sub(1, uniformPart(source)), div(1, alpha)), 1);
    return div(stopGradient(mul(drawn, boost)), beta);
  },
};

/**
 * Draws from the gamma distribution, of density x^(α − 1) e^(−βx) β^α/Γ(α) from 0 on; what is drawn has a
 * gradient with respect to β, none with respect to α. Below α = 0.1, f32 rounds many draws to 0.
 * Source: Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; six rounds, of which
 * each accepts 95 % and more.
 * @example randomGamma([100], { concentration: 2.5, seed: 1 });
 */
export const randomGamma: HostDraw<GammaOptions> = /* @__PURE__ */ drawing("randomGamma", GAMMA);
/** Draws from the gamma distribution as `randomGamma` does, where the graph runs. */
export const gammaAt: StepDraw<GammaOptions> = /* @__PURE__ */ drawingAt("gammaAt", GAMMA);
