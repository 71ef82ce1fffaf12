import { env } from "node:process";

// Settings of `npm run mutants`, see mutants.mjs. Reports go to build/mutants/.
/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  testRunner: "vitest",
  vitest: { configFile: "tools/vitest.mutants.config.ts", related: false },
  plugins: [
    "@stryker-mutator/vitest-runner",
    "./tools/mutants-ignorer.mjs",
    "./tools/mutants-sample.mjs",
  ],
  tsconfigFile: "none", // Stryker would read it with an API that TypeScript 7 no longer has
  coverageAnalysis: "perTest",
  ignoreStatic: true, // what only runs when a module loads would need every test again
  ignorers: ["gpu"],
  checkers: env.SAMPLE ? ["sample"] : [],
  concurrency: 2,
  timeoutMS: 10_000,
  dryRunTimeoutMinutes: 60, // a busy machine is no fault
  timeoutFactor: 3,
  thresholds: { high: 90, low: 80, break: null },
  reporters: ["progress-append-only", "clear-text", "html", "json"],
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: "build/mutants/report.html" },
  jsonReporter: { fileName: "build/mutants/report.json" },
  tempDirName: "build/mutants/sandbox",
  ignorePatterns: ["build", "dist", "runs", "bench"],
  allowEmpty: true,
};
