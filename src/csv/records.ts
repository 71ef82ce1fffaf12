import { asBytes, decodeUtf8 } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";

/** The cells of a CSV file and where they stand. */
export interface Records {
  /** Number of cells in each record. */
  readonly width: number;
  /** Number of records. */
  readonly count: number;
  /** The whole file. */
  readonly text: string;
  /** The text of a cell of all, counted record by record. */
  cell(at: number): string;
  /** Where in the file that text begins; up to its end, two quotes stand for one. */
  begin(at: number): number;
  end(at: number): number;
  /** The number of the line, from 1, on which a record begins. */
  lineOf(record: number): number;
}

/** Takes a file apart; throws `FormatError` with the line for what is no CSV. */
export function readRecords(input: string | Uint8Array | ArrayBuffer, delimiter: string): Records {
  const text = typeof input === "string" ? input : decode(input);
  const spans = new Spans();
  const reader = new RecordReader(text, delimiter);
  const width = reader.next(spans) ?? 0;
  let count = 0;
  for (let found: number | null = width; found; found = reader.next(spans)) {
    if (found !== width) throw unevenRecord(reader.line, found, width, delimiter);
    count++;
  }
  const begin = (at: number) => beginOf(spans.at(2 * at));
  const end = (at: number) => spans.at(2 * at + 1);
  const cell = (at: number) => cellOf(text, spans.at(2 * at), end(at));
  const line = (record: number) => lineOf(text, delimiter, record);
  return { width, count, text, cell, begin, end, lineOf: line };
}

/**
 * The text from one place to another, where two quotes stand for one if `begin` is `~` of the place.
 * Texts are made when they are read: a file may have millions of cells.
 */
function cellOf(text: string, begin: number, end: number): string {
  const cell = text.slice(beginOf(begin), end);
  return begin < 0 ? cell.replaceAll('""', '"') : cell;
}

function beginOf(begin: number): number {
  return begin < 0 ? ~begin : begin;
}

function decode(input: Uint8Array | ArrayBuffer): string {
  const bytes = asBytes("readCsv", input);
  const text = decodeUtf8(bytes);
  if (text !== null) return text;
  throw new FormatError("readCsv: bytes that are not UTF-8; expected text. Decode it first");
}

// Lines are only counted when one must be named.
function lineOf(text: string, delimiter: string, record: number): number {
  const reader = new RecordReader(text, delimiter);
  const spans = new Spans();
  for (let i = 0; i <= record; i++) {
    spans.length = 0;
    reader.next(spans);
  }
  return reader.line;
}

function unevenRecord(line: number, found: number, width: number, delimiter: string): FormatError {
  return new FormatError(
    `readCsv: line ${line}: ${found} cells; expected as many cells in every line as in the first, ` +
      `${width}. ${delimiterAdvice(delimiter)}`,
  );
}

/** What to do where cells were not told apart as they were meant to be. */
export function delimiterAdvice(delimiter: string): string {
  return `The option delimiter names what stands between cells: ${JSON.stringify(delimiter)} here`;
}

/** Where cells begin and end: a list without an object for each of its numbers. */
class Spans {
  /** How many numbers there are. */
  length = 0;
  #numbers = new Int32Array(16);

  at(i: number): number {
    return this.#numbers[i];
  }

  push(begin: number, end: number): void {
    if (this.length === this.#numbers.length) {
      const more = new Int32Array(2 * this.length);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.length++] = begin;
    this.#numbers[this.length++] = end;
  }

