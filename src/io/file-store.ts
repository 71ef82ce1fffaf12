import type { Store } from "./stores.ts";

/**
 * Keeps bytes in a file, in Node; folders that lack are made when it is written.
 * @throws what the file system throws, when it is read or written.
 * @example await fileStore("runs/mnist.safetensors").write(await saveSafetensors(model));
 */
export function fileStore(path: string): Store {
  return {
    async read() {
      const { readFile } = await import("node:fs/promises");
      try {
        return new Uint8Array(await readFile(path));
      } catch (error) {
        if ((error as { code?: string }).code === "ENOENT") return null;
        throw error;
      }
    },
    async write(bytes) {
      const { mkdir, open, rename } = await import("node:fs/promises");
      const { dirname } = await import("node:path");
      await mkdir(dirname(path), { recursive: true });
      const part = `${path}.part`;
      const file = await open(part, "w");
      try {
        await file.writeFile(bytes);
        await file.sync(); // before the name is moved: a crash must not leave an empty file
      } finally {
        await file.close();
      }
      await rename(part, path);
    },
  };
}
