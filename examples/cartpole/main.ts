import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { teller } from "../command/events.ts";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { learnByDQN } from "./dqn.ts";
import type { Progress } from "./learner.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { meanOf, playGreedily } from "./play.ts";
import { learnByReinforce } from "./reinforce.ts";

/** Bytes of a file with the weights, and some more. */
const WEIGHT_BYTES = 200_000;
/** Where the episodes at the end begin, elsewhere than all that were learnt from. */
const FINAL_SEED = 2 ** 50;

async function main(options: Options): Promise<void> {
  const { method, limit, seed, episodes } = options;
  const weights = new ResultFile("runs/cartpole.safetensors");
  await weights.probe(WEIGHT_BYTES);
  const signal = interruption();
  const tell = teller(options.json);
  const { device, reason } = await init({ device: options.device });
  tell(
    { event: "start", device: device.kind, description: device.description, reason, method },
    `Device: ${device.kind}, ${device.description} (${reason})\n` +
      `Method: ${method}, episodes of at most ${limit} pushes, seed ${seed}`,
  );
  const began = performance.now();
  const onProgress = (progress: Progress) => {
    const { step, loss, meanReturn } = progress;
    const text =
      `step ${step}: ${progress.episodes} episodes, loss ${loss.toFixed(4)}, ` +
      `mean return ${meanReturn.toFixed(1)}`;
    tell({ event: "progress", ...progress }, step % 10 === 0 ? text : "");
  };
  const learn = method === "dqn" ? learnByDQN : learnByReinforce;
  const model = await learn({ ...options, signal, onProgress });
  const seconds = (performance.now() - began) / 1000;
  const returns = await playGreedily(model, { episodes, limit, seed: FINAL_SEED + seed });
  const [meanReturn, lowest] = [meanOf(returns), Math.min(...returns)];
  await weights.write(await saveSafetensors(model));
  tell(
    {
      event: "done",
      device: device.kind,
      seconds,
      episodes,
      meanReturn,
      lowest,
      weights: weights.path,
    },
    `${signal.aborted ? "Stopped" : "Done"} after ${seconds.toFixed(1)} s on ${device.kind}: mean return ` +
      `${meanReturn.toFixed(1)} over ${episodes} episodes, ${lowest} the lowest\nWeights: ${weights.path}`,
  );
  device.dispose();
}

await run(HELP, readOptions, main);
