import { spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileStore, readSafetensors } from "../../src/io/index.ts";
import { Command, outcomeOf } from "../support/command.ts";
import { SmallDisk, whyNoDisk } from "../support/small-disk.ts";
import { whole } from "../support/store-cases.ts";
import { hasTerminal, terminal } from "../support/terminal.ts";

const command = new Command("mnist", "faults");
beforeAll(() => command.build());

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** An empty folder, and what runs the program there. */
function place(folder = mkdtempSync(join(tmpdir(), "gradus-command-"))) {
  folders.push(folder);
  const run = (args: string, ...rest: [Parameters<Command["run"]>[1]?, object?]) =>
    command.run(args.split(" "), rest[0], { cwd: folder, ...rest[1] });
  return {
    folder,
    run,
    names: () => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort(),
  };
}

/** One epoch of three steps. */
const QUICK = "--device cpu --epochs 1 --batch-size 20000 --hidden 2";
/** As many epochs as it takes to be stopped. */
const LONG = QUICK.replace("--epochs 1", "--epochs 1000");
const WEIGHTS = ["runs", "runs/mnist.safetensors"];

/** Throws unless a place holds the weights of a network. */
function expectWeights(folder: string): void {
  const { tensors } = readSafetensors(readFileSync(join(folder, "runs/mnist.safetensors")));
  expect([...tensors.keys()]).toContain("hidden.weight");
}

describe("a result that could not be written is refused before training, and nothing is left over", () => {
  test.each<[string, string, (folder: string) => void, string]>([
    [
      "a file in place of the folder",
      "",
      (folder) => writeFileSync(join(folder, "runs"), ""),
      "runs/mnist.safetensors: ENOTDIR: not a directory; expected a file that can be written",
    ],
    [
      "a folder in place of the file",
      "",
      (folder) => mkdirSync(join(folder, "runs/mnist.safetensors"), { recursive: true }),
      'runs/mnist.safetensors: fileStore: "FOLDER/runs/mnist.safetensors" is no regular file; ' +
        "expected one, or a new name",
    ],
    [
      "a folder in place of the checkpoint",
      " --checkpoint kept",
      (folder) => mkdirSync(join(folder, "kept")),
      'kept: fileStore: "FOLDER/kept" is no regular file; expected one, or a new name',
    ],
    [
      "a checkpoint below a file",
      " --checkpoint kept/run",
      (folder) => writeFileSync(join(folder, "kept"), ""),
      "kept/run: ENOTDIR: not a directory; expected a file that can be written",
    ],
  ])("%s", async (_, more, spoil, says) => {
    const { folder, run, names } = place();
    spoil(folder);
    const before = names();
    const { code, out, err } = await run(QUICK + more);
    expect({ code, out, err }).toEqual({
      code: 2,
      out: "",
      err: `${says.replace("FOLDER", folder)}\n`,
    });
    expect(names()).toEqual(before);
  });

  test("a folder for figures that is a file", async () => {
    const embeddings = new Command("embeddings", "faults");
    await embeddings.build();
    const { folder, names } = place();
    writeFileSync(join(folder, "plots"), "");
    const { code, out, err } = await embeddings.run(["--figures", "plots"], undefined, {
      cwd: folder,
    });
    const says = "plots/softmax.svg: ENOTDIR: not a directory; expected a file that can be written";
    expect({ code, out, err }).toEqual({ code: 2, out: "", err: `${says}\n` });
    expect(names()).toEqual(["plots"]);
  });

  test("what another user may not write", async () => {
    const { folder, run } = place();
    mkdirSync(join(folder, "runs"));
    chmodSync(join(folder, "runs"), 0o555);
    chmodSync(folder, 0o755);
    const isRoot = process.getuid?.() === 0; // who may write anywhere
    const { code, out, err } = await run(QUICK, undefined, isRoot ? { uid: 65534 } : {});
    const says =
      "runs/mnist.safetensors: EACCES: permission denied; expected a file that can be written";
    expect({ code, out, err }).toEqual({ code: 2, out: "", err: `${says}\n` });
    expect(readdirSync(join(folder, "runs"))).toEqual([]);
  });

  const missing = whyNoDisk();
  describe.skipIf(missing !== null)(`on a small disk${missing ? `: ${missing}` : ""}`, () => {
    test("that is full or read-only", async () => {
      using disk = new SmallDisk(100_000);
      const { run, names } = place(disk.folder);
      folders.pop();
      const refused = async (says: string) => {
        const { code, out, err } = await run(QUICK.replace("--hidden 2", "--hidden 50"));
        expect({ code, out, err }).toEqual({
          code: 2,
          out: "",
          err: `runs/mnist.safetensors: ${says}; expected a file that can be written\n`,
        });
        expect(names()).toEqual([]);
      };
      await refused("ENOSPC: no space left on device");
      disk.makeReadOnly();
      await refused("EROFS: read-only file system");
    });

    test("that fills up while it trains: what was there before is whole", async () => {
      using disk = new SmallDisk(300_000);
      const { folder, run, names } = place(disk.folder);
      folders.pop();
      const good = whole(7, 20_000);
      for (const name of ["runs/mnist.safetensors", "kept"]) {
        await fileStore(join(folder, name)).write(good);
      }
      let isFull = false;
      const { code, out, err } = await run(`${QUICK} --checkpoint kept`, () => {
        if (isFull) return;
        isFull = true;
        for (const size of [65_536, 4096]) fill(join(folder, `filler-${size}`), size);
      });
      expect(err.split("\n")).toEqual([
        "kept: ENOSPC: no space left on device; training goes on",
        "runs/mnist.safetensors: ENOSPC: no space left on device",
        "",
      ]);
      expect(code).toBe(1);
      expect(out).toContain("epoch 1/1");
      const fillers = ["filler-4096", "filler-65536"];
      expect(names()).toEqual([...fillers, "kept", ...WEIGHTS]);
      for (const name of ["runs/mnist.safetensors", "kept"]) {
        expect(await fileStore(join(folder, name)).read()).toEqual(good);
      }
    });
  });
});

