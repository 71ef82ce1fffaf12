/**
 * Code that devices may load apart, for few apps have ops that want it: of kernels, of what finds
 * places and of what is put there, of functions of elements, of products of windows.
 */
export type RareCode = "kernels" | "places" | "functions" | "windows";

/** Such code as an app wants; a device that loads it says how, for what is wanted later. */
export const wanted = {
  codes: /* @__PURE__ */ new Set<RareCode>(),
  load: (_code: RareCode): unknown => null,
};

/** Notes that an app has something, an op or a file of functions, that wants such code; gives it. */
export function rare<T>(thing: T, code: RareCode = "kernels"): T {
  wanted.codes.add(code);
  wanted.load(code);
  return thing;
}
