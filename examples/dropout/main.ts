import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { EarlyStopping, evaluateAccuracy, progressBar, terminalBar } from "gradus/train";
import { say, screen } from "../command/output.ts";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { loadMnist } from "../mnist/data.ts";
import { HELP, type Options, readOptions, WEIGHTS } from "./options.ts";
import { trainWithDropout } from "./training.ts";

/** Bytes of a file with the weights, and some more. */
const WEIGHT_BYTES = 1_000_000;

async function main(options: Options): Promise<void> {
  const { patience } = options;
  const weights = new ResultFile(WEIGHTS);
  await weights.probe(WEIGHT_BYTES);
  const signal = interruption();
  const { device, reason } = await init({ device: options.device });
  say(`Device: ${device.kind}, ${device.description} (${reason})`);
  say(
    `Network: 784-256-128-10, dropout ${options.dropout}, batch ${options.batchSize}, ` +
      `learning rate ${options.learningRate} falling to 0, seed ${options.seed}`,
  );
  const { trainData, testData } = await loadMnist();
  const began = performance.now();
  const early = patience > 0 ? new EarlyStopping({ patience, restoreBest: true }) : null;
  const { model, step, stopped } = await trainWithDropout(trainData, options, {
    callbacks: [progressBar(terminalBar(screen)), ...(early ? [early] : [])],
    signal,
  });
  const seconds = (performance.now() - began) / 1000;
  const best = (early?.bestEpoch ?? -1) + 1;
  if (best > 0) say(`Lowest validation loss: ${early?.bestValue.toFixed(4)}, epoch ${best}`);
  const percent = (100 * (await evaluateAccuracy(model, testData))).toFixed(2);
  say(
    `${stopped ? "Stopped" : "Done"}: ${step} steps in ${seconds.toFixed(1)} s on ${device.kind}, ` +
      `test accuracy ${percent} %`,
  );
  if (step > 0) await weights.write(await saveSafetensors(model));
  say(step > 0 ? `Weights: ${weights.path}` : "Weights: none, since no step was made");
  device.dispose();
}

await run(HELP, readOptions, main);
