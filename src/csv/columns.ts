import { FormatError } from "../core/errors.ts";
import { list, quote } from "../core/quote.ts";
import type { Records } from "./records.ts";

/** A column of classes. */
export interface CsvLabels {
  /** The classes' texts. */
  readonly classes: readonly string[];
  /** The class of each record, as a place in `classes`. */
  readonly indices: Int32Array<ArrayBuffer>;
}

/** A column's name and where it stands. */
export interface ColumnPlace {
  readonly name: string;
  readonly place: number;
}

/** A number's characters; those of hexadecimal numbers, blanks and words are not among them. */
const NUMERIC = /^[-+.\deE]+$/;

/** The columns of a file's records, from the first that holds an example. */
export class Columns {
  /** Number of examples. */
  readonly size: number;
  readonly #records: Records;
  readonly #first: number;

  constructor(records: Records, first: number) {
    this.size = records.count - first;
    this.#records = records;
    this.#first = first;
  }

  /**
   * Reads a column of numbers.
   * @param missing the texts that become NaN.
   * @param advice what to do where a cell is no number.
   */
  numbers(
    column: ColumnPlace,
    missing: ReadonlySet<string>,
    advice: string,
  ): Float64Array<ArrayBuffer> {
    const values = new Float64Array(this.size);
    for (let i = 0; i < values.length; i++) {
      const text = this.#text(i, column);
      const isMissing = missing.has(text);
      values[i] = isMissing || !NUMERIC.test(text) ? Number.NaN : Number(text);
      if (!isMissing && !Number.isFinite(values[i])) {
        throw this.#wrong(i, column, `a number. ${advice}`);
      }
    }
    return values;
  }

  /** Reads a column of classes: the given ones, or those that occur. */
  classes(column: ColumnPlace, given?: readonly string[]): CsvLabels {
    const places = new Map((given ?? []).map((text, i) => [text, i]));
    const indices = new Int32Array(this.size);
    for (let i = 0; i < indices.length; i++) {
      const text = this.#text(i, column);
      const found = places.get(text) ?? places.size;
      if (found === places.size) {
        if (given) throw this.#wrong(i, column, `one of ${list(given)}`);
        places.set(text, found);
      }
      indices[i] = found;
    }
    return given ? { classes: given, indices } : sorted([...places.keys()], indices);
  }

  #text(i: number, { place }: ColumnPlace): string {
    return this.#records.cells[(this.#first + i) * this.#records.width + place];
  }

  #wrong(i: number, column: ColumnPlace, rule: string): FormatError {
    const line = this.#records.lineOf(this.#first + i);
    const given = `line ${line}, column ${quote(column.name)}: ${quote(this.#text(i, column))}`;
    return new FormatError(`readCsv: ${given}; expected ${rule}`);
  }
}

/** Numbers classes, which were numbered as they came, in the order of their texts. */
function sorted(texts: readonly string[], found: Int32Array): CsvLabels {
  const order = Array.from(texts.keys()).sort((a, b) => (texts[a] < texts[b] ? -1 : 1));
  const rank = new Int32Array(texts.length);
  for (const [place, i] of order.entries()) rank[i] = place;
  return { classes: order.map((i) => texts[i]), indices: Int32Array.from(found, (i) => rank[i]) };
}
