import { describe, expect, test } from "vitest";
import { checkOptions } from "../src/core/check.ts";
import { GradusError } from "../src/core/errors.ts";

interface Options {
  axis?: number;
  keepDims?: boolean;
}

function check(options: unknown): void {
  checkOptions<Options>("sum", options as Options, { axis: true, keepDims: true });
}

describe("checkOptions", () => {
  test.each([{}, { axis: 1 }, { axis: undefined, keepDims: true }, Object.create(null)])(
    "takes known names: %o",
    (options) => {
      expect(() => check(options)).not.toThrow();
    },
  );

  test.each([
    [1, "sum: options 1; expected an object of axis, keepDims"],
    [null, "sum: options null; expected an object of axis, keepDims"],
    [[0], "sum: options an array; expected an object of axis, keepDims"],
    [{ dim: 1 }, 'sum: unknown option "dim"; expected axis, keepDims'],
    [
      { keep_dims: true },
      'sum: unknown option "keep_dims"; expected axis, keepDims. Did you mean "keepDims"?',
    ],
    [{ axes: 1 }, 'sum: unknown option "axes"; expected axis, keepDims. Did you mean "axis"?'],
    [{ constructor: 1 }, 'sum: unknown option "constructor"; expected axis, keepDims'],
  ])("refuses %o", (options, message) => {
    expect(() => check(options)).toThrow(new GradusError(message));
  });
});
