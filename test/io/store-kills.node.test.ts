import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { buildSync } from "esbuild";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { fileStore, readSafetensors, type SafetensorsTensor } from "../../src/io/index.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { PATIENT } from "../support/patient.ts";
import { whole } from "../support/store-cases.ts";

const folder = mkdtempSync(join(tmpdir(), "gradus-kills-"));
const program = join(folder, "saver.mjs");
const savers: Saver[] = [];
afterEach(() => Promise.all(savers.map((saver) => saver.kill())));
afterAll(() => rmSync(folder, { recursive: true }));

const KILLS = isAcceptance ? 30 : 5;
const SIZE = 150_000;

/** Saves file after file, each of a number, and says the number of each that is saved. */
beforeAll(() => {
  buildSync({
    stdin: {
      contents: `import { writeSync } from "node:fs";
        import { fileStore } from "./src/io/file-store.ts";
        import { writeSafetensors } from "./src/io/safetensors-write.ts";
        const [path, first, size] = process.argv.slice(2);
        const store = fileStore(path);
        for (let n = Number(first); ; n++) {
          const data = new Int32Array(Number(size)).fill(n);
          await store.write(writeSafetensors({ x: { dtype: "I32", shape: [data.length], data } }));
          writeSync(1, n + "\\n");
        }`,
      resolveDir: join(import.meta.dirname, "../.."),
      loader: "ts",
    },
    bundle: true,
    format: "esm",
    platform: "node",
    outfile: program,
  });
});

/** A process that saves from a number on. */
class Saver {
  /** The number saved last, as far as it was said. */
  said: number;
  readonly #child: ChildProcess;

  constructor(path: string, first: number) {
    this.said = first - 1;
    savers.push(this);
    const args = [program, path, String(first), String(SIZE)];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.said = Number(line);
    });
  }

  async saved(count: number): Promise<void> {
    const last = this.said + count;
    await vi.waitUntil(() => this.said >= last, { ...PATIENT, interval: 1 });
  }

  async kill(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }
}

/** The number that a file was saved with, if it is whole. */
async function numberIn(path: string): Promise<number> {
  const { tensors } = readSafetensors((await fileStore(path).read()) as Uint8Array);
  const { data } = tensors.get("x") as SafetensorsTensor;
  expect(new Set(data as Int32Array).size).toBe(1);
  return data[0] as number;
}

const namesIn = (path: string) => readdirSync(join(path, "..")).sort();
const partsIn = (path: string) => namesIn(path).filter((name) => name.endsWith(".part"));
const fresh = (name: string) => {
  mkdirSync(join(folder, name));
  return join(folder, name, "file");
};

test(`after ${KILLS} kills while it is written, a file is what was saved last or next`, async () => {
  const warn = vi.spyOn(console, "warn");
  const path = fresh("kills");
  let last = 0;
  const cut: string[] = [];
  for (let i = 0; i < KILLS; i++) {
    const saver = new Saver(path, last + 1);
    await saver.saved(1);
    expect(partsIn(path).length).toBeLessThanOrEqual(2); // of the writer before none is left
    if (i % 2) await wait((i * 37) % 101);
    else await vi.waitUntil(() => partsIn(path).length > 0, { ...PATIENT, interval: 1 });
    await saver.kill();
    cut.push(...partsIn(path));
    last = await numberIn(path);
    expect([saver.said, saver.said + 1]).toContain(last);
    if (last > 1) expect([last - 1, last]).toContain(await numberIn(`${path}.previous`));
  }
  expect(cut).not.toEqual([]);
  expect(warn).not.toHaveBeenCalled();
  // Parts of this process and of other machines may be written still.
  const own = cut[0].replace(/-\d+-/, `-${process.pid}-`);
  const far = cut[0].replace(/\w{8}-/, "00000000-");
  for (const name of [own, far]) writeFileSync(join(path, "..", name), "");
  await fileStore(path).write(whole(0));
  expect(namesIn(path)).toEqual([far, own, "file", "file.previous"].sort());
}, 300_000);

test("a writer that is killed harms none beside it, and none that writes takes its part away", async () => {
  const path = fresh("beside");
  const [a, b] = [new Saver(path, 1), new Saver(path, 10_001)];
  await Promise.all([a.saved(10), b.saved(10)]); // one whose part is taken away would end
  await a.kill();
  await b.saved(5);
  await b.kill();
  await numberIn(path);
  await fileStore(path).write(whole(0));
  expect(namesIn(path)).toEqual(["file", "file.previous"]);
}, 60_000);
