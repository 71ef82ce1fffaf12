import { FormatError, init } from "gradus";
import { DataLoader } from "gradus/data";
import { saveSafetensors } from "gradus/io";
import { crossEntropy } from "gradus/losses";
import { SGD } from "gradus/optim";
import { Checkpoint, evaluateAccuracy, fit } from "gradus/train";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import { loadMnist } from "./data.ts";
import { TwoLayerNetwork, weightBytes } from "./network.ts";
import { HELP, type Options, readOptions, WEIGHTS } from "./options.ts";
import { jsonReport, terminalReport } from "./report.ts";

async function main(options: Options): Promise<void> {
  const weights = new ResultFile(WEIGHTS);
  const checkpoint = checkpointOf(options);
  const resume = options.resume ? await checkpoint?.read() : null;
  for (const file of [weights, checkpoint]) await file?.probe(weightBytes(options.hidden));
  const signal = interruption();
  const report = options.json ? jsonReport() : terminalReport();
  const { device, reason } = await init({ device: options.device });
  const { batchSize, learningRate, hidden, seed, epochs } = options;
  const network = `784-${hidden}-10, batch ${batchSize}, learning rate ${learningRate}, seed ${seed}`;
  report.start(network, `${device.kind}, ${device.description}`, reason);
  const { trainData, testData } = await loadMnist();
  const model = new TwoLayerNetwork(hidden, seed);
  const began = performance.now();
  const { history, step, stopped } = await fit({
    model,
    optimizer: new SGD(model.parameters(), { learningRate }),
    loss: (network, { images, labels }) => crossEntropy(network.call(images), labels),
    loader: new DataLoader({ dataset: trainData, batchSize, seed }),
    epochs,
    trainData,
    testData,
    signal,
    callbacks: [report.callback, ...(checkpoint ? [new Checkpoint({ to: checkpoint })] : [])],
    resume,
  }).catch((error: unknown) => {
    throw error instanceof FormatError && resume ? checkpoint?.refusal(error.message) : error;
  });
  const seconds = (performance.now() - began) / 1000;
  const last = stopped ? undefined : history.at(-1)?.testAccuracy;
  const testAccuracy = last ?? (await evaluateAccuracy(model, testData));
  if (step > 0) await weights.write(await saveSafetensors(model));
  const file = step > 0 ? weights.path : null;
  report.done({ device: device.kind, steps: step, seconds, testAccuracy, weights: file }, stopped);
  if (checkpoint?.hasFailed) process.exitCode = 1;
  device.dispose();
}

function checkpointOf(options: Options): CheckpointFile | undefined {
  const { checkpoint, seed, batchSize, learningRate, hidden } = options;
  if (checkpoint === undefined) return undefined;
  const settings = { seed, "batch-size": batchSize, "learning-rate": learningRate, hidden };
  return new CheckpointFile(checkpoint, settings);
}

await run(HELP, readOptions, main);
