import { beforeAll, describe, expect, test } from "vitest";
import { GPT } from "../../examples/gpt/network.ts";
import {
  compile,
  type Device,
  GradusError,
  grad,
  mean,
  ones,
  type Parameter,
  randomNormal,
  relu,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { saveSafetensors } from "../../src/io/index.ts";
import { parseSafetensors } from "../../src/io/safetensors.ts";
import {
  addLora,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  checkpointBlock,
  Embedding,
  Linear,
  loadState,
  loraState,
  type Module,
  mergeLora,
  removeLora,
  Sequential,
  unmergeLora,
  weightNorm,
} from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const TINY = { layers: 1, heads: 2, width: 4, context: 4, dropout: 0, seed: 1 };

const random = (seed: number, ...shape: number[]) => randomNormal(shape, { seed });
const values = async (x: Tensor) => [...(await x.data())] as number[];

/** A layer of each kind, its input, and how the product of its adapter's parts is indexed. */
interface Kind {
  readonly make: () => Linear | Conv2d | Conv1d | ConvTranspose2d | Embedding;
  readonly x: () => Tensor;
  readonly groups?: number;
}

const ids = () => tensor([3, 0, 4, 4, 1, 2], { shape: [2, 3], dtype: "i32" });

const KINDS: Record<string, Kind> = {
  linear: { make: () => new Linear(5, 3, { seed: 1 }), x: () => random(2, 4, 5) },
  "linear without bias": {
    make: () => new Linear(5, 3, { seed: 1, bias: false }),
    x: () => random(2, 2, 4, 5),
  },
  embedding: { make: () => new Embedding(5, 3, { seed: 1, paddingIndex: 4 }), x: ids },
  conv1d: { make: () => new Conv1d(3, 4, 3, { seed: 1, stride: 2 }), x: () => random(2, 2, 3, 9) },
  conv2d: {
    make: () => new Conv2d(3, 4, [3, 2], { seed: 1, padding: "same", dilation: 2 }),
    x: () => random(2, 2, 3, 6, 5),
  },
  "conv2d, channels last, reflected": {
    make: () =>
      new Conv2d(3, 4, 3, { seed: 1, padding: 1, paddingMode: "reflect", layout: "NHWC" }),
    x: () => random(2, 2, 5, 6, 3),
  },
  "conv2d in groups": {
    make: () => new Conv2d(4, 6, 3, { seed: 1, groups: 2 }),
    x: () => random(2, 2, 4, 5, 5),
    groups: 2,
  },
  "depthwise conv2d": {
    make: () => new Conv2d(2, 4, 3, { seed: 1, groups: 2, padding: 1 }),
    x: () => random(2, 2, 2, 5, 5),
    groups: 2,
  },
  "transposed conv2d": {
    make: () => new ConvTranspose2d(3, 4, 2, { seed: 1, stride: 2 }),
    x: () => random(2, 2, 3, 4, 4),
  },
  "transposed conv2d in groups": {
    make: () =>
      new ConvTranspose2d(4, 6, 3, { seed: 1, groups: 2, padding: 1, outputPadding: 1, stride: 2 }),
    x: () => random(2, 2, 4, 3, 3),
    groups: 2,
  },
};

/** ΔW by loops over its indices, from the definition. */
async function product(layer: Module, scale: number, groups = 1): Promise<number[]> {
  const { weight, loraA, loraB } = layer as unknown as Record<string, Parameter>;
  const [w, a, b] = [weight.shape, await values(loraA), await values(loraB)];
  const rank = layer instanceof Linear || layer instanceof Embedding ? loraA.shape[1] : 4;
  const taps = w.slice(2).reduce((n, size) => n * size, 1);
  const [rows, columns] = w;
  const inner = rank / groups;
  const at = (row: number, column: number, tap: number) => {
    let total = 0;
    for (let r = 0; r < (w.length === 2 ? rank : inner); r++) {
      if (w.length === 2) total += a[row * rank + r] * b[r * columns + column];
      else if (layer instanceof ConvTranspose2d) {
        const group = Math.floor(row / (rows / groups));
        total += a[(row * inner + r) * taps + tap] * b[(group * columns + column) * inner + r];
      } else {
        const group = Math.floor(row / (rows / groups));
        total += a[((group * inner + r) * columns + column) * taps + tap] * b[row * inner + r];
      }
    }
    return total * scale;
  };
  return Array.from({ length: rows * columns * taps }, (_, i) => {
    return at(Math.floor(i / taps / columns), Math.floor(i / taps) % columns, i % taps);
  });
}

describe.each(Object.entries(KINDS))("an adapter of a layer: %s", (_, { make, x, groups }) => {
  test("is nothing at first, and then what its product adds to the weight", async () => {
    using layer = make();
    using twin = make();
    const input = x();
    const before = await values(layer.call(input));
    addLora(layer, { rank: 4, alpha: 6, seed: 3 });
    const { loraA, loraB } = layer as unknown as Record<string, Parameter>;
    expect(layer.parameters()).toEqual([loraA, loraB]);
    expect(await values(layer.call(input))).toEqual(before);

    loraA.assign(random(5, ...loraA.shape));
    loraB.assign(random(6, ...loraB.shape));
    if (layer instanceof Embedding) {
      // The row of padding is trained by neither.
      const rows = await values(loraA);
      expect(await values(sum(grad(sum(layer.call(input)), [loraA])[0], { axis: 1 }))).toSatisfy(
        (sums: number[]) => sums[4] === 0 && sums[0] !== 0,
      );
      expect(rows).toHaveLength(20);
    }
    const delta = await product(layer, 6 / 4, groups);
    const own = await values(layer.weight);
    const moved = tensor(
      own.map((w, i) => w + delta[i]),
      { shape: [...layer.weight.shape] },
    );
    twin.weight.assign(moved);
    const expected = await values(twin.call(input));
    const near = (given: number[], limit: number) => {
      expect(given).toHaveLength(expected.length);
      for (const [i, y] of given.entries()) expect(Math.abs(y - expected[i])).toBeLessThan(limit);
    };
    near(await values(layer.call(input)), 2e-5);
    mergeLora(layer);
    near(await values(layer.call(input)), 2e-5);
    expect(Object.keys(layer)).not.toContain("forward");
    unmergeLora(layer);
    near(await values(layer.call(input)), 2e-5);
    const back = await values(layer.weight);
    for (const [i, w] of back.entries()) expect(Math.abs(w - own[i])).toBeLessThan(1e-6 * 20);
  });
});

const net = (seed = 1) =>
  new Sequential({
    encoder: new Sequential(new Linear(6, 8, { seed }), relu, new Linear(8, 4, { seed: seed + 1 })),
    head: new Linear(4, 2, { seed: seed + 2 }),
  });

test("a model keeps its names; what is added is saved and loaded alone", async () => {
  using model = net();
  const base = await saveSafetensors(model);
  const names = [...model.state().keys()];
  addLora(model, { rank: 2, match: "encoder", seed: 4 });
  expect([...model.state().keys()].filter((name) => !name.includes("lora"))).toEqual(names);
  expect([...loraState(model).keys()]).toEqual([
    "encoder.0.loraA",
    "encoder.0.loraB",
    "encoder.2.loraA",
    "encoder.2.loraB",
  ]);
  expect(model.parameters().map(({ name }) => name)).toEqual([...loraState(model).keys()]);
  expect(loadState(model, base, { strict: false })).toEqual({
    missing: [...loraState(model).keys()],
    unknown: [],
  });

  for (const state of loraState(model).values()) state.assign(random(8, ...state.shape));
  const x = random(9, 3, 6);
  const y = await values(model.call(x));
  const alone = await saveSafetensors(loraState(model));
  using other = addLora(net(), { rank: 2, match: /^encoder/ });
  loadState(loraState(other), alone);
  expect(await values(other.call(x))).toEqual(y);

  // In files of PyTorch they are called as PEFT calls them, and lie as there.
  const theirs = await saveSafetensors(loraState(model), {}, { to: "pytorch" });
  const { tensors } = parseSafetensors("test", theirs);
  expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
    ["encoder.0.lora_A.weight", [2, 6]],
    ["encoder.0.lora_B.weight", [8, 2]],
    ["encoder.2.lora_A.weight", [2, 8]],
    ["encoder.2.lora_B.weight", [4, 2]],
  ]);
  using third = addLora(net(), { rank: 2, match: ["encoder.0", /2$/] });
  loadState(loraState(third), theirs, { from: "pytorch" });
  expect(await values(third.call(x))).toEqual(y);
});

