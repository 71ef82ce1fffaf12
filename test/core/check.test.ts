import { describe, expect, test } from "vitest";
import {
  checkDecay,
  checkFinite,
  checkFunctions,
  checkIntegers,
  checkNotNegative,
  checkOptions,
  checkPositive,
  checkSizes,
  checkSteps,
  checkSurplus,
  checkSynchronous,
  checkWords,
  describeValue,
  didYouMean,
} from "../../src/core/check.ts";
import { GradusError, ShapeError } from "../../src/core/errors.ts";

const { NaN: nan, POSITIVE_INFINITY: infinity, MAX_SAFE_INTEGER: most, MIN_VALUE: least } = Number;

/** Checks of numbers: which they take, the nearest ones that they refuse, and what they expect. */
const NUMBERS: readonly [
  (op: string, options: Record<string, number>) => void,
  readonly number[],
  readonly unknown[],
  string,
][] = [
  [checkFinite, [0, -1e308, 1e308], [nan, infinity, -infinity, "1"], "a finite number"],
  [checkIntegers, [0, -3, most], [0.5, most + 1, nan, "1"], "an integer"],
  [checkNotNegative, [0, least, 1e308], [-least, infinity, nan, "1"], "a finite number from 0"],
  [checkPositive, [least, 1e308], [0, -1, infinity, nan, "1"], "a finite number above 0"],
  [checkDecay, [0, 0.5, 1 - 1e-9], [-least, 1, nan], "a number from 0 and below 1"],
  [checkSteps, [1, most], [0, -1, 1.5, nan, most + 1], "an integer from 1"],
  [checkSizes, [1, most], [0, -1, 1.5, nan, infinity], "a positive integer"],
];

describe.each(NUMBERS)("%o", (checkNumbers, taken, refused, rule) => {
  test.each(taken)("takes %o", (x) => {
    expect(() => checkNumbers("pad", { first: taken[0], x })).not.toThrow();
  });

  test.each(refused)("refuses %o", (x) => {
    const given = { first: taken[0], x: x as number };
    const text = typeof x === "string" ? JSON.stringify(x) : String(x);
    const expected = checkNumbers === checkSizes ? ShapeError : GradusError;
    expect(() => checkNumbers("pad", given)).toThrow(
      new expected(`pad: x ${text}; expected ${rule}`),
    );
  });
});

interface Options {
  axis?: number;
  keepDims?: boolean;
}

function check(options: unknown, ...surplus: unknown[]): void {
  checkOptions("sum", options as Options, { axis: "number", keepDims: "boolean" }, surplus);
}

class Settings {
  axis = 1;
}

class Other {
  current = 1;
}

describe("checkOptions", () => {
  test.each([
    {},
    { axis: 1 },
    { axis: undefined, keepDims: true },
    Object.create(null),
    new Settings(),
  ])("takes known names: %o", (options) => {
    expect(() => check(options)).not.toThrow();
  });

  const object = "expected an object of axis, keepDims";
  test.each<[unknown, string]>([
    [1, `sum: options 1; ${object}. Did you mean { axis: 1 }?`],
    [Number.NaN, `sum: options NaN; ${object}. Did you mean { axis: NaN }?`],
    [true, `sum: options true; ${object}. Did you mean { keepDims: true }?`],
    [null, `sum: options null; ${object}`],
    ["1", `sum: options "1"; ${object}`],
    [[0, -1], `sum: options an array; ${object}. Did you mean { axis: [0, -1] }?`],
    [[0, 1n], `sum: options an array; ${object}`],
    [[], `sum: options an array; ${object}`],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9], `sum: options an array; ${object}`],
    [
      [1, 2, 3, 4, 5, 6, 7, 8],
      `sum: options an array; ${object}. Did you mean { axis: [1, 2, 3, 4, 5, 6, 7, 8] }?`,
    ],
    [() => 1, `sum: options a function; ${object}`],
    [new Other(), `sum: options an Other; ${object}`],
    [new Float32Array(1), `sum: options a Float32Array; ${object}`],
    [{ dim: 1 }, 'sum: unknown option "dim"; expected axis, keepDims. Did you mean "axis"?'],
    [
      { keep_dims: true },
      'sum: unknown option "keep_dims"; expected axis, keepDims. Did you mean "keepDims"?',
    ],
    [{ axes: 1 }, 'sum: unknown option "axes"; expected axis, keepDims. Did you mean "axis"?'],
    [{ colour: 1 }, 'sum: unknown option "colour"; expected axis, keepDims'],
    [{ constructor: 1 }, 'sum: unknown option "constructor"; expected axis, keepDims'],
  ])("refuses %o", (options, message) => {
    expect(() => check(options)).toThrow(new GradusError(message));
  });

  test("refuses what comes after the options", () => {
    expect(() => check({}, 1)).toThrow(
      new GradusError("sum: 1 after the options; expected nothing there"),
    );
  });
});

