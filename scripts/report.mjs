// Prints `N passed, N failed` from the test runner's report; a failed command counts as a failure.
import { existsSync, readFileSync } from "node:fs";

const [file, status] = process.argv.slice(2);
const empty = { numPassedTests: 0, numFailedTests: 0, numFailedTestSuites: 0 };
const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : empty;
let failed = report.numFailedTests;
if (failed === 0 && (status !== "0" || report.numPassedTests === 0)) failed = 1;
console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
