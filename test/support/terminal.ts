import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";

/** Whether there is util-linux's `script`, as on every Linux; other systems have another one. */
export const hasTerminal = /util-linux/.test(
  String(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout),
);

/**
 * Runs a command line in a terminal of its own, by util-linux's `script`. What is written to the
 * child's stdin is typed there, and stdout gives what the terminal is sent.
 */
export function terminal(line: string, options: SpawnOptions = {}): ChildProcess {
  return spawn("script", ["--quiet", "--return", "--command", line, "/dev/null"], options);
}

/** How many cells of a terminal a line takes. */
export function cellsOf(line: string): number {
  const isWide = (c: string) => /[\p{Script=Han}\p{Script=Hiragana}，👍]/u.test(c);
  return [...line].reduce((sum, c) => sum + (isWide(c) ? 2 : 1), 0);
}
