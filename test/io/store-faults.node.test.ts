import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { fileStore } from "../../src/io/index.ts";
import { whole } from "../support/store-cases.ts";

/** Which call of the file system fails, counted from the last `start`, and how. */
const fault = vi.hoisted(() => ({
  calls: [] as string[],
  /** The files and folders that were synced. */
  synced: [] as string[],
  at: -1,
  /** Whether all calls from then on fail, as when the process is gone. */
  isCrash: false,
  code: "ENOSPC",
  start(at = -1, isCrash = false, code = "ENOSPC") {
    Object.assign(this, { calls: [], synced: [], at, isCrash, code });
  },
  /** Counts a call; does `half` of it and throws where it is to fail. */
  async pass(name: string, half?: () => unknown) {
    const i = this.calls.push(name) - 1;
    if (this.at < 0 || !(i === this.at || (this.isCrash && i > this.at))) return;
    if (i === this.at) await half?.();
    throw Object.assign(new Error(`${this.code}: ${name}`), { code: this.code });
  },
}));

vi.mock("node:fs/promises", async (importOriginal) => {
  const original = (await importOriginal()) as typeof import("node:fs/promises");
  const handle = (file: FileHandle, path: string) => ({
    async writeFile(bytes: Uint8Array) {
      await fault.pass("write", () => file.writeFile(bytes.subarray(0, bytes.length / 2)));
      await file.writeFile(bytes);
    },
    async chmod(mode: number) {
      await fault.pass("chmod");
      await file.chmod(mode);
    },
    async sync() {
      await fault.pass("sync");
      await file.sync();
      fault.synced.push(path);
    },
    async close() {
      await file.close(); // is closed when it fails too
      await fault.pass("close");
    },
  });
  const names = [
    "mkdir",
    "stat",
    "access",
    "realpath",
    "readdir",
    "readFile",
    "link",
    "copyFile",
    "rename",
    "rm",
    "rmdir",
  ] as const;
  const faulty = names.map((name) => {
    const call = original[name] as (...args: unknown[]) => Promise<unknown>;
    return [
      name,
      async (...args: unknown[]) => {
        await fault.pass(name);
        return call(...args);
      },
    ];
  });
  const open = async (path: string, flags: string) => {
    await fault.pass("open");
    return handle(await original.open(path, flags), path);
  };
  return { ...original, ...Object.fromEntries(faulty), open };
});

const folder = mkdtempSync(join(tmpdir(), "gradus-faults-"));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
let path: string;

/** Writes two generations, then the third while a call fails; gives the error. */
async function attempt(at: number, isCrash: boolean, code?: string): Promise<unknown> {
  path = join(folder, String(count++), "file");
  const store = fileStore(path);
  fault.start();
  for (const n of [1, 2]) await store.write(whole(n, 1000));
  fault.start(at, isCrash, code);
  const error = await store.write(whole(3, 1000)).catch((e: unknown) => e);
  fault.at = -1;
  return error;
}

/** The calls of a write that nothing disturbs. */
async function callsOfWrite(): Promise<string[]> {
  await attempt(-1, false);
  return [...fault.calls];
}

test("whichever call fails, the file is whole, no part is left, and the next write goes on", async () => {
  const calls = await callsOfWrite();
  expect(calls).toEqual(expect.arrayContaining(["open", "write", "sync", "link", "rename"]));
  expect(calls.filter((name) => name === "sync")).toHaveLength(2); // the file, then its folder
  for (const [at, name] of calls.entries()) {
    const error = await attempt(at, false);
    // Without links the old file is copied; the last `rm` finds nothing to remove as a rule.
    if (name !== "link") expect((error as Error)?.message).toBe(`ENOSPC: ${name}`);
    expect([whole(2, 1000), whole(3, 1000)]).toContainEqual(await fileStore(path).read());
    if (name !== "rm")
      expect(readdirSync(join(path, "..")).sort()).toEqual(["file", "file.previous"]);
    await fileStore(path).write(whole(4, 1000));
    expect(await fileStore(path).read()).toEqual(whole(4, 1000));
  }
});

