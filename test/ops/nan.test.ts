import { beforeAll, describe, expect, test } from "vitest";
import { type Device, type Tensor, tensor } from "../../src/index.ts";
import * as losses from "../../src/losses/index.ts";
import * as metrics from "../../src/metrics/index.ts";
import { embeddingLossCases } from "../cases/embeddings.ts";
import { lossCases } from "../cases/losses.ts";
import { pairLossCases } from "../cases/pair-losses.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { type Call, draw, type Input, type OpCase, place } from "../support/op-case.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** Some places in an input: its ends and two between. */
function places(size: number): number[] {
  return [...new Set([0, Math.floor(size / 3), Math.floor((2 * size) / 3), size - 1])];
}

/** What a call gives with NaN at one place of one input. */
async function spoiled(call: Call, input: number, at: number): Promise<ArrayLike<number>> {
  const values = draw(call, 11);
  values[input][at] = Number.NaN;
  const inputs = place(call, values, device, "f32");
  const y = call.run(...inputs);
  const read = await y.data();
  for (const x of [y, ...inputs]) x.dispose();
  return read;
}

const sizeOf = ({ shape }: Input) => shape.reduce((a, b) => a * b, 1);

/** Which inputs of a call hold floats. */
const floatsOf = ({ inputs }: Call) =>
  inputs.flatMap((input, k) => ((input.dtype ?? "f32") === "f32" && sizeOf(input) > 0 ? [k] : []));

/** All calls in Node; in the browser, where each is a kernel to compile, the smallest. */
function chosen(calls: readonly Call[]): Call[] {
  const size = ({ inputs }: Call) => inputs.reduce((sum, input) => sum + sizeOf(input), 0);
  const usable = calls.filter((call) => floatsOf(call).length > 0);
  return inBrowser ? usable.sort((a, b) => size(a) - size(b)).slice(0, 1) : usable;
}

describe("losses of NaN are NaN, wherever it stands", () => {
  const table: [string, OpCase][] = Object.entries({
    ...lossCases,
    ...embeddingLossCases,
    ...pairLossCases,
  });
  for (const [name, { calls }] of table) {
    for (const call of chosen(calls)) {
      test(`${name} ${calls.indexOf(call) + 1}`, async () => {
        for (const k of floatsOf(call)) {
          const size = sizeOf(call.inputs[k]);
          for (const at of places(size)) {
            const y = await spoiled(call, k, at);
            const where = `input ${k}, element ${at}`;
            expect(Array.from(y).some(Number.isNaN), where).toBe(true);
          }
        }
      });
    }
  }
});

const N = Number.NaN;
const t = (values: number[] | number[][], dtype: "f32" | "i32" = "f32") =>
  tensor(values, { dtype });
const labels = (...values: number[]) => t(values, "i32");

test("NaN is no mask: it counts beside a target of 0, where −∞ does not", async () => {
  const target = t([[1, 0]]);
  const y = (x: number) => t([[-1, x]]);
  for (const loss of [losses.negativeLogLikelihood, losses.klDivergence]) {
    expect(await loss(y(Number.NEGATIVE_INFINITY), target).item()).toBe(1);
    expect(await loss(y(N), target).item()).toBeNaN();
  }
  expect(await losses.focal(y(N), target).item()).toBeNaN();
  expect(await losses.crossEntropy(y(N), t([[0, 0]])).item()).toBeNaN();
  expect(await losses.klDivergence(y(-2), t([[1, -1]])).item()).toBeNaN(); // no distribution
});

/** Metrics of predictions of which some are NaN, and what they are if those count as wrong. */
const WRONG: Record<string, [() => Tensor, unknown]> = {
  correct: [
    () =>
      metrics.correct(
        t([
          [N, N],
          [0, N],
          [N, 0],
          [0, 1],
        ]),
        labels(0, 1, 0, 1),
      ),
    [0, 0, 0, 1],
  ],
  "correct of soft labels": [
    () =>
      metrics.correct(
        t([
          [2, 1],
          [2, 1],
        ]),
        t([
          [N, 0],
          [1, 0],
        ]),
      ),
    [0, 1],
  ],
  accuracy: [
    () =>
      metrics.accuracy(
        t([
          [N, 1],
          [2, 1],
        ]),
        labels(0, 0),
      ),
    0.5,
  ],
  topKAccuracy: [
    () =>
      metrics.topKAccuracy(
        t([
          [2, 1, N],
          [N, 1, 0],
          [2, 1, 0],
          [N, N, N],
        ]),
        labels(0, 1, 0, 0),
        2,
      ),
    0.25,
  ],
  confusionMatrix: [
    () =>
      metrics.confusionMatrix(
        t([
          [N, N],
          [N, 1],
          [0, N],
          [1, 0],
        ]),
        labels(0, 1, 1, 0),
        2,
      ),
    [
      [1, 1],
      [2, 0],
    ],
  ],
  binaryAccuracy: [() => metrics.binaryAccuracy(t([N, N, 0.2, 0.8]), labels(0, 1, 0, 1)), 0.5],
  "binaryAccuracy of targets": [() => metrics.binaryAccuracy(t([0.1, 0.8]), t([N, 1])), 0.5],
  nearest: [() => metrics.nearest(t([[N], [1], [9]]), t([[0], [N], [10]])), [-1, 0, 2]],
  rank1: [
    () =>
      metrics.rank1(
        t([[N], [1], [9], [9]]),
        labels(0, 0, 5, 1),
        t([[0], [N], [10]]),
        labels(0, 1, 5),
      ),
    0.5,
  ],
  r2Score: [() => metrics.r2Score(t([N, 1]), t([0, 1])), N],
  "r2Score of targets": [() => metrics.r2Score(t([0, 1]), t([N, 1])), N],
  "r2Score of equal targets": [() => metrics.r2Score(t([N, 1]), t([1, 1])), N],
  spreadRatio: [
    () => metrics.spreadRatio(t([[N], [1], [2], [3]]), labels(0, 0, 1, 1), { classes: 2 }),
    N,
  ],
  precision: [
    () =>
      metrics.precision(
        t([
          [N, 0],
          [0, 1],
        ]),
      ),
    N,
  ],
  recall: [
    () =>
      metrics.recall(
        t([
          [1, N],
          [0, 1],
        ]),
        { average: "none" },
      ),
    [N, 1],
  ],
  f1: [
    () =>
      metrics.f1(
        t([
          [1, 0],
          [N, 1],
        ]),
        { average: "micro" },
      ),
    N,
  ],
} satisfies Record<Exclude<keyof typeof metrics, "verificationAccuracy">, [() => Tensor, unknown]> &
  Record<string, [() => Tensor, unknown]>;

describe("metrics count NaN as wrong, or are NaN", () => {
  for (const [name, [run, is]] of Object.entries(WRONG)) {
    test(name, async () => expect(await run().toArray()).toEqual(is));
  }

  test("verificationAccuracy refuses it", async () => {
    const same = tensor([true, false], { device });
    await expect(metrics.verificationAccuracy(t([N, 1]), same)).rejects.toThrow(
      "verificationAccuracy: a score is NaN; expected numbers",
    );
  });
});
