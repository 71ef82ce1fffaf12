import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { init } from "../../src/index.ts";
import { run } from "../command/run.ts";
import { loadMnist } from "../mnist/data.ts";
import { HEADS } from "./heads.ts";
import { ONE_SHOT, oneShot } from "./one-shot.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { PLANE, type PlaneResult, trainInPlane, warmUp } from "./plane.ts";
import { scatterSvg } from "./scatter.ts";

type Data = Awaited<ReturnType<typeof loadMnist>>;

async function main({ part, seeds, device: name, figures }: Options): Promise<void> {
  const { device, reason } = await init({ device: name });
  console.log(`Device: ${device.kind}, ${device.description} (${reason})`);
  const data = await loadMnist();
  const all = Array.from({ length: seeds }, (_, seed) => seed);
  if (part !== "one-shot") await comparePlanes(data, all, figures);
  if (part !== "plane") await compareOneShot(data, all);
  device.dispose();
}

async function comparePlanes(data: Data, seeds: number[], figures: string): Promise<void> {
  await mkdir(figures, { recursive: true });
  console.log("\n| seed | head | test accuracy | spread of directions | spread as is | time |");
  console.log("|---|---|---|---|---|---|");
  for (const seed of seeds) {
    using start = await warmUp(data, { ...PLANE, seed });
    for (const head of Object.keys(HEADS)) {
      const result = await trainInPlane(head, data, start, { ...PLANE, seed });
      const { accuracy, angularSpread, spread, seconds } = result;
      const numbers = [percent(accuracy), angularSpread.toFixed(2), spread.toFixed(2)];
      console.log(`| ${seed} | ${head} | ${numbers.join(" | ")} | ${seconds.toFixed(0)} s |`);
      if (seed === 0) await writeFile(join(figures, `${head.toLowerCase()}.svg`), figure(result));
    }
  }
  console.log(`\nFigures: ${figures}`);
}

function figure({ head, accuracy, angularSpread, points, labels }: PlaneResult): string {
  const title = `${head}: accuracy ${percent(accuracy)}, spread ${angularSpread.toFixed(2)}`;
  return scatterSvg({ title, points, labels, classes: 10 });
}

async function compareOneShot(data: Data, seeds: number[]): Promise<void> {
  console.log("\n| seed | nearest by pixels | nearest by embedding | time |\n|---|---|---|---|");
  for (const seed of seeds) {
    const { pixels, embeddings, seconds } = await oneShot(data, { ...ONE_SHOT, seed });
    const cells = [pixels, embeddings].map(
      ({ mean, standardError }) => `${percent(mean)} ± ${percent(standardError)}`,
    );
    console.log(`| ${seed} | ${cells.join(" | ")} | ${seconds.toFixed(0)} s |`);
  }
}

function percent(x: number): string {
  return `${(100 * x).toFixed(2)} %`;
}

await run(HELP, readOptions, main);
