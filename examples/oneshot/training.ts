import type { Batch } from "gradus/data";
import { tripletMined } from "gradus/losses";
import type { Sequential } from "gradus/nn";
import { Adam, cosineDecay } from "gradus/optim";
import { trainStep } from "gradus/train";
import type { Distortion } from "../embeddings/distorted.ts";
import { type Characters, ClassBatches } from "./class-batches.ts";
import { embeddingNetwork } from "./network.ts";

/** What fixes a run. */
export interface Settings {
  readonly steps: number;
  /** Classes in a batch, and images of each. */
  readonly classes: number;
  readonly examples: number;
  /** α of the triplet loss, by how much other classes shall be farther away. */
  readonly margin: number;
  /** Adam's at the first step; it falls to 0 along a cosine. */
  readonly learningRate: number;
  readonly seed: number;
  /** Steps between two reports; 50 when left out. */
  readonly every?: number;
}

/** How far a run has come. */
export interface Progress {
  readonly step: number;
  /** The mean loss of the steps since the last report. */
  readonly loss: number;
}

/** Channels of the network's blocks. */
const CHANNELS = [32, 32, 64, 64];

/** How far an image is distorted each time. */
const DISTORTION: Distortion = { turn: 0.2, stretch: 0.15, slant: 0.2, shift: 2 };

/** The four quarter turns, as `orient` numbers ways: a turned character is another one. */
const TURNS = [0, 3, 5, 6];

/**
 * Trains an embedding by triplets mined in each batch: of each pair of a class the nearest example of
 * another class that is farther away than the pair's. Source: Schroff et al. 2015, "FaceNet: a unified
 * embedding for face recognition and clustering", section 3.2.
 */
export async function trainEmbedding(
  characters: Characters,
  settings: Settings,
  options: { onProgress?: (progress: Progress) => void; signal?: AbortSignal } = {},
): Promise<{ model: Sequential; step: number }> {
  const { steps, margin, learningRate, seed, every = 50 } = settings;
  const batches = new ClassBatches(characters, {
    ...settings,
    ways: TURNS,
    distortion: DISTORTION,
  });
  const model = embeddingNetwork(CHANNELS, seed);
  const schedule = cosineDecay(learningRate, { steps });
  const optimizer = new Adam(model.parameters(), { learningRate: schedule });
  const step = trainStep({
    model,
    optimizer,
    loss: (net, { images, labels }: Batch) =>
      tripletMined(net.call(images), labels, { mining: "semi-hard", margin }),
  });
  while (step.next < steps && !options.signal?.aborted) {
    using batch = await batches.next(step.next);
    await step(batch);
    if (step.next % every !== 0 && step.next !== steps) continue;
    const losses = (await step.read()).map(({ loss }) => loss);
    const loss = losses.reduce((sum, x) => sum + x, 0) / losses.length;
    options.onProgress?.({ step: step.next, loss });
  }
  const made = step.next;
  for (const held of [step, optimizer]) held.dispose();
  model.eval();
  return { model, step: made };
}
