import { warnOfCopies } from "./advice.ts";
import { describeValue } from "./quote.ts";

/** The version of the package, which a test compares with package.json. */
export const VERSION = "0.1.0";

/** Under this name every tensor carries the version of the library that made it. */
export const TENSOR_MARK: unique symbol = Symbol.for("gradus.tensor");

/** Under this name the page holds a value for each copy of the library that was started. */
const COPIES = Symbol.for("gradus.copies");

/** What stands for this copy among others, also where two modules of one version are loaded. */
const self = { version: VERSION };

/**
 * Enters this copy of the library in the page's list, and warns once where it is not the first:
 * tensors, layers and devices of one copy are strangers to the other.
 */
export function announceCopy(): void {
  const page = globalThis as { [COPIES]?: { version: string }[] };
  page[COPIES] ??= [];
  const copies = page[COPIES];
  if (copies.includes(self)) return;
  copies.push(self);
  if (copies.length > 1) warnOfCopies(copies.map(({ version }) => version));
}

/** Says what a value is that is no tensor of this copy, for messages. */
export function describeStranger(value: unknown): string {
  const version = (value as { [TENSOR_MARK]?: string } | null | undefined)?.[TENSOR_MARK];
  if (version === undefined) return describeValue(value);
  return `a tensor of another copy of gradus (${version} beside ${VERSION})`;
}
