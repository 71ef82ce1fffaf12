import { errorCodeOf, node } from "./file-system.ts";

/** After so many milliseconds a part whose writer cannot be asked for is taken for a crash's. */
const STALE = 3_600_000;

/** A name that no other write has, in this process or another, and that tells whose it is. */
export async function partOf(path: string): Promise<string> {
  const once = crypto.randomUUID().slice(0, 8);
  return `${path}.${await spaceOfProcesses()}-${process.pid}-${once}.part`;
}

/** What tells the processes among which a number means this one: the machine's, or the container's. */
async function spaceOfProcesses(): Promise<string> {
  const { readlink, hostname, createHash } = await node();
  const space = await readlink("/proc/self/ns/pid").catch(() => ""); // Linux only
  return createHash("sha256").update(`${hostname()} ${space}`).digest("hex").slice(0, 8);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCodeOf(error) !== "ESRCH"; // it may be another user's
  }
}

/** Removes what writes left that ended before they were done, and no part of one that is under way. */
export async function sweep(path: string): Promise<void> {
  const { readdir, rm, dirname, basename, join } = await node();
  const folder = dirname(path);
  const here = await spaceOfProcesses();
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith(".part")) continue;
    const part = join(folder, name);
    const [, space, pid] = /\.(\w{8})-(\d+)-\w+\.part$/.exec(name) ?? [];
    const isLeft = space === here && !isRunning(Number(pid));
    if (isLeft || (await ageOf(part)) > STALE) await rm(part, { force: true });
  }
}

/** Milliseconds since a file was written; NaN where there is none. */
async function ageOf(path: string): Promise<number> {
  const { stat } = await node();
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.NaN }));
  return Date.now() - mtimeMs;
}