/** Writes pieces to a file until there is no room for another. */
function fill(path: string, size: number): void {
  try {
    for (;;) writeFileSync(path, new Uint8Array(size), { flag: "a" });
  } catch {
    // It is full.
  }
}

describe("a run goes on without its stdout", () => {
  test("that was closed", async () => {
    const { folder, run, names } = place();
    const { code, err } = await run(
      `${QUICK} --json`.replace("--epochs 1", "--epochs 2"),
      (child) => {
        child.stdout?.destroy();
      },
    );
    expect({ code, err }).toEqual({ code: 0, err: "stdout: write EPIPE; goes on without it\n" });
    expect(names()).toEqual(WEIGHTS);
    expectWeights(folder);
  }, 60_000);

  test.skipIf(process.platform !== "linux")(
    "that is full, and its stderr too",
    async () => {
      const { folder, run, names } = place();
      const full = openSync("/dev/full", "w");
      const { code, err } = await run(QUICK, undefined, { stdio: ["ignore", full, "pipe"] });
      expect(code).toBe(0);
      expect(err).toMatch(/^stdout: ENOSPC: no space left on device.*; goes on without it\n$/);
      const { code: again } = await run(QUICK, undefined, { stdio: ["ignore", full, full] });
      expect(again).toBe(0);
      expect(names()).toEqual([...WEIGHTS, "runs/mnist.safetensors.previous"]);
      expectWeights(folder);
    },
    60_000,
  );
});

