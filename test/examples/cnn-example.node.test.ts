import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { HELP, readOptions } from "../../examples/cnn/options.ts";
import { trainConvolutions } from "../../examples/cnn/training.ts";
import { acceptanceTest } from "../support/acceptance.ts";
import { Command } from "../support/command.ts";
import { testDevice } from "../support/device.ts";
import { loadMnist } from "../support/mnist.ts";

const command = new Command("cnn");
beforeAll(() => command.build());

/** Writes files of MNIST's form: images of a bright square, whose place is their class. */
function writeSquares(folder: string): void {
  mkdirSync(folder);
  const header = (...words: number[]) => {
    const bytes = Buffer.alloc(4 * words.length);
    for (const [i, word] of words.entries()) bytes.writeUInt32BE(word, 4 * i);
    return bytes;
  };
  for (const [name, count] of [
    ["train", 200],
    ["t10k", 50],
  ] as const) {
    const pixels = Buffer.alloc(count * 784);
    const labels = Buffer.from(Array.from({ length: count }, (_, i) => i % 10));
    for (let i = 0; i < count; i++) {
      const [top, left] = [4 + 6 * Math.floor(labels[i] / 4), 2 + 6 * (labels[i] % 4)];
      for (let k = 0; k < 25; k++) {
        const at = (top + Math.floor(k / 5)) * 28 + left + (k % 5);
        pixels[i * 784 + at] = 155 + ((i * 37 + k) % 100);
      }
    }
    const images = Buffer.concat([header(2051, count, 28, 28), pixels]);
    writeFileSync(join(folder, `${name}-images-idx3-ubyte`), images);
    writeFileSync(
      join(folder, `${name}-labels-idx1-ubyte`),
      Buffer.concat([header(2049, count), labels]),
    );
  }
}

test("the command trains on files of MNIST's form and tells of each epoch in JSON", async () => {
  const folder = join(command.root, "squares");
  writeSquares(folder);
  const args = "--device cpu --epochs 4 --batch-size 20 --dropout 0.1 --json --data".split(" ");
  const { code, out, err } = await command.run([...args, folder]);
  expect([code, err]).toEqual([0, ""]);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ event }) => event)).toEqual(["epoch", "epoch", "epoch", "epoch", "done"]);
  expect(lines[3].loss).toBeLessThan(lines[0].loss / 2);
  expect(lines[3]).toMatchObject({ epoch: 4, step: 40 });
  expect(lines[4].testAccuracy).toBe(lines[3].testAccuracy);
  expect(lines[4].testAccuracy).toBeGreaterThan(0.9);
  expect(lines[4]).toMatchObject({ device: "cpu", steps: 40, weights: "runs/cnn.safetensors" });
}, 120_000);

acceptanceTest(
  "ten epochs classify 99.2 % of MNIST's test images",
  async () => {
    const { trainData, testData } = await loadMnist(await testDevice());
    const { history } = await trainConvolutions(trainData, testData, readOptions([]));
    expect(history).toHaveLength(10);
    expect(history[9].testAccuracy).toBeGreaterThanOrEqual(0.992);
  },
  1_800_000,
);

test("--help lists every option, and others are refused", async () => {
  const { help, ...options } = readOptions(["--help"]);
  expect(help).toBe(true);
  for (const name of Object.keys(options)) {
    expect(HELP).toContain(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} `);
  }
  const { code, out, err } = await command.run(["--batch-size", "1"]);
  const says = "--batch-size: 1; expected an integer from 2 to 60000";
  expect([code, out, err.trim()]).toEqual([2, "", says]);
});

test("a folder without the files is refused in one line", async () => {
  const { code, err } = await command.run(["--device", "cpu", "--data", "nowhere"]);
  expect(code).toBe(1);
  expect(err.trim().split("\n")).toHaveLength(1);
  expect(err).toContain("nowhere/train-images-idx3-ubyte");
});