test("training changes the adapters alone, compiled, with dropout that stops in evaluation", async () => {
  using model = addLora(net(), { rank: 2, dropout: 0.25, seed: 4 });
  const frozen = async () => {
    const all = [...model.state()].filter(([name]) => !name.includes("lora"));
    return Promise.all(all.map(([, state]) => values(state)));
  };
  const before = await frozen();
  const [x, target] = [random(9, 16, 6), random(10, 16, 2)];
  const optimizer = new SGD(model.namedParameters(), { learningRate: 0.1 });
  const loss = (m: typeof model, { x, target }: { x: Tensor; target: Tensor }) =>
    mean(square(sub(m.call(x), target)));
  const first = await loss(model, { x, target }).item();
  const step = trainStep({ model, optimizer, loss });
  for (let i = 0; i < 20; i++) await step({ x, target });
  expect(await loss(model, { x, target }).item()).toBeLessThan(0.9 * first);
  expect(await frozen()).toEqual(before);
  const counters = [...model.state()].filter(([name]) => name.endsWith("loraDropout.step"));
  expect(counters).toHaveLength(3);
  for (const [, counter] of counters) expect(await counter.item()).toBe(20);
  step.dispose();
  optimizer.dispose();
});

test("a compiled function that is given the model notices adapters that come, merge and go", async () => {
  using layer = new Linear(3, 2, { seed: 1 });
  const run = compile((model: Linear, x: Tensor) => model.call(x));
  const x = ones([1, 3]);
  const plain = await values(await run(layer, x));
  addLora(layer, { rank: 1, seed: 2 });
  const { loraB } = layer as unknown as Record<string, Parameter>;
  loraB.assign(ones([1, 2]));
  const changed = await values(layer.call(x));
  expect(changed).not.toEqual(plain);
  expect(await values(await run(layer, x))).toEqual(changed);
  mergeLora(layer);
  const merged = await values(await run(layer, x));
  for (const [i, y] of merged.entries()) expect(y).toBeCloseTo(changed[i], 5);
  removeLora(unmergeLora(layer));
  const back = await values(await run(layer, x));
  for (const [i, y] of back.entries()) expect(y).toBeCloseTo(plain[i], 5);
  run.dispose();
});

