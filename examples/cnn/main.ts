import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { evaluateAccuracy } from "gradus/train";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { loadMnist } from "../mnist/data.ts";
import { jsonReport, terminalReport } from "../mnist/report.ts";
import { HELP, type Options, readOptions, WEIGHTS } from "./options.ts";
import { trainConvolutions } from "./training.ts";

/** Bytes of a file with the weights, and some more. */
const WEIGHT_BYTES = 1_000_000;

async function main(options: Options): Promise<void> {
  const weights = new ResultFile(WEIGHTS);
  await weights.probe(WEIGHT_BYTES);
  const signal = interruption();
  const report = options.json ? jsonReport() : terminalReport();
  const { device, reason } = await init({ device: options.device });
  const { batchSize, learningRate, dropout, seed } = options;
  const network =
    `conv 16, conv 32, 128 hidden units, dropout ${dropout}, batch ${batchSize}, learning rate ` +
    `${learningRate} falling to 0, seed ${seed}`;
  report.start(network, `${device.kind}, ${device.description}`, reason);
  const { trainData, testData } = await loadMnist(options.data);
  const began = performance.now();
  const { model, history, step, stopped } = await trainConvolutions(trainData, testData, options, {
    callbacks: [report.callback],
    signal,
  });
  const seconds = (performance.now() - began) / 1000;
  const last = stopped ? undefined : history.at(-1)?.testAccuracy;
  const testAccuracy = last ?? (await evaluateAccuracy(model, testData));
  if (step > 0) await weights.write(await saveSafetensors(model));
  const file = step > 0 ? weights.path : null;
  report.done({ device: device.kind, steps: step, seconds, testAccuracy, weights: file }, stopped);
  device.dispose();
}

await run(HELP, readOptions, main);
