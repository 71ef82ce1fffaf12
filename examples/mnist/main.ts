import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DataLoader } from "../../src/data/index.ts";
import { init } from "../../src/index.ts";
import { fileStore, saveSafetensors } from "../../src/io/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { Checkpoint, evaluateAccuracy, fit } from "../../src/train/index.ts";
import { interruption, run } from "../command/run.ts";
import { loadMnist } from "./data.ts";
import { TwoLayerNetwork } from "./network.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { jsonReport, terminalReport } from "./report.ts";

const WEIGHTS = "runs/mnist.safetensors";

async function main(options: Options): Promise<void> {
  const report = options.json ? jsonReport() : terminalReport();
  const { device, reason } = await init({ device: options.device });
  report.start(options, `${device.kind}, ${device.description}`, reason);
  const { trainData, testData } = await loadMnist();
  const model = new TwoLayerNetwork(options.hidden, options.seed);
  const { batchSize, learningRate, seed, epochs, checkpoint } = options;
  const signal = interruption();
  const began = performance.now();
  const store = checkpoint === undefined ? null : fileStore(checkpoint);
  const { history, step, stopped } = await fit({
    model,
    optimizer: new SGD(model.parameters(), { learningRate }),
    loss: (network, { images, labels }) => crossEntropy(network.call(images), labels),
    loader: new DataLoader({ dataset: trainData, batchSize, seed }),
    epochs,
    trainData,
    testData,
    signal,
    callbacks: [
      { onStep: (event) => report.step(event), onEpoch: (event) => report.epoch(event) },
      ...(store ? [new Checkpoint({ to: store })] : []),
    ],
    resume: options.resume ? await store?.read() : null,
  });
  const seconds = (performance.now() - began) / 1000;
  const last = stopped ? undefined : history.at(-1)?.testAccuracy;
  const testAccuracy = last ?? (await evaluateAccuracy(model, testData));
  await mkdir(dirname(WEIGHTS), { recursive: true });
  await writeFile(WEIGHTS, await saveSafetensors(model.state()));
  report.done(
    { device: device.kind, steps: step, seconds, testAccuracy, weights: WEIGHTS },
    stopped,
  );
  device.dispose();
}

await run(HELP, readOptions, main);
