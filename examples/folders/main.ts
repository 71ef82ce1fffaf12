import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { ImageDataset, pictureFiles } from "gradus/pictures";
import { UsageError } from "../command/arguments.ts";
import { teller } from "../command/events.ts";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { drawnFolder } from "./picture-folder.ts";
import { chances, divide, trainOnFolders } from "./training.ts";

/** Pictures that were told wrong and are named. */
const NAMED = 5;

async function main(options: Options): Promise<void> {
  const { size, count, seed, networks } = options;
  const files = networks.map((kind) => new ResultFile(`runs/folders-${kind}.safetensors`));
  for (const file of files) await file.probe(4 * 64 * 3 * size * size + 100_000);
  const signal = interruption();
  const tell = teller(options.json);
  const { device, reason } = await init({ device: options.device });
  const folder = options.data ?? (await drawnFolder("runs/pictures", { count, size, seed }));
  const listed = await pictureFiles(folder);
  using data = new ImageDataset(listed, { size, normalize: { mean: 0.5, std: 0.25 } });
  const { classes } = data;
  if (classes.length !== 2) {
    throw new UsageError(`--data: ${folder} has ${classes.length} class folders; expected two`);
  }
  const pictures = await data.load();
  const parts = divide(pictures, data.labels, seed);
  if (parts.train.size < options.batchSize) {
    throw new UsageError(
      `--batch-size: ${options.batchSize}; expected at most ${parts.train.size}, the pictures to train on`,
    );
  }
  tell(
    {
      event: "start",
      device: device.kind,
      description: device.description,
      reason,
      folder,
      classes,
    },
    `Device: ${device.kind}, ${device.description} (${reason})\n` +
      `Pictures: ${parts.train.size} to train on and ${parts.test.size} to measure of ${classes.join(" and ")} ` +
      `in ${folder}, ${size} × ${size} pixels, seed ${seed}`,
  );
  for (const [i, kind] of networks.entries()) {
    if (signal.aborted) break;
    const began = performance.now();
    const { model, accuracy } = await trainOnFolders(
      kind,
      parts,
      { size, settings: options },
      {
        signal,
        onEpoch: (epoch) => {
          const text = `${kind}, epoch ${epoch.epoch}: loss ${epoch.loss.toFixed(4)}, ${percent(epoch.accuracy)}`;
          tell({ event: "epoch", network: kind, ...epoch }, text);
        },
      },
    );
    const seconds = (performance.now() - began) / 1000;
    const found = await chances(model, parts.test);
    const wrong = [...parts.test.indices]
      .map((picture, k) => ({
        name: listed[picture].name,
        chance: found[k],
        label: data.labels[picture],
      }))
      .filter(({ chance, label }) => chance > 0.5 !== (label === 1))
      .sort((a, b) => Math.abs(b.chance - 0.5) - Math.abs(a.chance - 0.5))
      .map(({ name, chance }) => ({ name, chance }));
    await files[i].write(await saveSafetensors(model));
    tell(
      {
        event: "done",
        network: kind,
        device: device.kind,
        seconds,
        accuracy,
        wrong,
        weights: files[i].path,
      },
      `${signal.aborted ? "Stopped" : "Done"}: ${kind}, ${percent(accuracy)} of pictures that it has not seen, ` +
        `${seconds.toFixed(1)} s on ${device.kind}\n${named(wrong, classes)}Weights: ${files[i].path}`,
    );
    model.dispose();
  }
  device.dispose();
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** A line of the pictures that were told wrong with the most certainty. */
function named(
  wrong: readonly { readonly name?: string; readonly chance: number }[],
  [, second]: readonly string[],
): string {
  if (wrong.length === 0) return "";
  const some = wrong
    .slice(0, NAMED)
    .map(({ name, chance }) => `${name} (${percent(chance)} ${second})`);
  return `Wrong: ${some.join(", ")}${wrong.length > NAMED ? `, … ${wrong.length} in all` : ""}\n`;
}

await run(HELP, readOptions, main);
