import {
  add,
  foldIn,
  integersAt,
  keyFromSeed,
  normalAt,
  onesLike,
  stopGradient,
  type Tensor,
  zerosLike,
} from "gradus";
import { BatchSampler, type DeviceDataset } from "gradus/data";
import { binaryCrossEntropyWithLogits, crossEntropy } from "gradus/losses";
import { Module } from "gradus/nn";
import { Adam } from "gradus/optim";
import { trainStep } from "gradus/train";
import { asSeen, CLASSES, Discriminator, type GanOptions, Generator } from "./network.ts";

/** What fixes a run. */
export interface Settings extends GanOptions {
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
}

/** How far a run has come: mean losses of the steps since the last report. */
export interface Progress {
  readonly step: number;
  readonly discriminatorLoss: number;
  readonly generatorLoss: number;
}

/** Real images with their classes, and what a generator is to make as many images of. */
export interface GanBatch {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly latent: Tensor;
  readonly wanted: Tensor;
}

/** Both networks; called, it makes images as its generator does. */
export class Gan extends Module<[latent: Tensor, wanted: Tensor], Tensor> {
  readonly generator: Generator;
  readonly discriminator: Discriminator;

  constructor(readonly options: GanOptions) {
    super();
    this.generator = new Generator(options);
    this.discriminator = new Discriminator(options);
  }

  forward(latent: Tensor, wanted: Tensor): Tensor {
    return this.generator.call(latent, wanted);
  }
}

/**
 * Computes what a discriminator lowers: −log D(x) − log(1 − D(G(z))), means over real and made images
 * (Goodfellow et al. 2014, "Generative adversarial nets", eq. 1), and with classes also the cross-entropy
 * of both (Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs", eq. 2 and 3).
 */
export function discriminatorLoss(
  { generator, discriminator, options }: Gan,
  batch: GanBatch,
): Tensor {
  const { images, labels, latent, wanted } = batch;
  const ofReal = discriminator.call(asSeen(images));
  const ofMade = discriminator.call(stopGradient(generator.call(latent, wanted)));
  const loss = add(
    binaryCrossEntropyWithLogits(ofReal.real, onesLike(ofReal.real)),
    binaryCrossEntropyWithLogits(ofMade.real, zerosLike(ofMade.real)),
  );
  if (!options.classes) return loss;
  return add(loss, add(crossEntropy(ofReal.classes, labels), crossEntropy(ofMade.classes, wanted)));
}

/** Computes what a generator lowers: −log D(G(z)), and with classes also the cross-entropy of these. */
export function generatorLoss({ generator, discriminator, options }: Gan, batch: GanBatch): Tensor {
  const { latent, wanted } = batch;
  const { real, classes } = discriminator.call(generator.call(latent, wanted));
  const loss = binaryCrossEntropyWithLogits(real, onesLike(real));
  return options.classes ? add(loss, crossEntropy(classes, wanted)) : loss;
}

/** Steps between two reports. */
const EVERY = 50;

/** Trains both networks in turn, each by its own optimizer. */
export async function trainGan(
  data: DeviceDataset,
  settings: Settings,
  options: { onProgress?: (progress: Progress) => void; signal?: AbortSignal } = {},
): Promise<{ gan: Gan; step: number }> {
  const { steps, batchSize, learningRate, latent, seed } = settings;
  const gan = new Gan(settings);
  const sampler = new BatchSampler({ size: data.size, batchSize, seed, dropLast: true });
  const { generator, discriminator } = gan;
  const [ofDiscriminator, ofGenerator] = [discriminator, generator].map(
    (module) => new Adam(module.parameters(), { learningRate, beta1: 0.5 }),
  );
  const key = keyFromSeed(seed);
  /** Batches of the same real images, with other latent numbers for each network. */
  const batchAt =
    (number: number) =>
    (step: Tensor): GanBatch => {
      const { images, labels } = data.batchAt(step, sampler);
      return {
        images,
        labels,
        latent: normalAt(step, [batchSize, latent], { key: foldIn(key, 100 + number) }),
        wanted: integersAt(step, [batchSize], { high: CLASSES, key: foldIn(key, 200 + number) }),
      };
    };
  const turn = (number: number, optimizer: Adam, loss: typeof generatorLoss) =>
    trainStep({ model: gan, optimizer, loss, batchAt: batchAt(number) });
  const judge = turn(0, ofDiscriminator, discriminatorLoss);
  const make = turn(1, ofGenerator, generatorLoss);
  while (make.next < steps && !options.signal?.aborted) {
    await judge();
    await make();
    if (make.next % EVERY !== 0 && make.next !== steps) continue;
    const [discriminatorLoss, generatorLoss] = [
      meanLoss(await judge.read()),
      meanLoss(await make.read()),
    ];
    options.onProgress?.({ step: make.next, discriminatorLoss, generatorLoss });
  }
  const step = make.next;
  for (const held of [judge, make, ofDiscriminator, ofGenerator]) held.dispose();
  gan.eval();
  return { gan, step };
}

function meanLoss(records: readonly { loss: number }[]): number {
  return records.reduce((sum, { loss }) => sum + loss, 0) / records.length;
}
