import { GradusError } from "../core/errors.ts";
import type { Store } from "./stores.ts";

/**
 * Stands for the store of files where bundles are made for browsers, so that none of Node's modules
 * is asked for there.
 * @throws GradusError always.
 */
export function fileStore(path: string): Store {
  throw new GradusError(
    `fileStore: ${JSON.stringify(path.slice(0, 200))} in a build for browsers; expected Node. ` +
      "Use opfsStore",
  );
}
