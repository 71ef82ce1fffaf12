import { isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { div, maximum, mul, square, sub } from "../ops/arithmetic.ts";
import { sum } from "../ops/broadcast.ts";
import { cast } from "../ops/cast.ts";
import { equal } from "../ops/compare.ts";
import { oneHot } from "../ops/creation.ts";
import { pairwiseSquaredDistances } from "../ops/distances.ts";
import { gather } from "../ops/gather.ts";
import { l2Normalize } from "../ops/l2-normalize.ts";
import { matmul } from "../ops/matmul.ts";
import { argmin, mean } from "../ops/reduce.ts";
import { expandDims, transpose } from "../ops/reshape.ts";

/**
 * Finds the row of a gallery that is nearest to each embedding by Euclidean distance, the first of
 * equally near ones.
 * @param embeddings `[n, features]`, f32 or f64.
 * @param gallery `[m, features]`, m from 1.
 * @returns row numbers, i32 `[n]`.
 * @throws ShapeError or DTypeError for others.
 */
export function nearest(embeddings: Tensor, gallery: Tensor): Tensor {
  return argmin(pairwiseSquaredDistances(embeddings, gallery), { axis: 1 });
}

/**
 * Computes the rank-1 identification rate: the share of embeddings whose nearest row of the gallery
 * has their label (Phillips et al. 2000, "The FERET evaluation methodology", section 3.2).
 * @param embeddings `[n, features]`, none of them in the gallery.
 * @param labels integers `[n]`.
 * @param gallery `[m, features]`, m from 1.
 * @param galleryLabels integers `[m]`.
 * @returns a scalar in [0, 1].
 * @throws ShapeError or DTypeError for others.
 */
export function rank1(
  embeddings: Tensor,
  labels: Tensor,
  gallery: Tensor,
  galleryLabels: Tensor,
): Tensor {
  const truth = labelsOf("rank1", labels, embeddings);
  const known = labelsOf("rank1", galleryLabels, gallery);
  const found = gather(known, nearest(embeddings, gallery));
  return mean(cast(equal(found, truth), "f32"));
}

/** Options of `spreadRatio`. */
export interface SpreadRatioOptions {
  /** How many classes there are; labels outside `[0, classes)` do not count. */
  classes: number;
  /** Whether embeddings are scaled to unit length first, as for heads of angles; false when left out. */
  normalize?: boolean;
}

/**
 * Computes how far classes lie apart for how wide they are: tr S_B / tr S_W with
 * tr S_B = Σ_c n_c ‖μ_c − μ‖² and tr S_W = Σᵢ ‖xᵢ − μ_yᵢ‖² (Fukunaga 1990, "Introduction to
 * statistical pattern recognition", section 10.2, J₄ of S_b and S_w).
 * @param embeddings `[n, features]`, f32 or f64.
 * @param labels integers `[n]`.
 * @returns a scalar from 0; infinite where classes have no width.
 * @throws ShapeError or DTypeError for others.
 * @example await spreadRatio(features, labels, { classes: 10 }).item();
 */
export function spreadRatio(
  embeddings: Tensor,
  labels: Tensor,
  { classes, normalize = false }: SpreadRatioOptions,
): Tensor {
  const truth = labelsOf("spreadRatio", labels, embeddings);
  const x = normalize ? l2Normalize(embeddings) : embeddings;
  const member = oneHot(truth, classes, { dtype: x.dtype }); // [n, classes]
  const counts = expandDims(sum(member, { axis: 0 }), 1);
  const counted = sum(member, { axis: 1, keepDims: true }); // 1, or 0 outside the classes
  const total = sum(member);
  const centerOf = (rows: Tensor, weights: Tensor, count: Tensor) =>
    div(matmul(transpose(weights), rows), maximum(count, 1));
  const centred = sub(x, centerOf(x, counted, total)); // sums of small numbers keep their digits
  const means = centerOf(centred, member, counts); // μ_c − μ, [classes, features]
  const between = sum(mul(counts, square(means)));
  const within = sum(mul(counted, square(sub(centred, matmul(member, means)))));
  return div(between, within);
}

function labelsOf(op: string, labels: Tensor, embeddings: Tensor): Tensor {
  if (embeddings.rank !== 2) {
    throw new ShapeError(
      `${op}: embeddings ${formatShape(embeddings.shape)}; expected [n, features]`,
    );
  }
  if (isFloat(labels.dtype) || labels.dtype === "bool") {
    throw new DTypeError(`${op}: labels have dtype ${labels.dtype}; expected i32, u32 or u8`);
  }
  const [n] = embeddings.shape;
  if (sameShape(labels.shape, [n])) return cast(labels, "i32");
  throw new ShapeError(
    `${op}: labels ${formatShape(labels.shape)}; expected [${n}], one for each embedding`,
  );
}
