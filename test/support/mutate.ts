/** Damages files as carelessness, cut transfers and ill will do: bytes, numbers, names, nesting. */
import { type Pick, picker } from "./random-choice.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

/** What stands between a file and its text; the whole file is the text when left out. */
export interface Framing {
  /** The part of a file that is text, from one place to another. */
  textOf(file: Bytes): [begin: number, end: number];
  /** Puts a new text in the old one's place, with its length where the file has that. */
  withText(file: Bytes, text: Bytes): Bytes;
}

const whole: Framing = { textOf: (file) => [0, file.length], withText: (_, text) => text };

const NUMBERS = ["0", "1", "-1", "00", "1.5", "1e0", "1e400", "9007199254740993", "4294967296"];
const LONG = ["9".repeat(3000), `${"9".repeat(3000)}x`, "x".repeat(3000), "\\u0041".repeat(500)];
const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "__metadata__", "$number"];
const TEXTS = ["", "é", "\\ud800", "\\u0000", "\\", "NaN", "Infinity", "null", "true", "dtype"];
const CHARACTERS = Array.from(" \"{}[]:,;|\\\n\r\0\t'\ufeff\u{1f600}-+.eE0");
const DEPTHS = [1, 2, 9, 300, 20_000];

type TextChange = (text: string, pick: Pick) => string;

const oneOf = <T>(list: readonly T[], pick: Pick): T => list[pick(list.length)];

/** Gives one of a text's matches; an empty place where there is none. */
function anyMatch(text: string, pattern: RegExp, pick: Pick): [begin: number, end: number] {
  const matches = [...text.matchAll(pattern)];
  if (matches.length === 0) return [pick(text.length + 1), -1];
  const { index, 0: found } = oneOf(matches, pick);
  return [index, index + found.length];
}

function replaced(text: string, [begin, end]: [number, number], by: string): string {
  return text.slice(0, begin) + by + text.slice(Math.max(begin, end));
}

/** A part of a text, short as a rule. */
function span(text: string, pick: Pick): [begin: number, end: number] {
  const begin = pick(text.length + 1);
  return [begin, Math.min(text.length, begin + 1 + pick(oneOf([2, 10, 100, 10_000], pick)))];
}

const textChanges: readonly TextChange[] = [
  (text, pick) => replaced(text, anyMatch(text, /\d+/g, pick), oneOf([...NUMBERS, ...LONG], pick)),
  (text, pick) => {
    const names = [...NAMES, ...TEXTS, ...LONG].map((name) => `"${name}"`);
    return replaced(text, anyMatch(text, /"[^"]*"/g, pick), oneOf(names, pick));
  },
  (text, pick) =>
    replaced(text, anyMatch(text, /[\w$]+/g, pick), oneOf([...NAMES, ...TEXTS], pick)),
  (text, pick) => {
    // A member twice, or a cell, or a line.
    const place = anyMatch(text, /"[^"]*":[^,{}]*,|[^,\n]*,|.*\n/g, pick);
    const again = text.slice(...place).repeat(oneOf([2, 3, 1000], pick));
    return replaced(text, place, again);
  },
  (text, pick) => {
    const [open, close] = oneOf(
      [
        ["[", "]"],
        ['{"a":', "}"],
        ["(", ")"],
        ['"', '"'],
      ],
      pick,
    );
    const place = anyMatch(text, /[\w.]+|"[^"]*"|\[[^\]]*\]/g, pick);
    const depth = oneOf(DEPTHS, pick);
    const inner = text.slice(...place);
    return replaced(text, place, open.repeat(depth) + inner + close.repeat(depth - pick(2)));
  },
  (text, pick) => replaced(text, span(text, pick), ""),
  (text, pick) => {
    const place = pick(text.length + 1);
    return replaced(text, [place, place], oneOf(CHARACTERS, pick));
  },
  (text, pick) => {
    const place = span(text, pick);
    const other = text.slice(...span(text, pick));
    return replaced(text, place, other);
  },
  (text, pick) => {
    const ends = ["\n", "\r\n", "\r", "\n\n", ""];
    return replaced(text, anyMatch(text, /\r\n|\r|\n|,/g, pick), oneOf(ends, pick));
  },
];

type ByteChange = (file: Bytes, pick: Pick) => Bytes;

const EXTREMES = [0n, 1n, 0x7fn, 0xffn, 0x7fffffffn, 0xffffffffn, 2n ** 53n, 2n ** 64n - 1n];

const byteChanges: readonly ByteChange[] = [
  (file, pick) => changed(file, pick, (x) => x ^ (1 << pick(8))),
  (file, pick) =>
    changed(file, pick, () => oneOf([0, 0x22, 0x5b, 0x7b, 0x80, 0xff, pick(256)], pick)),
  (file, pick) => file.slice(0, pick(file.length + 1)),
  (file, pick) => file.slice(pick(Math.min(file.length + 1, 100))),
  (file, pick) => joined(file, new Uint8Array(oneOf([1, 7, 1000], pick)).fill(pick(256))),
  (file, pick) => {
    const [begin, end] = [pick(file.length + 1), pick(file.length + 1)].sort((a, b) => a - b);
    return joined(file.slice(0, begin), file.slice(end));
  },
  (file, pick) => {
    const place = pick(file.length + 1);
    return joined(file.slice(0, place), file.slice(pick(file.length + 1)), file.slice(place));
  },
  (file, pick) => {
    // A number of the header, in either order of bytes.
    const copy = file.slice();
    const place = pick(Math.min(40, Math.max(1, file.length - 7)));
    if (place + 8 > file.length) return copy;
    const view = new DataView(copy.buffer);
    const isLittle = pick(2) === 0;
    if (pick(2)) view.setBigUint64(place, oneOf(EXTREMES, pick), isLittle);
    else view.setUint32(place, Number(oneOf(EXTREMES, pick) & 0xffffffffn), isLittle);
    return copy;
  },
];

function changed(file: Bytes, pick: Pick, change: (x: number) => number): Bytes {
  const copy = file.slice();
  const place = pick(Math.max(1, pick(2) ? file.length : Math.min(file.length, 32)));
  if (file.length > 0) copy[place] = change(copy[place]);
  return copy;
}

export function joined(...parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}

/** Longer ones are left as they are, so that changes of changes stay quick. */
const LONGEST = 200_000;

/** Damages a file in one to four places, the same way for the same seed and case. */
export function mutate(file: Bytes, seed: number, number: number, framing = whole): Bytes {
  const pick = picker(seed, number);
  let now = file;
  for (let left = 1 + pick(oneOf([1, 1, 2, 4], pick)); left > 0 && now.length < LONGEST; left--) {
    const isText = pick(3) > 0;
    now = isText ? withTextChange(now, pick, framing) : oneOf(byteChanges, pick)(now, pick);
  }
  return now;
}

function withTextChange(file: Bytes, pick: Pick, framing: Framing): Bytes {
  const text = new TextDecoder().decode(file.slice(...framing.textOf(file)));
  const changedText = oneOf(textChanges, pick)(text, pick);
  return framing.withText(file, new TextEncoder().encode(changedText));
}
