import { checkNumbers, checkOptions, type Known } from "../core/check.ts";
import { DTYPES, type DType, expectDType } from "../core/dtype.ts";
import { GradusError } from "../core/errors.ts";
import { foldIn, type Key, neededKey, normals, randomBits } from "../core/random.ts";
import { checkShape, type Shape } from "../core/shape.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { RANDOM } from "../kernels/shaders.ts";
import { checkStep } from "./domain.ts";
import { keyAtStep } from "./fold-in-at.ts";

/** What a drawing op is told. */
interface Draw extends Record<string, unknown> {
  readonly key: Key;
  readonly shape: Shape;
  readonly dtype: DType;
}

interface UniformDraw extends Draw {
  readonly low: number;
  readonly high: number;
}

interface NormalDraw extends Draw {
  readonly mean: number;
  readonly std: number;
}

/** Two blocks of Threefry, of which the first one is the step's key. */
const COST = 200;

/** y[i] = low + u[i] · (high − low), u[i] = (word i of the key's stream)/2²⁴ without its low byte. */
const uniformAtOp: OpDefinition<UniformDraw> = defineOp<UniformDraw>({
  name: "uniformAt",
  infer: (_, { shape, dtype }) => ({ shape, dtype }),
  cpu: (y, [step], attributes) => {
    const { key, low, high, dtype } = attributes;
    const round = DTYPES[dtype].convert;
    const { rangeHigh, rangeLow } = rangeParts(attributes);
    const bits = randomBits(foldIn(key, step.data[step.offset]), y.data.length);
    for (let i = 0; i < bits.length; i++) {
      const uHigh = (bits[i] >>> 20) * 2 ** -12;
      const uLow = ((bits[i] >>> 8) & 0xfff) * 2 ** -24;
      const middle = round(uHigh * rangeLow + uLow * rangeHigh);
      const value = round(round(round(low + uHigh * rangeHigh) + middle) + uLow * rangeLow);
      y.data[i] = value < high ? value : low; // rounding may reach high
    }
  },
  cost: COST,
  form: {
    kind: "pointwise",
    libraries: RANDOM,
    element: (context) => {
      const { at, attributes, scalars } = context;
      const m = scalars(attributes.dtype);
      const bits = at.body.bind(m.call("random_bits", keyAtStep(context), at.linear));
      const { low, high } = attributes;
      if (low === 0 && high === 1) return m.call("random_unit", bits);
      const { rangeHigh, rangeLow } = rangeParts(attributes);
      const [a, b, c, d] = [low, high, rangeHigh, rangeLow].map((x) => m.number(x));
      return m.call("random_uniform", bits, a, b, c, d);
    },
  },
  vjp: () => [null],
});

/** y[i] = mean + std · z[i], z[2j] and z[2j + 1] by Box and Muller from block j of the step's key. */
const normalAtOp: OpDefinition<NormalDraw> = defineOp<NormalDraw>({
  name: "normalAt",
  infer: (_, { shape, dtype }) => ({ shape, dtype }),
  cpu: (y, [step], { key, mean, std }) => {
    y.data.set(normals(foldIn(key, step.data[step.offset]), y.data.length, mean, std));
  },
  cost: COST + 40, // a logarithm, a root and a sine
  form: {
    kind: "pointwise",
    libraries: RANDOM,
    element: (context) => {
      const { at, attributes, scalars } = context;
      const { mean, std, dtype } = attributes;
      const m = scalars(dtype);
      const z = at.body.bind(m.call("random_normal", keyAtStep(context), at.linear));
      return m.call("fma", m.number(std), z, m.number(mean));
    },
  },
  vjp: () => [null],
});

/** `high − low` as a sum of two numbers, of 12 bits each where the result has 24. */
function rangeParts({ low, high, dtype }: UniformDraw): { rangeHigh: number; rangeLow: number } {
  if (DTYPES[dtype].epsilon < 2 ** -24) return { rangeHigh: high - low, rangeLow: 0 };
  const range = Math.fround(high - low);
  const word = Uint32Array.of(new Uint32Array(Float32Array.of(range).buffer)[0] & 0xfffff000);
  const rangeHigh = new Float32Array(word.buffer)[0];
  return { rangeHigh, rangeLow: range - rangeHigh };
}

