// Prints `N passed, N failed` from what the test command left in build/. Types or lint that fail
// count as one each, and so does a test file that breaks outside of its tests.
import { existsSync, readFileSync } from "node:fs";

const [folder, status] = process.argv.slice(2);

/**
 * @param {string} name
 * @param {unknown} otherwise
 */
function read(name, otherwise) {
  const file = `${folder}/${name}`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : otherwise;
}

const report = read("test-report.json", { numPassedTests: 0, numFailedTests: 0, testResults: [] });
const isFailed = ({ status }) => status === "failed";
const broken = report.testResults.filter(
  (file) => isFailed(file) && !file.assertionResults.some(isFailed),
);
const checks = read("failed-checks.json", []);
let failed = report.numFailedTests + broken.length + checks.length;
if (failed === 0 && (status !== "0" || report.numPassedTests === 0)) failed = 1;
console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
