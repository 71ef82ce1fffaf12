import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "vite";

/** What a command said and how it ended. */
export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

/** An example's command-line program, run in an empty folder of its own. */
export class Command {
  readonly root = mkdtempSync(join(tmpdir(), "gradus-command-"));
  readonly program: string;

  /** @param name tells the programs of tests that run at once apart. */
  constructor(
    readonly example: string,
    name = "test",
  ) {
    this.program = resolve(`build/${this.example}-${name}/main.js`);
  }

  /** Builds the program; to be called once, first. */
  async build(): Promise<void> {
    await build({
      configFile: "tools/vite.node.config.ts",
      build: { ssr: `examples/${this.example}/main.ts`, outDir: join(this.program, "..") },
      logLevel: "error",
    });
  }

  /** Runs the program; `onOutput` sees each piece of its stdout. */
  run(
    args: string[],
    onOutput?: (child: ChildProcess, out: string) => void,
    options: SpawnOptions = {},
  ): Promise<Outcome> {
    const given = { cwd: this.root, ...options };
    return outcomeOf(spawn(process.execPath, [this.program, ...args], given), onOutput);
  }
}

/** Waits for a process to end. */
export function outcomeOf(
  child: ChildProcess,
  onOutput?: (child: ChildProcess, out: string) => void,
): Promise<Outcome> {
  const outcome: Outcome = { code: null, signal: null, out: "", err: "" };
  child.stdout?.on("data", (text) => {
    outcome.out += text;
    onOutput?.(child, outcome.out);
  });
  child.stderr?.on("data", (text) => {
    outcome.err += text;
  });
  return new Promise((done) => {
    child.on("close", (code, signal) => done({ ...outcome, code, signal }));
  });
}
