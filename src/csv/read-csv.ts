import { FormatError } from "../core/errors.ts";
import { list, quote } from "../core/quote.ts";
import { Columns, type CsvLabels } from "./columns.ts";
import { type CsvOptions, checkCsvOptions } from "./options.ts";
import { delimiterAdvice, readRecords } from "./records.ts";
import { repeatedText, TextTable } from "./text-table.ts";

/** A file of examples, column by column. */
export interface CsvTable {
  /** Number of records. */
  readonly size: number;
  /** The names of all columns of the file, in its order. */
  readonly names: readonly string[];
  /**
   * Columns of numbers by name, in the order in which they were asked for: views of one buffer,
   * from which `matrix` reads too.
   */
  readonly columns: ReadonlyMap<string, Float64Array<ArrayBuffer>>;
  /** Columns of classes by name. */
  readonly labels: ReadonlyMap<string, CsvLabels>;
  /**
   * Puts columns of numbers, all when none are named, side by side: row-major `[size, columns]`.
   * @throws GradusError for a name that is no column of numbers.
   */
  matrix(names?: readonly string[]): Float32Array<ArrayBuffer>;
}

/**
 * Reads columns of a CSV file (RFC 4180): numbers, and texts that name classes. Blank lines, blanks
 * around cells and a byte order mark are left out; lines may end in any of the three ways.
 * @param input the text, or its bytes in UTF-8.
 * @throws FormatError, with the line, for what is no CSV or no number, and for a missing column or
 * unknown class; GradusError for options that are not of their kind.
 * @example
 * const table = readCsv(text, { labels: ["species"] });
 * const inputs = tensor(table.matrix(), { shape: [table.size, table.columns.size] });
 * const targets = tensor(table.labels.get("species").indices);
 */
export function readCsv(
  input: string | Uint8Array | ArrayBuffer,
  options: CsvOptions = {},
): CsvTable {
  const { delimiter, header, labels, names, columns, classes, missing } = checkCsvOptions(options);
  const records = readRecords(input, delimiter);
  const read = new Columns(records, header ? 1 : 0);
  if (read.size <= 0) throw new FormatError("readCsv: no records; expected at least one");
  const all = names ?? Array.from({ length: records.width }, (_, place) => records.cell(place));
  const table = new TextTable(all);
  checkColumnNames(all, table, records.width);
  const placeOf = (name: string): number => {
    const place = table.find(name);
    if (place < 0) throw missingColumn(name, all, delimiter);
    return place;
  };
  const labelPlaces = labels.map(placeOf);
  const places = columns?.map(placeOf) ?? allBut(labelPlaces, all.length);
  const advice = adviceFor(all, delimiter, { header, names });
  const numbers = read.numbers(all, places, missing, advice);
  const indices = labels.map((name, i) => {
    const given = Object.hasOwn(classes, name) ? classes[name] : undefined;
    return [name, read.classes({ name, place: labelPlaces[i] }, given)] as const;
  });
  return {
    size: read.size,
    names: all,
    get columns() {
      return numbers.byName;
    },
    labels: new Map(indices),
    matrix: (some) => numbers.matrix(some),
  };
}

function checkColumnNames(all: readonly string[], table: TextTable, width: number): void {
  if (all.length !== width) {
    throw new FormatError(
      `readCsv: ${width} columns with ${all.length} names; expected one name each`,
    );
  }
  const repeated = repeatedText(all, table);
  if (repeated === undefined) return;
  throw new FormatError(
    `readCsv: two columns called ${quote(repeated)}; expected each name once. ` +
      "Give other names by the options names and header: true",
  );
}

function allBut(left: readonly number[], width: number): number[] {
  const isLeft = new Uint8Array(width);
  for (const place of left) isLeft[place] = 1;
  return Array.from(isLeft.keys()).filter((place) => isLeft[place] === 0);
}

/** What to do where a cell is no number. */
function adviceFor(
  all: readonly string[],
  delimiter: string,
  { header, names }: Pick<CsvOptions, "header" | "names">,
): string {
  const advice =
    "Columns of classes belong in the option labels, texts that stand for no number in missing";
  const lines = names && !header ? ". If the first line holds names, give header: true" : "";
  return `${advice}${lines}${all.length === 1 ? `. ${delimiterAdvice(delimiter)}` : ""}`;
}

function missingColumn(name: string, all: readonly string[], delimiter: string): FormatError {
  const advice = all.length === 1 ? `. ${delimiterAdvice(delimiter)}` : "";
  return new FormatError(
    `readCsv: no column ${quote(name)}; expected one of ${list(all)}${advice}`,
  );
}
