import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "vite";

/** What a command said and how it ended. */
export interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

/** An example's command-line program, run in an empty folder of its own. */
export class Command {
  readonly root = mkdtempSync(join(tmpdir(), "gradus-command-"));
  readonly #folder: string;

  constructor(readonly example: string) {
    this.#folder = `build/${example}-test`;
  }

  /** Builds the program; to be called once, first. */
  async build(): Promise<void> {
    await build({
      configFile: "vite.node.config.ts",
      build: { ssr: `examples/${this.example}/main.ts`, outDir: this.#folder },
      logLevel: "error",
    });
  }

  /** Runs the program; `onOutput` sees each piece of its stdout. */
  run(args: string[], onOutput?: (kill: () => void) => void): Promise<Outcome> {
    const program = resolve(this.#folder, "main.js");
    const child = spawn(process.execPath, [program, ...args], { cwd: this.root });
    const outcome: Outcome = { code: null, out: "", err: "" };
    child.stdout.on("data", (text) => {
      outcome.out += text;
      onOutput?.(() => child.kill("SIGINT"));
    });
    child.stderr.on("data", (text) => {
      outcome.err += text;
    });
    return new Promise((done) => child.on("close", (code) => done({ ...outcome, code })));
  }
}
