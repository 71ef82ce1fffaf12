import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Milliseconds between two looks. */
const EVERY = 500;

/**
 * Calls a function when npm has ended, if npm has started this process. When it is killed, it takes
 * neither the shell along by which it starts scripts nor what that has started.
 */
export function whenNpmEnds(listener: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const { name, ppid } = processOf(parent);
  const npm = /sh$/.test(name) ? ppid : parent;
  const timer = setInterval(() => {
    if (process.ppid === parent && isRunning(npm)) return;
    clearInterval(timer);
    listener();
  }, EVERY);
  timer.unref();
}

/** A process's name and parent; neither where the system does not say. */
function processOf(pid: number): { name: string; ppid: number } {
  const [, name = "", ppid] = /\((.*)\) \S (\d+)/s.exec(statOf(pid)) ?? [];
  return { name, ppid: Number(ppid) };
}

/** What Linux keeps in a process's `stat`, or as much of it as `ps` tells elsewhere. */
function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    const args = ["-o", "comm=,ppid=", "-p", String(pid)];
    const { stdout } = spawnSync("ps", args, { encoding: "utf8" });
    return (stdout ?? "").replace(/^(.*?)\s+(\d+)\s*$/s, "($1) S $2");
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
