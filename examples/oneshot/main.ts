import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { teller } from "../command/events.ts";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { loadMnist } from "../mnist/data.ts";
import { loadBackground, loadRuns } from "./omniglot.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { DIGITS, knownDigits, tryDigits, tryRuns } from "./recognition.ts";
import { type Progress, trainEmbedding } from "./training.ts";

/** Bytes of a file with the weights, and some more. */
const WEIGHT_BYTES = 500_000;

async function main(options: Options): Promise<void> {
  const { set, seed } = options;
  const weights = new ResultFile("runs/oneshot.safetensors");
  await weights.probe(WEIGHT_BYTES);
  const signal = interruption();
  const tell = teller(options.json);
  const { device, reason } = await init({ device: options.device });
  const { characters, recognise } = await (set === "mnist" ? digits(options) : omniglot(options));
  const images = characters.labels.length;
  tell(
    { event: "start", device: device.kind, description: device.description, reason, set, images },
    `Device: ${device.kind}, ${device.description} (${reason})\n` +
      `Trains on ${images} images of ${characters.classes} characters, seed ${seed}`,
  );
  const began = performance.now();
  const onProgress = ({ step, loss }: Progress) =>
    tell({ event: "progress", step, loss }, `step ${step}: loss ${loss.toFixed(4)}`);
  const { model, step } = await trainEmbedding(characters, options, { onProgress, signal });
  const seconds = (performance.now() - began) / 1000;
  const { task, pixels, embeddings } = await recognise(model);
  await weights.write(await saveSafetensors(model));
  const shares = { pixels: pixels.mean, accuracy: embeddings.mean };
  const percent = (x: number) => `${(100 * x).toFixed(2)} %`;
  tell(
    { event: "done", device: device.kind, steps: step, seconds, ...shares, weights: weights.path },
    `${signal.aborted ? "Stopped" : "Done"}: ${step} steps in ${seconds.toFixed(1)} s on ${device.kind}\n` +
      `${task}: ${percent(shares.accuracy)} by embeddings, ${percent(shares.pixels)} by pixels\n` +
      `Weights: ${weights.path}`,
  );
  device.dispose();
}

async function digits({ trials, validate }: Options) {
  const { trainData, testData } = await loadMnist();
  const chosen = DIGITS[validate ? "validation" : "test"];
  const characters = await knownDigits(trainData, chosen);
  const task = `3-way one-shot recognition of ${chosen.unseen.join(", ")}`;
  return {
    characters,
    recognise: async (model: Model) => ({
      task,
      ...(await tryDigits(model, testData, chosen, trials)),
    }),
  };
}

async function omniglot({ data }: Options) {
  const characters = await loadBackground(data);
  const runs = await loadRuns(data);
  const task = "20-way one-shot recognition in the standard runs";
  return {
    characters,
    recognise: async (model: Model) => ({ task, ...(await tryRuns(model, runs)) }),
  };
}

type Model = Awaited<ReturnType<typeof trainEmbedding>>["model"];

await run(HELP, readOptions, main);
