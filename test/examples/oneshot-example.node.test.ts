import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "fast-png";
import { beforeAll, expect, test } from "vitest";
import { summary } from "../../examples/embeddings/trials.ts";
import { loadBackground, loadRuns } from "../../examples/oneshot/omniglot.ts";
import { HELP, readOptions } from "../../examples/oneshot/options.ts";
import { DIGITS, knownDigits, tryDigits, tryRuns } from "../../examples/oneshot/recognition.ts";
import { trainEmbedding } from "../../examples/oneshot/training.ts";
import { writeZip } from "../../src/io/zip.ts";
import { acceptanceTest } from "../support/acceptance.ts";
import { Command } from "../support/command.ts";
import { testDevice } from "../support/device.ts";
import { loadMnist } from "../support/mnist.ts";

const command = new Command("oneshot");
beforeAll(() => command.build());

/** The side of Omniglot's drawings. */
const SIDE = 105;

/** A drawing with a black square of a side, its corner at (x, y). */
function drawing(x: number, y: number, side: number): Uint8Array {
  const stride = Math.ceil(SIDE / 8);
  const data = new Uint8Array(stride * SIDE).fill(255);
  for (let row = y; row < y + side; row++) {
    for (let column = x; column < x + side; column++) {
      data[row * stride + (column >> 3)] &= ~(0x80 >> (column & 7));
    }
  }
  return encode({ width: SIDE, height: SIDE, data, channels: 1, depth: 1 });
}

/** Writes a small set of Omniglot's form: squares, whose place is their character. */
async function writeOmniglot(name: string): Promise<string> {
  const folder = join(command.root, name);
  mkdirSync(folder);
  const write = async (file: string, files: [string, Uint8Array][]) => {
    const list = files.map(([name, bytes]) => ({ name, bytes }));
    writeFileSync(join(folder, file), await writeZip("test", list, true));
  };
  const places = [0, 1, 2, 3].map((i) => [15 + 45 * (i & 1), 15 + 45 * (i >> 1)] as const);
  const characters = (set: string, alphabet: string) =>
    places.flatMap(([x, y], i) =>
      [0, 1, 2, 3].map((k): [string, Uint8Array] => [
        `${set}/${alphabet}/character0${i}/000${i}_0${k}.png`,
        drawing(x + k, y - k, alphabet === "Latin" ? 30 : 15),
      ]),
    );
  const [small1, small2] = ["images_background_small1", "images_background_small2"];
  await write(`${small1}.zip`, [...characters(small1, "Greek"), ...characters(small1, "Latin")]);
  await write(`${small2}.zip`, characters(small2, "Latin"));
  const run = (n: string, order: number[]): [string, Uint8Array][] => [
    ...places.map(([x, y], i): [string, Uint8Array] => [
      `${n}/training/class0${i}.png`,
      drawing(x, y, 25),
    ]),
    ...order.map((place, i): [string, Uint8Array] => [
      `${n}/test/item0${i}.png`,
      drawing(places[place][0] + 2, places[place][1] + 1, 20),
    ]),
    [
      `${n}/class_labels.txt`,
      new TextEncoder().encode(
        order.map((p, i) => `${n}/test/item0${i}.png ${n}/training/class0${p}.png\n`).join(""),
      ),
    ],
  ];
  await write("all_runs.zip", [...run("run01", [2, 0, 3, 1]), ...run("run02", [1, 3, 2, 0])]);
  return folder;
}

test("files of Omniglot's form are read: characters once each, runs with their answers", async () => {
  const folder = await writeOmniglot("read");
  const { pixels, labels, classes } = await loadBackground(folder);
  expect(classes).toBe(8);
  expect([...labels]).toEqual(Array.from({ length: 32 }, (_, i) => Math.floor(i / 4)));
  // A square of 15 of 105 pixels from 15 on is 4 of 28, from 4 on; of 30, 8.
  const image = (i: number) => pixels.subarray(i * 784, (i + 1) * 784);
  const square = (side: number) =>
    Array.from({ length: 784 }, (_, i) => {
      const inside = (x: number) => x >= 4 && x < 4 + side;
      return inside(i % 28) && inside(Math.floor(i / 28)) ? 255 : 0;
    });
  expect([...image(0)]).toEqual(square(4));
  expect([...image(16)]).toEqual(square(8));
  // Moved by one of 3.75 pixels to the right and upwards, ink stays as much.
  const ink = (i: number) => image(i).reduce((sum, x) => sum + x, 0) / 255;
  expect(ink(1)).toBeCloseTo(16, 1);
  expect(image(1)[4 * 28 + 4]).toBe(Math.round((255 * 2.75) / 3.75));

  const runs = await loadRuns(folder);
  expect(runs.map(({ answers }) => [...answers])).toEqual([
    [2, 0, 3, 1],
    [1, 3, 2, 0],
  ]);
  expect(runs[0].shown).toHaveLength(4 * 784);
  await testDevice();
  // Squares in four corners are told apart by their pixels already.
  const nothing = await trainEmbedding(await loadBackground(folder), {
    ...readOptions(["--set", "omniglot"]),
    steps: 1,
    classes: 4,
    examples: 2,
  });
  expect((await tryRuns(nothing.model, runs)).pixels.mean).toBe(1);
}, 60_000);

