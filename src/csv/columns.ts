import { FormatError, GradusError } from "../core/errors.ts";
import { list, quote } from "../core/quote.ts";
import { ranksOf } from "./class-order.ts";
import type { Records } from "./records.ts";
import { MOST_IN_MAP, TextTable } from "./text-table.ts";

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

/** Up to so many classes a table finds each cell's sooner than all cells are sorted. */
const FEW_CLASSES = 4096;

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
   * Reads columns of numbers.
   * @param names the names of all columns.
   * @param places where those that are wanted stand.
   * @param missing the texts that become NaN.
   * @param advice what to do where a cell is no number.
   */
  numbers(
    names: readonly string[],
    places: readonly number[],
    missing: ReadonlySet<string>,
    advice: string,
  ): NumberColumns {
    const { size } = this;
    const values = new Float64Array(places.length * size);
    for (let j = 0; j < places.length; j++) {
      for (let i = 0; i < size; i++) {
        const text = this.#text(i, places[j]);
        const isMissing = missing.has(text);
        const value = isMissing || !NUMERIC.test(text) ? Number.NaN : Number(text);
        if (!isMissing && !Number.isFinite(value)) {
          const place = places[j];
          throw this.#wrong(i, { name: names[place], place }, `a number. ${advice}`);
        }
        values[j * size + i] = value;
      }
    }
    return new NumberColumns(names, places, values, size);
  }

  /** Reads a column of classes: the given ones, or those that occur. */
  classes(column: ColumnPlace, given?: readonly string[]): CsvLabels {
    const table = new TextTable(given);
    const indices = new Int32Array(this.size);
    for (let i = 0; i < indices.length; i++) {
      const place = table.placeOf(this.#text(i, column.place));
      if (given && place >= given.length) throw this.#wrong(i, column, `one of ${list(given)}`);
      if (!given && place >= FEW_CLASSES) return this.#manyClasses(column);
      indices[i] = place;
    }
    return given ? { classes: given, indices } : sorted(table.texts, indices);
  }

  // In the file, too, texts differ where cells do, and have their order: all that can stand between
  // the first quote of two and the other is nothing.
  #manyClasses({ place }: ColumnPlace): CsvLabels {
    const { text, begin, end } = this.#records;
    const begins = new Int32Array(this.size);
    const ends = new Int32Array(this.size);
    for (let i = 0; i < this.size; i++) {
      begins[i] = begin(this.#at(i, place));
      ends[i] = end(this.#at(i, place));
    }
    const { ranks, count } = ranksOf({ text, begins, ends });
    const classes = new Array<string>(count).fill("");
    for (let i = 0; i < this.size; i++) {
      if (classes[ranks[i]] === "") classes[ranks[i]] = this.#text(i, place);
    }
    return { classes, indices: ranks };
  }

  #text(i: number, place: number): string {
    return this.#records.cell(this.#at(i, place));
  }

  #at(i: number, place: number): number {
    return (this.#first + i) * this.#records.width + place;
  }

  #wrong(i: number, column: ColumnPlace, rule: string): FormatError {
    const line = this.#records.lineOf(this.#first + i);
    const given = `line ${line}, column ${quote(column.name)}: ${quote(this.#text(i, column.place))}`;
    return new FormatError(`readCsv: ${given}; expected ${rule}`);
  }
}

/** Columns of numbers, one after the other in `values`. */
export class NumberColumns {
  #byName: ReadonlyMap<string, Float64Array<ArrayBuffer>> | null = null;
  #names: TextTable | null = null;

  constructor(
    readonly all: readonly string[],
    readonly places: readonly number[],
    readonly values: Float64Array<ArrayBuffer>,
    readonly size: number,
  ) {}

  /** The columns by name; made when it is asked for, since a file may have a million. */
  get byName(): ReadonlyMap<string, Float64Array<ArrayBuffer>> {
    const { length } = this.places;
    if (length > MOST_IN_MAP) {
      throw new GradusError(
        `columns: ${length} columns of numbers; expected at most ${MOST_IN_MAP}. ` +
          "matrix puts any number of them side by side",
      );
    }
    this.#byName ??= new Map(this.places.map((place, j) => [this.all[place], this.#at(j)]));
    return this.#byName;
  }

  /** Puts columns, all when none are named, side by side. */
  matrix(names?: readonly string[]): Float32Array<ArrayBuffer> {
    const { size } = this;
    const width = (names ?? this.places).length;
    const matrix = new Float32Array(size * width);
    for (let j = 0; j < width; j++) {
      const column = names ? this.#column(names[j]) : this.values;
      const begin = names ? 0 : j * size;
      for (let i = 0; i < size; i++) matrix[i * width + j] = column[begin + i];
    }
    return matrix;
  }

  #at(j: number): Float64Array<ArrayBuffer> {
    return this.values.subarray(j * this.size, (j + 1) * this.size);
  }

  #column(name: string): Float64Array {
    this.#names ??= new TextTable(this.places.map((place) => this.all[place]));
    const j = this.#names.find(name);
    if (j >= 0) return this.#at(j);
    throw new GradusError(
      `matrix: column ${quote(name)}; expected a column of numbers: ${list(this.#names.texts)}`,
    );
  }
}

/** Numbers classes, which were numbered as they came, in the order of their texts. */
function sorted(texts: readonly string[], indices: Int32Array<ArrayBuffer>): CsvLabels {
  const classes = [...texts].sort();
  const table = new TextTable(classes);
  const rank = texts.map((text) => table.find(text));
  return { classes, indices: indices.map((place) => rank[place]) };
}