test("options that are true or false take nothing else, and may be undefined", () => {
  const known = { bias: "boolean", size: "number" } as const;
  for (const bias of [true, false, undefined]) {
    expect(() => checkOptions("Linear", { bias, size: 1 }, known)).not.toThrow();
  }
  for (const [bias, says] of [
    [1, "1"],
    ["false", '"false"'],
    [null, "null"],
  ] as const) {
    expect(() => checkOptions("Linear", { size: 1, bias }, known)).toThrow(
      new GradusError(`Linear: bias ${says}; expected true or false`),
    );
  }
});

test("an object without options takes none", () => {
  expect(() => checkOptions("relu", {}, {})).not.toThrow();
  expect(() => checkOptions("relu", { a: 1 } as object, {})).toThrow(
    new GradusError('relu: unknown option "a"; expected none'),
  );
});

test("checkWords takes its words and names the nearest of them, in short", () => {
  const words = ["sum", "mean", "none"];
  const checkReduction = (reduction: unknown) => () => checkWords("mse", { reduction }, words);
  expect(checkReduction("mean")).not.toThrow();
  const expected = "expected sum, mean, none";
  for (const [given, says] of [
    ["means", `means; ${expected}. Did you mean "mean"?`],
    [3, `3; ${expected}`],
    [null, `null; ${expected}`],
    ["x".repeat(100), `${"x".repeat(80)}; ${expected}`],
  ]) {
    expect(checkReduction(given)).toThrow(new GradusError(`mse: reduction ${says}`));
  }
});

test("checkFunctions refuses what cannot be called", () => {
  expect(() => checkFunctions("fit", { loss: () => 0, metric: Math.abs })).not.toThrow();
  expect(() => checkFunctions("fit", { loss: () => 0, metric: "mean" })).toThrow(
    new GradusError('fit: metric is "mean"; expected a function'),
  );
});

test("checkSynchronous refuses a promise, and answers for what goes wrong in it", async () => {
  for (const result of [undefined, null, 1, JSON.parse('{"then":1}')]) {
    expect(() => checkSynchronous("scope", result)).not.toThrow();
  }
  expect(() => checkSynchronous("scope", Promise.reject(new Error("late")))).toThrow(
    new GradusError("scope: fn returned a promise; expected a synchronous function"),
  );
  await new Promise((resolve) => setTimeout(resolve)); // an unhandled rejection would fail the run
});

test("checkSurplus shows how a function is called", () => {
  expect(() => checkSurplus("relu(x)", [])).not.toThrow();
  expect(() => checkSurplus("relu(x)", [undefined])).toThrow(
    new GradusError("relu: undefined too much; expected relu(x)"),
  );
});

const ADAM = ["learningRate", "clip", "beta1", "beta2", "epsilon", "weightDecay", "amsgrad"];

test.each<[string, readonly string[], string]>([
  ["lr", ADAM, ' "learningRate"'],
  ["betas", ADAM, ' "beta1" and "beta2"'],
  ["eps", ADAM, ' "epsilon"'],
  ["weight_decay", ADAM, ' "weightDecay"'],
  ["clipNorm", ADAM, ' "clip"'],
  ["validation_data", ["loader", "epochs", "validationData"], ' "validationData"'],
  ["valData", ["loader", "epochs", "validationData"], ' "validationData"'],
  ["bais", ["bias", "biasInit"], ' "bias"'],
  ["use_bias", ["bias", "biasInit"], ' "bias"'],
  ["kernelInitializer", ["bias", "weightInit", "biasInit"], ' "weightInit"'],
  // A third of the letters may be wrong, and one of few: put in, left out, replaced or swapped.
  ["axsi", ["axis"], ' "axis"'],
  ["siax", ["axis"], ""],
  ["badcfe", ["abcdef"], ""],
  ["ab", ["ac"], ' "ac"'],
  ["abcdef", ["abcdxx"], ' "abcdxx"'],
  ["abcdef", ["abcxxx"], ""],
  ["abcde", ["abcxx"], ""],
  ["ba", ["abxyz", "ab"], ' "ab"'],
  ["toString", ["axis"], ""],
  ["", ["axis"], ""],
])("didYouMean of %s", (given, names, meant) => {
  expect(didYouMean(given, names)).toBe(meant && `. Did you mean${meant}?`);
});

test.each<[unknown, string]>([
  [1, "1"],
  [1n, "1"],
  ["a".repeat(80), `"${"a".repeat(80)}"`],
  ["a".repeat(81), `"${"a".repeat(80)}…"`],
  [10n ** 99n, `1${"0".repeat(79)}`],
  [new { ["B".repeat(99)]: class {} }["B".repeat(99)](), `a ${"B".repeat(80)}`],
  [Symbol("s"), "Symbol(s)"],
  [undefined, "undefined"],
  [{}, "an object"],
  [Object.create(null), "an object"],
  [new Map(), "a Map"],
  [new (class {})(), "an object"],
])("describeValue of %o", (value, text) => {
  expect(describeValue(value)).toBe(text);
});
