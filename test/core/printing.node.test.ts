import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { allocate, DTYPES, type DType } from "../../src/core/dtype.ts";
import { formatValues } from "../../src/core/format-values.ts";
import { arange, evaluate, GradusError, Parameter, tensor, zeros } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

interface Printed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** NaN, infinities and −0 as text; `arange` counts from 0. */
  readonly values: readonly (number | string)[] | "arange";
  readonly text: string;
}

const file = join(import.meta.dirname, "../fixtures/numpy-print.json");
const { arrays } = JSON.parse(readFileSync(file, "utf8")) as { arrays: Printed[] };

function valuesOf({ dtype, shape, values }: Printed) {
  const y = allocate(
    dtype,
    shape.reduce((a, b) => a * b, 1),
  );
  return y.map((_, i) => (values === "arange" ? i : Number(values[i])));
}

describe("formatValues prints what NumPy prints", () => {
  test.each(arrays.map((row, i) => [i, row.dtype, `[${row.shape}]`, row] as const))(
    "%i: %s %s",
    (_, dtype, __, row) => {
      expect(formatValues(valuesOf(row), row.shape, DTYPES[dtype])).toBe(row.text);
    },
  );
});

test("print prints the values to the console", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const x = tensor([
    [1, 2.5],
    [-3, 4],
  ]);
  await x.print();
  await x.sum().print();
  expect(log.mock.calls).toEqual([["[[ 1.   2.5]\n [-3.   4. ]]"], ["4.5"]]);
  log.mockRestore();
  await expect(x.print(2 as never)).rejects.toThrow(
    new GradusError("print: 2 too much; expected print()"),
  );
});

test("the console shows type and place, and the first values where they are on the host", () => {
  const x = tensor([1, 2, 1 / 3]);
  expect(inspect(x)).toBe("Tensor([3], f32, cpu) [1, 2, 0.333333]");
  expect(x.toString()).toBe("Tensor([3], f32, cpu)");
  expect(tensor([true, false]).preview).toBe("Tensor([2], bool, cpu) [true, false]");
  expect(zeros([0]).preview).toBe("Tensor([0], f32, cpu)");
  const y = arange(7);
  expect(y.preview).toBe("Tensor([7], f32, cpu)");
  evaluate(y);
  expect(y.preview).toBe("Tensor([7], f32, cpu) [0, 1, 2, 3, 4, 5, …]");
  expect(inspect({ x })).toContain("Tensor([3], f32, cpu) [1, 2, 0.333333]");
  expect(inspect(new Parameter(tensor(2)))).toBe("Tensor([], f32, cpu) [2]");
  x.dispose();
  expect(x.preview).toBe("Tensor([3], f32, cpu) disposed");
});
