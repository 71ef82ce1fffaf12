import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import type { FileStore, StoreOptions } from "./stores.ts";

/**
 * Stands for the store of files where bundles are made for browsers, so that none of Node's modules
 * is asked for there.
 * @throws GradusError always.
 */
export function fileStore(path: string, _options?: StoreOptions): FileStore {
  throw new GradusError(
    `fileStore: ${quote(path)} in a build for browsers; expected Node. ` +
      "Use opfsStore or indexedDbStore",
  );
}
