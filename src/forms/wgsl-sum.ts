import type { Body, Term } from "./indices.ts";
import { number } from "./number.ts";

/** Writes Σ terms + constant as a u32 expression in WGSL, quotients under names. */
export function writeSum(
  body: Pick<Body<string>, "bind">,
  terms: readonly Term<string>[],
  constant: number,
): string {
  const more: string[] = [];
  const less: string[] = [];
  for (const [value, divisor, factor] of terms) {
    const name = body.bind(divisor > 1 ? `${value} / ${divisor}u` : value);
    const n = Math.abs(factor);
    (factor > 0 ? more : less).push(n > 1 ? `${name} * ${n}u` : name);
  }
  if (constant) (constant > 0 ? more : less).push(number(Math.abs(constant)));
  if (less.length > 0) return `(${more.join(" + ") || "0u"} - ${less.join(" - ")})`;
  return more.length > 1 ? `(${more.join(" + ")})` : (more[0] ?? "0u");
}