describe("signals", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s stops a run, which keeps the weights so far",
    async (name) => {
      const { folder, run, names } = place();
      let sent = 0; // twice at once, as a terminal and npm send it
      const args = `${LONG} --checkpoint runs/kept`;
      const { code, out, err } = await run(args, (child, text) => {
        while (text.includes("epoch 1/") && sent++ < 2) child.kill(name);
      });
      expect(code).toBe(0);
      expect(err).toBe("Stopping, and keeping what there is; a second signal ends at once\n");
      expect(out).not.toMatch(/[^\P{C}\n]/u); // a pipe gets no control characters
      const [, steps] =
        /Stopped: (\d+) steps in .* s on cpu, test accuracy .*\nWeights: runs\/mnist/.exec(out) ??
        [];
      expect(names().filter((file) => !file.endsWith(".previous"))).toEqual([
        "runs",
        "runs/kept",
        WEIGHTS[1],
      ]);
      expectWeights(folder);
      const kept = readSafetensors(readFileSync(join(folder, "runs/kept")));
      expect(kept.metadata.step).toBe(steps);
    },
    60_000,
  );

  test("a second one ends at once, and takes nothing along", async () => {
    const { folder, names } = place();
    const good = whole(7);
    await fileStore(join(folder, "runs/mnist.safetensors")).write(good);
    // It takes seconds to measure such a network, which comes before weights are written.
    const slow = "--device cpu --epochs 9 --batch-size 100 --hidden 1000";
    const child = spawn(process.execPath, [command.program, ...slow.split(" ")], { cwd: folder });
    const ended = outcomeOf(child);
    const says = (stream: Readable, what: string) =>
      new Promise<void>((done) => {
        let text = "";
        stream.on("data", (more) => {
          text += more;
          if (text.includes(what)) done();
        });
      });
    await says(child.stdout, "Network");
    const stopping = says(child.stderr, "Stopping");
    child.kill("SIGINT");
    await stopping;
    // One that comes while a step is computed counts when that is done, with the first.
    const again = setInterval(() => child.kill("SIGINT"), 350);
    await ended.finally(() => clearInterval(again));
    expect((await ended).signal).toBe("SIGINT");
    expect(names()).toEqual(WEIGHTS);
    expect(await fileStore(join(folder, "runs/mnist.safetensors")).read()).toEqual(good);
  }, 60_000);
});

test("two runs into one folder at once both succeed, and leave the files of one of them", async () => {
  const { folder, run, names } = place();
  const args = `${QUICK} --checkpoint runs/kept --json`;
  const ended = await Promise.all([run(`${args} --seed 1`), run(`${args} --seed 2`)]);
  expect(ended.map(({ code, err }) => [code, err])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  expectWeights(folder);
  const expected = [
    ...WEIGHTS,
    "runs/kept",
    "runs/kept.previous",
    "runs/mnist.safetensors.previous",
  ];
  expect(names()).toEqual(expected.sort());
  // It belongs to one of the seeds, and says to the other which one.
  const resumed = await Promise.all([1, 2].map((seed) => run(`${args} --resume --seed ${seed}`)));
  expect(resumed.map(({ code }) => code).sort()).toEqual([0, 2]);
  expect(resumed.map(({ err }) => err).join("")).toMatch(
    /^--resume: --seed [12], but runs\/kept is of a run with --seed [12]; expected the same\n$/,
  );
}, 60_000);

describe("npm start", () => {
  /** A folder in which `npm start` begins a long run. */
  function long() {
    const { folder, names } = place();
    const start = `true && node ${JSON.stringify(resolve("tools/start.mjs"))} mnist ${LONG.replace("20000", "2000")}`;
    writeFileSync(join(folder, "package.json"), JSON.stringify({ scripts: { start } }));
    const expectStopped = (out: string) => {
      expect(out).toContain("Stopped: ");
      expect(names()).toEqual(["package.json", ...WEIGHTS]);
      expectWeights(folder);
    };
    return { folder, expectStopped };
  }

  test.each(["SIGKILL", "SIGTERM"] as const)(
    "ends with npm, and keeps its weights, after %s",
    async (name) => {
      const { folder, expectStopped } = long();
      let isKilled = false;
      const { out } = await outcomeOf(spawn("npm", ["start"], { cwd: folder }), (npm, text) => {
        if (isKilled || !text.includes("epoch 1/")) return;
        isKilled = true;
        npm.kill(name);
      });
      expectStopped(out);
    },
    60_000,
  );

  test.skipIf(!hasTerminal)(
    "stops at Ctrl-C in a terminal, and keeps its weights",
    async () => {
      const { folder, expectStopped } = long();
      let isSent = false;
      const { out } = await outcomeOf(terminal("npm start", { cwd: folder }), (child, text) => {
        if (isSent || !text.includes("epoch 1/")) return;
        isSent = true;
        child.stdin?.write("\x03");
      });
      expectStopped(out);
    },
    60_000,
  );
});
