/** factor · ⌊value / divisor⌋, of a value below a size. */
export type Term<V> = readonly [value: V, divisor: number, factor: number, size: number];

/**
 * Where values are collected that a function computes, whatever a value is: for WGSL it is the text of
 * an expression, and equal ones are bound to one name. Values are equal whose texts are.
 */
export interface Body<V> {
  bind(value: V): V;
  /** Binds what `write` gives, the first time that `key` is asked for. */
  once(key: string, write: () => V): V;
  /** Σ terms + constant, as a u32: terms that are added come before those that are taken off. */
  sum(terms: readonly Term<V>[], constant: number): V;
}

/** A u32 below `size` that is known. */
export interface Bounded<V> {
  readonly value: V;
  readonly size: number;
}

/** factor · (⌊of / divisor⌋ mod size) */
interface Digit<V> {
  readonly factor: number;
  readonly of: Bounded<V>;
  readonly divisor: number;
  readonly size: number;
}

/**
 * An index as a sum, constant + Σ digits, so that what is split and put together again costs
 * nothing, and what is known of one lane of a vector is known of all.
 */
export interface Index<V> {
  readonly constant: number;
  readonly digits: readonly Digit<V>[];
}

/** Which of the four lanes of a vector it is: none has a number of its own in what is written at last. */
const LANE: Index<never> = {
  constant: 0,
  digits: [{ factor: 1, of: { value: "lane" as never, size: 4 }, divisor: 1, size: 4 }],
};

export const ZERO: Index<never> = { constant: 0, digits: [] };

/** ⌊of / divisor⌋ mod size. */
export function digit<V>(of: Bounded<V>, divisor = 1, size = of.size): Index<V> {
  const own = Math.min(size, Math.ceil(of.size / divisor));
  return own > 1 ? { constant: 0, digits: [{ factor: 1, of, divisor, size: own }] } : ZERO;
}

/** Four neighbours, from a multiple of four on, of which the quarter is given. */
export function fourFrom<V>(quarter: Bounded<V>): Index<V> {
  return sumOf([digit(quarter), LANE], [4, 1]);
}

/** Writes a quarter of an index, where the lanes of a vector are neighbours from a multiple of four on. */
export function writeQuarter<V>(body: Body<V>, index: Index<V>): V | null {
  const [quarter, rest] = parted(sumOf([index, LANE], [1, -1]), 4);
  const value = write(body, quarter);
  const isWhole = rest.constant === 0 && rest.digits.length === 0;
  return isWhole && !isByLane(value) ? value : null;
}

/** Whether a value differs between the lanes of a vector. */
export function isByLane(value: unknown): boolean {
  return `${value}`.includes("lane");
}

/** constant + Σ factor · index, with factors of 1 where none are given. */
export function sumOf<V>(
  terms: readonly Index<V>[],
  factors?: readonly number[],
  constant = 0,
): Index<V> {
  if (terms.length === 1 && constant === 0 && (factors?.[0] ?? 1) === 1) return terms[0];
  const digits = new Map<string, Digit<V>>();
  let total = constant;
  for (const [i, index] of terms.entries()) {
    const by = factors ? factors[i] : 1;
    total += index.constant * by;
    for (const one of index.digits) {
      const key = `${one.of.value}/${one.divisor}%${one.size}`;
      const factor = one.factor * by + (digits.get(key)?.factor ?? 0);
      digits.set(key, { ...one, factor });
    }
  }
  return { constant: total, digits: [...digits.values()].filter(({ factor }) => factor !== 0) };
}

/** The least and the largest value that an index may have. */
export function rangeOf({ constant, digits }: Index<unknown>): [number, number] {
  let [low, high] = [constant, constant];
  for (const { factor, size } of digits) {
    if (factor > 0) high += factor * (size - 1);
    else low += factor * (size - 1);
  }
  return [low, high];
}

/** A sum of terms that n divides, divided by it, and the sum of the others. */
function parted<V>({ constant, digits }: Index<V>, n: number): [Index<V>, Index<V>] {
  const quotient = Math.floor(constant / n);
  const whole = digits.filter(({ factor }) => factor % n === 0);
  return [
    { constant: quotient, digits: whole.map((one) => ({ ...one, factor: one.factor / n })) },
    { constant: constant - n * quotient, digits: digits.filter((one) => !whole.includes(one)) },
  ];
}

/** ⌊index / n⌋ and index mod n, of an index from 0. */
export function divide<V>(body: Body<V>, index: Index<V>, n: number): [Index<V>, Index<V>] {
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
function cutIndex<V>(body: Body<V>, index: Index<V>, n: number): [Index<V>, Index<V>] {
  const size = rangeOf(index)[1] + 1;
  if (n === 1 || size <= 1) return [index, ZERO];
  const [one] = index.digits;
  const isDigit =
    index.constant === 0 && index.digits.length === 1 && one.factor === 1 && one.size % n === 0;
  const { of, divisor } = isDigit ? one : { of: { value: name(body, index), size }, divisor: 1 };
  return [digit(of, divisor * n, Math.ceil(size / n)), digit(of, divisor, Math.min(size, n))];
}

/** Writes an index under a name. */
export function name<V>(body: Body<V>, index: Index<V>): V {
  return body.bind(write(body, index));
}

/** Writes an index. */
export function write<V>(body: Body<V>, index: Index<V>): V {
  return body.sum(termsOf(index), index.constant);
}

/**
 * An index as a sum of quotients, those that are added first. Digits are differences of such,
 * ⌊x / d⌋ mod n = ⌊x / d⌋ − n · ⌊x / (d · n)⌋, so that neighbours share theirs or cancel them.
 */
export function termsOf<V>({ digits }: Index<V>): Term<V>[] {
  if (digits.length === 0) return [];
  const terms = new Map<string, Term<V>>();
  const add = ({ value, size }: Bounded<V>, divisor: number, factor: number) => {
    const key = `${value}/${divisor}`;
    terms.set(key, [value, divisor, factor + (terms.get(key)?.[2] ?? 0), size]);
  };
  for (const { factor, of, divisor, size } of digits) {
    add(of, divisor, factor);
    if (divisor * size < of.size) add(of, divisor * size, -factor * size);
  }
  return [1, -1].flatMap((sign) => [...terms.values()].filter(([, , by]) => by * sign > 0));
}
