import type { Check } from "../context.ts";

const GIB = 2 ** 30;

function bytesText(bytes: number): string {
  if (bytes >= GIB) return `${(bytes / GIB).toFixed(bytes % GIB ? 2 : 0)} GiB`;
  return bytes >= 2 ** 20
    ? `${Math.round(bytes / 2 ** 20)} MiB`
    : `${Math.round(bytes / 1024)} KiB`;
}

/** What WebGPU tells of the adapter, and what the engine concludes from that. */
export const adapter: Check = {
  name: "Adapter",
  seconds: { quick: 0.2, full: 0.2 },
  run: async (context) => {
    const { facts } = context;
    const line = context.line.bind(context);
    if (!facts) return;
    const { name, info, software, features, limits, traits } = facts;
    const of = Object.entries(info).map(([key, value]) => ({ name: key, note: value }));
    const emulated = software ? ", emulated by the CPU: times are not judged" : "";
    line({ name: "WebGPU", verdict: "ok", text: `${name}${emulated}`, rows: of });
    const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = limits;
    line({
      name: "limits",
      verdict: "ok",
      text: [
        `buffers of ${bytesText(maxBufferSize)}`,
        `${bytesText(maxStorageBufferBindingSize)} in a binding`,
        `${limits.maxStorageBuffersPerShaderStage} bindings in a kernel`,
        `${limits.maxComputeInvocationsPerWorkgroup} invocations in a workgroup`,
        `${bytesText(maxComputeWorkgroupStorageSize)} of workgroup memory`,
      ].join(", "),
      rows: Object.entries(limits).map(([key, figure]) => ({ name: key, figure })),
    });
    for (const [feature, use] of Object.entries(USED)) {
      const isThere = features.includes(feature);
      line({ name: feature, verdict: isThere ? "ok" : "not there", text: use });
    }
    line({
      name: "what the engine concludes",
      verdict: "ok",
      text: traits.workgroupMemory
        ? "kernels with workgroup memory and barriers"
        : "kernels with direct loads, without barriers",
      rows: Object.entries(traits).map(([key, value]) => ({ name: key, note: String(value) })),
    });
  },
};

/** Features that something here is made of. */
const USED: Readonly<Record<string, string>> = {
  "timestamp-query": "times of single kernels, for profiles",
  subgroups: "neighbours that share what they load",
  "chromium-experimental-subgroup-matrix": "matrices that neighbours multiply together",
  "shader-f16": "numbers of 16 bits",
};
