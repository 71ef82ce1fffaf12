import { checkOptions, checkSizes } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { checkArguments, checkTensors, type Tensor } from "../graph/tensor.ts";
import { div, maximum, mul, square, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { equal, greater, greaterEqual, less, logicalAnd } from "../ops/compare.ts";
import { hotRows } from "../ops/creation.ts";
import { pairwiseSquaredDistances } from "../ops/distances.ts";
import { gather } from "../ops/gather.ts";
import { l2Normalize } from "../ops/l2-normalize.ts";
import { matmul } from "../ops/matmul.ts";
import { argmin, mean, min, sum } from "../ops/reduce.ts";
import { expandDims, transpose } from "../ops/reshape.ts";
import { labelsOf } from "../ops/targets.ts";
import { isNaN } from "../ops/unary.ts";
import { where } from "../ops/where.ts";

/**
 * Finds the row of a gallery that is nearest to each embedding by Euclidean distance, the first of
 * equally near ones. Rows with NaN are near to nothing, and to an embedding with NaN nothing is near.
 * @param embeddings `[n, features]`, f32 or f64.
 * @param gallery `[m, features]`, m from 1.
 * @returns row numbers, i32 `[n]`; −1 where nothing is near.
 * @throws ShapeError or DTypeError for others.
 */
export function nearest(embeddings: Tensor, gallery: Tensor, ...surplus: never[]): Tensor {
  checkArguments("nearest(embeddings, gallery)", [embeddings, gallery], surplus);
  checkGallery("nearest", embeddings, gallery);
  const distances = pairwiseSquaredDistances(embeddings, gallery);
  const unknown = isNaN(distances);
  const found = argmin(where(unknown, Number.POSITIVE_INFINITY, distances), { axis: 1 });
  const isLost = greater(min(cast(unknown, "i32"), { axis: 1 }), 0);
  return where(isLost, -1, found);
}

/**
 * Computes the rank-1 identification rate: the share of embeddings whose nearest row of the gallery
 * has their label (Phillips et al. 2000, "The FERET evaluation methodology"). Where nothing is near,
 * see `nearest`, it is wrong.
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
  ...surplus: never[]
): Tensor {
  const call = "rank1(embeddings, labels, gallery, galleryLabels)";
  checkArguments(call, [embeddings, labels, gallery, galleryLabels], surplus);
  const truth = labelsOfRows("rank1", labels, embeddings);
  const known = labelsOfRows("rank1", galleryLabels, gallery);
  checkGallery("rank1", embeddings, gallery);
  const found = nearest(embeddings, gallery);
  const right = equal(gather(known, maximum(found, 0)), truth);
  return mean(cast(logicalAnd(right, greaterEqual(found, 0)), "f32"));
}

/** Options of `spreadRatio`. */
export interface SpreadRatioOptions {
  /** How many classes there are; labels outside `[0, classes)` do not count. */
  classes: number;
  /** Whether embeddings are scaled to unit length first, as heads of angles do; else not. */
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
  options: SpreadRatioOptions,
  ...surplus: never[]
): Tensor {
  const known = { classes: "number", normalize: "boolean" } as const;
  checkOptions<SpreadRatioOptions>("spreadRatio", options, known, surplus);
  const { classes, normalize = false } = options;
  checkSizes("spreadRatio", { classes });
  const truth = labelsOfRows("spreadRatio", labels, embeddings);
  const x = normalize ? l2Normalize(embeddings) : embeddings;
  const isClass = logicalAnd(greaterEqual(truth, 0), less(truth, classes));
  const kept = expandDims(cast(isClass, x.dtype), 1); // [n, 1]
  const center = div(sum(mul(x, kept), { axis: 0 }), maximum(sum(kept), 1));
  const centred = sub(x, center); // sums of small numbers keep their digits
  const member = hotRows(truth, classes, x.dtype); // [n, classes]
  const counts = expandDims(sum(member, { axis: 0 }), 1);
  const means = div(matmul(transpose(member), centred), maximum(counts, 1)); // μ_c − μ
  const between = sum(mul(counts, square(means)));
  const own = gather(means, where(isClass, truth, 0));
  const within = sum(mul(kept, square(sub(centred, own))));
  return div(between, within);
}

function checkGallery(op: string, embeddings: Tensor, gallery: Tensor): void {
  const [n, features] = embeddings.shape;
  const [m] = gallery.shape;
  if (sameShape(embeddings.shape, [n, features]) && sameShape(gallery.shape, [m, features])) {
    if (m > 0) return;
  }
  throw new ShapeError(
    `${op}: embeddings ${formatShape(embeddings.shape)} with gallery ` +
      `${formatShape(gallery.shape)}; expected [n, features] and [m, features], m from 1`,
  );
}

/** The labels of embeddings `[n, features]`, as i32. */
function labelsOfRows(op: string, labels: Tensor, embeddings: Tensor): Tensor {
  checkTensors(op, [embeddings, labels]);
  if (embeddings.rank === 2) return labelsOf(op, labels, embeddings.shape[0], "embedding");
  throw new ShapeError(
    `${op}: embeddings ${formatShape(embeddings.shape)}; expected [n, features]`,
  );
}
