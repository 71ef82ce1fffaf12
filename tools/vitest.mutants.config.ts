import { configDefaults, defineConfig } from "vitest/config";
import { root, sources } from "./sources.mjs";

/** Files of tests that train for long, start programs, build, open pages or read the sources. */
const SLOW = [
  "anatomy",
  "architecture",
  "bench",
  "browser",
  "bundlers",
  "command",
  "dropout-example",
  "embeddings",
  "examples",
  "growth",
  "large-files",
  "mnist",
  "package",
  "reference",
  "store-kills",
  "to-mnist",
  "train-page",
];

/** Files whose tests count on modules that nobody has imported before. */
const ALONE = ["copies", "init"];

// What `npm run mutants` runs again for each fault that it plants: quick tests in Node.
export default defineConfig({
  root,
  resolve: { alias: sources },
  test: {
    testTimeout: 600_000, // Stryker has a limit of its own for each fault
    setupFiles: ["test/support/strict-throws.ts"],
    isolate: false, // all files of a run share what they import
    include: ["test/**/*.test.ts"],
    exclude: [
      ...configDefaults.exclude,
      "test/**/*.browser.test.ts",
      ...[...SLOW, ...ALONE].map((name) => `test/**/${name}*.test.ts`),
    ],
  },
});
