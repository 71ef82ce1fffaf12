import { expect, test } from "vitest";
import { literal } from "../../src/forms/wgsl.ts";
import { arithmetic, builtIn } from "../../src/kernels/exact.ts";

type Name = Parameters<typeof arithmetic>[0];

const [zero, minusZero, infinity, minusInfinity, one, minusOne, nan] = [
  0,
  -0,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1,
  -1,
  Number.NaN,
].map((value) => literal(value, "f32"));

test.each<[Name, string, string | undefined, string | false]>([
  ["+", "x", zero, "g_plus_zero(x)"],
  ["+", zero, "x", "g_plus_zero(x)"],
  ["+", "x", minusZero, false],
  ["+", "x", one, false],
  ["-", zero, "x", "g_plus_zero(-x)"],
  ["-", zero, undefined, false],
  ["-", minusZero, "x", false],
  ["-", "x", minusZero, "g_plus_zero(x)"],
  ["-", "x", zero, false],
  ["-", "x", undefined, false],
  ["*", "x", zero, `g_times_zero(x, ${zero})`],
  ["*", "x", minusZero, `g_times_zero(x, ${minusZero})`],
  ["*", zero, "x", `g_times_zero(x, ${zero})`],
  ["*", minusZero, "x", `g_times_zero(x, ${minusZero})`],
  ["*", "x", infinity, false],
  ["*", "x", "y", false],
  ["/", zero, "x", `g_times_zero(1.0f / x, ${zero})`],
  ["/", minusZero, "x", `g_times_zero(1.0f / x, ${minusZero})`],
  ["/", "x", zero, false],
  ["/", "x", infinity, `g_times_zero(x, ${zero})`],
  ["/", "x", minusInfinity, `g_times_zero(x, ${minusZero})`],
  ["/", infinity, "x", false],
  ["%", "x", minusInfinity, false],
  ["%", "x", infinity, false],
  ["*", "x", minusInfinity, false],
])("%s of %s and %s keeps NaN, infinities and zeros", (name, a, b, code) => {
  expect(arithmetic(name, a, b as string)).toBe(code);
});

test.each<[Name, string, string, string | false]>([
  ["max", "x", one, `select(x, ${one}, x <= ${one})`],
  ["max", one, "x", `select(x, ${one}, x <= ${one})`],
  ["max", "x", zero, `select(x, ${zero}, x <= ${zero})`],
  ["min", "x", one, `select(x, ${one}, x > ${one})`],
  ["min", minusOne, "x", `select(x, ${minusOne}, x > ${minusOne})`],
  ["min", "x", `⟨${one}⟩`, `select(x, ⟨${one}⟩, x > ⟨${one}⟩)`],
  ["max", "x", "y", "g_max(x, y)"],
  ["min", "x", "y", "g_min(x, y)"],
  ["max", "x", minusZero, `g_max(x, ${minusZero})`],
  ["max", "x", infinity, `g_max(x, ${infinity})`],
  ["min", "x", minusInfinity, `g_min(x, ${minusInfinity})`],
  ["min", nan, "x", `g_min(${nan}, x)`],
  ["max", "x1f", "y", "g_max(x1f, y)"],
  ["sign", "x", "", "g_sign(x)"],
  ["select", "x", "y", false],
])("%s of %s and %s is what WGSL's own is not", (name, a, b, code) => {
  expect(builtIn(name, a, b)).toBe(code);
});
