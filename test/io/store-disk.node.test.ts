import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileStore } from "../../src/io/index.ts";
import { SmallDisk, whyNoDisk } from "../support/small-disk.ts";
import { whole } from "../support/store-cases.ts";

const missing = whyNoDisk();
// Errors of full disks without the rights to mount one: store-faults.node.test.ts.
describe.skipIf(missing !== null)(`on a small disk${missing ? `: ${missing}` : ""}`, () => {
  test("a file that finds no room leaves those before it, and the next goes on", async () => {
    using disk = new SmallDisk(400_000);
    const path = join(disk.folder, "file");
    const store = fileStore(path);
    for (const n of [1, 2]) await store.write(whole(n, 80_000));
    for (const each of [store, fileStore(path)]) {
      await expect(each.write(whole(3, 300_000))).rejects.toThrow("ENOSPC");
      expect(readdirSync(disk.folder)).toEqual(["file", "file.previous"]);
      expect(await each.read()).toEqual(whole(2, 80_000));
      expect(await fileStore(`${path}.previous`).read()).toEqual(whole(1, 80_000));
    }
    await store.write(whole(4, 90_000));
    expect(await store.read()).toEqual(whole(4, 90_000));
    expect(await fileStore(`${path}.previous`).read()).toEqual(whole(2, 80_000));
  });

  test("a probe says that there is no room, and leaves nothing", async () => {
    using disk = new SmallDisk(400_000);
    const store = fileStore(join(disk.folder, "new/folder/file"));
    await store.probe(300_000);
    await expect(store.probe(500_000)).rejects.toThrow("ENOSPC");
    expect(readdirSync(disk.folder)).toEqual([]);
    writeFileSync(join(disk.folder, "full"), new Uint8Array(390_000));
    await expect(store.probe(100_000)).rejects.toThrow("ENOSPC");
    expect(readdirSync(disk.folder)).toEqual(["full"]);
  });

  test("what is read-only is read, and neither probed nor written", async () => {
    using disk = new SmallDisk(400_000);
    const path = join(disk.folder, "file");
    await fileStore(path).write(whole(1));
    disk.makeReadOnly();
    for (const each of [path, join(disk.folder, "new/file")]) {
      await expect(fileStore(each).probe()).rejects.toThrow("EROFS");
      await expect(fileStore(each).write(whole(2))).rejects.toThrow("EROFS");
    }
    expect(await fileStore(path).read()).toEqual(whole(1));
    expect(readdirSync(disk.folder)).toEqual(["file"]);
  });
});
