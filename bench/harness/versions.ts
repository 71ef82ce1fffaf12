declare const BENCH_VERSIONS: Record<string, string> | undefined;

/** Versions of all libraries, which the bundler writes in; none in tests. */
export const VERSIONS: Record<string, string> =
  typeof BENCH_VERSIONS === "undefined" ? {} : BENCH_VERSIONS;
