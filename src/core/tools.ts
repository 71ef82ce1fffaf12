import { OnDemand } from "./on-demand.ts";

/** What src/tools.ts has. */
export type Tools = typeof import("../tools.ts");

/** What prints, explains, measures and watches: src/tools.ts, which all folders may load. */
export const tools = /* @__PURE__ */ new OnDemand(() => import("../tools.ts"));
