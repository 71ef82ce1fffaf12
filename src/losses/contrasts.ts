import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, maximum, mul, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { greater } from "../ops/compare.ts";
import { l2Normalize } from "../ops/l2-normalize.ts";
import { matmul } from "../ops/matmul.ts";
import { mean, sum } from "../ops/reduce.ts";
import { reshape, transpose } from "../ops/reshape.ts";
import { concat } from "../ops/slice.ts";
import { logSumExp } from "../ops/softmax.ts";
import { labelsOf } from "../ops/targets.ts";
import { where } from "../ops/where.ts";
import { checkEmbeddings } from "./check.ts";
import { ENDLESS, labelPairs, withItself } from "./label-pairs.ts";
import { LOSS_OPTIONS, type LossOptions, reduceCounted, reduceLosses } from "./reduction.ts";

/** Options of losses that compare the examples of a batch by a softmax. */
export interface TemperatureOptions extends LossOptions {
  /** τ, what cosines are divided by, above 0. */
  temperature?: number;
  /** Whether embeddings are scaled to unit length first; true when left out. */
  normalize?: boolean;
}

const TEMPERATURE = {
  ...LOSS_OPTIONS,
  temperature: "number",
  normalize: "boolean",
} as const satisfies Known<TemperatureOptions>;

/** Options of `infoNCE`. */
export interface InfoNCEOptions extends TemperatureOptions {
  /** Whether the mean of both directions is taken, as CLIP does; false when left out. */
  symmetric?: boolean;
}

const INFO_NCE: Known<InfoNCEOptions> = { ...TEMPERATURE, symmetric: "boolean" };

/**
 * Computes −log softmaxⱼ(aᵢ·bⱼ / τ)ᵢ of each row: how badly a's i-th row tells the i-th of b from the
 * others of the batch (van den Oord, Li & Vinyals 2018, "Representation learning with contrastive
 * predictive coding", eq. 4; symmetric: Radford et al. 2021, "Learning transferable visual models from
 * natural language supervision", figure 3).
 * @param a `[n, features]`, f32 or f64, such as images.
 * @param b as `a`, what belongs to each, such as texts.
 * @param options `temperature`: 0.1 when left out.
 * @throws ShapeError or DTypeError for others, GradusError for an option out of its range.
 * @example infoNCE(net.call(left), net.call(right), { temperature: 0.07, symmetric: true });
 */
export function infoNCE(
  a: Tensor,
  b: Tensor,
  options: InfoNCEOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("infoNCE", options, INFO_NCE, surplus);
  checkEmbeddings("infoNCE", [a, b]);
  const [x, y] = [a, b].map((one) => scaled(one, options));
  const temperature = temperatureOf("infoNCE", a, options, 0.1);
  const right = div(sum(mul(x, y), { axis: 1 }), temperature);
  const logits = similarities(x, y, temperature);
  const there = sub(logSumExp(logits, { axis: 1 }), right);
  if (!options.symmetric) return reduceLosses("infoNCE", there, options);
  const back = sub(logSumExp(logits, { axis: 0 }), right);
  return reduceLosses("infoNCE", mul(add(there, back), 0.5), options);
}

/**
 * Computes the normalized temperature-scaled cross-entropy of two views of each example: the mean over
 * both of how badly each tells the other one from all 2n views but itself (Chen et al. 2020,
 * "A simple framework for contrastive learning of visual representations", eq. 1).
 * @param a `[n, features]`, f32 or f64.
 * @param b as `a`, the other view of each example.
 * @param options `temperature`: 0.5 when left out.
 * @throws ShapeError or DTypeError for others, GradusError for an option out of its range.
 * @example ntXent(net.call(left), net.call(right));
 */
export function ntXent(
  a: Tensor,
  b: Tensor,
  options: TemperatureOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<TemperatureOptions>("ntXent", options, TEMPERATURE, surplus);
  checkEmbeddings("ntXent", [a, b]);
  const [x, y] = [a, b].map((one) => scaled(one, options));
  const temperature = temperatureOf("ntXent", a, options, 0.5);
  const right = div(sum(mul(x, y), { axis: 1 }), temperature);
  const views = concat([x, y]);
  const all = logSumExp(ofOthers(similarities(views, views, temperature)), { axis: 1 });
  const ofBoth = mean(reshape(all, [2, a.shape[0]]), { axis: 0 });
  return reduceLosses("ntXent", sub(ofBoth, right), options);
}

/**
 * Computes the contrastive loss of all pairs of a class: of each example i the mean over others p of its
 * class of −log(exp(zᵢ·z_p / τ) / Σ_{a ≠ i} exp(zᵢ·z_a / τ)) (Khosla et al. 2020, "Supervised
 * contrastive learning", eq. 2). Examples that are alone in their class count nothing, and not in the mean.
 * @param embeddings `[n, features]`, f32 or f64.
 * @param labels integers `[n]`, equal for examples of one class.
 * @param options `temperature`: 0.07 when left out.
 * @throws ShapeError or DTypeError for others, GradusError for an option out of its range.
 * @example supervisedContrastive(net.call(images), labels);
 */
export function supervisedContrastive(
  embeddings: Tensor,
  labels: Tensor,
  options: TemperatureOptions = {},
  ...surplus: never[]
): Tensor {
  const op = "supervisedContrastive";
  checkOptions<TemperatureOptions>(op, options, TEMPERATURE, surplus);
  checkEmbeddings(op, [embeddings]);
  const { positive } = labelPairs(labelsOf(op, labels, embeddings.shape[0]));
  const x = scaled(embeddings, options);
  const s = similarities(x, x, temperatureOf(op, embeddings, options, 0.07));
  const costs = sub(logSumExp(ofOthers(s), { axis: 1, keepDims: true }), s);
  const counts = sum(cast(positive, s.dtype), { axis: 1 });
  const losses = div(sum(where(positive, costs, 0), { axis: 1 }), maximum(counts, 1));
  return reduceCounted(op, losses, greater(counts, 0), options);
}

function scaled(x: Tensor, { normalize = true }: TemperatureOptions): Tensor {
  return normalize ? l2Normalize(x) : x;
}

/** τ for a batch of at least one example. */
function temperatureOf(
  op: string,
  { shape }: Tensor,
  options: TemperatureOptions,
  usual: number,
): number {
  const { temperature = usual } = options;
  checkPositive(op, { temperature });
  if (shape[0] > 0) return temperature;
  throw new ShapeError(`${op}: embeddings ${formatShape(shape)}; expected at least one row`);
}

/** xᵢ·yⱼ / τ */
function similarities(x: Tensor, y: Tensor, temperature: number): Tensor {
  return div(matmul(x, transpose(y)), temperature);
}

/** Similarities `[n, n]` with next to nothing where an example meets itself. */
function ofOthers(s: Tensor): Tensor {
  return where(withItself(s), -ENDLESS, s);
}