describe("merged adapters", () => {
  const filled = (model: Sequential, seed: number) => {
    for (const state of loraState(model).values()) state.assign(random(seed, ...state.shape));
    return model;
  };
  const near = async (x: Tensor, expected: readonly number[]) => {
    for (const [i, y] of (await values(x)).entries()) {
      expect(Math.abs(y - expected[i])).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected[i])));
    }
  };

  test("are taken out as they went in, whatever is loaded meanwhile", async () => {
    using model = filled(addLora(net(), { rank: 2, match: "encoder" }), 8);
    using other = filled(addLora(net(), { rank: 2, match: "encoder" }), 18);
    const x = random(9, 3, 6);
    const own = await values(model.state().get("encoder.0.weight") as Tensor);
    const [mine, theirs] = [await values(model.call(x)), await values(other.call(x))];
    expect(mine).not.toEqual(theirs);
    mergeLora(model);
    loadState(loraState(model), loraState(other));
    await near(model.call(x), mine);
    unmergeLora(model);
    await near(model.state().get("encoder.0.weight") as Tensor, own);
    await near(model.call(x), theirs);
    await near(mergeLora(model).call(x), theirs);
  });

  test("are not counted twice by a model that a file of merged ones is loaded into", async () => {
    using model = filled(addLora(net(), { rank: 2, match: "head" }), 8);
    const x = random(9, 3, 6);
    const y = await values(model.call(x));
    const plain = await saveSafetensors(model);
    const bytes = await saveSafetensors(mergeLora(model));
    using other = addLora(net(5), { rank: 2, match: "head" });
    const both = "head.loraMergedA, head.loraMergedB";
    const rule = "expected exactly the names of the states";
    expect(() => loadState(other, bytes)).toThrow(`missing [], unknown [${both}]; ${rule}`);
    loadState(mergeLora(other), bytes);
    expect(await values(other.call(x))).toEqual(await values(model.call(x)));
    expect(() => loadState(other, plain)).toThrow(`missing [${both}], unknown []; ${rule}`);
    await near(unmergeLora(other).call(x), y);
    const alone = await saveSafetensors(removeLora(mergeLora(unmergeLora(model))));
    using bare = net(5);
    loadState(bare, alone);
    await near(bare.call(x), y);
  });

  test("are not counted twice, or left out, where files are loaded in part", async () => {
    using model = filled(addLora(net(), { rank: 2, match: "head" }), 8);
    const beside = await saveSafetensors(model);
    const bytes = await saveSafetensors(mergeLora(model));
    using other = addLora(net(5), { rank: 2, match: "head" });
    const before = await values(other.state().get("head.weight") as Tensor);
    const rule =
      "expected adapters that are merged in both or in neither. Call mergeLora, unmergeLora or removeLora before";
    const strict = false;
    expect(() => loadState(other, bytes, { strict })).toThrow(
      `loadState: "head.loraMergedA" without a state; ${rule}`,
    );
    mergeLora(other);
    for (const given of [beside, await saveSafetensors(net())]) {
      expect(() => loadState(other, given, { strict })).toThrow(
        `loadState: "head.loraMergedA" without a value; ${rule}`,
      );
    }
    await near(other.state().get("head.weight") as Tensor, before);
    // What has to do with no adapter is taken, and merged weights by a plain model.
    const encoder = new Map([...model.state()].filter(([name]) => name.startsWith("encoder")));
    expect(loadState(other, encoder, { strict }).unknown).toEqual([]);
    using bare = net(5);
    const x = random(9, 3, 6);
    loadState(bare, bytes, { strict });
    await near(bare.call(x), await values(model.call(x)));
  });
});

