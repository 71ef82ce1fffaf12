import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  add,
  type Device,
  explain,
  gelu,
  init,
  integersAt,
  permute,
  reshape,
  scaledDotProductAttention,
  slice,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Embedding, LayerNorm, Linear, Module } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { type TrainStep, trainStep } from "../../src/train/index.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";

const LETTERS = 65;
const HEADS = 4;

interface Given {
  readonly given: Tensor;
  readonly next: Tensor;
}

interface Shared {
  readonly device: Device;
  readonly dtype: "f32" | "f64";
}

let cpu: Device;
let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
  gpus = await kernelKinds();
});
afterAll(() => vi.useRealTimers());

/** x + attention(norm(x)), then x + dense(norm(x)). */
class Block extends Module {
  readonly before: LayerNorm;
  readonly heads: Linear;
  readonly joined: Linear;
  readonly between: LayerNorm;
  readonly wide: Linear;
  readonly narrow: Linear;

  constructor(d: number, seed: number, shared: Shared) {
    super();
    this.before = new LayerNorm(d, shared);
    this.heads = new Linear(d, 3 * d, { seed, ...shared });
    this.joined = new Linear(d, d, { seed: seed + 1, ...shared });
    this.between = new LayerNorm(d, shared);
    this.wide = new Linear(d, 4 * d, { seed: seed + 2, ...shared });
    this.narrow = new Linear(4 * d, d, { seed: seed + 3, ...shared });
  }

  override forward(x: Tensor): Tensor {
    const [n, t, d] = x.shape;
    const all = this.heads.call(this.before.call(x));
    const split = permute(reshape(all, [n, t, 3, HEADS, d / HEADS]), [2, 0, 3, 1, 4]);
    const [q, k, v] = [0, 1, 2].map((i) => {
      return reshape(slice(split, [{ start: i, end: i + 1 }]), [n, HEADS, t, d / HEADS]);
    });
    const own = scaledDotProductAttention(q, k, v, { causal: true });
    const y = add(x, this.joined.call(reshape(permute(own, [0, 2, 1, 3]), [n, t, d])));
    return add(y, this.narrow.call(gelu(this.wide.call(this.between.call(y)))));
  }
}

/** A small GPT of letters. */
class Letters extends Module {
  readonly letters: Embedding;
  readonly places: Embedding;
  readonly first: Block;
  readonly second: Block;
  readonly last: LayerNorm;
  readonly head: Linear;

  constructor(d: number, length: number, shared: Shared) {
    super();
    this.letters = new Embedding(LETTERS, d, { seed: 1, ...shared });
    this.places = new Embedding(length, d, { seed: 2, ...shared });
    this.first = new Block(d, 10, shared);
    this.second = new Block(d, 20, shared);
    this.last = new LayerNorm(d, shared);
    this.head = new Linear(d, LETTERS, { seed: 3, ...shared });
  }

  override forward(ids: Tensor): Tensor {
    const x = add(this.letters.call(ids), this.places.weight);
    return this.head.call(this.last.call(this.second.call(this.first.call(x))));
  }
}

function stepOf(device: Device, d: number, length: number, dtype: "f32" | "f64" = "f32") {
  const model = new Letters(d, length, { device, dtype });
  const optimizer = new Adam(model.parameters(), { learningRate: 0.003 });
  const loss = (m: Letters, { given, next }: Given) => {
    return crossEntropy(reshape(m.call(given), [given.size, LETTERS]), reshape(next, [given.size]));
  };
  return trainStep({ model, optimizer, loss, mirrorEvery: null, stepsPerSubmit: 4 });
}

function batchOf(device: Device, n: number, length: number): Given {
  const step = tensor(0, { dtype: "u32", device });
  const [given, next] = [5, 6].map((seed) =>
    integersAt(step, [n, length], { high: LETTERS, seed }),
  );
  return { given, next };
}

describe.each(KERNEL_KINDS)("a step of a GPT of two blocks, %s kernels", (kernels) => {
  test("takes few dispatches", async () => {
    const device = gpus[kernels];
    const step: TrainStep<Given> = stepOf(device, 64, 32);
    const plan = await step.prepare(batchOf(device, 8, 32));
    const { dispatches } = await plan.stats();
    expect(dispatches, await explain(plan)).toBeLessThanOrEqual(kernels === "direct" ? 43 : 44);
  });

  test("makes nothing when it is steady, and learns as the specification does", async () => {
    const device = gpus[kernels];
    const step = stepOf(device, 16, 8);
    const batch = batchOf(device, 4, 8);
    await step.prepare(batch);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    for (let i = 0; i < 4; i++) await step(batch);
    const first = await step.read();
    const mark = device.counters.now;
    for (let i = 0; i < 8; i++) await step(batch);
    const { dispatches: _, submits, ...made } = device.counters.since(mark);
    expect(made).toEqual({ buffers: 0, bindGroups: 0, pipelines: 0, writes: 0, reads: 0 });
    expect(submits).toBe(2);
    vi.useRealTimers();
    const losses = [...first, ...(await step.read())].map(({ loss }) => loss);
    const own = stepOf(cpu, 16, 8, "f64");
    const given = batchOf(cpu, 4, 8);
    for (let i = 0; i < 12; i++) await own(given);
    const wanted = (await own.read()).map(({ loss }) => loss);
    expect(wanted.at(-1)).toBeLessThan(0.9 * wanted[0]);
    for (const [i, loss] of losses.entries()) {
      expect(Math.abs(loss - wanted[i])).toBeLessThan(1e-4 * wanted[i]);
    }
  });
});
