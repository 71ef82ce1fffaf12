import { OnDemand } from "./on-demand.ts";

/** What prints, explains, measures and watches: src/tools.ts, which all folders may load. */
export const tools = /* @__PURE__ */ new OnDemand(() => import("../tools.ts"));
