import { checkOptions, checkWords, describeValue, type Known } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, minimum, square, sub } from "../ops/arithmetic.ts";
import { l2Norm, l2Normalize } from "../ops/l2-normalize.ts";
import { sum } from "../ops/reduce.ts";
import { abs, relu, softplus } from "../ops/unary.ts";
import { checkEmbeddings, checkRange } from "./check.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/** How far two embeddings are apart: ‖a − b‖², ‖a − b‖ or Σ |a − b|. */
export type TripletDistance = "squared" | "euclidean" | "manhattan";

/** What all triplet losses can be told. */
export interface TripletSettings {
  /**
   * α, by how much negatives shall be further away than positives, from 0 (0.2 when left out); or
   * `soft`, with log(1 + exp(d_ap − d_an)) in place of max(0, d_ap − d_an + α).
   */
  margin?: number | "soft";
  /** `squared` when left out. */
  distance?: TripletDistance;
  /** Whether embeddings are scaled to unit length first; true when left out. */
  normalize?: boolean;
}

/** Options of `triplet`. */
export interface TripletOptions extends TripletSettings, LossOptions {
  /** Whether the negative's distance is that from the positive where this is smaller; false when left out. */
  swap?: boolean;
}

/** The names of options that all triplet losses have, for checks. */
export const TRIPLET_OPTIONS = {
  ...LOSS_OPTIONS,
  margin: "number",
  distance: true,
  normalize: "boolean",
} as const satisfies Known<TripletSettings & LossOptions>;

const OWN_OPTIONS: Known<TripletOptions> = { ...TRIPLET_OPTIONS, swap: "boolean" };

/** Checks the settings and fills in what was left out. */
export function tripletSettings(op: string, options: TripletSettings): Required<TripletSettings> {
  const { margin = 0.2, distance = "squared", normalize = true } = options;
  if (margin !== "soft") checkRange(op, "margin", margin, 0);
  checkWords(op, { distance }, Object.keys(LENGTHS));
  if (typeof normalize === "boolean") return { margin, distance, normalize };
  throw new GradusError(`${op}: normalize ${describeValue(normalize)}; expected true or false`);
}

const LENGTHS: Record<TripletDistance, (apart: Tensor) => Tensor> = {
  squared: (apart) => sum(square(apart), { axis: 1 }),
  euclidean: (apart) => l2Norm(apart, { axis: 1 }),
  manhattan: (apart) => sum(abs(apart), { axis: 1 }),
};

/** The loss of a triplet from d_ap − d_an. */
export function tripletPenalty(difference: Tensor, margin: number | "soft"): Tensor {
  return margin === "soft" ? softplus(difference) : relu(add(difference, margin));
}

/**
 * Computes the triplet loss max(0, ‖a − p‖² − ‖a − n‖² + α) of embeddings of unit length, which
 * they are scaled to unless told otherwise (Schroff, Kalenichenko & Philbin 2015, "FaceNet",
 * eq. 3; the soft margin: Hermans, Beyer & Leibe 2017, "In defense of the triplet loss", section 2;
 * swapping: Balntas et al. 2016, "Learning local feature descriptors with triplets", section 3).
 * @param anchor `[n, features]`, f32 or f64.
 * @param positive as `anchor`: another example of each anchor's class.
 * @param negative as `anchor`: an example of another class.
 * @throws ShapeError or DTypeError for others, GradusError for an option out of its range.
 * @example triplet(net.call(anchors), net.call(positives), net.call(negatives));
 */
export function triplet(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("triplet", options, OWN_OPTIONS, surplus);
  checkEmbeddings("triplet", [anchor, positive, negative]);
  const settings = tripletSettings("triplet", options);
  const scaled = [anchor, positive, negative].map((x) => (settings.normalize ? l2Normalize(x) : x));
  const [a, p, n] = scaled;
  const measure = (x: Tensor, y: Tensor) => LENGTHS[settings.distance](sub(x, y));
  const away = options.swap ? minimum(measure(a, n), measure(p, n)) : measure(a, n);
  const losses = tripletPenalty(sub(measure(a, p), away), settings.margin);
  return reduceLosses("triplet", losses, options);
}
