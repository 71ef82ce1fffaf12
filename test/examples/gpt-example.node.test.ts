import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { HELP, readOptions } from "../../examples/gpt/options.ts";
import { loadText } from "../../examples/gpt/text.ts";
import { baselinesOf, trainOnText } from "../../examples/gpt/training.ts";
import { acceptanceTest } from "../support/acceptance.ts";
import { Command } from "../support/command.ts";
import { testDevice } from "../support/device.ts";

const command = new Command("gpt");
beforeAll(() => command.build());

test("the command trains on a text and tells of it in JSON", async () => {
  writeFileSync(join(command.root, "text.txt"), `${"the cat sat on the mat. ".repeat(40)}\n`);
  const args =
    "--device cpu --json --steps 30 --every 15 --layers 1 --width 16 --context 12 --batch-size 8 " +
    "--learning-rate 0.02 --sample 20 --data text.txt";
  const { code, out, err } = await command.run(args.split(" "));
  expect([code, err]).toEqual([0, ""]);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ event }) => event)).toEqual(["start", "progress", "progress", "done"]);
  const [start, first, second, done] = lines;
  expect(start).toMatchObject({ device: "cpu", characters: 959 });
  expect(start.trigram).toBeLessThan(start.unigram);
  expect(second.loss).toBeLessThan(first.loss);
  expect(second.sample).toHaveLength(21);
  expect(done).toMatchObject({ steps: 30, validation: second.validation });
  expect(done.weights).toBe("runs/gpt.safetensors");
});

test("the text is the backgrounds of The World Factbook", async () => {
  await testDevice();
  const text = await loadText();
  expect(text.length).toBe(307_230);
  expect(text).toContain("France today is one of the most modern countries in the world");
  const { unigram, bigram, trigram } = baselinesOf(text);
  expect(unigram).toBeCloseTo(3.18, 2);
  expect(bigram).toBeCloseTo(2.448, 2);
  expect(trigram).toBeCloseTo(1.969, 2);
});

acceptanceTest(
  "a thousand steps tell the next character better than counts of three",
  async () => {
    await testDevice();
    const text = await loadText();
    const { history, model } = await trainOnText(text, readOptions([]));
    expect(model.size).toBeGreaterThanOrEqual(800_000);
    expect(history.at(-1)?.validation).toBeLessThan(baselinesOf(text).trigram);
    model.dispose();
  },
  3_600_000,
);

test("--help lists every option, and others are refused", async () => {
  const { help, ...options } = readOptions(["--help"]);
  expect(help).toBe(true);
  for (const name of Object.keys(options)) {
    expect(HELP).toContain(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} `);
  }
  const { code, out, err } = await command.run(["--heads", "3"]);
  expect([code, out, err.trim()]).toEqual([
    2,
    "",
    "--width: 128; expected a multiple of 6, twice the heads",
  ]);
});
