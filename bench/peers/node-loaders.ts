import type { Loaders } from "./index.ts";
import { LOADERS } from "./loaders.ts";

/** The peers that Node has: ONNX Runtime Web is left out, since Node has a runtime of its own. */
export const NODE_LOADERS: Loaders = {
  ...LOADERS,
  numpy: async () => (await import("./numpy.ts")).createNumpy(),
};