test("adapters of other layers stay trained, or frozen, when more are added", () => {
  using model = addLora(net(), { match: "encoder.0" });
  addLora(model, { match: "head" });
  expect(model.parameters().map(({ name }) => name)).toEqual([
    "encoder.0.loraA",
    "encoder.0.loraB",
    "head.loraA",
    "head.loraB",
  ]);
  addLora(model.freeze(/^head/), { match: "encoder.2" });
  expect(model.parameters().map(({ name }) => name.replace(/\.lora.$/, ""))).toEqual([
    "encoder.0",
    "encoder.0",
    "encoder.2",
    "encoder.2",
  ]);
});

test("an adapter of a model in training mode drops elements", async () => {
  using model = addLora(new Linear(64, 2, { seed: 1 }).train(), { dropout: 0.5, seed: 2 });
  (model.state().get("loraB") as Parameter).assign(random(3, 8, 2));
  const x = random(4, 1, 64);
  expect(await values(model.call(x))).not.toEqual(await values(model.call(x)));
  expect(await model.state().get("loraDropout.step")?.item()).toBe(2);
});

test("it notices adapters in a layer that other things lie around, and new ones each time", async () => {
  for (const wrap of [checkpointBlock<Linear>, (layer: Linear) => layer]) {
    using layer = wrap(new Linear(3, 2, { seed: 1 }));
    const run = compile((model: Linear, x: Tensor) => model.call(x));
    const x = ones([1, 3]);
    for (const seed of [2, 3]) {
      addLora(layer, { rank: 2, seed });
      const { loraB } = layer as unknown as Record<string, Parameter>;
      loraB.assign(random(seed, 2, 2));
      const wanted = await values(layer.call(x));
      const near = async () => {
        for (const [i, y] of (await values(await run(layer, x))).entries()) {
          expect(y).toBeCloseTo(wanted[i], 5);
        }
      };
      await near();
      mergeLora(layer);
      await near();
      unmergeLora(layer);
      await near();
      removeLora(layer);
    }
    run.dispose();
  }
});

test("steps and what is attached to them notice adapters that come, merge and go", async () => {
  using model = net();
  const x = random(9, 3, 6);
  const { optimizer, step } = stepOf(model);
  const predict = step.attach((m, x: Tensor) => m.call(x));
  const near = async () => {
    const wanted = await values(model.call(x));
    for (const [i, y] of (await values(await predict(x))).entries()) {
      expect(y).toBeCloseTo(wanted[i], 5);
    }
  };
  const lossOf = async () => {
    const { loss } = (await step.read()).at(-1) as { loss: number };
    return loss;
  };
  await near();
  await step({ x });
  await step.read();
  addLora(model, { rank: 2, seed: 4 });
  for (const state of loraState(model).values()) state.assign(random(8, ...state.shape));
  const [before] = [await mean(square(model.call(x))).item(), await near()];
  await step({ x });
  expect(await lossOf()).toBeCloseTo(before, 4);
  mergeLora(model);
  const merged = await mean(square(model.call(x))).item();
  await near();
  await step({ x });
  expect(await lossOf()).toBeCloseTo(merged, 4);
  removeLora(model);
  await near();
  step.dispose();
  optimizer.dispose();
});

const stepOf = (model: ReturnType<typeof net>) => {
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
  const loss = (m: typeof model, { x }: { x: Tensor }) => mean(square(m.call(x)));
  return { optimizer, step: trainStep({ model, optimizer, loss }) };
};

