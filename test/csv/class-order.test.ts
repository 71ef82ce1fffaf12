import { describe, expect, test } from "vitest";
import { ranksOf } from "../../src/csv/class-order.ts";
import { NumberColumns } from "../../src/csv/columns.ts";
import { readCsv } from "../../src/csv/index.ts";
import { GradusError } from "../../src/index.ts";

/** Numbers below `count`, each as often as another, in no order. */
const mixed = (i: number, count: number) => (i * 7919) % count;

describe("ranks of texts", () => {
  const any = (i: number) => String.fromCharCode(i % 2 ? 0xffff : 0x4e00 + (i % 7), 97 + (i % 11));
  test.each<[string, (i: number) => string]>([
    ["one", () => "x"],
    ["none but empty ones", () => ""],
    ["numbers", (i) => `${mixed(i, 401)}`],
    ["beginnings of each other", (i) => "ab".repeat(mixed(i, 97))],
    ["equal at first", (i) => `${"x".repeat(40 + (i % 2))}${mixed(i, 199)}`],
    ["equal at first, in fours", (i) => `${"x".repeat(i % 2)}${mixed(i, 199) >> 2}y${i % 4}`],
    ["at the ends of a code", (i) => any(mixed(i, 199)) + any(mixed(i, 19))],
    ["of NUL and nothing", (i) => "\0".repeat(mixed(i, 23))],
  ])("are those in which JavaScript sorts them: %s", (_, cell) => {
    for (const size of [1, 2, 15, 16, 17, 64, 900]) {
      const cells = Array.from({ length: size }, (_, i) => cell(i));
      const ends = Int32Array.from(cells, (_, i) => cells.slice(0, i + 1).join("-").length);
      const begins = ends.map((end, i) => end - cells[i].length);
      const sorted = [...new Set(cells)].sort();
      const places = new Map(sorted.map((text, i) => [text, i]));
      expect(ranksOf({ text: cells.join("-"), begins, ends })).toEqual({
        ranks: Int32Array.from(cells, (text) => places.get(text) as number),
        count: sorted.length,
      });
    }
  });
});

test.each([4095, 4096, 4097, 5003])("%d classes are told apart and sorted", (count) => {
  const texts = Array.from({ length: count }, (_, i) => `${["", "x", ' "', '"a"'][i % 4]}${i}`);
  const cells = Array.from({ length: count + 500 }, (_, i) => texts[mixed(i, count)]);
  const rows = cells.map((text, i) => `${i},"${text.replaceAll('"', '""')}"`);
  const { labels } = readCsv(`i,a\n${rows.join("\n")}`, { labels: ["a"] });
  const { classes = [], indices = [] } = labels.get("a") ?? {};
  expect(classes).toEqual([...texts].sort());
  expect(Array.from(indices, (i) => classes[i])).toEqual(cells);
});

test("longer lists than a Map or a Set can hold are refused by name", () => {
  const long = new Array<string>(2 ** 24 + 1);
  for (const option of ["labels", "missing"]) {
    expect(() => readCsv("a\n1", { [option]: long })).toThrow(
      new GradusError(`readCsv: ${option} of ${2 ** 24 + 1} texts; expected at most ${2 ** 24}`),
    );
  }
});

test("more columns than a Map can hold are refused by name", () => {
  const count = 2 ** 24 + 1;
  const columns = new NumberColumns([], { length: count } as number[], new Float64Array(), 0);
  expect(() => columns.byName).toThrow(
    new GradusError(
      `columns: ${count} columns of numbers; expected at most ${2 ** 24}. ` +
        "matrix puts any number of them side by side",
    ),
  );
});
