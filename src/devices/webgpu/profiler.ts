import type { KernelTime, Profile } from "../../engine/profile.ts";

/** Encodes one kernel. */
export interface NamedKernel {
  readonly name: string;
  encode(pass: GPUComputePassEncoder): void;
}

/**
 * Runs kernels one after the other and takes the time of each: by timestamp queries where the device
 * has them, else by waiting for each kernel, which adds the cost of a submit.
 */
export async function profileKernels(
  device: GPUDevice,
  kernels: readonly NamedKernel[],
): Promise<Profile> {
  const timed = device.features.has("timestamp-query") && kernels.length > 0;
  return timed ? byDevice(device, kernels) : byHost(device, kernels);
}

async function byDevice(device: GPUDevice, kernels: readonly NamedKernel[]): Promise<Profile> {
  const count = 2 * kernels.length;
  const querySet = device.createQuerySet({ label: "gradus profile", type: "timestamp", count });
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const size = 8 * count;
  const label = "gradus profile";
  const resolved = device.createBuffer({ label, size, usage: QUERY_RESOLVE | COPY_SRC });
  const staging = device.createBuffer({ label, size, usage: COPY_DST | MAP_READ });
  const encoder = device.createCommandEncoder({ label });
  kernels.forEach(({ encode }, i) => {
    const pass = encoder.beginComputePass({
      label,
      timestampWrites: {
        querySet,
        beginningOfPassWriteIndex: 2 * i,
        endOfPassWriteIndex: 2 * i + 1,
      },
    });
    encode(pass);
    pass.end();
  });
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  const nanoseconds = await staging
    .mapAsync(GPUMapMode.READ)
    .then(() => new BigUint64Array(staging.getMappedRange().slice(0)))
    .finally(() => {
      for (const thing of [staging, resolved, querySet]) thing.destroy();
    });
  const at = (i: number) => Number(nanoseconds[i] - nanoseconds[0]) / 1000;
  const times = kernels.map(({ name }, i): KernelTime => {
    return { name, start: at(2 * i), duration: Math.max(0, at(2 * i + 1) - at(2 * i)) };
  });
  return { clock: "device", kernels: times };
}

async function byHost(device: GPUDevice, kernels: readonly NamedKernel[]): Promise<Profile> {
  await device.queue.onSubmittedWorkDone();
  const origin = performance.now();
  const times: KernelTime[] = [];
  for (const { name, encode } of kernels) {
    const begin = performance.now();
    const encoder = device.createCommandEncoder({ label: "gradus profile" });
    const pass = encoder.beginComputePass({ label: name });
    encode(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    const end = performance.now();
    times.push({ name, start: 1000 * (begin - origin), duration: 1000 * (end - begin) });
  }
  return { clock: "host", kernels: times };
}
