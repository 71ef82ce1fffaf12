import { test } from "vitest";

/** Whether `npm run accept` runs the tests: with every seed, and with long runs to their end. */
export const isAcceptance = import.meta.env.VITE_ACCEPT === "1";

/** A test that repeats another one with more seeds or longer; `npm test` shows it as skipped. */
export const acceptanceTest = test.skipIf(!isAcceptance);
