import { number } from "./number.ts";

/** Where WGSL expressions are collected: equal ones are bound to one name. */
export interface Body {
  bind(expression: string): string;
  /** Binds what `write` gives, the first time that `key` is asked for. */
  once(key: string, write: () => string): string;
}

/** A u32 below `size` that WGSL knows by a name. */
export interface Named {
  readonly text: string;
  readonly size: number;
}

/** factor · (⌊of / divisor⌋ mod size) */
interface Digit {
  readonly factor: number;
  readonly of: Named;
  readonly divisor: number;
  readonly size: number;
}

/**
 * An index as a sum, constant + Σ digits, so that what is split and put together again costs
 * nothing, and what is known of one lane of a vector is known of all.
 */
export interface Index {
  readonly constant: number;
  readonly digits: readonly Digit[];
}

/** Which of the four lanes of a vector it is: none has a number of its own in what is written at last. */
const LANE: Index = {
  constant: 0,
  digits: [{ factor: 1, of: { text: "lane", size: 4 }, divisor: 1, size: 4 }],
};

export const ZERO: Index = { constant: 0, digits: [] };

/** ⌊of / divisor⌋ mod size. */
export function digit(of: Named, divisor = 1, size = of.size): Index {
  const own = Math.min(size, Math.ceil(of.size / divisor));
  return own > 1 ? { constant: 0, digits: [{ factor: 1, of, divisor, size: own }] } : ZERO;
}

/** Four neighbours, from a multiple of four on, of which the quarter is given. */
export function fourFrom(quarter: Named): Index {
  return sumOf([digit(quarter), LANE], [4, 1]);
}

/** Writes a quarter of an index, where the lanes of a vector are neighbours from a multiple of four on. */
export function writeQuarter(body: Body, index: Index): string | null {
  const [quarter, rest] = parted(sumOf([index, LANE], [1, -1]), 4);
  const text = write(body, quarter);
  const isWhole = rest.constant === 0 && rest.digits.length === 0;
  return isWhole && !isByLane(text) ? text : null;
}

/** Whether an expression differs between the lanes of a vector. */
export function isByLane(text: string): boolean {
  return text.includes("lane");
}

/** Gives an expression a name, unless it differs between lanes, which no name would tell. */
function bind(body: Pick<Body, "bind">, text: string): string {
  return isByLane(text) ? text : body.bind(text);
}

/** constant + Σ factor · index, with factors of 1 where none are given. */
export function sumOf(terms: readonly Index[], factors?: readonly number[], constant = 0): Index {
  const digits = new Map<string, Digit>();
  let total = constant;
  for (const [i, index] of terms.entries()) {
    const by = factors ? factors[i] : 1;
    total += index.constant * by;
    for (const one of index.digits) {
      const key = `${one.of.text}/${one.divisor}%${one.size}`;
      const factor = one.factor * by + (digits.get(key)?.factor ?? 0);
      digits.set(key, { ...one, factor });
    }
  }
  return { constant: total, digits: [...digits.values()].filter(({ factor }) => factor !== 0) };
}

/** The least and the largest value that an index may have. */
export function rangeOf({ constant, digits }: Index): [number, number] {
  let [low, high] = [constant, constant];
  for (const { factor, size } of digits) {
    if (factor > 0) high += factor * (size - 1);
    else low += factor * (size - 1);
  }
  return [low, high];
}

/** A sum of terms that n divides, divided by it, and the sum of the others. */
function parted({ constant, digits }: Index, n: number): [Index, Index] {
  const quotient = Math.floor(constant / n);
  const whole = digits.filter(({ factor }) => factor % n === 0);
  return [
    { constant: quotient, digits: whole.map((one) => ({ ...one, factor: one.factor / n })) },
    { constant: constant - n * quotient, digits: digits.filter((one) => !whole.includes(one)) },
  ];
}

/** ⌊index / n⌋ and index mod n, of an index from 0. */
export function divide(body: Body, index: Index, n: number): [Index, Index] {
  let [whole, rest] = parted(index, n);
  if (rangeOf(rest)[0] < 0) [whole, rest] = [ZERO, index];
  // ⌊(g · big + small) / n⌋ = ⌊big / (n / g)⌋ where g divides n and 0 <= small < g.
  const factors = rest.digits.map(({ factor }) => factor).sort((a, b) => b - a);
  const g = [n, ...factors].find((factor) => {
    const [low, high] = rangeOf(parted(rest, factor)[1]);
    return n % factor === 0 && low >= 0 && high < factor;
  });
  const [big, small] = parted(rest, g ?? 1);
  const [quotient, left] = cutIndex(body, big, n / (g ?? 1));
  return [sumOf([whole, quotient]), sumOf([left, small], [g ?? 1, 1])];
}

/** Quotient and remainder of a digit, or of what is bound to a name first. */
function cutIndex(body: Body, index: Index, n: number): [Index, Index] {
  const size = rangeOf(index)[1] + 1;
  if (n === 1 || size <= 1) return [index, ZERO];
  const [one] = index.digits;
  const isDigit =
    index.constant === 0 && index.digits.length === 1 && one.factor === 1 && one.size % n === 0;
  const { of, divisor } = isDigit ? one : { of: { text: name(body, index), size }, divisor: 1 };
  return [digit(of, divisor * n, Math.ceil(size / n)), digit(of, divisor, Math.min(size, n))];
}

/** Writes an index under a name. */
export function name(body: Body, index: Index): string {
  return bind(body, write(body, index));
}

/**
 * Writes an index as a u32 expression. Digits are differences of quotients,
 * ⌊x / d⌋ mod n = ⌊x / d⌋ − n · ⌊x / (d · n)⌋, so that neighbours share theirs or cancel them.
 */
export function write(body: Pick<Body, "bind">, { constant, digits }: Index): string {
  const factors = new Map<string, number>();
  const add = (quotient: string, factor: number) => {
    factors.set(quotient, factor + (factors.get(quotient) ?? 0));
  };
  for (const { factor, of, divisor, size } of digits) {
    add(divisor === 1 ? of.text : `${of.text} / ${divisor}u`, factor);
    if (divisor * size < of.size) add(`${of.text} / ${divisor * size}u`, -factor * size);
  }
  add("", constant);
  const [more, less] = [1, -1].map((sign) =>
    [...factors]
      .filter(([, factor]) => factor * sign > 0)
      .map(([quotient, factor]) => {
        if (!quotient) return number(factor * sign);
        const n = `${factor * sign}u`;
        return n === "1u" ? bind(body, quotient) : `${bind(body, quotient)} * ${n}`;
      }),
  );
  if (less.length > 0) return `(${more.join(" + ") || "0u"} - ${less.join(" - ")})`;
  return more.length > 1 ? `(${more.join(" + ")})` : (more[0] ?? "0u");
}
