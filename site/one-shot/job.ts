/** A convolutional embedding learns the digits 0 to 6, and is asked about others. */
import { compile, init, type Tensor } from "gradus";
import type { Batch } from "gradus/data";
import { loadState } from "gradus/io";
import { tripletMined } from "gradus/losses";
import type { Sequential } from "gradus/nn";
import { Adam } from "gradus/optim";
import { trainJob } from "gradus/worker";
import { ClassBatches, distortionOf, TURNS } from "../../examples/oneshot/class-batches.ts";
import { deslantAll } from "../../examples/oneshot/deslant.ts";
import { embeddingNetwork } from "../../examples/oneshot/network.ts";
import { imagesOf } from "../../examples/oneshot/recognition.ts";
import { type Digits, loadDigits, type SomeDigits } from "../shell/digits.ts";
import { squaredDistances } from "./distances.ts";
import weightsUrl from "./trained/known.safetensors?url";
import { trainedNetwork } from "./trained/network.ts";

export interface Task {
  readonly channels: number;
  readonly margin: number;
  readonly rate: number;
  readonly seed: number;
}

/** Digits as bytes of ink, 784 each, one after the other. */
export type Pixels = Uint8Array | Float32Array;

/** The digits that are trained on are below this one. */
const KNOWN = 7;
/** Classes in a batch, as many of them invented, and examples of each. */
const [CLASSES, INVENTED, EXAMPLES] = [16, 11, 4];
const STEPS = 1500;
/** How long the first step waits for the page to look, in milliseconds. */
const PATIENCE = 1000;

/** The digits from one to another. */
function some({ images, labels }: Digits, from: number, to: number): Digits {
  const rows = [...labels.keys()].filter((i) => labels[i] >= from && labels[i] < to);
  const pixels = new Uint8Array(784 * rows.length);
  for (const [k, i] of rows.entries()) pixels.set(images.subarray(784 * i, 784 * (i + 1)), 784 * k);
  return { images: pixels, labels: Uint8Array.from(rows, (i) => labels[i]) };
}

type Embed = (x: Tensor) => Promise<Tensor>;
let trained: Promise<Embed> | null = null;

/** The net that was trained before, loaded when it is first asked. */
function trainedNet(): Promise<Embed> {
  trained ??= loadTrained();
  trained.catch(() => {
    trained = null; // the next call tries again
  });
  return trained;
}

async function loadTrained(): Promise<Embed> {
  const model = trainedNetwork().eval();
  const bytes = await (await fetch(weightsUrl)).arrayBuffer();
  loadState(model, new Uint8Array(bytes));
  return compile((x: Tensor) => model.call(x));
}

/** The embeddings of pictures, and how many numbers each has. */
async function vectors(embed: Embed, pixels: Float32Array) {
  const bytes = Uint8Array.from(pixels, (ink) => Math.round(255 * ink));
  using x = imagesOf(deslantAll(bytes));
  using found = await embed(x);
  return { size: found.shape[1], values: (await found.data()) as Float32Array };
}

export default trainJob(async (task: Task, tell: (unseen: Digits) => void) => {
  const { channels, margin, rate, seed } = task;
  const tellUnseen = (all: SomeDigits) => {
    tell(some(all.test, KNOWN, 10));
    return all;
  };
  const [{ train }] = await Promise.all([loadDigits().then(tellUnseen), init()]);
  // #region job
  const known = some(train, 0, KNOWN);
  const digits = { pixels: known.images, labels: Int32Array.from(known.labels), classes: KNOWN };
  const batches = new ClassBatches(digits, {
    ...{ classes: CLASSES, invented: INVENTED, examples: EXAMPLES, ways: TURNS, seed },
    ...{ upright: true, distortion: distortionOf(true) },
  });
  const loader = {
    stepsPerEpoch: STEPS,
    async *epoch() {
      for (let step = 0; step < STEPS; step++) yield await batches.next(step);
    },
  };
  const model = embeddingNetwork([channels, 2 * channels, 2 * channels], seed).eval();
  const optimizer = new Adam(model.parameters(), { learningRate: rate });
  const loss = (net: Sequential, { images, labels }: Batch) =>
    tripletMined(net.call(images), labels, { mining: "semi-hard", margin });
  // #endregion
  const embed = compile((x: Tensor) => model.call(x));
  let begin = () => {};
  // The page looks before the first step, if it looks soon.
  const seen = new Promise<void>((resolve) => {
    begin = resolve;
    setTimeout(resolve, PATIENCE);
  });
  return {
    ...{ model, optimizer, loss, loader, metricsEvery: 5 },
    epochs: 1,
    onStart: () => seen,
    calls: {
      /** Squared distances `[queries · anchors]` of embeddings. */
      async compare(
        anchors: Float32Array,
        queries: Float32Array,
        by: "trained" | "running",
      ): Promise<number[]> {
        try {
          const net = by === "trained" ? await trainedNet() : embed;
          const [a, q] = [await vectors(net, anchors), await vectors(net, queries)];
          return squaredDistances(q.values, a.values, a.size);
        } finally {
          if (by === "running") begin();
        }
      },
    },
    dispose() {
      embed.dispose();
    },
  };
});
