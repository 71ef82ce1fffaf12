import matricesSource from "../../shaders/lib/matrices.wgsl?raw";
import probeSource from "../../shaders/lib/matrix-probe.wgsl?raw";
import source from "../../shaders/matmul-matrices.wgsl?raw";
import { DTYPES, isFloat } from "../core/dtype.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import type { Kernel } from "../forms/kernel.ts";
import { tileLayout } from "./matmul.ts";
import type { ProductProblem } from "./problems.ts";

// Part of a script that is loaded on demand: only what was measured to be faster takes these.

/** The feature by which a device has matrices of subgroups, and the extension of WGSL. */
const FEATURE = "chromium-experimental-subgroup-matrix";
const EXTENSION = "chromium_experimental_subgroup_matrix";

/** What adapters call the numbers of the matrices. */
const COMPONENT: string = "f32";
/** Rows and columns of the matrices. */
const SIDE = 8;
const MATRIX_TILE = 32;
/** Elements of a tile that an invocation has at least. */
const MOST_LANES = 64;

/** What an adapter tells of the matrices that it multiplies. */
interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** How many invocations multiply matrices of f32 together, by what a device says; 0 where none do. */
export function matrixLanes({
  features,
  adapterInfo,
}: Pick<GPUDevice, "features" | "adapterInfo">): number {
  if (!features.has(FEATURE)) return 0;
  const info = adapterInfo as GPUAdapterInfo & {
    readonly subgroupMatrixConfigs?: readonly MatrixConfig[];
  };
  const { subgroupMinSize = 0, subgroupMaxSize = 0, subgroupMatrixConfigs = [] } = info;
  const hasFloats = [...subgroupMatrixConfigs].some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === COMPONENT &&
      resultComponentType === COMPONENT &&
      [M, N, K].every((size) => size === SIDE),
  );
  const isOne = subgroupMinSize === subgroupMaxSize && subgroupMinSize <= MOST_LANES;
  return hasFloats && isOne && Number.isInteger(Math.log2(subgroupMinSize)) ? subgroupMinSize : 0;
}

/** Writes a kernel that counts in 64 words what is added otherwise than one product after the other. */
export function matrixProbe(lanes: number, matrices: string = matricesSource): string {
  return `const WORKGROUP = ${lanes}u;\n${matrices}${probeSource}`;
}

/**
 * Finds out whether a device multiplies matrices by subgroups to the bits of other products: how many invocations do
 * it together; 0 where it does not, or where it fails.
 */
export async function matricesOf(device: GPUDevice): Promise<number> {
  const lanes = matrixLanes(device);
  if (lanes === 0) return 0;
  try {
    const code = `enable ${EXTENSION};\n${matrixProbe(lanes)}`;
    return (await countWrong(device, code)) === 0 ? lanes : 0;
  } catch {
    return 0; // other kernels compute the same
  }
}

/** Runs a probe; gives how often it found what is wrong. */
export async function countWrong(device: GPUDevice, code: string): Promise<number> {
  const size = 256;
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label: "tune", code });
  const errors = device.popErrorScope();
  const compute = { module };
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute });
  const failed = await errors;
  if (failed) throw new Error(failed.message);
  const wrong = device.createBuffer({ size, usage: 0x84 }); // storage, to copy from
  const read = device.createBuffer({ size, usage: 0x9 }); // to copy to, and to map
  try {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const layout = pipeline.getBindGroupLayout(0);
    const entries = [{ binding: 0, resource: { buffer: wrong } }];
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(wrong, 0, read, 0, size);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(1);
    return new Uint32Array(read.getMappedRange()).reduce((sum, n) => sum + n, 0);
  } finally {
    wrong.destroy();
    read.destroy();
  }
}

/** The kernel of each size of subgroups. */
const made = new Map<number, Kernel<ProductProblem>>();

/** Products by matrices of subgroups, which have so many invocations. */
export function matrixProducts(lanes: number): Kernel<ProductProblem> {
  const make = (): Kernel<ProductProblem> => ({
    kind: "workgroup",
    order: "workgroup 64", // that of matmul.wgsl: others are left out by `matricesOf`
    files: [
      { name: "shaders/lib/matrices.wgsl", source: matricesSource },
      { name: "shaders/matmul-matrices.wgsl", source },
    ],
    subgroups: EXTENSION,
    candidates: [{ WORKGROUP: lanes, MATRICES: SIDE }],
    fits: ({ dtype }) => isFloat(DTYPES[dtype].accumulate),
    layout: (problem) =>
      tileLayout(problem, [MATRIX_TILE, MATRIX_TILE, MATRIX_TILE], 8 * MATRIX_TILE * MATRIX_TILE),
  });
  return getOrInsert(made, lanes, make);
}
