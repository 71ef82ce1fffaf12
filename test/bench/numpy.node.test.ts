import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { createNumpy } from "../../bench/peers/numpy.ts";
import type { Prepared } from "../../bench/peers/peer.ts";
import { findWorkload } from "../../bench/workloads/index.ts";
import { NETWORKS } from "../../bench/workloads/networks.ts";

afterEach(() => vi.unstubAllEnvs());

/** Stands for Python: takes a task and its numbers, and answers with how many there were. */
const STAND_IN = `#!/usr/bin/env node
let rest = Buffer.alloc(0);
let numbers = 0;
const answer = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
answer({ version: "0", threads: process.env.OPENBLAS_NUM_THREADS });
process.stdin.on("data", (bytes) => {
  rest = Buffer.concat([rest, bytes]);
  for (;;) {
    const end = rest.indexOf(10);
    if (end < 0) return;
    const task = JSON.parse(rest.subarray(0, end));
    const size = task.kind === "matmul" ? 4 * (task.a[0] * task.a[1] + task.b[0] * task.b[1]) : 0;
    if (rest.length < end + 1 + size) return;
    if (size > 0) numbers = rest.readFloatLE(end + 1);
    rest = rest.subarray(end + 1 + size);
    if (task.kind === "result") answer({ values: [numbers] });
    else if (task.kind === "run" && task.times > 2) answer({ error: "ValueError: too often" });
    else if (task.kind === "run" && task.times === 2) process.exit(1);
    else answer({});
  }
});
`;

test("tells Python what to do, and what it says of errors and of its end", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gradus-python-"));
  try {
    await writeFile(join(folder, "python3"), STAND_IN);
    await chmod(join(folder, "python3"), 0o755);
    vi.stubEnv("PATH", [folder, dirname(process.execPath)].join(delimiter));
    const peer = await createNumpy();
    expect(peer.device).toBe("NumPy 0");
    const workload = findWorkload("matmul [784,100]ᵀ·[100,50]");
    const work = (await peer.prepare(workload)) as Prepared;
    expect(await work.result()).toEqual([workload.inputs().a[0]]);
    await work.run(1);
    await expect(work.run(3)).rejects.toThrow("numpy: ValueError: too often");
    await expect(work.run(2)).rejects.toThrow("numpy: python3 ended");
    await expect(work.run(1)).rejects.toThrow("numpy: python3 ended");
    expect(await peer.prepare(findWorkload(`first step ${NETWORKS[0].name}`))).toBeNull();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("says that there is no Python", async () => {
  vi.stubEnv("PATH", "");
  await expect(createNumpy()).rejects.toThrow(/^numpy: spawn python3 ENOENT$/);
});
