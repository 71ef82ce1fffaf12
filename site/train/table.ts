/** A table of one's own as examples. */
import { type CsvLabels, readCsv } from "gradus/csv";

/** Examples on the host: inputs `[n, inputs]`, and labels or values `[n]`. */
export interface Examples {
  readonly x: Float32Array<ArrayBuffer>;
  readonly t: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

/** What is read of a file. */
export interface Table extends Examples {
  /** How it is shown: two inputs of classes are a plane, one of values a curve. */
  readonly kind: "plane" | "curve" | "table";
  readonly classes: readonly string[] | null;
  readonly columns: readonly string[];
}

/** More different values than these are no classes. */
const MOST_CLASSES = 20;

/** The last column is what is learnt: classes where it has few values, else numbers. */
export function csvExamples(csv: string): Table {
  const all = namesOf(csv);
  const last = all[all.length - 1];
  const columns = all.slice(0, -1);
  const read = plainly(() => readCsv(csv, { labels: [last] }));
  if (read.size < 2) throw new Error("The file has one row of values; expected two or more.");
  const found = read.labels.get(last) as CsvLabels;
  const isClass = found.classes.length <= MOST_CLASSES;
  if (found.classes.length === 1) {
    throw new Error(
      `All rows have ${JSON.stringify(found.classes[0])} in the last column; expected two classes or more, or different numbers.`,
    );
  }
  const t = isClass
    ? found.indices
    : Float32Array.from(standardized(valuesOf(csv, last, found.classes.length)));
  const x = read.matrix(columns);
  const width = columns.length;
  for (let c = 0; c < width; c++) {
    const column = standardized(Float64Array.from(t, (_, i) => x[i * width + c]));
    for (const [i, value] of column.entries()) x[i * width + c] = value;
  }
  const kind = isClass && width === 2 ? "plane" : !isClass && width === 1 ? "curve" : "table";
  return { x, t, kind, classes: isClass ? found.classes : null, columns };
}

/** The last column's numbers, for which `count` different ones are too many classes. */
function valuesOf(csv: string, last: string, count: number): Float64Array {
  try {
    return readCsv(csv, { columns: [last] }).columns.get(last) as Float64Array;
  } catch {
    throw new Error(
      `The last column has ${count} different values, and not only numbers; expected numbers, or at most ${MOST_CLASSES} classes.`,
    );
  }
}

/** The columns' names, of two or more. */
function namesOf(csv: string): readonly string[] {
  if (csv.trim() === "") {
    throw new Error("The file is empty; expected a line of names and rows of values below it.");
  }
  if (!/[\r\n]\s*\S/.test(csv.trim())) {
    throw new Error("The file has one line; expected a line of names and rows of values below it.");
  }
  const { names } = plainly(() => readCsv(csv, { columns: [] }));
  if (names.length > 1) return names;
  throw new Error(
    "The file has one column; expected two or more with commas between them: the last one is learnt from the others.",
  );
}

/** Reads a file; what is wrong with it is told without what is for those who write programs. */
function plainly<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const told = (error as Error).message
      .replace(/^readCsv: /, "")
      .replace(/\. (The option|Columns of classes|Give other names|If the first line) .*$/s, "");
    const hint = /expected a number$/.test(told)
      ? ". Only the last column may hold words, and no cell may be empty"
      : "";
    throw new Error(`The file cannot be read: ${told}${hint}.`);
  }
}

/** Values with mean 0, scaled so that most lie between −1 and 1. */
function standardized(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  const scale = 2 * Math.sqrt(variance) || 1;
  return values.map((x) => (x - mean) / scale);
}
