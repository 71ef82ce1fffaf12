import { describeValue } from "./quote.ts";

/** The version of the package, which a test compares with package.json. */
export const VERSION = "0.1.0";

/** Under this name every tensor carries the version of the library that made it. */
export const TENSOR_MARK: unique symbol = Symbol.for("gradus.tensor");

/** Says what a value is that is no tensor of this copy, for messages. */
export function describeStranger(value: unknown): string {
  const version = (value as { [TENSOR_MARK]?: string } | null | undefined)?.[TENSOR_MARK];
  if (version === undefined) return describeValue(value);
  return `a tensor of another copy of gradus (${version} beside ${VERSION})`;
}
