import type { ElementType, NumericArray } from "./dtype.ts";
import { decodeFloat } from "./halves.ts";
import type { Shape } from "./shape.ts";
import { encodeFloat } from "./small-floats.ts";

/** NumPy's print options: digits behind the point, elements from which on a tensor is cut, how many
 * are left on each side of an axis, and characters in a line. */
const DIGITS = 8;
const MANY = 1000;
const EDGE = 3;
const LINE = 75;

/** Writes one element, as wide as its neighbours. */
type Format = (value: number) => string;

/**
 * Writes values row-major as NumPy prints arrays: aligned, in as few digits as tell them apart (at
 * most eight behind the point), by powers of ten where they are far apart, and with `...` in place
 * of the middle of more than 1000.
 */
export function formatValues(values: NumericArray, shape: Shape, type: ElementType): string {
  if (shape.length === 0) return formatScalar(values[0], type);
  if (values.length === 0) return "[]";
  const cut = values.length > MANY;
  const format = formatOf([...shown(values, shape, cut)], type);
  return nestText(values, shape, format, cut);
}

/** The numbers of an axis's positions that are shown; −1 where some are left out. */
function positions(n: number, cut: boolean): number[] {
  if (!cut || n <= 2 * EDGE) return Array.from({ length: n }, (_, i) => i);
  return [0, 1, 2, -1, n - 3, n - 2, n - 1];
}

/** The elements that are shown. */
function* shown(
  values: NumericArray,
  shape: Shape,
  cut: boolean,
  axis = 0,
  start = 0,
): Generator<number> {
  if (axis === shape.length) {
    yield values[start];
    return;
  }
  const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  for (const i of positions(shape[axis], cut)) {
    if (i >= 0) yield* shown(values, shape, cut, axis + 1, start + i * stride);
  }
}

/** Nests brackets: rows are wrapped at the line's end, blocks are set apart by empty lines. */
function nestText(values: NumericArray, shape: Shape, format: Format, cut: boolean): string {
  const rank = shape.length;
  const write = (axis: number, start: number): string => {
    const indent = " ".repeat(axis + 1);
    const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const at = positions(shape[axis], cut);
    if (axis < rank - 1) {
      const parts = at.map((i) => (i < 0 ? "..." : write(axis + 1, start + i * stride)));
      return `[${parts.join(`${"\n".repeat(rank - 1 - axis)}${indent}`)}]`;
    }
    const words = at.map((i) => (i < 0 ? "..." : format(values[start + i])));
    return `[${wrap(words, indent, LINE - rank).slice(indent.length)}]`;
  };
  return write(0, 0);
}

/** Joins words to lines of a width, each beginning with the indent. */
function wrap(words: readonly string[], indent: string, width: number): string {
  const lines: string[] = [];
  let line = indent;
  words.forEach((word, i) => {
    if (line.length + word.length > width && line.length > indent.length) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += i < words.length - 1 ? `${word} ` : word;
  });
  return [...lines, line].join("\n");
}

function formatOf(values: readonly number[], type: ElementType): Format {
  if (type.traits.includes("bool")) return (value) => (value ? " True" : "False");
  if (isOfFloats(type)) return floatFormat(values, type);
  const width = Math.max(...values.map((value) => String(value).length));
  return (value) => String(value).padStart(width);
}

function isOfFloats({ traits, numbers }: ElementType): boolean {
  return traits.includes("float") || numbers !== undefined;
}

function floatFormat(values: readonly number[], type: ElementType): Format {
  const finite = values.filter(Number.isFinite);
  const sizes = finite.map(Math.abs).filter((x) => x > 0);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const byPowers = most >= 1e8 || least < 1e-4 || most / least > 1000;
  const parts = finite.map((x) => (byPowers ? powerParts(x, type) : pointParts(x, type)));
  const longest = (i: 0 | 1 | 2) => Math.max(0, ...parts.map((part) => part[i].length));
  const [behind, power] = [longest(1), longest(2)];
  const right = 1 + behind + power; // with the point
  // NaN and infinity may reach over the places behind the point.
  const words = values.filter((x) => !Number.isFinite(x)).map(wordOf);
  const left = Math.max(longest(0), ...words.map((word) => word.length - right));
  return (value) => {
    if (!Number.isFinite(value)) return wordOf(value).padStart(left + right);
    const [whole, fraction, exponent] = byPowers
      ? digitParts(value.toExponential(behind), value)
      : pointParts(value, type);
    const digits = byPowers ? fraction.padEnd(behind, "0") : fraction.padEnd(behind);
    return `${whole.padStart(left)}.${digits}${exponent && padExponent(exponent, power)}`;
  };
}

function wordOf(value: number): string {
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

/** A number's digits before and behind the point, and its power of ten. */
type DigitParts = readonly [whole: string, fraction: string, exponent: string];

function pointParts(value: number, type: ElementType): DigitParts {
  const places = Math.min(DIGITS, Math.max(0, placesOf(shortest(value, type))));
  return digitParts(value.toFixed(places), value);
}

function powerParts(value: number, type: ElementType): DigitParts {
  const digits = Math.min(DIGITS, digitsBehind(shortest(value, type)));
  return digitParts(value.toExponential(digits), value);
}

/** Takes a text apart; zeros at the fraction's end are left out. */
function digitParts(text: string, value: number): DigitParts {
  const [mantissa, exponent] = text.split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  const power = exponent === undefined ? "" : padExponent(`e${exponent}`, 4);
  return [signed(whole, value), fraction.replace(/0+$/, ""), power];
}

/** How many digits of `d.ddde±x` lie between the point and the `e`. */
function digitsBehind(text: string): number {
  return text.split("e")[0].replace(/^-?\d\.?/, "").length;
}

function signed(whole: string, value: number): string {
  return Object.is(value, -0) ? `-${whole}` : whole;
}

/** `e+7` as `e+07`, of a length. */
function padExponent(exponent: string, length: number): string {
  return exponent.slice(0, 2) + exponent.slice(2).padStart(length - 2, "0");
}

/** The fewest digits, as `d.ddde±x`, that only this number of the dtype rounds from. */
function shortest(value: number, type: ElementType): string {
  if (type.digits === 16) return value.toExponential();
  for (let digits = 0; ; digits++) {
    const text = value.toExponential(digits);
    if (digits >= 16 || held(Number(text), type) === value) return text;
  }
}

/** The number of a dtype that one becomes. */
function held(value: number, { convert, numbers }: ElementType): number {
  return numbers ? decodeFloat(encodeFloat(value)) : convert(value);
}

/** How many digits of `d.ddde±x` lie behind the point, written without a power of ten. */
function placesOf(text: string): number {
  return digitsBehind(text) - Number(text.split("e")[1]);
}

function formatScalar(value: number, type: ElementType): string {
  if (type.traits.includes("bool")) return value ? "True" : "False";
  if (!isOfFloats(type)) return String(value);
  if (!Number.isFinite(value)) return wordOf(value);
  const text = shortest(value, type);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 10 ** type.digits)) {
    const [mantissa, exponent] = text.split("e");
    return `${mantissa}${padExponent(`e${exponent}`, 4)}`;
  }
  const places = Math.max(1, placesOf(text));
  return signed(value.toFixed(places), value);
}
