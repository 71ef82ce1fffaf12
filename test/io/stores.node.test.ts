import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, expect, test, vi } from "vitest";
import { GradusError } from "../../src/core/errors.ts";
import { partOf } from "../../src/io/file-parts.ts";
import { FileMedium } from "../../src/io/file-store.ts";
import { fileStore, indexedDbStore, opfsStore } from "../../src/io/index.ts";
import { testStore, whole } from "../support/store-cases.ts";

const folder = mkdtempSync(join(tmpdir(), "gradus-stores-"));
afterAll(() => rmSync(folder, { recursive: true }));

testStore("fileStore", {
  make: (name, options) =>
    fileStore(typeof name === "string" && name ? join(folder, "table", name) : name, options),
  medium: (name) => new FileMedium(join(folder, "table", name)),
  damage: async (name, change) => {
    const path = join(folder, "table", name);
    writeFileSync(path, change(new Uint8Array(readFileSync(path))));
  },
});

test("a file lies in folders that it makes, with the older generation and nothing else", async () => {
  const store = fileStore(join(folder, "runs/one/checkpoint"));
  await store.write(whole(1));
  expect(readdirSync(join(folder, "runs/one"))).toEqual(["checkpoint"]);
  await store.write(whole(2));
  await store.write(whole(3));
  expect(readdirSync(join(folder, "runs/one")).sort()).toEqual([
    "checkpoint",
    "checkpoint.previous",
  ]);
  expect(new Uint8Array(readFileSync(join(folder, "runs/one/checkpoint.previous")))).toEqual(
    whole(2),
  );
});

test("what was taken away is not brought back", async () => {
  const path = join(folder, "taken");
  const store = fileStore(path);
  await store.write(whole(1));
  await store.write(whole(2));
  rmSync(path);
  expect(await store.read()).toBeNull();
});

test("what was taken away is written anew", async () => {
  const path = join(folder, "swept", "file");
  const store = fileStore(path);
  for (const n of [1, 2]) await store.write(whole(n));
  rmSync(path);
  await store.write(whole(3));
  expect(readdirSync(join(path, "..")).sort()).toEqual(["file", "file.previous"]);
  rmSync(join(path, ".."), { recursive: true });
  await store.write(whole(4));
  expect(readdirSync(join(path, ".."))).toEqual(["file"]);
  expect(await store.read()).toEqual(whole(4));
});

test("a probe makes room for nothing and takes nothing's place", async () => {
  const path = join(folder, "probed", "file");
  const store = fileStore(path);
  await store.probe();
  await store.probe(200_000);
  expect(existsSync(join(path, ".."))).toBe(false);
  await store.write(whole(1));
  await store.probe(3);
  expect(readdirSync(join(path, ".."))).toEqual(["file"]);
  expect(await store.read()).toEqual(whole(1));
  await expect(store.probe(-1)).rejects.toThrow("fileStore: bytes -1; expected an integer from 0");
  await expect(fileStore(folder).probe()).rejects.toThrow("is no regular file; expected one");
  await expect(fileStore(join(path, "inside")).probe()).rejects.toThrow("ENOTDIR");
});

test("symbolic links are followed, also to what is not there yet", async () => {
  const at = (name: string) => join(folder, "links", name);
  mkdirSync(at("far"), { recursive: true });
  symlinkSync("far", at("folder"));
  symlinkSync("../far/file", at("far/again"));
  symlinkSync("folder/again", at("link"));
  const store = fileStore(at("link"));
  expect(await store.read()).toBeNull();
  await store.write(whole(1));
  await Promise.all([store.write(whole(2)), fileStore(at("far/file")).write(whole(3))]);
  expect(readlinkSync(at("link"))).toBe("folder/again");
  expect(new Uint8Array(readFileSync(at("far/file")))).toEqual(await store.read());
  expect(readdirSync(at("far")).sort()).toEqual(["again", "file", "file.previous"]);
  symlinkSync("loop", at("loop"));
  await expect(fileStore(at("loop")).write(whole(1))).rejects.toThrow("ELOOP");
});

test("only regular files are read and replaced", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  for (const path of [folder, pipe, "/dev/null"]) {
    const before = statSync(path).rdev;
    for (const call of [() => fileStore(path).read(), () => fileStore(path).write(whole(1))]) {
      await expect(call()).rejects.toThrow(
        `fileStore: "${path}" is no regular file; expected one, or a new name`,
      );
      await expect(call()).rejects.toThrow(GradusError);
    }
    expect(statSync(path).rdev).toBe(before);
  }
});

test("a name that no file can have is refused", () => {
  for (const path of ["", "a\0b"]) {
    expect(() => fileStore(path)).toThrow(
      `fileStore: path ${JSON.stringify(path)}; expected the name of a file`,
    );
  }
});

