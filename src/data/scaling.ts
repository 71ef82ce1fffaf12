import { checkEach } from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { DTYPES, type DType, isFloat } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { tensor } from "../ops/creation.ts";
import { castAny } from "../ops/half-cast.ts";

/** A scaling's numbers on a device: offset = high + low, to more digits than f32 has. */
interface DeviceScaling {
  readonly high: Tensor;
  readonly low: Tensor;
  readonly scale: Tensor;
  readonly inverse: Tensor;
}

/**
 * Shifts and scales features: y = (x − offset) / scale, and 0 where the scale is 0. A plain function
 * of tensors: use it in the model, in a compiled step, or as `prepare` of a `TensorDataset`.
 */
export class FeatureScaling implements Disposable, KnownByIdentity {
  #placed: DeviceScaling | null = null;

  /**
   * @param shape the features' shape, of examples `[n, …shape]`.
   * @param offset one number for each feature, row-major.
   * @param scale likewise, each finite and from 0.
   * @throws ShapeError when their numbers differ, GradusError for other numbers.
   */
  constructor(
    readonly shape: Shape,
    readonly offset: ArrayLike<number>,
    readonly scale: ArrayLike<number>,
  ) {
    const count = sizeOf(checkShape("FeatureScaling", shape));
    const isList = (x: unknown) => Array.isArray(x) || ArrayBuffer.isView(x);
    checkEach("FeatureScaling", { offset, scale }, isList, "a list of numbers");
    if (offset.length !== count || scale.length !== count) {
      throw new ShapeError(
        `FeatureScaling: ${offset.length} offsets and ${scale.length} scales; expected ${count}`,
      );
    }
    for (let i = 0; i < count; i++) {
      if (Number.isFinite(offset[i]) && Number.isFinite(scale[i]) && scale[i] >= 0) continue;
      throw new GradusError(
        `FeatureScaling: feature ${i} with offset ${offset[i]} and scale ${scale[i]}; ` +
          "expected finite numbers, the scale from 0",
      );
    }
  }

  /**
   * Gives (x − offset) / scale of examples `[n, …shape]`; as f32 where x holds whole numbers.
   * @throws ShapeError for other features.
   */
  readonly apply = (x: Tensor): Tensor => {
    const { high, low, inverse } = this.#place("FeatureScaling.apply", x);
    const floats = isFloat(x.dtype) ? x : castAny(x, "f32");
    // x − high is exact near the offset, however large that is.
    return mul(sub(sub(floats, high), low), inverse);
  };

  /**
   * Gives y · scale + offset, which undoes `apply` except where the scale is 0.
   * @throws ShapeError for other features.
   */
  readonly invert = (y: Tensor): Tensor => {
    const { high, low, scale } = this.#place("FeatureScaling.invert", y);
    return add(add(mul(y, scale), low), high);
  };

  #place(op: string, x: Tensor): DeviceScaling {
    checkTensors(op, [x]);
    if (x.rank === 0 || !sameShape(x.shape.slice(1), this.shape)) {
      const wanted = ["n", ...this.shape].join(", ");
      throw new ShapeError(`${op}: input ${formatShape(x.shape)}; expected [${wanted}]`);
    }
    const dtype = isFloat(x.dtype) ? x.dtype : "f32";
    const held = this.#placed;
    const fits = held?.high.dtype === dtype && held.high.device === x.device;
    if (held && fits && !Object.values(held).some((part: Tensor) => part.disposed)) return held;
    this.dispose();
    this.#placed = this.#make(x, dtype);
    return this.#placed;
  }

  #make({ device }: Tensor, dtype: DType): DeviceScaling {
    const round = DTYPES[dtype].convert;
    const make = (number: (i: number) => number) => {
      const values = Float64Array.from({ length: this.offset.length }, (_, i) => number(i));
      return tensor(values, { shape: this.shape, dtype, device });
    };
    const { offset, scale } = this;
    return {
      high: make((i) => offset[i]),
      low: make((i) => offset[i] - round(offset[i])),
      scale: make((i) => scale[i]),
      inverse: make((i) => (scale[i] === 0 ? 0 : 1 / scale[i])),
    };
  }

  /** Compiled functions know it by identity. */
  [traceKey](): string {
    return "";
  }

  /** Frees what it holds on the device; a later use makes it again. */
  dispose(): void {
    for (const part of Object.values(this.#placed ?? {}) as Tensor[]) part.dispose();
    this.#placed = null;
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}

/**
 * Measures the scaling to mean 0 and standard deviation 1 of each feature (that of the n examples,
 * not n − 1), in float64; constant features become 0.
 * @param x examples `[n, …]`: those of training, and no others.
 * @throws ShapeError for no examples, GradusError for a feature with NaN or infinities.
 * @example
 * const scaling = await standardScaling(inputs);
 * const data = new TensorDataset({ inputs, targets }, { prepare: { inputs: scaling.apply } });
 */
export async function standardScaling(x: Tensor): Promise<FeatureScaling> {
  return perFeature("standardScaling", x, (column) => {
    // About the first example, so that equal values have exactly their value as the mean.
    const [first] = column;
    const mean = first + average(column, (v) => v - first);
    return { offset: mean, scale: Math.sqrt(average(column, (v) => (v - mean) ** 2)) };
  });
}

/**
 * Measures the scaling of each feature's range to [0, 1]; constant features become 0.
 * @param x examples `[n, …]`: those of training, and no others.
 * @throws ShapeError for no examples, GradusError for a feature with NaN or infinities.
 */
export async function minMaxScaling(x: Tensor): Promise<FeatureScaling> {
  return perFeature("minMaxScaling", x, (column) => {
    const low = column.reduce((a, b) => Math.min(a, b));
    return { offset: low, scale: column.reduce((a, b) => Math.max(a, b)) - low };
  });
}

async function perFeature(
  op: string,
  x: Tensor,
  measure: (column: Float64Array) => { offset: number; scale: number },
): Promise<FeatureScaling> {
  checkTensors(op, [x]);
  const [n, ...shape] = x.shape;
  if (x.rank === 0 || n === 0) {
    throw new ShapeError(`${op}: input ${formatShape(x.shape)}; expected [n, …] with n from 1`);
  }
  const values = await x.data();
  const features = sizeOf(shape);
  const found = Array.from({ length: features }, (_, i) => {
    const column = Float64Array.from({ length: n }, (_, row) => values[row * features + i]);
    if (!column.every(Number.isFinite)) {
      throw new GradusError(`${op}: feature ${i} has NaN or infinities; expected finite numbers`);
    }
    return measure(column);
  });
  const list = (name: "offset" | "scale") => Float64Array.from(found, (feature) => feature[name]);
  return new FeatureScaling(shape, list("offset"), list("scale"));
}

function average(values: Float64Array, of: (value: number) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0) / values.length;
}
