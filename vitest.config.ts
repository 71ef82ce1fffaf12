import { defineConfig } from "vitest/config";
import { mnistFiles } from "./site/shell/mnist-files.ts";
import { puppeteerProvider } from "./test/support/puppeteer-provider.ts";
import { isolation, sources } from "./tools/sources.mjs";

// The same files run in Node on the CPU device and in headless Chromium on WebGPU, both at once:
// compiling kernels, most of the browser's work, takes one core.
export default defineConfig({
  resolve: { alias: sources },
  plugins: [mnistFiles()],
  optimizeDeps: { exclude: ["webgpu"] },
  server: { headers: isolation },
  test: {
    testTimeout: 180_000, // a test that hangs, not one on a busy machine
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } }, // as PATIENT of test/support/patient.ts
    setupFiles: ["test/support/strict-throws.ts"],
    allowOnly: false, // the linter's rule takes a call of fit for a focused test
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.browser.test.ts", "test/site/**"],
        },
      },
      {
        // Tests of the built site, which share one server and one browser.
        extends: true,
        test: {
          name: "site",
          include: ["test/site/**/*.test.ts"],
          globalSetup: ["test/support/site-setup.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "webgpu",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.node.test.ts"],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: puppeteerProvider,
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
