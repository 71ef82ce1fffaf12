import { access, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { encode } from "fast-png";
import { keyFromSeed } from "gradus";
import { drawHead, headKey, KINDS } from "./draw.ts";

/** What is drawn where there are no pictures of one's own. */
export interface Drawn {
  /** Pictures of each kind. */
  readonly count: number;
  /** Pixels of a side. */
  readonly size: number;
  readonly seed: number;
}

/**
 * Gives a folder with drawn pictures, `cats/0000.png` and so on: draws them where they are not there yet. The folder is
 * there whole or not at all.
 */
export async function drawnFolder(parent: string, { count, size, seed }: Drawn): Promise<string> {
  const folder = join(parent, `heads-${count}-${size}-${seed}`);
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const made = `${folder}.part`;
  await rm(made, { recursive: true, force: true });
  for (const kind of KINDS) {
    await mkdir(join(made, kind), { recursive: true });
    for (let number = 0; number < count; number++) {
      const data = await drawHead(kind, headKey(keyFromSeed(seed), kind, number), size);
      const bytes = encode({ width: size, height: size, data, channels: 3, depth: 8 });
      await writeFile(join(made, kind, `${String(number).padStart(4, "0")}.png`), bytes);
    }
  }
  await mkdir(dirname(folder), { recursive: true });
  await rename(made, folder);
  return folder;
}
