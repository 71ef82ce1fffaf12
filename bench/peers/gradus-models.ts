import {
  add,
  type Device,
  matmul,
  type Parameter,
  permute,
  relu,
  reshape,
  type Tensor,
  tensor,
  transpose,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import {
  Conv2d,
  Embedding,
  Flatten,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  ModuleList,
  Sequential,
  TransformerEncoderLayer,
} from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import {
  type ConvolutionalNet,
  type Gpt,
  initialParameters,
  type Model,
  NORM_EPSILON,
  pictureBatches,
  tokenBatches,
} from "../workloads/models.ts";
import { BATCHES } from "../workloads/networks.ts";
import { stepsOf } from "./gradus-steps.ts";
import type { Steps } from "./peer.ts";

/** Steps of training of a model. */
export function modelSteps(device: Device, model: Model): Steps<void> {
  return model.kind === "gpt" ? gptSteps(device, model) : convolutionalSteps(device, model);
}

function convolutionalSteps(device: Device, given: ConvolutionalNet): Steps<void> {
  const { size, channels, classes, batchSize, learningRate } = given;
  const side = size / 2 ** channels.length;
  const features = channels[channels.length - 1] * side ** 2;
  const convolutions = channels.map(
    (outputs, i) => new Conv2d(channels[i - 1] ?? 1, outputs, 3, { padding: 1 }),
  );
  const head = new Linear(features, classes);
  const blocks = convolutions.flatMap((layer) => [layer, relu, new MaxPool2d(2)]);
  const model = new Sequential(...blocks, new Flatten(), head);
  const initial = initialParameters(given);
  convolutions.forEach((layer, i) => {
    const [kernel, bias] = initial.slice(2 * i).map(toTensor);
    layer.weight.assign(permute(kernel, 3, 2, 0, 1)); // [outputs, inputs, 3, 3]
    layer.bias?.assign(bias);
  });
  const [weight, bias] = initial.slice(-2).map(toTensor);
  const ofPixels = reshape(weight, [side ** 2, features / side ** 2, classes]);
  head.weight.assign(reshape(permute(ofPixels, 1, 0, 2), [features, classes])); // channels first
  head.bias?.assign(bias);
  return stepsOf(device, {
    model,
    optimizer: new Adam(model.parameters(), { learningRate }),
    batches: pictureBatches(given).map(({ images, labels }) => ({
      images: tensor(images, { shape: [batchSize, 1, size, size] }),
      labels: tensor(labels),
    })),
    loss: (net, { images, labels }) => crossEntropy(net.call(images), labels),
  });
}

function toTensor({ shape, data }: { shape: readonly number[]; data: Float32Array }): Tensor {
  return tensor(data, { shape });
}

class GptModel extends Module<[tokens: Tensor]> {
  readonly tokens: Embedding;
  readonly positions: Embedding;
  readonly blocks: ModuleList<TransformerEncoderLayer>;
  readonly norm: LayerNorm;

  constructor({ vocabulary, length, width, heads, blocks }: Gpt) {
    super();
    this.tokens = new Embedding(vocabulary, width);
    this.positions = new Embedding(length, width);
    const options = { dimFeedforward: 4 * width, activation: "gelu", normFirst: true } as const;
    const own = { ...options, dropout: 0, layerNormEps: NORM_EPSILON };
    this.blocks = new ModuleList(
      Array.from({ length: blocks }, () => new TransformerEncoderLayer(width, heads, own)),
    );
    this.norm = new LayerNorm(width, { epsilon: NORM_EPSILON });
  }

  /** In the order of `initialParameters`. */
  get ordered(): (Parameter | null)[] {
    const blocks = [...this.blocks].flatMap((block) => {
      const { norm1, norm2, selfAttn, linear1, linear2 } = block;
      const pairs = [norm1, selfAttn.outProj, norm2, linear1, linear2].map((layer) => [
        layer.weight,
        layer.bias,
      ]);
      return [...pairs[0], selfAttn.inProjWeight, selfAttn.inProjBias, ...pairs.slice(1).flat()];
    });
    const { tokens, positions, norm } = this;
    return [tokens.weight, positions.weight, ...blocks, norm.weight, norm.bias];
  }

  override forward(tokens: Tensor): Tensor {
    let x = add(this.tokens.call(tokens), this.positions.weight);
    for (const block of this.blocks) x = block.call(x, { causal: true });
    return matmul(this.norm.call(x), transpose(this.tokens.weight));
  }
}

function gptSteps(device: Device, given: Gpt): Steps<void> {
  const { batchSize, length, vocabulary, learningRate } = given;
  const model = new GptModel(given);
  const initial = initialParameters(given).map(toTensor);
  model.ordered.forEach((parameter, i) => {
    parameter?.assign(initial[i]);
  });
  return stepsOf(device, {
    model,
    optimizer: new Adam(model.parameters(), { learningRate }),
    batches: tokenBatches(given, BATCHES).map(({ tokens, next }) => ({
      tokens: tensor(tokens, { shape: [batchSize, length] }),
      next: tensor(next),
    })),
    loss: (net, { tokens, next }) => {
      const logits = net.call(tokens);
      return crossEntropy(reshape(logits, [batchSize * length, vocabulary]), next);
    },
  });
}
