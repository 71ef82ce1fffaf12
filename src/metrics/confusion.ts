import { checkOptions, checkSizes, checkWords, type Known } from "../core/check.ts";
import { dtypesOf, either, is, isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { checkArguments, checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, div, mul } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { equal, notEqual } from "../ops/compare.ts";
import { eye, hotRows } from "../ops/creation.ts";
import { matmul } from "../ops/matmul.ts";
import { argmax, mean, sum } from "../ops/reduce.ts";
import { transpose } from "../ops/reshape.ts";
import { where } from "../ops/where.ts";
import { holdsNaN } from "./nan-rows.ts";

/**
 * Counts how often examples of class i were taken for class j. Matrices of batches add up, so that
 * `precision`, `recall` and `f1` of a whole set need no more than their sum.
 * @param predictions integers `[n]`, or logits or probabilities `[n, c]`, of which the largest
 *   counts (the first of equal ones). Scores with NaN count as wrong: as taken for the first class
 *   that is not the label's.
 * @param labels integers `[n]`. A pair with a class outside `[0, classes)` is not counted.
 * @param classes c, from 1.
 * @returns `[c, c]`, f32 (exact up to 2²⁴): rows are labels, columns predictions.
 * @throws ShapeError or DTypeError for other shapes and dtypes.
 * @example
 * const total = add(confusionMatrix(logits, labels, 10), before);
 */
export function confusionMatrix(
  predictions: Tensor,
  labels: Tensor,
  classes: number,
  ...surplus: never[]
): Tensor {
  checkArguments("confusionMatrix(predictions, labels, classes)", [predictions, labels], surplus);
  checkSizes("confusionMatrix", { classes });
  const isScores = isFloat(predictions.dtype);
  const [n] = labels.shape;
  const [rows, columns] = predictions.shape;
  const rank = isScores ? 2 : 1;
  const fits = predictions.rank === rank && rows === n && (!isScores || columns === classes);
  if (!fits || labels.rank !== 1) {
    throw new ShapeError(
      `confusionMatrix: predictions ${formatShape(predictions.shape)} with labels ` +
        `${formatShape(labels.shape)}; expected integers [n] or scores [n, ${classes}], labels [n]`,
    );
  }
  const { dtype } = labels;
  if (!is(dtype, "integer") || is(predictions.dtype, "bool")) {
    throw new DTypeError(
      `confusionMatrix: predictions have dtype ${predictions.dtype}, labels ${dtype}; ` +
        `expected ${either(dtypesOf("integer"))} labels`,
    );
  }
  const found = isScores ? decided(predictions, labels) : predictions;
  // C = Lᵀ P of one-hot rows
  return matmul(transpose(hotRows(labels, classes)), hotRows(found, classes));
}

/** The class with the largest score, or a wrong one where a score is NaN. */
function decided(scores: Tensor, labels: Tensor): Tensor {
  const wrong = cast(equal(cast(labels, "i32"), 0), "i32"); // class 1 where the label is 0, else 0
  return where(holdsNaN(scores), wrong, argmax(scores, { axis: 1 }));
}

/** How numbers of single classes become one: not at all, their mean, or from the sums of counts. */
export type Average = "none" | "macro" | "micro";

/** Options of `precision`, `recall` and `f1`. */
export interface AverageOptions {
  /** `macro` when left out. */
  average?: Average;
}

const AVERAGE: Known<AverageOptions> = { average: "string" };

/**
 * Computes precision, the share of what was taken for a class that is of it: TP / (TP + FP).
 * @param confusion counts `[c, c]` as `confusionMatrix` gives them.
 * @returns a scalar, or `[c]` with `average: "none"`; 0 for a class that nothing was taken for.
 * @throws ShapeError for a matrix that is not square, GradusError for another average.
 * @example await precision(confusionMatrix(logits, labels, 10)).item();
 */
export function precision(
  confusion: Tensor,
  options: AverageOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("precision", options, AVERAGE, surplus);
  return rate("precision", confusion, options, ({ taken }) => taken);
}

/**
 * Computes recall, the share of a class that was found: TP / (TP + FN).
 * @param confusion counts `[c, c]` as `confusionMatrix` gives them.
 * @returns a scalar, or `[c]` with `average: "none"`; 0 for a class without examples.
 * @throws ShapeError for a matrix that is not square, GradusError for another average.
 * @example await recall(confusion, { average: "none" }).data();
 */
export function recall(
  confusion: Tensor,
  options: AverageOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("recall", options, AVERAGE, surplus);
  return rate("recall", confusion, options, ({ there }) => there);
}

/**
 * Computes F1, the harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN). The macro
 * average is the mean of the classes' F1.
 * @param confusion counts `[c, c]` as `confusionMatrix` gives them.
 * @returns a scalar, or `[c]` with `average: "none"`; 0 for a class that never occurs.
 * @throws ShapeError for a matrix that is not square, GradusError for another average.
 * @example await f1(confusion, { average: "macro" }).item();
 */
export function f1(confusion: Tensor, options: AverageOptions = {}, ...surplus: never[]): Tensor {
  checkOptions("f1", options, AVERAGE, surplus);
  return rate("f1", confusion, options, ({ taken, there }) => mul(add(taken, there), 0.5));
}

/** Counts of each class, `[c]`: what was taken for it, and what is of it. */
interface ClassCounts {
  readonly taken: Tensor;
  readonly there: Tensor;
}

function rate(
  op: string,
  confusion: Tensor,
  { average = "macro" }: AverageOptions,
  whole: (counts: ClassCounts) => Tensor,
): Tensor {
  checkTensors(op, [confusion]);
  const { shape, dtype, device } = confusion;
  const [c] = shape;
  if (!sameShape(shape, [c, c])) {
    throw new ShapeError(`${op}: shape ${formatShape(shape)}; expected a square [c, c]`);
  }
  checkWords(op, { average }, ["none", "macro", "micro"]);
  const total = (x: Tensor) => (average === "micro" ? sum(x) : x);
  const right = sum(mul(confusion, eye(c, c, { dtype, device })), { axis: 1 });
  const taken = sum(confusion, { axis: 0 });
  const of = total(whole({ taken, there: sum(confusion, { axis: 1 }) }));
  const some = notEqual(of, 0);
  const rates = where(some, div(total(right), where(some, of, 1)), 0);
  return average === "macro" ? mean(rates) : rates;
}
