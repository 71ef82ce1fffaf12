import { checkDecay, checkOptions } from "../core/check.ts";
import type { Key } from "../core/random.ts";
import type { Shape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { channelMask, dropToEnd } from "../ops/alpha-dropout.ts";
import { DROPOUT, Dropout, type DropoutOptions } from "./dropout.ts";

/**
 * Sets each element to α′ = −1.758, where `selu` ends, with probability `rate` in training mode, and maps
 * all so that mean 0 and variance 1 stay, as `alphaDropout` does: for networks of `SELU`. Masks are
 * counted as those of `Dropout`.
 * Source: Klambauer et al. 2017, "Self-normalizing neural networks".
 * @throws GradusError unless 0 ≤ rate < 1.
 * @example new Sequential(new Linear(8, 8), new SELU(), new AlphaDropout(0.1, { seed: 3 }));
 */
export class AlphaDropout extends Dropout {
  constructor(rate = 0.5, options: DropoutOptions = {}, ...surplus: never[]) {
    checkAlpha("AlphaDropout", rate, options, surplus);
    super(rate, options);
  }

  protected override dropped(x: Tensor, step: Tensor, key: Key, mask: Shape): Tensor {
    return dropToEnd(x, this.rate, step, key, mask);
  }
}

/**
 * Does what `AlphaDropout` does to whole channels of `[n, channels, …]`.
 * @throws GradusError unless 0 ≤ rate < 1; ShapeError for inputs of less than two axes.
 * @example new FeatureAlphaDropout(0.1, { seed: 3 });
 */
export class FeatureAlphaDropout extends Dropout {
  constructor(rate = 0.5, options: DropoutOptions = {}, ...surplus: never[]) {
    checkAlpha("FeatureAlphaDropout", rate, options, surplus);
    super(rate, options);
  }

  protected override maskOf(x: Tensor): Shape {
    return channelMask("FeatureAlphaDropout", x);
  }

  protected override dropped(x: Tensor, step: Tensor, key: Key, mask: Shape): Tensor {
    return dropToEnd(x, this.rate, step, key, mask);
  }
}

function checkAlpha(
  name: string,
  rate: number,
  options: DropoutOptions,
  surplus: readonly unknown[],
): void {
  checkOptions(name, options, DROPOUT, surplus);
  checkDecay(name, { rate });
}
