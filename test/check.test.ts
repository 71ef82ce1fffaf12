import { describe, expect, test } from "vitest";
import { checkOptions, checkSurplus, describeValue, didYouMean } from "../src/core/check.ts";
import { GradusError } from "../src/core/errors.ts";

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
  ["toString", ["axis"], ""],
  ["", ["axis"], ""],
])("didYouMean of %s", (given, names, meant) => {
  expect(didYouMean(given, names)).toBe(meant && `. Did you mean${meant}?`);
});

test.each<[unknown, string]>([
  [1, "1"],
  [1n, "1"],
  ["a".repeat(100), `"${"a".repeat(80)}…"`],
  [Symbol("s"), "Symbol(s)"],
  [undefined, "undefined"],
  [{}, "an object"],
  [Object.create(null), "an object"],
  [new Map(), "a Map"],
  [new (class {})(), "an object"],
])("describeValue of %o", (value, text) => {
  expect(describeValue(value)).toBe(text);
});
