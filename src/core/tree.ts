import { GradusError, ShapeError } from "./errors.ts";

/** Nested arrays and plain objects with leaves of type `L`. */
export type Tree<L> = L | readonly Tree<L>[] | { readonly [key: string]: Tree<L> };

/** The type of `T` with every leaf of type `L` replaced by `R`. */
export type MapLeaves<T, L, R> = T extends L
  ? R
  : T extends object
    ? { [K in keyof T]: MapLeaves<T[K], L, R> }
    : never;

/** The form of a tree without its leaves, as `unflatten` takes it. */
export type Structure =
  | { readonly kind: "leaf" }
  | { readonly kind: "array"; readonly items: readonly Structure[] }
  | { readonly kind: "object"; readonly items: readonly (readonly [string, Structure])[] };

/** A tree as three lists: `paths[i]` ("layers.0.bias", "" for a bare leaf) leads to `leaves[i]`. */
export interface FlatTree<L> {
  leaves: L[];
  paths: string[];
  structure: Structure;
}

/**
 * Lists the leaves of nested arrays and plain objects, keys in the order in which they were added
 * (integer keys come first, as everywhere in JavaScript).
 *
 * Throws `GradusError` naming the path if a value is neither leaf, array nor plain object, if the
 * tree holds itself, or if two leaves share a path because a key contains a dot.
 */
export function flatten<L>(tree: unknown, isLeaf: (value: unknown) => value is L): FlatTree<L> {
  const found = new Map<string, L>();
  const parents: unknown[] = [];

  const walk = (value: unknown, path: string): Structure => {
    if (isLeaf(value)) {
      if (found.has(path)) {
        throw new GradusError(`flatten: two leaves at "${path}"; expected a path of its own each`);
      }
      found.set(path, value);
      return { kind: "leaf" };
    }
    if (parents.includes(value)) {
      throw new GradusError(`flatten: the tree holds itself at "${path}"; expected no cycle`);
    }
    const below = (key: string | number) => (parents.length === 1 ? `${key}` : `${path}.${key}`);
    parents.push(value);
    const structure = walkItems(value, path, (item, key) => walk(item, below(key)));
    parents.pop();
    return structure;
  };

  const structure = walk(tree, "");
  return { leaves: [...found.values()], paths: [...found.keys()], structure };
}

/**
 * Builds a tree of the given structure from leaves in `flatten`'s order, with new arrays and
 * objects; throws `ShapeError` if there are more or fewer leaves than the structure takes.
 */
export function unflatten<L>(structure: Structure, leaves: readonly L[]): Tree<L> {
  const expected = countLeaves(structure);
  if (leaves.length !== expected) {
    throw new ShapeError(`unflatten: ${leaves.length} leaves; expected ${expected}`);
  }
  let next = 0;
  const build = (part: Structure): Tree<L> => {
    if (part.kind === "leaf") return leaves[next++];
    if (part.kind === "array") return part.items.map(build);
    return Object.fromEntries(part.items.map(([key, item]) => [key, build(item)]));
  };
  return build(structure);
}

/**
 * Replaces each leaf of a tree by `fn(leaf, path)` and keeps the tree's form; throws as `flatten`.
 */
export function map<T, L, R>(
  tree: T,
  isLeaf: (value: unknown) => value is L,
  fn: (leaf: L, path: string) => R,
): MapLeaves<T, L, R> {
  const { leaves, paths, structure } = flatten(tree, isLeaf);
  const mapped = leaves.map((leaf, i) => fn(leaf, paths[i]));
  return unflatten(structure, mapped) as MapLeaves<T, L, R>;
}

function walkItems(
  value: unknown,
  path: string,
  walk: (item: unknown, key: string | number) => Structure,
): Structure {
  if (Array.isArray(value)) {
    return { kind: "array", items: Array.from(value, (item, i) => walk(item, i)) };
  }
  if (isPlainObject(value)) {
    const items = Object.entries(value).map(([key, item]) => [key, walk(item, key)] as const);
    return { kind: "object", items };
  }
  throw new GradusError(
    `flatten: ${describe(value)} at "${path}"; expected a leaf, an array or a plain object`,
  );
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  // an object literal of any realm has a prototype without a prototype
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? `a ${value.constructor.name}` : typeof value;
}

function countLeaves(structure: Structure): number {
  if (structure.kind === "leaf") return 1;
  const items =
    structure.kind === "array" ? structure.items : structure.items.map(([, item]) => item);
  return items.reduce((count, item) => count + countLeaves(item), 0);
}
