import { divisionFactor } from "./division.ts";
import { type Body, isByLane, type Term } from "./indices.ts";
import { number } from "./number.ts";

/** Names of quotients: value → divisor → name. */
export type Quotients = Map<string, Map<number, string>>;

/** What takes WGSL; where it remembers quotients, they are made of each other and without divisions. */
interface Writer extends Pick<Body<string>, "bind"> {
  readonly quotients?: Quotients;
}

/** Writes Σ terms + constant as a u32 expression in WGSL, quotients under names. */
export function writeSum(body: Writer, terms: readonly Term<string>[], constant: number): string {
  const more: string[] = [];
  const less: string[] = [];
  for (const [value, divisor, factor, size] of terms) {
    const name = quotientOf(body, value, divisor, size);
    const n = Math.abs(factor);
    (factor > 0 ? more : less).push(n > 1 ? `${name} * ${n}u` : name);
  }
  if (constant) (constant > 0 ? more : less).push(number(Math.abs(constant)));
  if (less.length > 0) return `(${more.join(" + ") || "0u"} - ${less.join(" - ")})`;
  return more.length > 1 ? `(${more.join(" + ")})` : (more[0] ?? "0u");
}

/** Gives ⌊value / divisor⌋ a name. */
function quotientOf(body: Writer, value: string, divisor: number, size: number): string {
  const { quotients } = body;
  if (divisor === 1) return body.bind(value);
  const whole = `${value} / ${divisor}u`;
  if (!quotients || isByLane(value)) return body.bind(whole);
  const names = quotients.get(value) ?? new Map([[1, value]]);
  quotients.set(value, names);
  const known = names.get(divisor);
  if (known) return known;
  // ⌊x / (d · n)⌋ = ⌊⌊x / d⌋ / n⌋, and the smaller the number, the sooner there is a factor.
  const products = [...names].map(([by, name]) =>
    divisor % by === 0 ? byFactor(name, Math.ceil(size / by), divisor / by) : null,
  );
  const name = body.bind(products.find(Boolean) ?? whole);
  names.set(divisor, name);
  return name;
}

/**
 * Writes ⌊x / n⌋ of an x below `size` without a division, where that can be: of sizes up to a power of two
 * alike, so that kernels of different time steps have one code.
 */
function byFactor(x: string, size: number, n: number): string | null {
  const most = 2 ** Math.max(15, Math.ceil(Math.log2(size)));
  const [f, s] = divisionFactor(most, n) ?? [0];
  if (!f) return null;
  return f > 1 ? `(${x} * ${f}u) >> ${s}u` : `${x} >> ${s}u`;
}
