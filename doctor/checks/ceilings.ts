import type { Check } from "../context.ts";
import { encodeRuns, pipelineOf, timeRuns } from "../raw.ts";

const COPY = `@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@compute @workgroup_size(64) fn main(@builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * count.x + group.x) * 64u + local;
  y[i] = x[i];
}`;

/** Chains that are multiplied and added to side by side, and turns of their loop. */
const [CHAINS, TURNS] = [8, 256];
/** Operations of an invocation: a multiplication and an addition of four numbers in each chain and turn. */
const FLOPS = 2 * 4 * CHAINS * TURNS;

function multiplyAdds(): string {
  const each = (line: (k: number) => string) => Array.from({ length: CHAINS }, (_, k) => line(k));
  return `@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = x[0]; let b = x[1];
${each((k) => `  var a${k} = x[${k}] + f32(id.x);`).join("\n")}
  for (var t = 0u; t < ${TURNS}u; t++) {
${each((k) => `    a${k} = fma(a${k}, m, b);`).join("\n")}
  }
  y[id.x] = ${each((k) => `a${k}`).join(" + ")};
}`;
}

/** Below these a GPU counts as slow. */
const SLOW = { copy: 3, flops: 20 };

/**
 * Measures the most that the adapter copies and computes, in GB/s and GFLOP/s; both are held against
 * what kernels come to.
 */
export async function measureCeilings(
  device: GPUDevice,
  isSmall: boolean,
  rounds = 3,
): Promise<{ copy: number; flops: number }> {
  const { STORAGE } = GPUBufferUsage;
  const bytes = isSmall ? 2 ** 22 : 2 ** 26;
  const [y, x] = [0, 1].map(() => device.createBuffer({ size: bytes, usage: STORAGE }));
  const groups = bytes / 16 / 64;
  const grid = groups > 65_535 ? ([groups / 2, 2, 1] as const) : ([groups, 1, 1] as const);
  const copy = await timeRuns(
    device,
    encodeRuns(device, await pipelineOf(device, COPY), [y, x], grid),
    rounds,
  );
  const owners = isSmall ? 16 : 4096;
  const compute = await pipelineOf(device, multiplyAdds());
  const flops = await timeRuns(device, encodeRuns(device, compute, [y, x], [owners, 1, 1]), rounds);
  for (const buffer of [x, y]) buffer.destroy();
  return { copy: (2 * bytes) / copy / 1e6, flops: (FLOPS * 64 * owners) / flops / 1e6 };
}

/** The most that can be had of the adapter. */
export const ceilings: Check = {
  name: "Ceilings",
  seconds: { quick: 0.7, full: 3 },
  run: async (context) => {
    const device = await context.bench.gpu();
    const { isSoftware } = context;
    const { copy, flops } = await measureCeilings(device, isSoftware, context.isQuick ? 2 : 5);
    context.bench.flops = flops;
    const of = (figure: number, slow: number) => (figure < slow && !isSoftware ? "slow" : "ok");
    context.line({
      ...{ name: "copies", verdict: of(copy, SLOW.copy), text: "read and written by a kernel" },
      ...{ figure: copy, unit: "GB/s" },
    });
    context.line({
      ...{ name: "multiply-adds", verdict: of(flops, SLOW.flops), text: "f32 in registers" },
      ...{ figure: flops, unit: "GFLOP/s" },
    });
  },
};
