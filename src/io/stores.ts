/** A place that holds the bytes of one file. */
export interface Store {
  /**
   * Gives what was written last; null before anything was. A store that keeps an older generation
   * gives that, and warns, where the newest is broken.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | null>;
  /**
   * Replaces the content at once: whoever reads finds the old bytes or the new ones, whole. The bytes
   * must stay as they are until the promise settles.
   */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** A store in a file. */
export interface FileStore extends Store {
  /**
   * Writes so many bytes beside the file and takes them away again: throws what a write of as many
   * would, as where the disk is full or the folder is read-only. Folders that lack are made for it.
   */
  probe(bytes?: number): Promise<void>;
}

/** Options of `fileStore`, `opfsStore` and `indexedDbStore`. */
export interface StoreOptions {
  /**
   * Throws for bytes that are broken; when left out, for those that are no whole safetensors file, as
   * checkpoints and weights are: one whose header fits the data behind it.
   */
  check?: (bytes: Uint8Array<ArrayBuffer>) => void;
}
