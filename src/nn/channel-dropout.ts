import { checkDecay, checkOptions, checkWords, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Layout1d, type Layout2d, type Layout3d, layoutsOf } from "../ops/channels.ts";
import { Dropout, type DropoutOptions } from "./dropout.ts";
import { rankOf } from "./rank.ts";

/** Options of `Dropout1d`, `Dropout2d` and `Dropout3d`. */
export interface ChannelDropoutOptions<Layout extends string = Layout2d> extends DropoutOptions {
  /** The order of inputs' axes; channels follow n when left out. */
  layout?: Layout;
}

const CHANNEL_DROPOUT: Known<ChannelDropoutOptions> = {
  seed: "number",
  key: true,
  device: true,
  layout: "string",
};

/** Sets whole channels to 0. */
abstract class ChannelDropout extends Dropout {
  readonly #name: string;
  readonly #isLast: boolean;

  constructor(
    name: string,
    rate: number,
    options: ChannelDropoutOptions<string>,
    surplus: readonly unknown[],
  ) {
    checkOptions(name, options as ChannelDropoutOptions, CHANNEL_DROPOUT, surplus);
    checkDecay(name, { rate });
    const { layout, ...own } = options;
    super(rate, own);
    const layouts = layoutsOf(rankOf(name));
    const order = layout ?? layouts[0];
    checkWords(name, { layout: order }, layouts);
    this.#name = name;
    this.#isLast = order === layouts[1];
  }

  protected override maskOf(x: Tensor): Shape {
    const rank = rankOf(this.#name);
    if (x.rank !== rank + 2 && x.rank !== rank + 1) {
      throw new ShapeError(
        `${this.#name}: input ${formatShape(x.shape)}; expected ${rank + 2} axes, or ${rank + 1} ` +
          "without n",
      );
    }
    const end = this.#isLast ? x.rank - 1 : x.rank;
    return x.shape.map((n, axis) => (axis >= end - rank && axis < end ? 1 : n));
  }
}

/** Sets whole channels of series to 0 in training mode: see `Dropout2d`. */
export class Dropout1d extends ChannelDropout {
  constructor(rate = 0.5, options: ChannelDropoutOptions<Layout1d> = {}, ...surplus: never[]) {
    super("Dropout1d", rate, options, surplus);
  }
}

/**
 * Sets each channel of each image to 0 with probability `rate` in training mode, as `Dropout` does
 * elements: neighbouring pixels tell of each other, so that a channel goes as a whole.
 * Source: Tompson et al. 2015, "Efficient object localization using convolutional networks", section 3.2.
 * @throws GradusError unless 0 ≤ rate < 1; ShapeError for inputs of other ranks.
 * @example new Sequential(new Conv2d(3, 16, 3), relu, new Dropout2d(0.2, { seed: 3 }));
 */
export class Dropout2d extends ChannelDropout {
  constructor(rate = 0.5, options: ChannelDropoutOptions = {}, ...surplus: never[]) {
    super("Dropout2d", rate, options, surplus);
  }
}

/** Sets whole channels of volumes to 0 in training mode: see `Dropout2d`. */
export class Dropout3d extends ChannelDropout {
  constructor(rate = 0.5, options: ChannelDropoutOptions<Layout3d> = {}, ...surplus: never[]) {
    super("Dropout3d", rate, options, surplus);
  }
}
