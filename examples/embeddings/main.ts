import { join } from "node:path";
import { init } from "gradus";
import { say } from "../command/output.ts";
import { ResultFile } from "../command/result-file.ts";
import { run } from "../command/run.ts";
import { loadMnist } from "../mnist/data.ts";
import { HEADS } from "./heads.ts";
import { ONE_SHOT, oneShot } from "./one-shot.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { PLANE, type PlaneResult, trainInPlane, warmUp } from "./plane.ts";
import { scatterSvg } from "./scatter.ts";

/** What a figure takes at the most. */
const MOST_BYTES = 60_000;

type Data = Awaited<ReturnType<typeof loadMnist>>;

async function main({ part, seeds, device: name, figures }: Options): Promise<void> {
  const heads = part === "one-shot" ? [] : Object.keys(HEADS);
  for (const head of heads) await figureFile(figures, head).probe(MOST_BYTES);
  const { device, reason } = await init({ device: name });
  say(`Device: ${device.kind}, ${device.description} (${reason})`);
  const data = await loadMnist();
  const all = Array.from({ length: seeds }, (_, seed) => seed);
  if (part !== "one-shot") await comparePlanes(data, all, figures);
  if (part !== "plane") await compareOneShot(data, all);
  device.dispose();
}

async function comparePlanes(data: Data, seeds: number[], figures: string): Promise<void> {
  say("\n| seed | head | test accuracy | spread of directions | spread as is | time |");
  say("|---|---|---|---|---|---|");
  for (const seed of seeds) {
    using start = await warmUp(data, { ...PLANE, seed });
    for (const head of Object.keys(HEADS)) {
      const result = await trainInPlane(head, data, start, { ...PLANE, seed });
      const { accuracy, angularSpread, spread, seconds } = result;
      const numbers = [percent(accuracy), angularSpread.toFixed(2), spread.toFixed(2)];
      say(`| ${seed} | ${head} | ${numbers.join(" | ")} | ${seconds.toFixed(0)} s |`);
      if (seed === 0) await figureFile(figures, head).write(figure(result));
    }
  }
  say(`\nFigures: ${figures}`);
}

function figureFile(folder: string, head: string): ResultFile {
  return new ResultFile(join(folder, `${head.toLowerCase()}.svg`));
}

function figure({ head, accuracy, angularSpread, points, labels }: PlaneResult): string {
  const title = `${head}: accuracy ${percent(accuracy)}, spread ${angularSpread.toFixed(2)}`;
  return scatterSvg({ title, points, labels, classes: 10 });
}

async function compareOneShot(data: Data, seeds: number[]): Promise<void> {
  say("\n| seed | nearest by pixels | nearest by embedding | time |\n|---|---|---|---|");
  for (const seed of seeds) {
    const { pixels, embeddings, seconds } = await oneShot(data, { ...ONE_SHOT, seed });
    const cells = [pixels, embeddings].map(
      ({ mean, standardError }) => `${percent(mean)} ± ${percent(standardError)}`,
    );
    say(`| ${seed} | ${cells.join(" | ")} | ${seconds.toFixed(0)} s |`);
  }
}

function percent(x: number): string {
  return `${(100 * x).toFixed(2)} %`;
}

await run(HELP, readOptions, main);
