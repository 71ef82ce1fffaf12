import { OnDemand } from "../../../core/on-demand.ts";

/** What reads WebAssembly and writes its text: loaded where a compiled plan is explained. */
export const wat = /* @__PURE__ */ new OnDemand(() => import("../wat/wat.ts"));
