import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { parseDoctorReport } from "../../doctor/report.ts";

const run = promisify(execFile);
const script = join(import.meta.dirname, "../../tools/doctor.mjs");

test("npm run doctor -- --bundle writes one file that looks", { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "gradus-doctor-"));
  try {
    const [bundle, json] = [join(folder, "doctor.mjs"), join(folder, "report.json")];
    await run(process.execPath, [script, "--bundle", bundle]);
    const { stdout } = await run(process.execPath, [bundle, "--json", json], {
      cwd: folder,
      env: { ...process.env, DAWN_NODE: join(folder, "missing") },
    });
    expect(stdout).toMatch(/^WebGPU adapter: none\n\nAdapter\n {2}not there all: no WebGPU: /);
    expect(stdout).toMatch(/^\d+ lines in \d+\.\d s: 0 wrong, \d+ not there\.$/m);
    const { adapter, lines } = parseDoctorReport(await readFile(json, "utf8"));
    expect(adapter).toBeNull();
    expect(new Set(lines.map(({ verdict }) => verdict))).toEqual(new Set(["not there"]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.each([
  [["--speed"], /^--speed: no option; expected --full, .* or --help\n$/],
  [["--only", "("], /^--only: Invalid regular expression: .*; expected a regular expression\n$/],
  [["--json", `${script}/report`], /^.*report: ENOTDIR: not a directory; expected a file that can/],
])("npm run doctor -- %j is refused in one line", async (args, says) => {
  const failed = await run(process.execPath, [script, ...args]).catch((error) => error);
  expect(failed).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(says) });
});
