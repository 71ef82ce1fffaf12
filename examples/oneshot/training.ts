import type { Batch } from "gradus/data";
import { tripletMined } from "gradus/losses";
import type { Sequential } from "gradus/nn";
import { Adam, cosineDecay } from "gradus/optim";
import { trainStep } from "gradus/train";
import { type Characters, ClassBatches, distortionOf, TURNS } from "./class-batches.ts";
import { embeddingNetwork } from "./network.ts";

/** The characters that can be learned. */
export const SETS = ["mnist", "omniglot"] as const;
export type CharacterSet = (typeof SETS)[number];

/** What fixes a run. */
export interface Settings {
  readonly set: CharacterSet;
  readonly steps: number;
  /** Classes in a batch, how many of them are characters invented anew, and images of each. */
  readonly classes: number;
  readonly invented: number;
  readonly examples: number;
  /** α of the triplet loss, by how much other classes shall be farther away. */
  readonly margin: number;
  /** Adam's at the first step; it falls to 0 along a cosine. */
  readonly learningRate: number;
  readonly seed: number;
  /** Steps between two reports; 50 when left out. */
  readonly every?: number;
  /** Channels of the network's blocks; 32, 32, 64 and 64 when left out. */
  readonly channels?: readonly number[];
}

/** How far a run has come. */
export interface Progress {
  readonly step: number;
  /** The mean loss of the steps since the last report. */
  readonly loss: number;
}

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
  const { set, steps, margin, learningRate, seed, every = 50 } = settings;
  const { channels = [32, 32, 64, 64] } = settings;
  const upright = set === "mnist";
  const batches = new ClassBatches(characters, {
    ...settings,
    ways: TURNS,
    upright,
    distortion: distortionOf(upright),
  });
  const model = embeddingNetwork(channels, seed);
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
