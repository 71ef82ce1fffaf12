/** The method by which compiled functions know objects; one symbol for all copies of the library. */
export const traceKey: unique symbol = Symbol.for("gradus.traceKey") as never;

/**
 * An object that a compiled function knows by identity, as all that changes in it are states, or what
 * its key tells.
 */
export interface KnownByIdentity {
  /** Gives a text that is the same as long as what was traced with the object may be used again. */
  [traceKey](): string;
}

/** Says whether a compiled function may know a value by identity. */
export function isKnownByIdentity(value: object): value is KnownByIdentity {
  return typeof (value as Partial<KnownByIdentity>)[traceKey] === "function";
}
