import { GradusError } from "../../core/errors.ts";
import type { KernelTime, Profile } from "../../engine/profile.ts";
import type { BufferStorage } from "./buffers.ts";
import { asGradus } from "./guard.ts";
import type { LogEntry, Work } from "./log.ts";
import type { GpuPlan, PlanHost } from "./plan.ts";
import type { Pass } from "./submit-queue.ts";

/** Encodes one kernel. */
interface NamedKernel {
  readonly name: string;
  encode(pass: Pass): void;
}

/** How many times a query set holds, at the most. */
const MOST_TIMES = 4096;

type Submit = (encode: (encoder: GPUCommandEncoder) => void) => void;

/** Runs a plan, as `op`, behind what was recorded; gives its outputs and the time of each kernel. */
export async function profilePlan(
  plan: GpuPlan,
  op: string,
  sources: readonly BufferStorage[],
): Promise<{ outputs: BufferStorage[]; profile: Profile }> {
  const { host } = plan;
  host.begin(op);
  const outputs = host.pool.acquireAll(plan.outputBytes);
  try {
    const run = plan.bound(sources, outputs);
    const order: number[] = [];
    const kernels: NamedKernel[] = [];
    run.encodeAll({} as Pass, (_, i, offsets) => {
      order.push(i);
      const name = run.dispatches[i].kernel.label;
      kernels.push({ name, encode: (pass) => run.encodeOne(pass, i, offsets) });
    });
    return { outputs, profile: summed(await profileKernels(host, run, kernels), order) };
  } catch (error) {
    for (const storage of outputs) host.pool.release(storage);
    throw error;
  }
}

/** Adds up the times of a kernel that is dispatched again and again. */
function summed({ clock, kernels }: Profile, order: readonly number[]): Profile {
  const all: KernelTime[] = [];
  for (const [at, i] of order.entries()) {
    const { duration = 0, ...first } = all[i] ?? kernels[at];
    const added = all[i] ? kernels[at].duration : 0;
    all[i] = { ...first, duration: duration + added };
  }
  return { clock, kernels: all };
}

/**
 * Runs the kernels of a work one after the other and takes the time of each: by timestamp queries
 * where the device has them, else by waiting for each kernel, which adds the cost of a submit.
 */
export async function profileKernels(
  host: PlanHost,
  work: Work,
  kernels: readonly NamedKernel[],
): Promise<Profile> {
  const isFew = kernels.length > 0 && 2 * kernels.length <= MOST_TIMES;
  const timed = host.device.features.has("timestamp-query") && isFew;
  const { op } = host.guard;
  const entries: LogEntry[] = [];
  const submit: Submit = (encode) => {
    entries.push(host.queue.submit("gradus profile", work, encode));
  };
  const run = timed ? byDevice : byHost;
  const profile = await run(op, host, kernels, submit).catch((error) => asGradus(op, error));
  for (const entry of entries) await host.log.settle(entry, host.timeout);
  const failure = entries.find((entry) => entry.failure)?.failure ?? profile;
  if (failure instanceof GradusError) throw failure;
  return failure;
}

async function byDevice(
  op: string,
  { device, guard }: PlanHost,
  kernels: readonly NamedKernel[],
  submit: Submit,
): Promise<Profile> {
  const count = 2 * kernels.length;
  const size = 8 * count;
  const label = "gradus profile";
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const { querySet, resolved, staging } = guard.make(() => ({
    querySet: device.createQuerySet({ label, type: "timestamp", count }),
    resolved: device.createBuffer({ label, size, usage: QUERY_RESOLVE | COPY_SRC }),
    staging: device.createBuffer({ label, size, usage: COPY_DST | MAP_READ }),
  }));
  try {
    submit((encoder) => {
      kernels.forEach(({ encode }, i) => {
        const pass = encoder.beginComputePass({
          label,
          timestampWrites: {
            querySet,
            beginningOfPassWriteIndex: 2 * i,
            endOfPassWriteIndex: 2 * i + 1,
          },
        });
        encode({ encoder: pass });
        pass.end();
      });
      encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    });
    const [mapping] = guard.check(() => staging.mapAsync(GPUMapMode.READ));
    await guard.answer(op, "mapAsync", mapping, 10 * guard.host.timeout);
    const nanoseconds = new BigUint64Array(staging.getMappedRange().slice(0));
    const at = (i: number) => Number(nanoseconds[i] - nanoseconds[0]) / 1000;
    const times = kernels.map(({ name }, i): KernelTime => {
      return { name, start: at(2 * i), duration: Math.max(0, at(2 * i + 1) - at(2 * i)) };
    });
    return { clock: "device", kernels: times };
  } finally {
    for (const thing of [staging, resolved, querySet]) thing.destroy();
  }
}

async function byHost(
  op: string,
  { device, guard }: PlanHost,
  kernels: readonly NamedKernel[],
  submit: Submit,
): Promise<Profile> {
  const done = () => {
    const answer = device.queue.onSubmittedWorkDone();
    return guard.answer(op, "onSubmittedWorkDone", answer, 10 * guard.host.timeout);
  };
  await done();
  const origin = performance.now();
  const times: KernelTime[] = [];
  for (const { name, encode } of kernels) {
    const begin = performance.now();
    submit((encoder) => {
      const pass = encoder.beginComputePass({ label: name });
      encode({ encoder: pass });
      pass.end();
    });
    await done();
    const end = performance.now();
    times.push({ name, start: 1000 * (begin - origin), duration: 1000 * (end - begin) });
  }
  return { clock: "host", kernels: times };
}
