import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { parseReport } from "../../bench/harness/report.ts";

const run = promisify(execFile);
const script = join(import.meta.dirname, "../../tools/bench.mjs");

test("npm run bench -- --bundle writes one file that measures", { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "gradus-bench-"));
  try {
    const [bundle, json] = [join(folder, "bench.mjs"), join(folder, "report.json")];
    await run(process.execPath, [script, "--bundle", bundle]);
    const wishes = ["--only", "softmax of rows .100,10", "--peers", "gradus-cpu,tfjs,jax-js-wasm"];
    const { stdout } = await run(
      process.execPath,
      [bundle, ...wishes, "--rounds", "1", "--json", json],
      { cwd: folder, env: { ...process.env, DAWN_NODE: join(folder, "missing") } },
    );
    expect(stdout).toMatch(/^ {2}gradus-cpu +\d+(\.\d+)? µs/m);
    const { results, adapter } = parseReport(await readFile(json, "utf8"));
    expect(adapter).toBeNull();
    expect(results.map(({ peer, status }) => [peer, status])).toEqual([
      ["gradus-cpu", "ok"],
      ["tfjs-webgpu", "error"],
      ["tfjs-wasm", "ok"],
      ["tfjs-cpu", "ok"],
      ["jax-js-wasm", "ok"],
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.each([
  [["--speed"], /^--speed: no option; expected --only, .* or --help\n$/],
  [
    ["--rounds", "-1", "--node", "--json"],
    /^--json: no value; expected one, as in --json=VALUE\n$/,
  ],
  [["--json", `${script}/report`], /^.*report: ENOTDIR: not a directory; expected a file that can/],
])("npm run bench -- %j is refused in one line", async (args, says) => {
  const failed = await run(process.execPath, [script, ...args]).catch((error) => error);
  expect(failed).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(says) });
});
