import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { HELP, readOptions } from "../../examples/dropout/options.ts";
import { trainWithDropout } from "../../examples/dropout/training.ts";
import { evaluateAccuracy } from "../../src/train/index.ts";
import { acceptanceTest } from "../support/acceptance.ts";
import { Command } from "../support/command.ts";
import { testDevice } from "../support/device.ts";
import { loadMnist } from "../support/mnist.ts";

const command = new Command("dropout");
beforeAll(() => command.build());

test("two epochs of 784-256-128-10 with dropout classify 96 % of the test images", async () => {
  const { trainData, testData } = await loadMnist(await testDevice());
  const { history, model } = await trainWithDropout(trainData, readOptions(["--epochs", "2"]));
  expect(history).toHaveLength(2);
  const [first, last] = history;
  expect(last.loss).toBeLessThan(first.loss / 2);
  expect(last.validationLoss).toBeLessThan(first.validationLoss ?? 0);
  expect(last.validationMetrics?.accuracy).toBeGreaterThan(0.95);
  expect(await evaluateAccuracy(model, testData)).toBeGreaterThanOrEqual(0.96);
}, 300_000);

acceptanceTest(
  "ten epochs of 784-256-128-10 with dropout classify 98 % of the test images",
  async () => {
    const { trainData, testData } = await loadMnist(await testDevice());
    const { history, model } = await trainWithDropout(trainData, readOptions([]));
    expect(history).toHaveLength(10);
    const [first, last] = [history[0], history[9]];
    expect(last.loss).toBeLessThan(first.loss / 4);
    expect(last.validationLoss).toBeLessThan(first.validationLoss ?? 0);
    expect(last.validationMetrics?.accuracy).toBeGreaterThan(0.97);
    expect(await evaluateAccuracy(model, testData)).toBeGreaterThanOrEqual(0.98);
  },
  900_000,
);

test("the command shows both losses after each epoch and stops early when it is told to", async () => {
  // One step an epoch, and with a learning rate of 0 no epoch is better than the first.
  const { code, out } = await command.run(
    "--device cpu --epochs 5 --patience 1 --batch-size 28000 --learning-rate 0".split(" "),
  );
  expect(code).toBe(0);
  const lines = out.trim().split("\n");
  const epochs = lines.filter((line) => /^epoch \d\/5: loss .* validation loss \d/.test(line));
  expect(epochs).toHaveLength(2);
  expect(lines.slice(-3, -1)).toEqual([
    expect.stringMatching(/^Lowest validation loss: .*, epoch 1$/),
    expect.stringMatching(/^Stopped: 2 steps in .* s on cpu, test accuracy .* %$/),
  ]);
  expect(lines.at(-1)).toBe("Weights: runs/dropout.safetensors");
}, 300_000);

test("--help lists every option, and others are refused", async () => {
  const { help, ...options } = readOptions(["--help"]);
  expect(help).toBe(true);
  for (const name of Object.keys(options)) {
    expect(HELP).toContain(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} `);
  }
  const { code, err } = await command.run(["--dropout", "1"]);
  expect([code, err.trim()]).toEqual([2, "--dropout: 1; expected a number from 0 to 0.99"]);
});

test("weights that could not be written are refused before training", async () => {
  const cwd = join(command.root, "full");
  mkdirSync(cwd);
  writeFileSync(join(cwd, "runs"), "");
  const { code, out, err } = await command.run([], undefined, { cwd });
  const says =
    "runs/dropout.safetensors: ENOTDIR: not a directory; expected a file that can be written";
  expect({ code, out, err }).toEqual({ code: 2, out: "", err: `${says}\n` });
});
