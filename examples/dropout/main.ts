import { init } from "../../src/index.ts";
import { fileStore, saveSafetensors } from "../../src/io/index.ts";
import {
  EarlyStopping,
  evaluateAccuracy,
  progressBar,
  terminalBar,
} from "../../src/train/index.ts";
import { interruption, run } from "../command/run.ts";
import { loadMnist } from "../mnist/data.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { trainWithDropout } from "./training.ts";

const WEIGHTS = "runs/dropout.safetensors";

async function main(options: Options): Promise<void> {
  const { patience } = options;
  const { device, reason } = await init({ device: options.device });
  console.log(`Device: ${device.kind}, ${device.description} (${reason})`);
  console.log(
    `Network: 784-256-128-10, dropout ${options.dropout}, batch ${options.batchSize}, ` +
      `learning rate ${options.learningRate} falling to 0, seed ${options.seed}`,
  );
  const { trainData, testData } = await loadMnist();
  const began = performance.now();
  const early = patience > 0 ? new EarlyStopping({ patience, restoreBest: true }) : null;
  const { model, step, stopped } = await trainWithDropout(trainData, options, {
    callbacks: [progressBar(terminalBar()), ...(early ? [early] : [])],
    signal: interruption(),
  });
  const seconds = (performance.now() - began) / 1000;
  const best = (early?.bestEpoch ?? -1) + 1;
  if (best > 0)
    console.log(`Lowest validation loss: ${early?.bestValue.toFixed(4)}, epoch ${best}`);
  const percent = (100 * (await evaluateAccuracy(model, testData))).toFixed(2);
  console.log(
    `${stopped ? "Stopped" : "Done"}: ${step} steps in ${seconds.toFixed(1)} s on ${device.kind}, ` +
      `test accuracy ${percent} %`,
  );
  await fileStore(WEIGHTS).write(await saveSafetensors(model));
  console.log(`Weights: ${WEIGHTS}`);
  device.dispose();
}

await run(HELP, readOptions, main);