test("a write from which someone takes a file or a folder away begins anew", async () => {
  const calls = await callsOfWrite();
  for (const [at, name] of calls.entries()) {
    if (name === "rm") continue; // is forced
    expect(await attempt(at, false, "ENOENT"), name).toBeUndefined();
    expect(await fileStore(path).read()).toEqual(whole(3, 1000));
    expect(readdirSync(join(path, "..")).sort()).toEqual(["file", "file.previous"]);
  }
  for (const always of ["open", "rename"]) {
    const error = (await attempt(calls.indexOf(always), true, "ENOENT")) as Error;
    expect(error.message).toMatch(/^ENOENT/);
  }
});

test("wherever a process ends, the next finds the old file or the new one, whole", async () => {
  const calls = await callsOfWrite();
  const found = new Set<number>();
  for (const at of calls.keys()) {
    await attempt(at, true);
    const bytes = await fileStore(path).read();
    expect([whole(2, 1000), whole(3, 1000)]).toContainEqual(bytes);
    found.add(bytes?.at(-1) as number);
    // An older generation is there at every moment too.
    const names = readdirSync(join(path, ".."));
    expect(names).toEqual(expect.arrayContaining(["file", "file.previous"]));
    await fileStore(path).write(whole(4, 1000));
    expect(await fileStore(path).read()).toEqual(whole(4, 1000));
  }
  expect(found).toEqual(new Set([2, 3]));
});

test("where links and synced folders are unknown, files are copied and left as they are", async () => {
  const calls = await callsOfWrite();
  expect(await attempt(calls.indexOf("link"), false, "EPERM")).toBeUndefined();
  expect(await fileStore(`${path}.previous`).read()).toEqual(whole(2, 1000));
  expect(fault.calls).toContain("copyFile");
  expect(fault.calls.filter((name) => name === "sync")).toHaveLength(3); // the copy too
  expect(await attempt(calls.lastIndexOf("sync"), false, "EINVAL")).toBeUndefined();
  expect(await fileStore(path).read()).toEqual(whole(3, 1000));
});

test("whichever call of a probe fails, nothing is left over", async () => {
  const probe = async (at: number) => {
    path = join(folder, String(count++), "new/folder/file");
    mkdirSync(join(path, "../../.."));
    fault.start(at);
    const error = await fileStore(path)
      .probe(1000)
      .catch((e: unknown) => e);
    fault.at = -1;
    return error;
  };
  expect(await probe(-1)).toBeUndefined();
  const calls = [...fault.calls];
  expect(calls).toEqual(expect.arrayContaining(["mkdir", "open", "write", "sync", "rm", "rmdir"]));
  for (const [at, name] of calls.entries()) {
    const error = await probe(at);
    if (name === "rmdir") continue; // as where another process writes there
    if (name !== "realpath") expect((error as Error)?.message).toBe(`ENOSPC: ${name}`);
    if (name !== "rm") expect(readdirSync(join(path, "../../.."))).toEqual([]);
  }
});

test("folders that had to be made are synced, up to the one in which they were", async () => {
  const top = join(folder, "made");
  fault.start();
  await fileStore(join(top, "a/b/file")).write(whole(1));
  const part = expect.stringMatching(/file\..*\.part$/);
  expect(fault.synced).toEqual([part, join(top, "a/b"), join(top, "a"), top, folder]);
  fault.start();
  await fileStore(join(top, "a/b/file")).write(whole(2));
  expect(fault.synced).toEqual([part, join(top, "a/b")]);
});

test("a file that goes away while it is read is none; other faults are told", async () => {
  await attempt(-1, false);
  fault.start();
  await fileStore(path).read();
  const at = fault.calls.indexOf("readFile");
  fault.start(at, false, "ENOENT");
  expect(await fileStore(path).read()).toBeNull();
  fault.start(at, false, "EIO");
  await expect(fileStore(path).read()).rejects.toThrow("EIO: readFile");
  fault.at = -1;
});
