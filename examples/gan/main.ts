import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { teller } from "../command/events.ts";
import { say } from "../command/output.ts";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { loadMnist } from "../mnist/data.ts";
import { judgeSamples, trainJudge } from "./judge.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { asText, grid, makeSamples } from "./samples.ts";
import { type Progress, trainGan } from "./training.ts";

/** Images made to be judged, and in the file, in hundreds. */
const JUDGED = 10;

async function main(options: Options): Promise<void> {
  const { classes, latent, channels, seed } = options;
  const samples = new ResultFile(options.samples);
  await samples.probe(100_000);
  const weights = new ResultFile("runs/gan.safetensors");
  await weights.probe(4 * channels * (98 * (latent + 30) + 100 * channels) + 50_000);
  const signal = interruption();
  const tell = teller(options.json);
  const { device, reason } = await init({ device: options.device });
  const network = `${latent} random numbers${classes ? " and a digit" : ""}, ${2 * channels} and ${channels} channels`;
  tell(
    { event: "start", device: device.kind, description: device.description, reason },
    `Device: ${device.kind}, ${device.description} (${reason})\nGenerator: ${network}, seed ${seed}`,
  );
  const data = await loadMnist(options.data);
  const began = performance.now();
  const onProgress = (progress: Progress) => {
    const [d, g] = [progress.discriminatorLoss, progress.generatorLoss].map((x) => x.toFixed(3));
    const text = `step ${progress.step}: discriminator's loss ${d}, generator's ${g}`;
    tell({ event: "progress", ...progress }, text);
  };
  const { gan, step } = await trainGan(data.trainData, options, { onProgress, signal });
  const seconds = (performance.now() - began) / 1000;
  const made = await makeSamples(gan, { hundreds: JUDGED, seed });
  await samples.write(grid(made.images.subarray(0, 100 * 784), 10));
  await weights.write(await saveSafetensors(gan));
  const judge = await trainJudge(data, seed);
  const { asTold, counts, variety } = await judgeSamples(judge.model, made);
  if (!options.json) say(asText(made.images, 5));
  const told = classes ? `${(100 * asTold).toFixed(1)} % look like the digit told, ` : "";
  tell(
    {
      event: "done",
      device: device.kind,
      steps: step,
      seconds,
      judgeAccuracy: judge.testAccuracy,
      asTold: classes ? asTold : null,
      counts,
      variety,
      samples: samples.path,
      weights: weights.path,
    },
    `${signal.aborted ? "Stopped" : "Done"}: ${step} steps in ${seconds.toFixed(1)} s on ${device.kind}; to a ` +
      `classifier ${told}of 0 to 9: ${counts.join(" ")}\nImages: ${samples.path}\nWeights: ${weights.path}`,
  );
  device.dispose();
}

await run(HELP, readOptions, main);
