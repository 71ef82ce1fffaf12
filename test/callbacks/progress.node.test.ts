import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { fit, pageBar, progressBar, terminalBar } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { smallData, smallRun } from "../support/small-run.ts";
import { cellsOf } from "../support/terminal.ts";

beforeAll(() => testDevice());
beforeEach(() => {
  vi.stubEnv("TERM", "xterm-256color");
  vi.stubEnv("NO_COLOR", "");
});
afterEach(() => void vi.unstubAllEnvs());

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

test("a terminal's line is never wider than the terminal, whatever becomes of that", () => {
  const screen = terminal(true, 20);
  const bar = terminalBar(screen);
  const metrics = { "精度，だいたい": 0.5, "👍": 1, plain: 0.25 };
  for (const columns of [20, 200, 21, 40, 1, 60, 0, undefined, 80, 100]) {
    screen.columns = columns;
    bar.update({ ...report, metrics });
    const line = screen.texts.at(-1)?.replace("\r\x1b[2K", "") ?? "";
    expect(cellsOf(line)).toBeLessThan(columns || 80);
    if (columns === 200) expect(line).toMatch(/s left$/);
    else expect(cellsOf(line)).toBeGreaterThan((columns || 80) - 4);
  }
});

test.each([
  ["TERM", "dumb"],
  ["NO_COLOR", "1"],
])("with %s=%s a terminal gets plain text", (name, value) => {
  vi.stubEnv(name, value);
  const screen = terminal(true, 80);
  const bar = terminalBar(screen);
  bar.update(report);
  bar.epoch?.({ event: "epoch", epoch: 0, step: 1, loss: 1, stepsPerSecond: 1 }, 1);
  bar.end?.();
  expect(screen.texts).toEqual(["epoch 1/1: loss 1.0000, 1 steps/s\n"]);
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

test("a lost GPU and what follows are lines of their own", () => {
  const wide = terminal(true, 200);
  const callback = progressBar(terminalBar(wide));
  const run = { epochs: 5 } as never;
  callback.onStep?.({ event: "step", ...report } as never, run);
  wide.texts.length = 0;
  const at = { epoch: 1, step: 25 };
  callback.onDeviceLost?.({ event: "deviceLost", ...at, message: "reset" }, run);
  const recovered = { event: "recovered", ...at, repeated: 5, milliseconds: 1234 } as const;
  callback.onRecovered?.({ ...recovered, dropped: 0, kind: "webgpu", description: "A card" }, run);
  callback.onRecovered?.({ ...recovered, dropped: 2, kind: "cpu", description: "plain" }, run);
  callback.onDeviceChosen?.({ event: "deviceChosen", ...at, reason: "the CPU" } as never, run);
  expect(wide.texts).toEqual([
    "\r\x1b[2K",
    "The GPU was lost at step 25: reset\n",
    "Going on from step 20 on A card after 1.2 s\n",
    "Going on from step 20 on the CPU after 1.2 s, 2 steps are gone\n",
    "From step 25 on the CPU\n",
  ]);
});

test("a sink need not care for epochs and the end, and is told of the end after an error", async () => {
  const update = () => {};
  await fit({ ...smallRun(), epochs: 1, callbacks: [progressBar({ update })] });
  const end = vi.fn();
  const fails = () => Promise.reject(new Error("no epoch"));
  const callbacks = [progressBar({ update, end }), { onEpoch: fails }];
  await expect(fit({ ...smallRun(), epochs: 1, callbacks })).rejects.toThrow("no epoch");
  expect(end).toHaveBeenCalledOnce();
});

test("what cannot show progress is refused", () => {
  expect(() => terminalBar({} as never)).toThrow(
    "terminalBar: stream is an object; expected a stream such as process.stdout",
  );
  for (const [element, given] of [
    [null, "null"],
    [undefined, "undefined"],
    ["#bar", '"#bar"'],
  ] as const) {
    expect(() => pageBar(element as never)).toThrow(
      `pageBar: element ${given}; expected a <progress> element`,
    );
  }
  const element = { value: 0, max: 100 };
  pageBar(element).update(report); // with nothing beside it
  expect(element).toEqual({ value: 0.25, max: 1 });
});

test("a stream that does not tell is taken for a file", () => {
  const texts: string[] = [];
  const bar = terminalBar({ write: (text) => texts.push(text) });
  bar.update(report);
  bar.epoch?.({ event: "epoch", epoch: 2, step: 1, loss: 1, stepsPerSecond: 1.5 }, 3);
  expect(texts).toEqual(["epoch 3/3: loss 1.0000, 2 steps/s\n"]);
});
