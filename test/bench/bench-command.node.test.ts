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
    const env = { ...process.env, DAWN_NODE: join(folder, "missing") };
    const sweep = run(process.execPath, [bundle, "--candidates"], { cwd: folder, env });
    const failed = await sweep.catch((error) => error);
    expect(failed).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/WebGPU/) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("measure.sh runs each part with its time, and goes on when one breaks", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gradus-kit-"));
  try {
    const OUT = join(folder, "out");
    const env = { ...process.env, OUT, RUN: "echo ran", PYTHON: "no-such-python", SWEEP_S: "0" };
    const { stdout } = await run("bash", [join(script, "../../bench/gpu/measure.sh")], {
      env: { ...env, DOCTOR: "--only Loops" },
    });
    expect(stdout).toMatch(/^ran \S+doctor\.mjs --full --seconds 140 .* --only Loops$/m);
    expect(stdout).toMatch(/^ran \S+bench\.mjs --peers gradus-webgpu,\S+ --rounds 3 /m);
    expect(stdout).not.toContain("== candidates");
    expect(stdout).toMatch(/^== torch: \d+ s, exit code 127$/m);
    expect(await readFile(join(OUT, "doctor.txt"), "utf8")).toMatch(/^ran /);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.each([
  [["--quick"], /^--quick: no option; expected --only, .* or --help\n$/],
  [
    ["--rounds", "-1", "--node", "--json"],
    /^--json: no value; expected one, as in --json=VALUE\n$/,
  ],
  [["--json", `${script}/report`], /^.*report: ENOTDIR: not a directory; expected a file that can/],
])("npm run bench -- %j is refused in one line", async (args, says) => {
  const failed = await run(process.execPath, [script, ...args]).catch((error) => error);
  expect(failed).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(says) });
});
