import { isPlainObject, kindOf } from "./kind.ts";

/** The parts of a value, each by its name. */
export type Parts = readonly (readonly [name: string, part: unknown])[];

/** Where a walk is. */
export interface Place {
  /** The names that lead there; the walk goes on to use the list, so copy it to keep it. */
  readonly path: readonly string[];
  /** Whether the value lies in itself: its parts would be walked for ever. */
  readonly isCycle: boolean;
}

/** Takes a value apart; gives null where it is a leaf. */
export type Open = (value: unknown, place: Place) => Parts | null;

/** Gives the items of an array or the properties of a plain object; null for anything else. */
export function partsOf(value: unknown): Parts | null {
  if (Array.isArray(value)) return Array.from(value, (item, i) => [`${i}`, item] as const);
  return isPlainObject(value) ? Object.entries(value) : null;
}

/** Gives the items of an array, Map or Set, keys among them, or any object's own properties. */
export function allPartsOf(value: unknown): Parts | null {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return null;
  if (kindOf(value) === "Map") return items([...(value as Map<unknown, unknown>)].flat());
  if (kindOf(value) === "Set") return items([...(value as Set<unknown>)]);
  return partsOf(value) ?? Object.entries(value);
}

function items(values: readonly unknown[]): Parts {
  return values.map((item, i) => [`${i}`, item] as const);
}

/** Calls `leaf` with each leaf of a tree, in order. */
export function walk(
  tree: unknown,
  open: Open,
  leaf: (value: unknown, place: Place) => void,
): void {
  visit(tree, open, leaf, () => null);
}

/**
 * Builds a tree like another one with `leaf(value)` in place of each leaf: arrays become arrays,
 * other objects keep their prototypes.
 */
export function mapTree<T>(
  tree: T,
  open: Open,
  leaf: (value: unknown, place: Place) => unknown,
): T {
  return visit(tree, open, leaf, rebuilt) as T;
}

/** What has been taken apart, and what has been made of its parts so far. */
interface Opened {
  readonly value: unknown;
  readonly parts: Parts;
  readonly made: (readonly [string, unknown])[];
}

/** Gives what `leaf` gives for a leaf, and what `build` makes of the parts' results. */
function visit(
  tree: unknown,
  open: Open,
  leaf: (value: unknown, place: Place) => unknown,
  build: (value: object, parts: Parts) => unknown,
): unknown {
  const path: string[] = [];
  const parents = new Set<unknown>();
  const root: Opened = { value: null, parts: [["", tree]], made: [] };
  const stack = [root];
  for (let whole = root; ; whole = stack[stack.length - 1]) {
    const { parts, made } = whole;
    if (made.length < parts.length) {
      const [name, part] = parts[made.length];
      if (whole !== root) path.push(name);
      const place = { path, isCycle: parents.has(part) };
      const own = open(part, place);
      if (own) {
        parents.add(part);
        stack.push({ value: part, parts: own, made: [] });
        continue;
      }
      made.push([name, leaf(part, place)]);
    } else if (whole === root) {
      return made[0][1];
    } else {
      stack.pop();
      parents.delete(whole.value);
      const result = build(whole.value as object, made);
      stack[stack.length - 1].made.push([path[path.length - 1] ?? "", result]);
    }
    path.pop();
  }
}

function rebuilt(value: object, parts: Parts): unknown {
  if (Array.isArray(value)) return parts.map(([, part]) => part);
  const copy: object = Object.create(Object.getPrototypeOf(value));
  for (const [name, part] of parts) {
    const settings = { writable: true, enumerable: true, configurable: true };
    Object.defineProperty(copy, name, { value: part, ...settings }); // a key may be __proto__
  }
  return copy;
}