test("a run without a class, and what is no drawing, are refused by name", async () => {
  const folder = await writeOmniglot("damaged");
  const archive = async (files: Record<string, string | Uint8Array>) => {
    const list = Object.entries(files).map(([name, content]) => ({
      name,
      bytes: typeof content === "string" ? new TextEncoder().encode(content) : content,
    }));
    writeFileSync(join(folder, "all_runs.zip"), await writeZip("test", list, false));
    return loadRuns(folder);
  };
  const image = drawing(1, 1, 5);
  const images = { "run01/test/item01.png": image, "run01/training/class01.png": image };
  const labels = "run01/class_labels.txt";
  await expect(archive({ ...images, [labels]: "run01/test/item02.png x" })).rejects.toThrow(
    "all_runs.zip: run01/class_labels.txt without a class of run01/test/item01.png",
  );
  const grey = encode({ width: 1, height: 1, data: Uint8Array.of(3), channels: 1, depth: 8 });
  const right = { ...images, [labels]: "run01/test/item01.png run01/training/class01.png" };
  await expect(archive({ ...right, "run01/test/item01.png": grey })).rejects.toThrow(
    "run01/test/item01.png: 1 channels of 8 bits; expected a drawing of one bit a pixel",
  );
});

test("the command learns Omniglot's characters and tells of it in JSON", async () => {
  const folder = await writeOmniglot("learnt");
  const args = "--device cpu --set omniglot --steps 50 --classes 8 --examples 2 --json --data";
  const { code, out, err } = await command.run([...args.split(" "), folder]);
  expect([code, err]).toEqual([0, ""]);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ event }) => event)).toEqual(["start", "progress", "done"]);
  expect(lines[0]).toMatchObject({ device: "cpu", set: "omniglot", images: 32 });
  expect(lines[2]).toMatchObject({ steps: 50, pixels: 1, weights: "runs/oneshot.safetensors" });
  expect(lines[2].accuracy).toBeGreaterThanOrEqual(0.5);
}, 120_000);

/** Trains on digits as the command does, and tells how many of others are recognised. */
async function recognised(args: string[], trials: number) {
  const { trainData, testData } = await loadMnist(await testDevice());
  const settings = readOptions(args);
  const digits = DIGITS[settings.validate ? "validation" : "test"];
  const known = await knownDigits(trainData, digits);
  const { model } = await trainEmbedding(known, settings);
  return { known, ...(await tryDigits(model, testData, digits, trials)) };
}

test("digits seen once are recognised better by embeddings than by pixels", async () => {
  const { known, pixels, embeddings } = await recognised(["--steps", "40"], 200);
  expect([known.classes, known.labels.length]).toEqual([7, 41_935]);
  expect(pixels.mean).toBeGreaterThan(0.5);
  expect(embeddings.mean).toBeGreaterThan(pixels.mean + 0.15);
}, 300_000);

acceptanceTest(
  "85 % of the digits 7, 8 and 9 are recognised from one example, a mean over five seeds",
  async () => {
    const shares: number[] = [];
    for (const seed of [0, 1, 2, 3, 4]) {
      const { embeddings } = await recognised(["--seed", String(seed)], 1000);
      shares.push(embeddings.mean);
    }
    expect(summary(shares).mean).toBeGreaterThanOrEqual(0.85);
  },
  3_600_000,
);

acceptanceTest(
  "75 % of Omniglot's characters are recognised from one example",
  async () => {
    await testDevice();
    const { data, ...settings } = readOptions(["--set", "omniglot"]);
    const { model } = await trainEmbedding(await loadBackground(data), settings);
    const { embeddings } = await tryRuns(model, await loadRuns(data));
    expect(embeddings.mean).toBeGreaterThanOrEqual(0.75);
  },
  3_600_000,
);

test("settings are chosen without a look at the digits that are asked for", () => {
  const { known, unseen } = DIGITS.validation;
  for (const digit of [...known, ...unseen]) expect(DIGITS.test.known).toContain(digit);
  expect(DIGITS.test.unseen).toEqual([7, 8, 9]);
});

test("as many classes are invented as the digits leave over", () => {
  const invented = (...args: string[]) => readOptions(args).invented;
  expect([invented(), invented("--set", "omniglot"), invented("--classes", "20")]).toEqual([
    22, 0, 14,
  ]);
  // Seven digits have 28 quarter turns, and four have 16.
  expect(invented("--classes", "128", "--examples", "2")).toBe(100);
  expect(invented("--classes", "40", "--invented", "12")).toBe(12);
  expect(() => invented("--classes", "40", "--invented", "11")).toThrow(
    "--invented: 11; expected an integer from 12 to 40",
  );
  expect(() => invented("--classes", "40", "--invented", "23", "--validate")).toThrow(
    "--invented: 23; expected an integer from 24 to 40",
  );
});

test("--help lists every option, and others are refused", async () => {
  const { help, ...options } = readOptions(["--help"]);
  expect(help).toBe(true);
  for (const name of Object.keys(options)) {
    expect(HELP).toContain(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} `);
  }
  const { code, out, err } = await command.run(["--classes", "28", "--examples", "10"]);
  const says = "--examples: 10; expected an integer from 2 to 9";
  expect([code, out, err.trim()]).toEqual([2, "", says]);
});

test("a folder without the files is refused in one line", async () => {
  const args = ["--device", "cpu", "--set", "omniglot", "--data", "nowhere"];
  const { code, err } = await command.run(args);
  expect(code).toBe(1);
  expect(err.trim().split("\n")).toHaveLength(1);
  expect(err).toContain("nowhere/images_background_small1.zip");
});
