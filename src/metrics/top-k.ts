import { checkSteps } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { checkArguments, type Tensor } from "../graph/tensor.ts";
import { mul } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { greater, less } from "../ops/compare.ts";
import { hotRows } from "../ops/creation.ts";
import { mean, sum } from "../ops/reduce.ts";
import { where } from "../ops/where.ts";
import { unlessNaN } from "./nan-rows.ts";

/**
 * Computes the share of examples whose right class is among the k largest logits: fewer than k
 * are larger than its own. Equal logits do not count against it, so that ties are in its favor. A
 * label outside `[0, c)` is wrong, and so is an example with NaN among its logits.
 * @param logits `[n, c]`; probabilities serve as well.
 * @param labels integers `[n]`.
 * @param k how many classes may be named, from 1.
 * @returns a scalar in [0, 1].
 * @throws ShapeError, DTypeError or GradusError for other shapes, dtypes and k.
 * @example await topKAccuracy(logits, labels, 5).item();
 */
export function topKAccuracy(
  logits: Tensor,
  labels: Tensor,
  k: number,
  ...surplus: never[]
): Tensor {
  checkArguments("topKAccuracy(logits, labels, k)", [logits, labels], surplus);
  const [n, c] = logits.shape;
  if (logits.rank !== 2 || !sameShape(labels.shape, [n])) {
    throw new ShapeError(
      `topKAccuracy: logits ${formatShape(logits.shape)} with labels ` +
        `${formatShape(labels.shape)}; expected [n, c] with [n]`,
    );
  }
  checkSteps("topKAccuracy", { k });
  const isRight = hotRows(labels, c, "bool");
  const right = sum(where(isRight, logits, 0), { axis: 1, keepDims: true });
  const ahead = sum(cast(greater(logits, right), "f32"), { axis: 1 });
  const known = sum(cast(isRight, "f32"), { axis: 1 });
  const isNamed = unlessNaN(less(ahead, k), logits);
  return mean(mul(known, cast(isNamed, "f32")));
}
