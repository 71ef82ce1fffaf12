import { checkOptions } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { mul, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";

/** Options of `normalizeImages`, in units of the result's range [0, 1]. */
export interface NormalizeOptions {
  /** 0 when left out. */
  mean?: number;
  /** Above 0; 1 when left out. */
  std?: number;
}

/** Completes options, speaking as `op`; throws a `GradusError` for others. */
export function checkNormalize(op: string, options: NormalizeOptions): Required<NormalizeOptions> {
  checkOptions<NormalizeOptions>(op, options, { mean: true, std: true });
  const { mean = 0, std = 1 } = options;
  if (std > 0 && Number.isFinite(std) && Number.isFinite(mean)) return { mean, std };
  throw new GradusError(
    `${op}: mean ${mean}, std ${std}; expected finite numbers with std above 0`,
  );
}

/**
 * Turns bytes into f32: (x / 255 − mean) / std, which is [0, 1] without options.
 * @throws GradusError for a `std` that is not above 0.
 */
export function normalizeImages(images: Tensor, options: NormalizeOptions = {}): Tensor {
  checkTensors("normalizeImages", [images]);
  const { mean, std } = checkNormalize("normalizeImages", options);
  const scaled = mul(cast(images, "f32"), 1 / (255 * std));
  return mean === 0 ? scaled : sub(scaled, mean / std);
}
