/** A place that holds the bytes of one file. */
export interface Store {
  /** Gives what was written last; null before anything was. */
  read(): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Replaces the content at once: whoever reads finds the old bytes or the new ones, whole. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/**
 * Keeps bytes in the browser's own file system for the page's origin, which needs no permission and
 * outlasts the page. Source: the File System standard, whose writable streams replace a file's
 * content when they are closed.
 * @param path a name, or several with `/` between, whose folders are made when it is written.
 * @throws what the file system throws, when it is read or written.
 * @example await opfsStore("mnist.safetensors").write(await saveSafetensors(model));
 */
export function opfsStore(path: string): Store {
  const names = path.split("/");
  const find = async (create: boolean) => {
    let folder = await navigator.storage.getDirectory();
    for (const name of names.slice(0, -1)) {
      folder = await folder.getDirectoryHandle(name, { create });
    }
    return folder.getFileHandle(names[names.length - 1], { create });
  };
  return {
    async read() {
      try {
        const file = await (await find(false)).getFile();
        return file.size === 0 ? null : new Uint8Array(await file.arrayBuffer());
      } catch (error) {
        if (error instanceof DOMException && error.name === "NotFoundError") return null;
        throw error;
      }
    },
    async write(bytes) {
      const stream = await (await find(true)).createWritable();
      try {
        await stream.write(bytes);
      } catch (error) {
        await stream.abort();
        throw error;
      }
      await stream.close();
    },
  };
}

/** Offers bytes as a file for download, in a page. */
export function download(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may begin to read it later
}
