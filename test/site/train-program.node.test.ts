import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { CHOICES, type JobSettings, suited } from "../../site/train/choices.ts";
import { programOf } from "../../site/train/program.ts";

const INITIAL = Object.fromEntries(
  Object.entries(CHOICES).map(([name, { initial }]) => [name, initial]),
) as unknown as JobSettings;

const CASES: Readonly<Record<string, Partial<JobSettings>>> = {
  plain: {},
  "no hidden layer": { layers: "", loss: "hinge", optimizer: "lion", schedule: "cosine" },
  sines: { activation: "sin", loss: "squaredError", optimizer: "nesterov", schedule: "step" },
  "dropout and warm-up": {
    activation: "tanh",
    dropout: 0.2,
    loss: "focal",
    optimizer: "rmsprop",
    schedule: "warmup",
  },
  "a curve": { ...suited("curve"), data: "curve", loss: "huber", schedule: "exponential" },
  "a table": { ...suited("csv"), data: "csv", activation: "linear", optimizer: "adagrad" },
  digits: { ...suited("digits"), data: "digits", activation: "mish", optimizer: "adamw" },
};

test.each(Object.entries(CASES))("the program of settings with %s runs", async (name, given) => {
  const program = programOf({ ...INITIAL, ...given, epochs: 3, device: "cpu" });
  const folder = "build/examples";
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/train-page-${name.replace(/\W/g, "-")}.mjs`;
  writeFileSync(file, program.replace("await init();", 'await init({ device: "cpu" });'));
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    await import(/* @vite-ignore */ `../../${file}`);
    expect(log.mock.calls.map(([epoch]) => epoch)).toEqual([1, 2, 3]);
    for (const [, loss] of log.mock.calls) expect(Number(loss)).toBeGreaterThan(0);
  } finally {
    log.mockRestore();
  }
});
