import { parse } from "csv-parse/browser/esm/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError } from "../../src/core/errors.ts";
import { readRecords } from "../../src/csv/records.ts";

/** The records of a text as csv-parse sees them; null where it refuses it. */
function reference(text: string, delimiter: string): string[][] | null {
  const ends = ["\r\n", "\n", "\r"];
  const options = { delimiter, bom: true, skip_empty_lines: true, trim: true };
  try {
    return parse(text, { ...options, record_delimiter: ends }) as string[][];
  } catch {
    return null;
  }
}

function own(text: string, delimiter: string): string[][] | null {
  try {
    const { cell, count, width } = readRecords(text, delimiter);
    const record = (i: number) => Array.from({ length: width }, (_, j) => cell(i * width + j));
    return Array.from({ length: count }, (_, i) => record(i));
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return null;
  }
}

const delimiters = fc.constantFrom(",", ";", "\t", "::");
const ends = fc.constantFrom("\n", "\r\n", "\r", "\n\n", "\r\n \r\n");
const quoted = fc
  .string({ unit: fc.constantFrom("a", "1", " ", ",", ";", '"', "\n", "\r", "é", "\t") })
  .map((text) => `"${text.replaceAll('"', '""')}"`);
const plain = fc.string({ unit: fc.constantFrom("a", "1", ".", " ", "é", "-") });
const cell = fc
  .tuple(fc.constantFrom("", " ", "  "), fc.oneof(quoted, plain))
  .map((x) => x.join(""));
const tables = fc
  .integer({ min: 1, max: 4 })
  .chain((width) =>
    fc.array(fc.tuple(fc.array(cell, { minLength: width, maxLength: width }), ends)),
  );

test("files are taken apart as csv-parse does", () => {
  fc.assert(
    fc.property(delimiters, tables, (delimiter, lines) => {
      const text = lines.map(([cells, end]) => cells.join(delimiter) + end).join("");
      expect(own(text, delimiter)).toEqual(reference(text, delimiter));
    }),
    { numRuns: 500, seed: 1 },
  );
});

test("what csv-parse refuses is refused, and the other way round", () => {
  const soup = fc.string({ unit: fc.constantFrom("a", "1", " ", ",", '"', "\n", "\r") });
  fc.assert(
    fc.property(soup, (text) => {
      expect(own(text, ",")).toEqual(reference(text, ","));
    }),
    { numRuns: 2000, seed: 1 },
  );
});
