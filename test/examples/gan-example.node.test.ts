import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { beforeAll, expect, test } from "vitest";
import { judgeSamples, trainJudge } from "../../examples/gan/judge.ts";
import { HELP, readOptions } from "../../examples/gan/options.ts";
import { makeSamples } from "../../examples/gan/samples.ts";
import { type Progress, trainGan } from "../../examples/gan/training.ts";
import { Subset } from "../../src/data/index.ts";
import { acceptanceTest } from "../support/acceptance.ts";
import { Command } from "../support/command.ts";
import { testDevice } from "../support/device.ts";
import { loadMnist } from "../support/mnist.ts";

const command = new Command("gan");
beforeAll(() => command.build());

test("the command writes images, and has a classifier tell which digits they look like", async () => {
  const args = "--device cpu --classes --steps 60 --channels 8 --learning-rate 0.002 --json";
  const { code, out, err } = await command.run(args.split(" "));
  expect([code, err]).toEqual([0, ""]);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ event }) => event)).toEqual(["start", "progress", "progress", "done"]);
  const done = lines[3];
  expect(done).toMatchObject({ device: "cpu", steps: 60, samples: "runs/gan.png" });
  expect(done.judgeAccuracy).toBeGreaterThan(0.94);
  expect(done.counts.reduce((sum: number, n: number) => sum + n, 0)).toBe(1000);
  expect(done.asTold).toBeGreaterThan(0.2); // twice what chance gives
  const { width, height } = decode(readFileSync(join(command.root, done.samples)));
  expect([width, height]).toEqual([280, 280]);
}, 240_000);

test("a classifier recognises real digits, and tells one digit from many", async () => {
  const { trainData, testData } = await loadMnist(await testDevice());
  const { model, testAccuracy } = await trainJudge({ trainData, testData }, 0);
  expect(testAccuracy).toBeGreaterThan(0.94);
  const real = testData.batch(new Subset(testData, [...Array(300).keys()]).indices);
  const images = Float32Array.from(await real.images.data());
  const labels = Int32Array.from(await real.labels.data());
  const verdict = await judgeSamples(model, { images, labels });
  expect(verdict.asTold).toBeGreaterThan(0.93);
  expect(verdict.variety).toBeGreaterThan(0.95);
  const one = { images: images.slice(0, 784), labels: labels.slice(0, 1) };
  expect(await judgeSamples(model, one)).toMatchObject({ variety: 0 });
}, 120_000);

acceptanceTest.each([true, false])(
  "makes every digit, with neither network far ahead (told which: %s)",
  async (classes) => {
    const data = await loadMnist(await testDevice());
    const settings = { ...readOptions([]), classes };
    const history: Progress[] = [];
    const onProgress = (progress: Progress) => history.push(progress);
    const { gan } = await trainGan(data.trainData, settings, { onProgress });
    // From half of the steps on. Both are even at 2 log 2, and log 2.
    for (const { discriminatorLoss, generatorLoss } of history.slice(history.length / 2)) {
      expect(discriminatorLoss).toBeGreaterThan(0.3);
      expect(discriminatorLoss).toBeLessThan(2);
      expect(generatorLoss).toBeGreaterThan(0.5);
      expect(generatorLoss).toBeLessThan(4);
    }
    const { model } = await trainJudge(data, 0);
    const verdict = await judgeSamples(model, await makeSamples(gan, { hundreds: 10, seed: 0 }));
    expect(verdict.variety).toBeGreaterThan(0.9);
    if (classes) expect(verdict.asTold).toBeGreaterThan(0.9);
  },
  3_600_000,
);

test("--help lists every option, and others are refused", async () => {
  const { help, ...options } = readOptions(["--help"]);
  expect(help).toBe(true);
  for (const name of Object.keys(options)) {
    expect(HELP).toContain(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} `);
  }
  const { code, out, err } = await command.run(["--batch-size", "1"]);
  const says = "--batch-size: 1; expected an integer from 2 to 10000";
  expect([code, out, err.trim()]).toEqual([2, "", says]);
});
