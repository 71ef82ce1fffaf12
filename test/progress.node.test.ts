import { beforeAll, expect, test } from "vitest";
import { fit, pageBar, progressBar, terminalBar } from "../src/train/index.ts";
import { testDevice } from "./support/device.ts";
import { smallData, smallRun } from "./support/small-run.ts";

beforeAll(() => testDevice());

const report = {
  epoch: 1,
  epochs: 5,
  step: 25,
  steps: 100,
  loss: 0.12345,
  metrics: { accuracy: 0.5 },
  stepsPerSecond: 98.7,
  secondsLeft: 0.2,
};

function terminal(isTTY: boolean, columns?: number) {
  const texts: string[] = [];
  return { texts, isTTY, columns, write: (text: string) => texts.push(text) };
}

test("a terminal's line is written over, cut to its width, and cleared at the end", () => {
  const wide = terminal(true, 200);
  const bar = terminalBar(wide);
  bar.update(report);
  bar.end?.();
  bar.end?.();
  expect(wide.texts).toEqual([
    "\r\x1b[2Kepoch 2/5 ██████░░░░░░░░░░░░░░░░░░ 25/100 · loss 0.1235 · accuracy 0.5000 · " +
      "99 steps/s · 1 s left",
    "\r\x1b[2K",
  ]);
  const narrow = terminal(true, 20);
  terminalBar(narrow).update(report);
  expect(narrow.texts).toEqual(["\r\x1b[2Kepoch 2/5 ██████░░░"]);
});

test("a file gets a line for each epoch only", async () => {
  const file = terminal(false);
  await fit({
    ...smallRun(),
    epochs: 2,
    metricsEvery: 1,
    validationData: smallData(7, 20),
    testData: smallData(4),
    callbacks: [progressBar(terminalBar(file))],
  });
  expect(file.texts).toHaveLength(2);
  expect(file.texts[1]).toMatch(
    /^epoch 2\/2: loss \d\.\d{4}, validation loss \d\.\d{4}, test accuracy \d+\.\d\d %, \d+ steps\/s\n$/,
  );
});

test("an epoch's line holds each number that was measured", () => {
  const file = terminal(false);
  const event = {
    event: "epoch",
    epoch: 0,
    step: 10,
    loss: 0.5,
    metrics: { recall: 0.25 },
    validationLoss: 1.5,
    validationMetrics: { recall: 0.125 },
    trainAccuracy: 0.75,
    testAccuracy: 0.5,
    stepsPerSecond: 12.3,
  } as const;
  terminalBar(file).epoch?.(event, 3);
  expect(file.texts).toEqual([
    "epoch 1/3: loss 0.5000, recall 0.2500, validation loss 1.5000, validation recall 0.1250, " +
      "train accuracy 75.00 %, test accuracy 50.00 %, 12 steps/s\n",
  ]);
});

test("a page's element goes from 0 to 1", async () => {
  const element = { value: 0, max: 100 };
  const seen: number[] = [];
  const sink = pageBar(element, ({ epochs }) => seen.push(element.value, epochs));
  const callbacks = [progressBar(sink)];
  await fit({ ...smallRun(), epochs: 1, metricsEvery: 2, callbacks });
  expect(element.max).toBe(1);
  expect(seen).toEqual([0.5, 1, 1, 1]);
});
