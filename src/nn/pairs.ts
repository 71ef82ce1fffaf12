import {
  checkEach,
  checkIntegers,
  checkOptions,
  checkPositive,
  type Known,
} from "../core/check.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, sub } from "../ops/arithmetic.ts";
import { broadcastTensors } from "../ops/broadcast.ts";
import { norm } from "../ops/norm.ts";
import { checkEpsilon } from "../ops/normalized.ts";
import { sum } from "../ops/reduce.ts";
import { Module } from "./module.ts";

/** Options of `CosineSimilarity`. */
export interface CosineSimilarityOptions {
  /** The axis of the vectors; 1 when left out. */
  axis?: number;
  /** The least length that is divided by, above 0; 1e-8 when left out. */
  epsilon?: number;
}

const COSINE_SIMILARITY: Known<CosineSimilarityOptions> = { axis: "number", epsilon: true };

/**
 * Computes a·b / (max(‖a‖, ε) max(‖b‖, ε)) of vectors along an axis of the shape that both broadcast to,
 * which is left out of the result.
 * @example new CosineSimilarity().call(ones([5, 3]), ones([5, 3])).shape; // [5]
 */
export class CosineSimilarity extends Module<[a: Tensor, b: Tensor]> {
  readonly axis: number;
  readonly epsilon: number;

  constructor(options: CosineSimilarityOptions = {}, ...surplus: never[]) {
    super();
    checkOptions("CosineSimilarity", options, COSINE_SIMILARITY, surplus);
    const { axis = 1, epsilon = 1e-8 } = options;
    checkIntegers("CosineSimilarity", { axis });
    checkPositive("CosineSimilarity", { epsilon });
    this.axis = axis;
    this.epsilon = epsilon;
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    checkTensors("CosineSimilarity", [a, b]);
    const { axis, epsilon } = this;
    const [x, y] = broadcastTensors([a, b]); // vectors of size 1 are as long as the others then
    const [p, q] = [x, y].map((each) => maximum(norm(each, { axis }), epsilon));
    return div(sum(mul(x, y), { axis }), mul(p, q));
  }
}

/** Options of `PairwiseDistance`. */
export interface PairwiseDistanceOptions {
  /** p, from 0, or ±∞; 2 when left out. */
  order?: number;
  /** ε, a finite number from 0, which is added to each difference; 1e-6 when left out. */
  epsilon?: number;
  /** Whether the last axis stays, with size 1; false when left out. */
  keepDims?: boolean;
}

const PAIRWISE_DISTANCE: Known<PairwiseDistanceOptions> = {
  order: "number",
  epsilon: true,
  keepDims: "boolean",
};

/**
 * Computes ‖a − b + ε‖ₚ of vectors along the last axis.
 * @example new PairwiseDistance().call(ones([5, 3]), zeros([5, 3])).shape; // [5]
 */
export class PairwiseDistance extends Module<[a: Tensor, b: Tensor]> {
  readonly order: number;
  readonly epsilon: number;
  readonly keepDims: boolean;

  constructor(options: PairwiseDistanceOptions = {}, ...surplus: never[]) {
    super();
    checkOptions("PairwiseDistance", options, PAIRWISE_DISTANCE, surplus);
    const { order = 2, epsilon = 1e-6, keepDims = false } = options;
    const isOrder = (x: unknown) => (x as number) >= 0 || x === Number.NEGATIVE_INFINITY;
    const holds = (x: unknown) => typeof x === "number" && isOrder(x);
    checkEach("PairwiseDistance", { order }, holds, "a number from 0, Infinity or -Infinity");
    checkEpsilon("PairwiseDistance", epsilon);
    this.order = order;
    this.epsilon = epsilon;
    this.keepDims = keepDims;
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    checkTensors("PairwiseDistance", [a, b]);
    const { order, epsilon, keepDims } = this;
    return norm(add(sub(a, b), epsilon), { order, axis: -1, keepDims });
  }
}
