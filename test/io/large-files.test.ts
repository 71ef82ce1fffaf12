/** Files that would take minutes if the time to read them grew faster than their size. */
import { expect, test } from "vitest";
import { type CsvOptions, readCsv } from "../../src/csv/index.ts";
import { FormatError } from "../../src/index.ts";
import { readSafetensors } from "../../src/io/index.ts";
import { errorOf } from "../support/error-of.ts";
import { safetensorsFile } from "../support/safetensors-file.ts";

function expectShort(read: () => unknown): void {
  const error = errorOf(read);
  expect(error).toBeInstanceOf(FormatError);
  expect(new TextEncoder().encode(error.message).length).toBeLessThanOrEqual(2000);
}

test("large and odd headers of safetensors files", () => {
  const n = 500_000;
  const many = (member: (i: number) => string) => Array.from({ length: n }, (_, i) => member(i));
  const good = safetensorsFile(`{"__metadata__":{${many((i) => `"${i}":""`).join()}}}`);
  expect(Object.keys(readSafetensors(good).metadata)).toHaveLength(n);
  const field = (name: string, value: string) => {
    const fields = { dtype: '"U8"', shape: "[0]", data_offsets: "[0,1]", [name]: value };
    return `{"a":{${Object.entries(fields).map(([key, text]) => `"${key}":${text}`)}}}`;
  };
  const headers = [
    `{${many((i) => `"${i}":0`).join()}}`,
    `{"a":${"[".repeat(n)}}`,
    `{"a":${"[".repeat(n)}${"]".repeat(n)}}`,
    `{"__metadata__":${'{"a":'.repeat(n)}1${"}".repeat(n)}}`,
    `{"${"n".repeat(n)}":0}`,
    `{"a":{${many((i) => `"${i}":0`).join()}}}`,
    `{"__metadata__":{"${"\\\\".repeat(n)}":0}}`,
    `{"a":${"x".repeat(n)}}`,
    `{"a":"${"\\u0041".repeat(n)}"}`,
    field("dtype", `"${"n".repeat(n)}"`),
    field("shape", `[${many(() => "1").join()}]`),
    field("shape", `[${"9".repeat(n)}]`),
    field("data_offsets", `[${many(() => "1").join()}]`),
    `{${" ".repeat(n)}`,
    `{"${"x".repeat(n)}`,
  ];
  for (const header of headers) {
    expectShort(() => readSafetensors(safetensorsFile(header)));
  }
});

test("large and odd CSV files", () => {
  const n = 500_000;
  const digits = "9".repeat(n);
  const columns = Array.from({ length: n / 10 }, (_, i) => `column ${i}`);
  const wide = `${columns.join()}\n${columns.map((_, i) => i).join()}\n`;
  expect(readCsv(wide).columns.get(columns[49_999])).toEqual(Float64Array.of(49_999));
  const odd: [string, CsvOptions][] = [
    [`a\n${digits}x\n`, {}],
    [`a\n${digits}.${digits}e${digits}x\n`, {}],
    [`a\n${'"'.repeat(n)}x\n`, {}],
    [`a\n"${'""'.repeat(n)}`, {}],
    [`${columns.join()}\n1\n`, {}],
    [`${columns.join()},${columns[49_999]}\n`, {}],
    [wide, { columns: [digits] }],
    [wide, { names: columns.slice(1) }],
    [wide, { labels: columns, classes: { [columns[1]]: columns } }],
    [`a\n${"1\n".repeat(n)}x`, {}],
  ];
  for (const [text, options] of odd) {
    expectShort(() => readCsv(text, options));
  }
});