test("a file keeps its permissions, and a new one has those of every new file", async () => {
  const path = join(folder, "secret");
  await fileStore(path).write(whole(1));
  expect(statSync(path).mode & 0o777).toBe(0o666 & ~process.umask());
  chmodSync(path, 0o600);
  await fileStore(path).write(whole(2));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(`${path}.previous`).mode & 0o777).toBe(0o600);
});

test("of two generations that are broken the newest is given", async () => {
  const path = join(folder, "both-broken");
  writeFileSync(path, Uint8Array.of(1, 2));
  writeFileSync(`${path}.previous`, Uint8Array.of(3));
  expect(await fileStore(path).read()).toEqual(Uint8Array.of(1, 2));
});

test("a file without bytes is told of as such", async () => {
  const path = join(folder, "no-bytes");
  const store = fileStore(path);
  for (const n of [1, 2]) await store.write(whole(n));
  writeFileSync(path, "");
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  expect(await store.read()).toEqual(whole(1));
  expect(warn.mock.calls[0][0]).toMatch(
    /is broken \(no bytes\); gives what was written before it$/,
  );
  warn.mockRestore();
});

test("parts of processes that ended are taken away, and no others that are new", async () => {
  const at = (name: string) => join(folder, "ended", name);
  mkdirSync(at(""));
  const [, space, own] = /\.(\w{8})-(\d+)-\w{8}\.part$/.exec(await partOf(at("a"))) ?? [];
  expect(own).toBe(String(process.pid));
  expect(await partOf(at("a"))).not.toBe(await partOf(at("a")));
  const { pid: ended } = spawnSync(process.execPath, ["--version"]);
  const elsewhere = space === "00000000" ? "11111111" : "00000000";
  const kept = [
    `a.${space}-${own}-0.part`, // is being written
    `a.${elsewhere}-${ended}-0.part`, // by a process of another machine
    `a.${space}-${ended}-0.part.notes`,
    `a.${space}-${ended}-0.part.1.part`,
    `b.${space}-${ended}-0.part`,
  ];
  const old = [`a.${space}-${own}-1.part`, `a.${elsewhere}-${ended}-1.part`];
  for (const name of [...kept, ...old, `a.${space}-${ended}-0.part`]) writeFileSync(at(name), "x");
  for (const name of old) utimesSync(at(name), 0, 0);
  await fileStore(at("a")).write(whole(1));
  expect(readdirSync(at("")).sort()).toEqual(["a", ...kept].sort());
});

test("parts that a crash left long ago are taken away", async () => {
  const at = (name: string) => join(folder, "parts", name);
  mkdirSync(at(""));
  for (const name of ["a.1.part", "a.2.part", "a.notes", "b.1.part"]) writeFileSync(at(name), "x");
  for (const name of ["a.1.part", "a.notes", "b.1.part"]) utimesSync(at(name), 0, 0);
  const store = fileStore(at("a"));
  await store.write(whole(1));
  expect(readdirSync(at("")).sort()).toEqual(["a", "a.2.part", "a.notes", "b.1.part"]);
});

test("processes that write one file at once leave one of their files, whole", async () => {
  const program = join(folder, "writer.mjs");
  buildSync({
    stdin: {
      contents: `import { fileStore } from "./src/io/file-store.ts";
        const [path, n] = process.argv.slice(2);
        const bytes = new Uint8Array(300_000).fill(n);
        const store = fileStore(path, { check: (all) => {
          if (all.length !== bytes.length || all.some((x) => x !== all[0])) throw new Error("mixed");
        } });
        for (let i = 0; i < 20; i++) {
          await store.write(bytes);
          const found = await store.read();
          if (found.length !== bytes.length || found.some((x) => x !== found[0])) process.exit(3);
        }`,
      resolveDir: join(import.meta.dirname, "../.."),
      loader: "ts",
    },
    bundle: true,
    format: "esm",
    platform: "node",
    outfile: program,
  });
  const path = join(folder, "shared/file");
  const codes = await Promise.all(
    [1, 2].map(async (n) => {
      const child = spawn(process.execPath, [program, path, String(n)], { stdio: "inherit" });
      const [code] = await once(child, "exit");
      return code;
    }),
  );
  expect(codes).toEqual([0, 0]);
  expect(readdirSync(join(folder, "shared")).sort()).toEqual(["file", "file.previous"]);
  for (const name of ["file", "file.previous"]) {
    const found = readFileSync(join(folder, "shared", name));
    expect(found.length).toBe(300_000);
    expect(found.every((x) => x === found[0])).toBe(true);
  }
});

test("stores of browsers say in Node what to use", async () => {
  for (const store of [opfsStore("a"), indexedDbStore("a")]) {
    await expect(store.read()).rejects.toThrow(
      /^(opfsStore|indexedDbStore): no .*fileStore in Node$/,
    );
    await expect(store.write(whole(1))).rejects.toThrow(GradusError);
  }
});
