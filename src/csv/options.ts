import { checkOptions } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { list, quote } from "../core/quote.ts";
import { MOST_IN_MAP, repeatedText } from "./text-table.ts";

/** Options of `readCsv`. */
export interface CsvOptions {
  /** The columns of numbers; all that are not in `labels` when left out. */
  columns?: readonly string[];
  /** The columns of classes. */
  labels?: readonly string[];
  /** The classes of a column, in order; those that occur, sorted by their text, when left out. */
  classes?: Readonly<Record<string, readonly string[]>>;
  /** The names of all columns: for a file whose first line has none, or with `header` in their place. */
  names?: readonly string[];
  /** Whether the first line holds names; true when left out, unless `names` are given. */
  header?: boolean;
  /** What stands between cells; a comma when left out. */
  delimiter?: string;
  /** Texts that become NaN in columns of numbers, such as `["", "NA"]`; none when left out. */
  missing?: readonly string[];
}

const KNOWN = {
  columns: true,
  labels: true,
  classes: true,
  names: true,
  header: true,
  delimiter: true,
  missing: true,
} as const;

/** Completes options; throws a `GradusError` for those that are not of their kind. */
export function checkCsvOptions(options: CsvOptions) {
  checkOptions<CsvOptions>("readCsv", options, KNOWN);
  const { delimiter = ",", labels = [], missing = [], classes = {}, names, columns } = options;
  const { header = names === undefined } = options;
  if (typeof delimiter !== "string" || delimiter === "" || /["\r\n]/.test(delimiter)) {
    throw invalid("delimiter", delimiter, "text without quotes and line ends, such as a comma");
  }
  if (typeof header !== "boolean") throw invalid("header", header, "true or false");
  if (!header && !names) throw invalid("header", header, "true where no names are given");
  checkTexts("missing", missing, { most: MOST_IN_MAP });
  checkTexts("labels", labels, { once: true, most: MOST_IN_MAP });
  for (const [name, texts] of Object.entries({ columns, names })) {
    if (texts !== undefined) checkTexts(name, texts, { once: true });
  }
  checkClassLists(classes, labels);
  return { delimiter, header, labels, names, columns, classes, missing: trimmed(missing) };
}

/** Cells are compared without the blanks around them. */
function trimmed(texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.map((text) => text.trim()));
}

function checkClassLists(classes: unknown, labels: readonly string[]): void {
  if (typeof classes !== "object" || classes === null || Array.isArray(classes)) {
    throw invalid("classes", classes, "an object of lists by column");
  }
  const lists = Object.entries(classes);
  const known = new Set(lists.length > 0 ? labels : []);
  for (const [name, texts] of lists) {
    if (!known.has(name)) {
      throw invalid("classes", name, `names of columns in labels: ${list(labels)}`);
    }
    checkTexts(`classes of ${quote(name)}`, texts, { once: true });
  }
}

function checkTexts(
  option: string,
  texts: unknown,
  { once = false, most = Number.POSITIVE_INFINITY } = {},
): void {
  if (!Array.isArray(texts)) throw invalid(option, texts, "an array of strings");
  if (texts.length > most) {
    throw new GradusError(`readCsv: ${option} of ${texts.length} texts; expected at most ${most}`);
  }
  const areTexts = texts.every((text) => typeof text === "string");
  if (!areTexts) throw invalid(option, texts, "an array of strings");
  const repeated = once ? repeatedText(texts) : undefined;
  if (repeated !== undefined) throw invalid(option, repeated, "each text once");
}

function invalid(option: string, given: unknown, rule: string): GradusError {
  return new GradusError(`readCsv: ${option} ${quote(given)}; expected ${rule}`);
}
