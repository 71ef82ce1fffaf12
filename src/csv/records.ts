import { type Options, parse } from "csv-parse/browser/esm/sync";
import { asBytes } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";

/** The cells of a CSV file and where they stand. */
export interface Records {
  readonly cells: readonly (readonly string[])[];
  /** The number of the line, from 1, on which a record ends. */
  lineOf(record: number): number;
}

/** Takes a file apart; throws `FormatError` with the line for what is no CSV. */
export function readRecords(input: string | Uint8Array | ArrayBuffer, delimiter: string): Records {
  const text = typeof input === "string" ? input : decode(input);
  const options: Options = { delimiter, bom: true, skip_empty_lines: true, trim: true };
  return {
    cells: parsed(text, options) as string[][],
    lineOf: (record) => {
      // Lines are only counted when one must be named, since that takes longer than the rest.
      const known = parsed(text, { ...options, info: true, from: record + 1, to: record + 1 });
      return (known as { info: { lines: number } }[])[0].info.lines;
    },
  };
}

function parsed(text: string, options: Options): unknown[] {
  try {
    return parse(text, options);
  } catch (error) {
    throw malformed(error);
  }
}

function decode(input: Uint8Array | ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(asBytes("readCsv", input));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new FormatError("readCsv: bytes that are not UTF-8; expected text. Decode it first");
  }
}

const RULES: Readonly<Record<string, string>> = {
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: "as many cells in every line",
  CSV_QUOTE_NOT_CLOSED: "a quote at the end of a quoted cell",
  CSV_INVALID_CLOSING_QUOTE: "two quotes for each one in a quoted cell",
  INVALID_OPENING_QUOTE: "quotes only around whole cells",
};

/** What the parser said, in the library's form. */
function malformed(error: unknown): unknown {
  const { code, lines, record } = error as { code?: string; lines?: number; record?: string[] };
  const rule = RULES[code ?? ""];
  if (!rule) return error;
  const given = record ? `${record.length} cells` : "a quote in the wrong place";
  return new FormatError(`readCsv: line ${lines}: ${given}; expected ${rule}`);
}
