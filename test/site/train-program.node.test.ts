import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { PLANE_NAMES, planeData, uniform } from "../../site/shell/plane-data.ts";
import { CHOICES, type Chosen, suited } from "../../site/train/choices.ts";
import { type DataShape, programOf, usualShape } from "../../site/train/program.ts";

const INITIAL = Object.fromEntries(
  Object.entries(CHOICES).map(([name, { initial }]) => [name, initial]),
) as unknown as Chosen;

const IRISES: DataShape = { inputs: 4, classes: 3, examples: 113 };
const CASES: Readonly<Record<string, Partial<Chosen>>> = {
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
  convolutions: { ...suited("fashion"), data: "fashion", convolutions: "4, 3", dropout: 0.1 },
  "convolutions alone": {
    ...suited("mnist"),
    data: "mnist",
    convolutions: "2, 2, 2",
    layers: "",
    kernel: "5",
    pooling: "average",
    activation: "sin",
  },
};

test.each(Object.entries(CASES))("the program of settings with %s runs", async (name, given) => {
  const settings: Chosen = { ...INITIAL, ...given, epochs: 3, device: "cpu" };
  const program = programOf(settings, usualShape(settings.data) ?? IRISES);
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

/** Runs what a program says of its data, with numbers drawn by a seed in place of random ones. */
function dataOf(program: string, seed: number): { x: number[][]; t: ArrayLike<number> } {
  const from = program.indexOf("await init();") + "await init();".length;
  const lines = program.slice(from, program.indexOf("const loader"));
  const random = vi.spyOn(Math, "random").mockImplementation(uniform(seed));
  try {
    const run = new Function("tensor", "TensorDataset", `${lines} return dataset.parts;`);
    return run(
      (values: unknown) => values,
      class {
        constructor(readonly parts: unknown) {}
      },
    );
  } finally {
    random.mockRestore();
  }
}

test.each(PLANE_NAMES)("the program of %s makes the points of the page", (data) => {
  const settings: Chosen = { ...INITIAL, data, noise: 0 };
  const { x, t } = dataOf(programOf(settings, usualShape(data) as DataShape), 5);
  const { points, labels } = planeData(data, 300, { noise: 0, seed: 5 });
  expect([...(t as Int32Array)]).toEqual(labels);
  for (const [i, point] of points.entries()) {
    for (const k of [0, 1]) expect(x[i][k]).toBeCloseTo(point[k], 12);
  }
});

test("noise spreads the program's points as it does the page's", () => {
  const settings: Chosen = { ...INITIAL, data: "spirals", noise: 0.2 };
  const { x } = dataOf(programOf(settings, usualShape("spirals") as DataShape), 5);
  const { points } = planeData("spirals", 300, { noise: 0, seed: 5 });
  const off = points.flatMap((point, i) => point.map((place, k) => x[i][k] - place));
  const spread = Math.sqrt(off.reduce((sum, d) => sum + d * d, 0) / off.length);
  expect(spread).toBeGreaterThan(0.18);
  expect(spread).toBeLessThan(0.22);
});

test("the program of a table has its widths, names and kind of loss", async () => {
  const settings: Chosen = { ...INITIAL, ...suited("csv"), data: "csv" };
  const classes = programOf(settings, {
    ...{ inputs: 2, classes: 2, examples: 45 },
    columns: ["price, EUR", "two\nlines"],
  });
  expect(classes).toContain("new Linear(2, 16,");
  expect(classes).toContain("new Linear(16, 2,");
  expect(classes).toContain(
    "// Rows of 2 numbers (price, EUR, two lines) and labels from 0 to 1; put your own here.",
  );
  const values = programOf(settings, { inputs: 3, classes: null, examples: 45 });
  expect(values).toContain("new Linear(3, 16,");
  expect(values).toContain("new Linear(16, 1,");
  expect(values).toContain("meanSquaredError(net.call(x), t)");
  const { x, t } = dataOf(values, 1);
  expect([x.length, x[0].length]).toEqual([45, 3]);
  expect((t as unknown as number[][])[44]).toHaveLength(1);
});
