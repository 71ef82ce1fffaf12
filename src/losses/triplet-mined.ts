import { checkOptions, checkWords } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { sub } from "../ops/arithmetic.ts";
import { less, lessEqual, logicalAnd, logicalNot } from "../ops/compare.ts";
import { any } from "../ops/count.ts";
import { pairwiseSquaredDistances } from "../ops/distances.ts";
import { l2Normalize } from "../ops/l2-normalize.ts";
import { max, min, sum } from "../ops/reduce.ts";
import { expandDims } from "../ops/reshape.ts";
import { safeSqrt } from "../ops/root.ts";
import { labelsOf } from "../ops/targets.ts";
import { abs } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { checkEmbeddings } from "./check.ts";
import { ENDLESS, type LabelPairs, labelPairs } from "./label-pairs.ts";
import { type LossOptions, reduceCounted } from "./reduction.ts";
import {
  TRIPLET_OPTIONS,
  type TripletDistance,
  type TripletSettings,
  tripletPenalty,
  tripletSettings,
} from "./triplet.ts";

/** Which triplets of a batch count. */
export type TripletMining = "all" | "hard" | "semi-hard";

/** Options of `tripletMined`. */
export interface TripletMinedOptions extends TripletSettings, LossOptions {
  /** `semi-hard` when left out. */
  mining?: TripletMining;
}

const OPTIONS = { ...TRIPLET_OPTIONS, mining: true } as const;

/** The distances of a batch, `[n, n]`, and which pairs are what. */
interface Pairs extends LabelPairs {
  readonly distances: Tensor;
  readonly margin: number | "soft";
}

/** Losses, and a bool for each that says whether it counts. */
interface Mined {
  readonly losses: Tensor;
  readonly counts: Tensor;
}

/** Most examples whose triplets are compared one by one: 2²⁴ of them, 64 MiB. */
const MOST = 256;

const MINERS: Record<TripletMining, (pairs: Pairs) => Mined> = {
  all: mineAll,
  hard: mineHard,
  "semi-hard": mineSemiHard,
};

/**
 * Computes the triplet loss of triplets (a, p, n) that it finds in a batch, on the device, with
 * distances d and the margin α, or the soft margin:
 * - `all`: max(0, d_ap − d_an + α) of every triplet; the mean runs over those above 0 (Hermans,
 *   Beyer & Leibe 2017, "In defense of the triplet loss", eq. 6 and section 3, L_BA≠0);
 * - `hard`: of each anchor with its farthest positive and its nearest negative (eq. 5); the mean
 *   runs over anchors that have both;
 * - `semi-hard`: of each pair (a, p) with the nearest negative that is farther than p, or the
 *   farthest of all where none is (Schroff et al. 2015, "FaceNet", section 3.2); the mean runs
 *   over positive pairs whose anchor has a negative.
 *
 * Where nothing counts the loss is 0. Weights `[n]` are those of the anchors. With the reduction
 * `none` the shape is `[n, n, n]`, `[n]` or `[n, n]`, and what does not count is 0.
 * @param embeddings `[n, features]`, f32 or f64; n at most 256 but for `hard`.
 * @param labels integers `[n]`, equal for examples of one class.
 * @throws ShapeError or DTypeError for others, GradusError for an option out of its range.
 * @example tripletMined(net.call(images), labels, { mining: "hard", distance: "euclidean" });
 */
export function tripletMined(
  embeddings: Tensor,
  labels: Tensor,
  options: TripletMinedOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<TripletMinedOptions>("tripletMined", options, OPTIONS, surplus);
  const { mining = "semi-hard" } = options;
  const settings = tripletSettings("tripletMined", options);
  checkWords("tripletMined", { mining }, Object.keys(MINERS));
  checkEmbeddings("tripletMined", [embeddings]);
  checkSize(embeddings, mining);
  const classes = labelsOf("tripletMined", labels, embeddings.shape[0]);
  const { losses, counts } = MINERS[mining](pairsOf(embeddings, classes, settings));
  return reduceCounted("tripletMined", losses, counts, options);
}

function checkSize({ shape }: Tensor, mining: TripletMining): void {
  const [n] = shape;
  const most = mining === "hard" ? Number.POSITIVE_INFINITY : MOST;
  if (n >= 1 && n <= most) return;
  const advice = n > most ? `, whose triplets are compared one by one. Mine "hard" ones` : "";
  throw new ShapeError(
    `tripletMined: embeddings ${formatShape(shape)}; expected from 1 to ${MOST} rows${advice}`,
  );
}

function pairsOf(x: Tensor, labels: Tensor, settings: Required<TripletSettings>): Pairs {
  const scaled = settings.normalize ? l2Normalize(x) : x;
  const distances = DISTANCES[settings.distance](scaled);
  return { ...labelPairs(labels), distances, margin: settings.margin };
}

const DISTANCES: Record<TripletDistance, (x: Tensor) => Tensor> = {
  squared: (x) => pairwiseSquaredDistances(x, x),
  euclidean: (x) => safeSqrt(pairwiseSquaredDistances(x, x)),
  manhattan: (x) => sum(abs(sub(expandDims(x, 1), expandDims(x, 0))), { axis: 2 }),
};

function mineAll({ distances, positive, negative, margin }: Pairs): Mined {
  const losses = tripletPenalty(sub(expandDims(distances, 2), expandDims(distances, 1)), margin);
  const isTriplet = logicalAnd(expandDims(positive, 2), expandDims(negative, 1));
  const none = lessEqual(losses, 0); // of NaN it is false: that counts
  return { losses, counts: logicalAnd(isTriplet, logicalNot(none)) };
}

function mineHard({ distances, positive, negative, margin }: Pairs): Mined {
  const farthest = max(where(positive, distances, 0), { axis: 1 });
  const nearest = min(where(negative, distances, ENDLESS), { axis: 1 });
  return {
    losses: tripletPenalty(sub(farthest, nearest), margin),
    counts: logicalAnd(any(positive, { axis: 1 }), any(negative, { axis: 1 })),
  };
}

function mineSemiHard({ distances, positive, negative, margin }: Pairs): Mined {
  // [a, p, n]: negatives n of a that are farther from it than p
  const nearer = lessEqual(expandDims(distances, 1), expandDims(distances, 2)); // NaN is not
  const outside = logicalAnd(expandDims(negative, 1), logicalNot(nearer));
  const nearest = min(where(outside, expandDims(distances, 1), ENDLESS), { axis: 2 });
  const farthest = max(where(negative, distances, 0), { axis: 1, keepDims: true });
  const chosen = where(less(nearest, ENDLESS), nearest, farthest);
  return {
    losses: tripletPenalty(sub(distances, chosen), margin),
    counts: logicalAnd(positive, any(negative, { axis: 1, keepDims: true })),
  };
}
