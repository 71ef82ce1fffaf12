import { checkEach, checkOptions, isInteger, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { type Key, neededKey } from "../core/random.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, neg } from "./arithmetic.ts";
import { zeros } from "./creation.ts";
import { uniformPart } from "./distributions.ts";
import { checkDomain, checkStep } from "./domain.ts";
import { keyOf } from "./random.ts";
import { argmax } from "./reduce.ts";
import { expandDims } from "./reshape.ts";
import { topK } from "./sort.ts";
import { log } from "./unary.ts";

/** How many classes are drawn of each row, and where the draws come from. */
export interface CategoricalOptions {
  /** How many; one, without an axis of its own, when left out. */
  samples?: number;
  /** Whether a class may be drawn again; true when left out. */
  replacement?: boolean;
  /** A non-negative integer; the same seed gives the same numbers on every device. */
  seed?: number;
  /** A key, as `foldIn` derives them. */
  key?: Key;
}

const CATEGORICAL: Known<CategoricalOptions> = {
  samples: "number",
  replacement: "boolean",
  seed: true,
  key: true,
};

/**
 * Draws classes, i32, whose probabilities are the softmax of the last axis: `[..., classes]` becomes
 * `[...]`, or `[..., samples]`. Of probabilities p, log(p) are such logits; a class at −∞ is never drawn.
 *
 * As the class of the largest logit + g, g = −ln(−ln u) (Gumbel's); without replacement as those of the
 * `samples` largest. Source: Kool et al. 2019, "Stochastic beams and where to find them", section 2.
 * @throws DTypeError unless logits are floats; ShapeError for a scalar, no classes, or more samples than there
 * are classes without replacement.
 * @example await randomCategorical(tensor([0, 1, 0]), { samples: 5, seed: 1 }).toArray();
 */
export function randomCategorical(
  logits: Tensor,
  options: CategoricalOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("randomCategorical", options, CATEGORICAL, surplus);
  checkTensors("randomCategorical", [logits]);
  const step = zeros([], { dtype: "u32", device: logits.device });
  return draw("randomCategorical", step, logits, options, () =>
    keyOf("randomCategorical", options),
  );
}

/**
 * Draws classes as `randomCategorical` does, where the graph runs, as `uniformAt` does.
 * @example const words = categoricalAt(step, logits, { seed: 1 });
 */
export function categoricalAt(
  step: Tensor,
  logits: Tensor,
  options: CategoricalOptions,
  ...surplus: never[]
): Tensor {
  checkOptions("categoricalAt", options, CATEGORICAL, surplus);
  checkStep("categoricalAt", step);
  checkTensors("categoricalAt", [step, logits]);
  return draw("categoricalAt", step, logits, options, () => neededKey("categoricalAt", options));
}

function draw(
  op: string,
  step: Tensor,
  logits: Tensor,
  { samples, replacement = true }: CategoricalOptions,
  keyFor: () => Key,
): Tensor {
  const { shape, dtype } = logits;
  checkDomain(op, dtype, "float");
  const classes = shape.at(-1);
  if (!classes) {
    throw new ShapeError(`${op}: logits of shape ${formatShape(shape)}; expected [..., classes]`);
  }
  if (samples !== undefined) {
    checkEach(op, { samples }, (x) => isInteger(x, 1), "an integer from 1", ShapeError);
    if (!replacement && samples > classes) {
      throw new ShapeError(
        `${op}: ${samples} samples of ${classes} classes without replacement; expected at most ${classes}`,
      );
    }
  }
  const isRepeated = replacement && samples !== undefined;
  const scores = isRepeated ? expandDims(logits, -2) : logits;
  const drawn = isRepeated ? [...shape.slice(0, -1), samples, classes] : shape;
  const u = uniformPart({ op, step, key: keyFor(), shape: drawn, dtype });
  const perturbed = add(scores, neg(log(neg(log(u)))));
  if (replacement || samples === undefined) return argmax(perturbed, { axis: -1 });
  return topK(perturbed, samples).indices;
}
