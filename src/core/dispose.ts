/**
 * The name of the method that `using` calls. Engines that lack `Symbol.dispose` run `using` lowered
 * by a compiler, which then asks for this symbol of the global registry.
 */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
