import { beforeAll, describe, expect, test } from "vitest";
import { type Device, explain, integersAt, reshape, type Tensor, tensor } from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import {
  Embedding,
  LayerNorm,
  Linear,
  Module,
  PositionalEncoding,
  TransformerEncoder,
  TransformerEncoderLayer,
} from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";

let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  gpus = await kernelKinds();
});

const [LETTERS, WIDTH, LENGTH, BATCH] = [65, 64, 32, 8];

/** A GPT of two blocks, by the layers that the library has. */
class Letters extends Module {
  readonly tokens: Embedding;
  readonly positions: PositionalEncoding;
  readonly blocks: TransformerEncoder;
  readonly output: Linear;

  constructor(device: Device) {
    super();
    this.tokens = new Embedding(LETTERS, WIDTH, { seed: 1, device });
    const learned = { learned: true, maxLength: LENGTH, dropout: 0 };
    this.positions = new PositionalEncoding(WIDTH, { ...learned, seed: 2, device });
    const own = { dimFeedforward: 4 * WIDTH, dropout: 0, activation: "gelu", device } as const;
    this.blocks = new TransformerEncoder(
      (i) => new TransformerEncoderLayer(WIDTH, 4, { ...own, normFirst: true, seed: 3 + i }),
      2,
      { norm: new LayerNorm(WIDTH, { device }) },
    );
    this.output = new Linear(WIDTH, LETTERS, { seed: 9, device });
  }

  override forward(tokens: Tensor): Tensor {
    const x = this.positions.call(this.tokens.call(tokens));
    return this.output.call(this.blocks.call(x, { causal: true }));
  }
}

describe.each(KERNEL_KINDS)("a step of two blocks of a transformer, %s kernels", (kernels) => {
  test("takes at most 48 dispatches", async () => {
    const device = gpus[kernels];
    const model = new Letters(device);
    const step = trainStep({
      model,
      optimizer: new Adam(model.parameters(), { learningRate: 1e-3 }),
      loss: (net: Letters, { given, next }: { given: Tensor; next: Tensor }) =>
        crossEntropy(reshape(net.call(given), [given.size, LETTERS]), reshape(next, [next.size])),
      mirrorEvery: null,
    });
    const at = tensor(0, { dtype: "u32", device });
    const [given, next] = [5, 6].map((seed) =>
      integersAt(at, [BATCH, LENGTH], { high: LETTERS, seed }),
    );
    const plan = await step.prepare({ given, next });
    const { dispatches } = await plan.stats();
    expect(dispatches, await explain(plan)).toBeLessThanOrEqual(48);
    step.dispose();
  });
});