test("adapters that are taken off leave nothing behind", async () => {
  using model = net();
  const names = [...model.state().keys()];
  let before = 0;
  for (const merge of [true, false, true]) {
    addLora(model, { dropout: 0.1 });
    if (merge) mergeLora(model);
    removeLora(model);
    expect([...model.state().keys()]).toEqual(names);
    before ||= held(device); // when weights have been assigned
  }
  expect(held(device)).toBe(before);
  expect(model.parameters()).toEqual([]);
  expect(model.unfreeze().parameters()).toHaveLength(6);
});

test("refuses what cannot be adapted, and changes nothing then", () => {
  using model = net();
  const any = (x: unknown) => x as never;
  const refused = (fn: () => unknown, message: string, Kind = GradusError) =>
    expect(fn).toThrow(new Kind(message));
  refused(
    () => addLora(model, { match: /decoder/ }),
    'addLora: match meets no layer; expected some of "encoder.0", "encoder.2", "head"',
  );
  refused(
    () => addLora(model, { match: any(3) }),
    "addLora: match 3; expected a regular expression, a name, an array of these or a function",
  );
  refused(() => addLora(any({})), "addLora: model is an object; expected a module");
  refused(
    () => addLora(model, { rank: 0 }),
    "addLora: rank 0; expected a positive integer",
    ShapeError,
  );
  refused(() => addLora(model, { alpha: 0 }), "addLora: alpha 0; expected a finite number above 0");
  refused(
    () => addLora(new Conv2d(4, 4, 3, { groups: 4 }), { rank: 2 }),
    "addLora: rank 2 for a convolution of 4 groups; expected a multiple of 4",
    ShapeError,
  );
  refused(
    () => addLora(weightNorm(new Linear(2, 2))),
    'addLora: layer "" has as weight a Tensor; expected a parameter',
  );
  for (const call of [mergeLora, unmergeLora, removeLora, loraState]) {
    refused(
      () => call(model),
      `${call.name}: a model without adapters; expected one that addLora was given`,
    );
  }
  const mixed = new Sequential(new Linear(4, 4), new Conv2d(4, 4, 3, { groups: 4 }));
  const before = held(device);
  refused(
    () => addLora(mixed, { rank: 2, dropout: 0.1 }),
    "addLora: rank 2 for a convolution of 4 groups; expected a multiple of 4",
    ShapeError,
  );
  expect(held(device)).toBe(before);
  expect(mixed.parameters()).toHaveLength(4);
  expect(model.parameters()).toHaveLength(6);
  addLora(model, { match: (name, layer) => name === "head" && layer instanceof Linear });
  refused(
    () => addLora(model),
    'addLora: layer "head" has an adapter; expected none. Call removeLora before',
  );
  refused(
    () => unmergeLora(model),
    "unmergeLora: adapters are unmerged already; expected some that are not",
  );
});

test("a weight that is computed by now is neither merged nor taken out again", () => {
  const given = 'layer "" has as weight a Tensor; expected a parameter';
  const merged = weightNorm(mergeLora(addLora(new Linear(2, 2))));
  expect(() => unmergeLora(merged)).toThrow(new GradusError(`unmergeLora: ${given}`));
  const unmerged = weightNorm(addLora(new Linear(2, 2)));
  expect(() => mergeLora(unmerged)).toThrow(new GradusError(`mergeLora: ${given}`));
});

test("a weight that a model uses for its logits too is not merged", async () => {
  using model = addLora(new GPT(7, TINY), { rank: 2, seed: 1 });
  for (const state of loraState(model).values()) state.assign(random(8, ...state.shape));
  const tokens = tensor([3, 0, 4, 4, 1, 2], { shape: [2, 3], dtype: "i32" });
  const before = await values(model.call(tokens));
  expect([...model.state().keys()]).not.toContain("tied");
  expect(() => mergeLora(model)).toThrow(
    new GradusError(
      'mergeLora: the weight of "tokens" is that of 2 modules; expected one of its own. ' +
        "Leave the adapter beside it",
    ),
  );
  expect(await values(model.call(tokens))).toEqual(before);
});

test("weights that layers share are not merged", () => {
  const words = new Embedding(5, 5, { seed: 1 });
  const out = new Linear(5, 5, { bias: false });
  Object.assign(out, { weight: words.weight });
  using model = addLora(new Sequential({ words, out }), { match: "words" });
  expect(() => mergeLora(model)).toThrow(
    new GradusError(
      'mergeLora: the weight of "words" is that of 2 modules; expected one of its own. ' +
        "Leave the adapter beside it",
    ),
  );
});