/** Where a draw's numbers come from, a seed or a key, and their dtype. */
export interface RandomAtOptions {
  /** A non-negative integer. */
  seed?: number;
  /** A key, as `foldIn` derives them. */
  key?: Key;
  /** `f32` when left out. */
  dtype?: DType;
}

export interface UniformAtOptions extends RandomAtOptions {
  low?: number;
  high?: number;
}

export interface NormalAtOptions extends RandomAtOptions {
  mean?: number;
  std?: number;
}

const UNIFORM: Known<UniformAtOptions> = {
  low: true,
  high: true,
  seed: true,
  key: true,
  dtype: "string",
};
const NORMAL: Known<NormalAtOptions> = {
  mean: true,
  std: true,
  seed: true,
  key: true,
  dtype: "string",
};

/**
 * Draws from the uniform distribution on [low, high), [0, 1) when left out, computed from a step
 * counter where the graph runs: element i is made of word i of `randomBits(foldIn(key, step))`.
 *
 * The same seed and step give the same bits on every device, and so two draws with one seed give
 * the same numbers in every step: each takes its own key, such as `foldIn(key, layer)`. The numbers
 * are computed where they are used, or stored where that is cheaper; they have no gradient.
 * @param step u32 scalar, such as a `State` that each step raises.
 * @throws DTypeError, ShapeError or GradusError for another `step`, dtype, shape or range, and
 * without seed and key.
 * @example where(less(uniformAt(step, x.shape, { key }), rate), 0, x); // drops a share of x
 */
export function uniformAt(
  step: Tensor,
  shape: Shape,
  options: UniformAtOptions,
  ...surplus: never[]
): Tensor {
  checkOptions("uniformAt", options, UNIFORM, surplus);
  const draw = checkDraw("uniformAt", step, shape, options);
  const exact = DTYPES[draw.dtype].convert;
  checkNumbers("uniformAt", { low: options.low ?? 0, high: options.high ?? 1 });
  const low = exact(options.low ?? 0);
  const high = exact(options.high ?? 1);
  if (!(low <= high) || !Number.isFinite(exact(high - low))) {
    throw new GradusError(`uniformAt: low ${low}, high ${high}; expected low ≤ high, finite`);
  }
  return apply(uniformAtOp, [step], { ...draw, low, high });
}

/**
 * Draws from the normal distribution N(mean, std²), N(0, 1) when left out, computed from a step
 * counter as `uniformAt` does, by the Box–Muller transform (Box & Muller 1958): the numbers that
 * `randomNormal` gives for `foldIn(key, step)`.
 *
 * Devices agree within 1e-6 · std. Keys are chosen, and the same errors thrown, as by `uniformAt`.
 * @example add(weights, normalAt(step, weights.shape, { std: 0.1, seed: 1 }));
 */
export function normalAt(
  step: Tensor,
  shape: Shape,
  options: NormalAtOptions,
  ...surplus: never[]
): Tensor {
  checkOptions("normalAt", options, NORMAL, surplus);
  const draw = checkDraw("normalAt", step, shape, options);
  const { mean = 0, std = 1 } = options;
  checkNumbers("normalAt", { mean, std });
  if (!(std >= 0) || !Number.isFinite(std + mean)) {
    throw new GradusError(`normalAt: mean ${mean}, std ${std}; expected finite, std at least 0`);
  }
  return apply(normalAtOp, [step], { ...draw, mean, std });
}

function checkDraw(op: string, step: Tensor, shape: Shape, options: RandomAtOptions): Draw {
  checkStep(op, step);
  const { dtype = "f32" } = options;
  expectDType(`${op}: dtype`, dtype, "float");
  const target = checkShape(op, shape);
  return { shape: target, dtype, key: neededKey(op, options) };
}
