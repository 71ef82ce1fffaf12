import { checkEach } from "./check.ts";
import { kindOf } from "./kind.ts";

/**
 * Which names are meant: those that a regular expression matches; with a text the one that it is, and
 * all below it (`"encoder"` means `encoder.0.weight` too); with an array those of any in it.
 */
export type NamePattern = RegExp | string | readonly (RegExp | string)[];

/** A `NamePattern`, or a function that says of a name, and what has it, whether it is meant. */
export type NameMatch<T> = NamePattern | ((name: string, item: T) => boolean);

/** A function that says of a name whether it is meant; throws a `GradusError` for no `NameMatch`. */
export function nameMatcher<T>(
  op: string,
  option: string,
  match: NameMatch<T>,
): (name: string, item: T) => boolean {
  if (typeof match === "function") return match;
  const patterns = [match].flat();
  const isPattern = (x: unknown) => typeof x === "string" || kindOf(x) === "RegExp";
  const isGood = patterns.length > 0 && patterns.every(isPattern);
  const expected = "a regular expression, a name, an array of these or a function";
  checkEach(op, { [option]: match }, () => isGood, expected);
  return (name) => isMeant(name, match);
}

/** Whether a name is meant; all are by `true` and `false`. */
export function isMeant(name: string, pattern: NamePattern | boolean): boolean {
  if (pattern === !!pattern) return true;
  const isOne = (one: RegExp | string) =>
    typeof one === "string" ? `${name}.`.startsWith(`${one}.`) : name.search(one) >= 0;
  return [pattern as RegExp | string].flat().some(isOne);
}
