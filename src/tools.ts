// What few pages need, as one script, loaded when something of it is first asked for. Of several that
// share parts, bundlers make still more, and cut what every page loads into pieces.
export { formatValues } from "./core/format-values.ts";
export { numbersIn } from "./core/halves.ts";
export { capture, newer } from "./debug/captures.ts";
export { watcher } from "./debug/watcher.ts";
export { compiledStats } from "./devices/cpu/shown/stats.ts";
export { timeGroups } from "./devices/cpu/shown/times.ts";
export { compilerError } from "./devices/webgpu/compiler-error.ts";
export { profilePlan } from "./devices/webgpu/profiler.ts";
export { statsOf } from "./devices/webgpu/stats.ts";
export { Tuner } from "./devices/webgpu/tuner.ts";
export { profileRun } from "./engine/profile-run.ts";
export * as words from "./engine/refusal-words.ts";
export { flopsOf, opFlops, planStats, total } from "./engine/stats.ts";
export { beginMove } from "./graph/move.ts";
export { summarize } from "./nn/summary.ts";
export { tunings } from "./tunings.ts";
