import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system in memory that holds few bytes, mounted in a folder until it is disposed. */
export class SmallDisk implements Disposable {
  readonly #mount = mkdtempSync(join(tmpdir(), "gradus-disk-"));
  /** Where there is room; the folder around it shows what is left over. */
  readonly folder = join(this.#mount, "runs");

  constructor(bytes: number) {
    call("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", this.#mount);
    mkdirSync(this.folder);
  }

  makeReadOnly(): void {
    call("mount", "-o", "remount,ro", this.#mount);
  }

  [Symbol.dispose](): void {
    call("umount", "--lazy", this.#mount); // also where something of it is open still
    rmdirSync(this.#mount);
  }
}

/** Why no file system can be mounted here; null where one can. */
export function whyNoDisk(): string | null {
  try {
    new SmallDisk(65_536)[Symbol.dispose]();
    return null;
  } catch (error) {
    return `mounting a small file system takes root's rights (${(error as Error).message})`;
  }
}

function call(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(error?.message ?? stderr.trim());
}
