import { expect, test } from "vitest";
import { list, quote, shorten } from "../../src/core/quote.ts";

test.each<[unknown, string]>([
  ["a\n", '"a\\n"'],
  [[1, "b", null, [true]], '[1,"b",null,[true]]'],
  [{ a: { "": 1 }, b: undefined }, '{"a":{"":1},"b":undefined}'],
  [Number.NaN, "NaN"],
  [5n, "5"],
  [Symbol("s"), "Symbol(s)"],
])("case %# is quoted whole", (value, text) => {
  expect(quote(value)).toBe(text);
});

test("what is long or deep is cut after a hundred characters, without being gone through", () => {
  const reads: string[] = [];
  const watched = new Proxy(Array(100_000).fill(1), {
    get: (target, key) => {
      reads.push(String(key));
      return Reflect.get(target, key);
    },
  });
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  for (const value of [
    "x".repeat(1e6),
    "\0".repeat(1e6),
    watched,
    deep,
    { ["k".repeat(1e6)]: 1 },
  ]) {
    expect(quote(value)).toHaveLength(100);
    expect(quote(value)).toMatch(/…$/);
  }
  expect(reads.length).toBeLessThan(500);
  expect(quote([deep, deep]).startsWith("[[[[")).toBe(true);
});

test("a character is not cut in two", () => {
  for (const start of ["", "x"]) {
    const text = shorten(start + "\u{1f600}".repeat(100));
    expect(text.length).toBeLessThanOrEqual(100);
    expect(text).toMatch(/\u{1f600}…$/u);
  }
  expect(shorten("x".repeat(100))).toBe("x".repeat(100));
  const last = `${"x".repeat(97)}\u{10000}`;
  expect(shorten(`${last}xx`)).toBe(`${last}…`);
});

test("lists say how many they hold where there is no room for all", () => {
  expect(list([])).toBe("");
  expect(list(["a", 2])).toBe("a, 2");
  expect(list(new Set(["", "b"]))).toBe(", b");
  const long = list(Array.from({ length: 1000 }, (_, i) => `name ${i}`));
  expect(long).toMatch(/^name 0, name 1, .*, … \(1000 in all\)$/);
  expect(long.length).toBeLessThan(450);
  expect(list(["x".repeat(1e6)])).toHaveLength(100);
  const words = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(78, "x"));
  const five = words.slice(0, 5).join(", ");
  expect(list(words)).toBe(`${five}, … (20 in all)`);
  expect(list(new Set(words))).toBe(`${five}, … (20 in all)`);
  expect(list([...words.slice(0, 5), "only"])).toBe(`${five}, … (6 in all)`);
  expect(list([...words.slice(0, 4), "x".repeat(80)])).toHaveLength(400);
});