  /** Takes the last two back. */
  pop(): void {
    this.length -= 2;
  }
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Whether a character is one of ASCII's that can be seen; `trim` knows many blanks beyond those. */
function isVisible(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

/** Reads a text's records one after the other, by the rules of RFC 4180, in one pass. */
class RecordReader {
  /** The line on which the last record began. */
  line = 0;
  #nextLine = 1;
  #isQuoted = false;
  #at: number;
  readonly #text: string;
  readonly #delimiter: string;
  readonly #first: number;

  constructor(text: string, delimiter: string) {
    this.#text = text;
    this.#delimiter = delimiter;
    this.#first = delimiter.charCodeAt(0);
    this.#at = text.startsWith("\ufeff") ? 1 : 0;
  }

  /**
   * Adds where the next record's cells begin and end, as `cellOf` takes it, passing over blank lines.
   * Gives their number; null at the end.
   */
  next(spans: Spans): number | null {
    while (this.#at < this.#text.length) {
      this.line = this.#nextLine;
      const start = spans.length;
      this.#isQuoted = false;
      do this.#cell(spans);
      while (this.#skipDelimiter());
      this.#skipLineEnd();
      const found = (spans.length - start) / 2;
      if (found > 1 || this.#isQuoted || spans.at(start) !== spans.at(start + 1)) return found;
      spans.pop(); // a blank line
    }
    return null;
  }

  #cell(spans: Spans): void {
    this.#skipBlanks();
    const begin = this.#at;
    if (this.#text.charCodeAt(begin) === QUOTE) this.#quotedCell(spans);
    else {
      this.#at = this.#endOfCell();
      this.#trimmed(spans, begin, this.#at);
    }
  }

  #trimmed(spans: Spans, begin: number, end: number): void {
    const isSeen = (at: number) => isVisible(this.#text.charCodeAt(at));
    if (begin === end || (isSeen(begin) && isSeen(end - 1))) {
      spans.push(begin, end);
    } else {
      const text = this.#text.slice(begin, end).trimEnd();
      spans.push(begin + text.length - text.trimStart().length, begin + text.length);
    }
  }

  /** The place behind an unquoted cell. */
  #endOfCell(): number {
    const text = this.#text;
    for (let i = this.#at; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === LINE_FEED || code === CARRIAGE_RETURN) return i;
      if (code === this.#first && text.startsWith(this.#delimiter, i)) return i;
      if (code === QUOTE) throw this.#wrongQuote("quotes only around whole cells");
    }
    return text.length;
  }

  #quotedCell(spans: Spans): void {
    const text = this.#text;
    const begin = this.#at + 1;
    let lines = 0;
    let hasQuotes = false;
    let end = begin;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === QUOTE) {
        if (text.charCodeAt(end + 1) !== QUOTE) break;
        hasQuotes = true;
        end++;
      } else if (code === LINE_FEED) lines++;
      else if (code === CARRIAGE_RETURN && text.charCodeAt(end + 1) !== LINE_FEED) lines++;
    }
    if (end >= text.length) throw this.#wrongQuote("a quote at the end of a quoted cell");
    this.#at = end + 1;
    this.#skipBlanks();
    if (!this.#isCellOver()) throw this.#wrongQuote("two quotes for each one in a quoted cell");
    this.#nextLine += lines;
    this.#isQuoted = true;
    spans.push(hasQuotes ? ~begin : begin, end);
  }

  #isCellOver(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (Number.isNaN(code) || code === LINE_FEED || code === CARRIAGE_RETURN) return true;
    return this.#text.startsWith(this.#delimiter, this.#at);
  }

  #skipBlanks(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if ((code !== 0x20 && code !== 0x09) || code === this.#first) return;
    }
  }

  #skipDelimiter(): boolean {
    if (!this.#text.startsWith(this.#delimiter, this.#at)) return false;
    this.#at += this.#delimiter.length;
    return true;
  }

  /** Passes over a line's end, and counts it. */
  #skipLineEnd(): void {
    this.#nextLine++;
    this.#at += this.#text.startsWith("\r\n", this.#at) ? 2 : 1;
  }

  #wrongQuote(rule: string): FormatError {
    const line = `line ${this.#nextLine}: a quote in the wrong place`;
    return new FormatError(`readCsv: ${line}; expected ${rule}`);
  }
}
