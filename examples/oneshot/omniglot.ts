import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decode } from "fast-png";
import { readZip, type ZipFile } from "../../src/io/zip.ts";
import { PIXELS, SIDE } from "../embeddings/distorted.ts";
import type { Characters } from "./class-batches.ts";

/** One of the standard runs: characters shown once each, and as many to be recognised. */
export interface StandardRun {
  readonly shown: Uint8Array;
  readonly asked: Uint8Array;
  /** Which of those shown each that is asked is. */
  readonly answers: Uint32Array;
}

const BACKGROUND = ["images_background_small1.zip", "images_background_small2.zip"];
const RUNS = "all_runs.zip";

/** Reads the characters of the two small background sets; what is in both counts once. */
export async function loadBackground(folder: string): Promise<Characters> {
  const images = new Map<string, Uint8Array>();
  for (const name of BACKGROUND) {
    for (const file of await archive(folder, name)) {
      // images_background_small1/Greek/character01/0394_01.png
      if (isImage(file.name)) images.set(file.name.replace(/^[^/]*\//, ""), file.bytes);
    }
  }
  const characterOf = (name: string) => name.replace(/\/[^/]*$/, "");
  const names = [...images.keys()].sort();
  const numbers = new Map([...new Set(names.map(characterOf))].map((name, i) => [name, i]));
  const labels = names.map((name) => numbers.get(characterOf(name)) as number);
  return {
    pixels: joined(names.map((name) => shrunk(name, images.get(name) as Uint8Array))),
    labels: Int32Array.from(labels),
    classes: numbers.size,
  };
}

/** Reads the standard one-shot runs, 20 of 20 characters. */
export async function loadRuns(folder: string): Promise<StandardRun[]> {
  const files = new Map(
    (await archive(folder, RUNS)).map(({ name, bytes }) => [name, bytes] as const),
  );
  const labels = [...files].filter(([name]) => name.endsWith("/class_labels.txt")).sort();
  return labels.map(([name, text]) => {
    const run = name.slice(0, name.indexOf("/"));
    const imagesOf = (kind: string) =>
      [...files.keys()]
        .filter((file) => file.startsWith(`${run}/${kind}/`) && isImage(file))
        .sort();
    const [shown, asked] = [imagesOf("training"), imagesOf("test")];
    // run01/test/item01.png run01/training/class06.png
    const lines = new TextDecoder().decode(text).trim().split("\n");
    const pairs = new Map(lines.map((line) => line.trim().split(/\s+/) as [string, string]));
    const answers = asked.map((item) => {
      const answer = shown.indexOf(pairs.get(item) ?? "");
      if (answer >= 0) return answer;
      throw new Error(`${RUNS}: ${name} without a class of ${item}; expected one for each`);
    });
    const bytes = (list: string[]) =>
      joined(list.map((file) => shrunk(file, files.get(file) as Uint8Array)));
    return { shown: bytes(shown), asked: bytes(asked), answers: Uint32Array.from(answers) };
  });
}

async function archive(folder: string, name: string): Promise<ZipFile[]> {
  return readZip(name, await readFile(join(folder, name)));
}

function isImage(name: string): boolean {
  return name.endsWith(".png");
}

/** Decodes a drawing, black on white and one bit a pixel, and averages it to 28 × 28. */
function shrunk(name: string, png: Uint8Array): Uint8Array {
  const { width, height, depth, channels, data } = decode(png);
  if (depth !== 1 || channels !== 1) {
    const given = `${name}: ${channels} channels of ${depth} bits`;
    throw new Error(`${given}; expected a drawing of one bit a pixel`);
  }
  const stride = Math.ceil(width / 8);
  const result = new Float64Array(PIXELS);
  const [wide, high] = [SIDE / width, SIDE / height];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isInk = ((data[y * stride + (x >> 3)] << (x & 7)) & 0x80) === 0;
      if (!isInk) continue;
      for (const [column, a] of shares(x * wide, wide)) {
        for (const [row, b] of shares(y * high, high)) result[row * SIDE + column] += a * b;
      }
    }
  }
  return Uint8Array.from(result, (x) => Math.round(255 * Math.min(1, x)));
}

/** How much of each cell a stretch of at most one cell covers. */
function shares(start: number, length: number): [number, number][] {
  const cell = Math.floor(start);
  const rest = start + length - (cell + 1);
  if (rest <= 1e-9 || cell + 1 >= SIDE) return [[cell, length]];
  return [
    [cell, length - rest],
    [cell + 1, rest],
  ];
}

function joined(images: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(images.length * PIXELS);
  for (const [i, image] of images.entries()) all.set(image, i * PIXELS);
  return all;
}
