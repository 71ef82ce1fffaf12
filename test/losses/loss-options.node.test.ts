import { beforeAll, describe, expect, test } from "vitest";
import { GradusError, reshape, ShapeError, type Tensor, tensor } from "../../src/index.ts";
import type { LossOptions } from "../../src/losses/index.ts";
import * as losses from "../../src/losses/index.ts";
import { testDevice } from "../support/device.ts";

let y: Tensor; // [2, 2], shares and logits alike
let labels: Tensor;
beforeAll(async () => {
  await testDevice();
  y = tensor([
    [0.25, 0.75],
    [0.5, 0.5],
  ]);
  labels = tensor([0, 1], { dtype: "i32" });
});

type Losses = typeof losses;
/** Whether something is an object of options with a reduction among them. */
type HasReduction<T> = T extends object ? ("reduction" extends keyof T ? true : never) : never;
/** The functions that take options of losses. */
type Taker = {
  [K in keyof Losses]: Losses[K] extends (...args: infer P) => Tensor
    ? true extends HasReduction<P[number]>
      ? K
      : never
    : never;
}[keyof Losses];

const calls: Record<Taker, (options: LossOptions) => Tensor> = {
  binaryCrossEntropy: (options) => losses.binaryCrossEntropy(y, y, options),
  binaryCrossEntropyWithLogits: (options) => losses.binaryCrossEntropyWithLogits(y, y, options),
  binaryFocal: (options) => losses.binaryFocal(y, y, options),
  categoricalCrossEntropy: (options) => losses.categoricalCrossEntropy(y, y, options),
  categoricalHinge: (options) => losses.categoricalHinge(y, labels, options),
  centerLoss: (options) => losses.centerLoss(y, labels, y, options),
  circle: (options) => losses.circle(y, labels, options),
  contrastive: (options) => losses.contrastive(y, y, labels, options),
  cosineDistance: (options) => losses.cosineDistance(y, y, options),
  ctc: (options) =>
    losses.ctc(reshape(y, [2, 1, 2]), reshape(labels, [2, 1]), labels, labels, options),
  dice: (options) => losses.dice(y, y, options),
  infoNCE: (options) => losses.infoNCE(y, y, options),
  marginRanking: (options) => losses.marginRanking(y, y, y, options),
  multiSimilarity: (options) => losses.multiSimilarity(y, labels, options),
  ntXent: (options) => losses.ntXent(y, y, options),
  supervisedContrastive: (options) => losses.supervisedContrastive(y, labels, options),
  crossEntropy: (options) => losses.crossEntropy(y, labels, options),
  focal: (options) => losses.focal(y, labels, options),
  gaussianNLL: (options) => losses.gaussianNLL(y, y, y, options),
  hinge: (options) => losses.hinge(y, y, options),
  huber: (options) => losses.huber(y, y, options),
  klDivergence: (options) => losses.klDivergence(y, y, options),
  l2Loss: (options) => losses.l2Loss(y, y, options),
  logCosh: (options) => losses.logCosh(y, y, options),
  meanAbsoluteError: (options) => losses.meanAbsoluteError(y, y, options),
  meanAbsolutePercentageError: (options) => losses.meanAbsolutePercentageError(y, y, options),
  meanSquaredError: (options) => losses.meanSquaredError(y, y, options),
  meanSquaredLogarithmicError: (options) => losses.meanSquaredLogarithmicError(y, y, options),
  multiMargin: (options) => losses.multiMargin(y, labels, options),
  multiclassHinge: (options) => losses.multiclassHinge(y, labels, options),
  negativeLogLikelihood: (options) => losses.negativeLogLikelihood(y, labels, options),
  pinball: (options) => losses.pinball(y, y, options),
  poissonNLL: (options) => losses.poissonNLL(y, y, options),
  quadratic: (options) => losses.quadratic(y, y, options),
  smoothL1: (options) => losses.smoothL1(y, y, options),
  squaredHinge: (options) => losses.squaredHinge(y, y, options),
  sumOfSquares: (options) => losses.sumOfSquares(y, y, options),
  triplet: (options) => losses.triplet(y, y, y, options),
  tripletMined: (options) => losses.tripletMined(y, labels, options),
};

describe.each(Object.entries(calls))("%s", (name, run) => {
  test("refuses in its own name a reduction that is none, weights that do not fit, and others", () => {
    expect(() => run({ reduction: "avg" as never })).toThrow(
      new GradusError(`${name}: reduction avg; expected mean, sum, none`),
    );
    const weights = tensor([1, 2, 3]);
    expect(() => run({ weights })).toThrow(ShapeError);
    expect(() => run({ weights })).toThrow(`${name}: weights [3]; expected `);
    expect(() => run({ weights: [1, 2] as never })).toThrow(`${name}: weights `);
    expect(() => run({ reductoin: "sum" } as never)).toThrow(`${name}: unknown option "reductoin"`);
  });

  test("takes undefined as left out", async () => {
    const options = { reduction: undefined, weights: undefined };
    expect(await run(options).data()).toEqual(await run({}).data());
  });

  test("gives the losses one by one, their sum, and both weighed", async () => {
    const each = run({ reduction: "none" });
    const values = [...(await each.data())];
    const total = values.reduce((a, b) => a + b, 0);
    expect(await run({ reduction: "sum" }).item()).toBeCloseTo(total, 4);
    const weights = tensor([2, 0]);
    const half = values.slice(0, values.length / 2); // those of the first example
    const weighed = half.map((value) => 2 * value);
    const rest = half.map(() => 0);
    const found = [...(await run({ reduction: "none", weights }).data())];
    [...weighed, ...rest].forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 4);
    });
  });
});
