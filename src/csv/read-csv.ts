import { FormatError, GradusError } from "../core/errors.ts";
import { type Records, readRecords } from "./records.ts";

/** Options of `readCsv`. */
export interface CsvOptions {
  /** The columns of numbers; all that are not in `labels` when left out. */
  columns?: readonly string[];
  /** The columns of classes. */
  labels?: readonly string[];
  /** The classes of a column, in order; those that occur, sorted by their text, when left out. */
  classes?: Readonly<Record<string, readonly string[]>>;
  /** The names of all columns, for a file whose first line has none. */
  names?: readonly string[];
  /** What stands between cells; a comma when left out. */
  delimiter?: string;
  /** Texts that become NaN in columns of numbers, such as `["", "NA"]`; none when left out. */
  missing?: readonly string[];
}

/** A column of classes. */
export interface CsvLabels {
  /** The classes' texts. */
  readonly classes: readonly string[];
  /** The class of each record, as a place in `classes`. */
  readonly indices: Int32Array<ArrayBuffer>;
}

/** A file of examples, column by column. */
export interface CsvTable {
  /** Number of records. */
  readonly size: number;
  /** Columns of numbers by name, in the order in which they were asked for. */
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
 * around cells and a byte order mark are left out.
 * @param input the text, or its bytes in UTF-8.
 * @throws FormatError, with the line, for what is no CSV or no number, and for a missing column or
 * unknown class.
 * @example
 * const table = readCsv(text, { labels: ["species"] });
 * const inputs = tensor(table.matrix(), { shape: [table.size, table.columns.size] });
 * const targets = tensor(table.labels.get("species").indices);
 */
export function readCsv(
  input: string | Uint8Array | ArrayBuffer,
  options: CsvOptions = {},
): CsvTable {
  const { delimiter = ",", labels: labelNames = [], missing = [] } = options;
  const records = readRecords(input, delimiter);
  const header = options.names ?? records.cells[0] ?? [];
  checkHeader(header, records, options);
  const first = options.names ? 0 : 1;
  const size = records.cells.length - first;
  if (size <= 0) throw new FormatError("readCsv: no records; expected at least one");
  const numeric = options.columns ?? header.filter((name) => !labelNames.includes(name));
  const column = (name: string) => new Column(records, first, name, placeOf(name, header));
  const nan = new Set(missing);
  const columns = new Map(numeric.map((name) => [name, column(name).numbers(nan)]));
  const labels = new Map(
    labelNames.map((name) => [name, column(name).classes(options.classes?.[name])]),
  );
  return { size, columns, labels, matrix: (names) => matrixOf(size, columns, names) };
}

function checkHeader(header: readonly string[], { cells }: Records, { names }: CsvOptions): void {
  const repeated = header.find((name, i) => header.indexOf(name) !== i);
  if (repeated !== undefined) {
    throw new FormatError(
      `readCsv: two columns called ${JSON.stringify(repeated)}; expected each name once. ` +
        "Give other names by the option names",
    );
  }
  const width = cells[0]?.length ?? header.length;
  if (names && names.length !== width) {
    throw new FormatError(
      `readCsv: ${width} columns with ${names.length} names; expected one name each`,
    );
  }
}

function placeOf(name: string, header: readonly string[]): number {
  const place = header.indexOf(name);
  if (place >= 0) return place;
  throw new FormatError(
    `readCsv: no column ${JSON.stringify(name)}; expected one of ${header.join(", ")}`,
  );
}

/** A number as people write it: neither hexadecimal nor blank. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** One column of a file's records, from the first that holds an example. */
class Column {
  readonly #texts: readonly string[];

  constructor(
    readonly records: Records,
    readonly first: number,
    readonly name: string,
    place: number,
  ) {
    this.#texts = records.cells.slice(first).map((cells) => cells[place]);
  }

  numbers(missing: ReadonlySet<string>): Float64Array<ArrayBuffer> {
    return Float64Array.from(this.#texts, (text, i) => {
      if (missing.has(text)) return Number.NaN;
      const value = NUMBER.test(text) ? Number(text) : Number.NaN;
      if (!Number.isFinite(value)) throw this.#wrong(i, "a number");
      return value;
    });
  }

  classes(given?: readonly string[]): CsvLabels {
    const classes = given ?? [...new Set(this.#texts)].sort();
    const place = new Map(classes.map((text, i) => [text, i]));
    const indices = Int32Array.from(this.#texts, (text, i) => {
      const found = place.get(text);
      if (found === undefined) throw this.#wrong(i, `one of ${classes.join(", ")}`);
      return found;
    });
    return { classes, indices };
  }

  #wrong(i: number, rule: string): FormatError {
    const line = this.records.lineOf(this.first + i);
    const text = JSON.stringify(this.#texts[i]);
    return new FormatError(
      `readCsv: line ${line}, column ${JSON.stringify(this.name)}: ${text}; expected ${rule}`,
    );
  }
}

function matrixOf(
  size: number,
  columns: ReadonlyMap<string, Float64Array>,
  names: readonly string[] = [...columns.keys()],
): Float32Array<ArrayBuffer> {
  const matrix = new Float32Array(size * names.length);
  for (const [j, name] of names.entries()) {
    const column = columns.get(name);
    if (!column) {
      const known = [...columns.keys()].join(", ");
      throw new GradusError(
        `matrix: column ${JSON.stringify(name)}; expected a column of numbers: ${known}`,
      );
    }
    for (const [i, value] of column.entries()) matrix[i * names.length + j] = value;
  }
  return matrix;
}
