import { beforeAll, describe, expect, test } from "vitest";
import { randomBits, uniformFromBits } from "../../src/core/random.ts";
import {
  add,
  foldIn,
  GradusError,
  gelu,
  grad,
  greater,
  keyFromSeed,
  mean,
  ones,
  randomNormal,
  relu,
  ShapeError,
  square,
  sum,
  type Tensor,
  tensor,
  tril,
} from "../../src/index.ts";
import {
  BatchNorm1d,
  checkpointBlock,
  Dropout,
  DropPath,
  Linear,
  Module,
  Sequential,
  TransformerEncoderLayer,
} from "../../src/nn/index.ts";
import { AdamW, OptimizerGroup, SGD, splitByName } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { ownDevice, testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

describe("checkpointBlock", () => {
  const block = (seed: number) =>
    new Sequential(
      new Linear(6, 6, { seed }),
      new BatchNorm1d(6),
      gelu,
      new Dropout(0.25, { seed }),
      new Linear(6, 6, { seed: seed + 1 }),
    );
  const net = (isCheckpointed: boolean) => {
    const blocks = [block(1), block(3), block(5)];
    if (isCheckpointed) blocks.map((one) => checkpointBlock(one));
    return new Sequential(...blocks);
  };

  test("gives the same values, gradients, counters and statistics, bit for bit", async () => {
    const run = async (isCheckpointed: boolean) => {
      using model = net(isCheckpointed);
      const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
      const step = trainStep({
        model,
        optimizer,
        loss: (m: typeof model, { x }: { x: Tensor }) => mean(square(m.call(x))),
      });
      for (let i = 0; i < 4; i++) await step({ x: randomNormal([8, 6], { seed: 9 }) });
      const losses = (await step.read()).map(({ loss }) => loss);
      const states = [...model.state()].map(async ([name, s]) => [name, [...(await s.data())]]);
      const all = await Promise.all(states);
      step.dispose();
      return { losses, all };
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test("keeps less for the gradient", async () => {
    const own = await ownDevice();
    const peak = async (isCheckpointed: boolean) => {
      const blocks = Array.from({ length: 6 }, (_, i) => {
        const one = new Sequential(
          new Linear(16, 64, { seed: i, device: own }),
          gelu,
          new Linear(64, 16, { seed: i + 9, device: own }),
        );
        return isCheckpointed ? checkpointBlock(one) : one;
      });
      using model = new Sequential(...blocks);
      const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
      const step = trainStep({
        model,
        optimizer,
        loss: (m: typeof model, { x }: { x: Tensor }) => mean(square(m.call(x))),
      });
      const plan = await step.prepare({ x: randomNormal([256, 16], { device: own }) });
      const { peakBytes } = await plan.stats();
      step.dispose();
      return peakBytes;
    };
    const [plain, less] = [await peak(false), await peak(true)];
    expect(less).toBeLessThan(0.6 * plain);
    await testDevice();
  });

  test("passes all inputs on, and gradients to each", async () => {
    using layer = new TransformerEncoderLayer(8, 2, { dimFeedforward: 16, dropout: 0, seed: 1 });
    const x = randomNormal([2, 5, 8], { seed: 2 });
    const mask = greater(tril(ones([5, 5])), 0);
    const run = async () => {
      const loss = sum(square(layer.call(x, { mask })));
      const slopes = grad(loss, [x, ...layer.parameters()]);
      return Promise.all([loss, ...slopes].map(async (y) => [...(await y.data())]));
    };
    const [plain, unmasked] = [await run(), await sum(square(layer.call(x))).item()];
    checkpointBlock(layer);
    expect(await run()).toEqual(plain);
    expect(plain[0]).not.toEqual([unmasked]);
  });

  test("takes as many inputs, and refuses what is no module", () => {
    class Two extends Module {
      linear = new Linear(2, 2);
      override forward(x: Tensor): Tensor {
        return this.linear.call(x);
      }
    }
    using two = checkpointBlock(new Two());
    expect(two.forward.length).toBe(1);
    expect([...two.state().keys()]).toEqual(["linear.weight", "linear.bias"]);
    expect(() => checkpointBlock(relu as never)).toThrow(
      new GradusError("checkpointBlock: module is a function; expected a module"),
    );
  });
});

describe("DropPath", () => {
  test("drops whole examples and scales the others, anew in each call", async () => {
    using path = new DropPath(0.4, { seed: 7 }).train();
    const x = randomNormal([20, 3, 2], { seed: 1 });
    const given = [...(await x.data())];
    for (const step of [0, 1]) {
      const y = [...(await path.call(x).data())];
      const bits = randomBits(foldIn(keyFromSeed(7), step), 20);
      for (const [i, word] of [...bits].entries()) {
        const isKept = uniformFromBits(word) < 0.6;
        const expected = given.slice(6 * i, 6 * i + 6).map((v) => (isKept ? v / 0.6 : 0));
        for (const [k, v] of expected.entries()) expect(y[6 * i + k]).toBeCloseTo(v, 5);
      }
    }
    expect([...(await path.eval().call(x).data())]).toEqual(given);
  });

  test("leaves a residual branch out for an example, and its gradient", async () => {
    using branch = new Linear(2, 2, { seed: 1 });
    using path = new DropPath(0.5, { seed: 3 }).train();
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
      [9, 1],
      [2, 3],
    ]);
    const y = add(x, path.call(branch.call(x)));
    const [dx] = grad(sum(y), [x]);
    const isOut = [...(await y.data())].map((v, i) =>
      i % 2 ? false : v === [1, 3, 5, 7, 9, 2][i / 2],
    );
    const out = [0, 2, 4, 6, 8, 10].filter((i) => isOut[i]).length;
    expect(out).toBeGreaterThan(0);
    expect(out).toBeLessThan(6);
    const slopes = [...(await dx.data())];
    for (let i = 0; i < 6; i++) expect(slopes[2 * i] === 1).toBe(isOut[2 * i]);
  });

  test("refuses rates out of range, and scalars", () => {
    for (const rate of [undefined, 1, -0.1, "0.1"]) {
      const told = typeof rate === "string" ? `"${rate}"` : `${rate}`;
      expect(() => new DropPath(rate as never)).toThrow(
        new GradusError(`DropPath: rate ${told}; expected a number from 0 and below 1`),
      );
    }
    expect(() => new DropPath(0.1).train().call(tensor(1))).toThrow(
      new ShapeError("DropPath: input []; expected [n, …]"),
    );
  });
});

describe("splitByName", () => {
  const net = () =>
    new Sequential({
      hidden: new Linear(3, 2, { seed: 1 }),
      relu,
      head: new Linear(2, 1, { seed: 2 }),
    });
  const keys = (parts: ReadonlyMap<string, unknown>[]) => parts.map((part) => [...part.keys()]);

  test("parts parameters by expression, name, array and function", () => {
    using model = net();
    const named = model.namedParameters();
    const biases = [
      ["hidden.bias", "head.bias"],
      ["hidden.weight", "head.weight"],
    ];
    expect(keys(splitByName(named, /bias$/))).toEqual(biases);
    expect(keys(splitByName(named, /bias$/g))).toEqual(biases);
    expect(keys(splitByName(named, (_, p) => p.rank === 1))).toEqual(biases);
    const head = [
      ["head.weight", "head.bias"],
      ["hidden.weight", "hidden.bias"],
    ];
    expect(keys(splitByName(named, "head"))).toEqual(head);
    expect(keys(splitByName(named, ["head.weight", /^head\.b/]))).toEqual(head);
  });

  test("weights decay, biases do not", async () => {
    using model = net();
    const [weights, others] = splitByName(model.namedParameters(), /weight$/);
    const optimizer = new OptimizerGroup([
      new AdamW(weights, { learningRate: 0.1, weightDecay: 0.5 }),
      new AdamW(others, { learningRate: 0.1, weightDecay: 0 }),
    ]);
    const bias = model.state().get("head.bias");
    bias?.assign(tensor([2]));
    const before = [...((await model.state().get("head.weight")?.data()) ?? [])] as number[];
    // No gradient: only decay moves, p ← p − learningRate · λ p.
    optimizer.step(
      sum([...model.parameters()].map((p) => sum(p).mul(0)).reduce((a, b) => add(a, b))),
    );
    const after = [...((await model.state().get("head.weight")?.data()) ?? [])] as number[];
    for (const [i, w] of after.entries()) expect(w).toBeCloseTo(before[i] * 0.95, 6);
    expect(await bias?.toArray()).toEqual([2]);
    optimizer.dispose();
  });

  test("refuses a list, what parts nothing, and what is no pattern", () => {
    using model = net();
    const named = model.namedParameters();
    const refused = (fn: () => unknown, message: string) =>
      expect(fn).toThrow(new GradusError(`splitByName: ${message}`));
    refused(
      () => splitByName(model.parameters() as never, /bias/),
      "parameters are an array; expected a Map. Use model.namedParameters()",
    );
    refused(() => splitByName(named, /none/), "0 of 4 parameters match; expected some, not all");
    refused(() => splitByName(named, /./), "4 of 4 parameters match; expected some, not all");
    for (const match of [[], [3], undefined]) {
      refused(
        () => splitByName(named, match as never),
        `match ${match ? "an array" : "undefined"}; expected a regular expression, a name, an array of these or a function`,
      );
    }
  });
});
