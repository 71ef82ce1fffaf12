import { announceCopy, SECOND_DEVICE, USE_CPU } from "./core/advice.ts";
import { checkOptions, checkPositive, checkSteps, checkWords } from "./core/check.ts";
import { DeviceError } from "./core/errors.ts";
import { tools } from "./core/tools.ts";
import type { DebugOptions } from "./debug/watcher.ts";
import { cpuModule } from "./devices/on-demand.ts";
import { describeAdapter, findAdapter, findGpu, TIMEOUT } from "./devices/webgpu/adapter.ts";
import { GpuDevice } from "./devices/webgpu/gpu-device.ts";
import { productRows } from "./devices/webgpu/jobs.ts";
import type { GpuOptions, PageDevice } from "./devices/webgpu/options.ts";
import { checkDevice, defaultDevice, setDefaultDevice } from "./graph/default-device.ts";
import type { Device, MemoryInfo } from "./graph/device.ts";
import { provideMethods, type TensorMethods } from "./graph/tensor.ts";
import { watch } from "./graph/watch.ts";
import { directProducts, moreTiles } from "./kernels/matmul.ts";
import { add, div, mul, neg, sub } from "./ops/arithmetic.ts";
import { matmul } from "./ops/matmul.ts";
import { mean, sum } from "./ops/reduce.ts";
import { reshape, transpose } from "./ops/reshape.ts";

/** Options of `init`. */
export interface InitOptions extends GpuOptions {
  /**
   * `auto` takes a real GPU, else the CPU; `webgpu` takes any adapter, also one that a CPU
   * emulates, and fails when there is none; `cpu` takes the CPU.
   */
  device?: "auto" | "webgpu" | "cpu";
  /**
   * Whether to make a device of its own, which is shared with nobody and not the default one; false
   * when left out.
   */
  isolated?: boolean;
  /**
   * Whether a run must give the same bits each time on one machine: then `auto` stays with the GPU
   * that it finds, and `tune` is off when left out, for a compiler may round what two kernels compute
   * alike in two ways. False when left out: training steps on it are timed on the CPU too, in at most
   * 2 % of their time, and the device goes on there where that is faster.
   */
  reproducible?: boolean;
  /**
   * Whether what each op gives is checked from now on, on every device, as `debug` does for a part
   * of a program; false ends it, and it stays as it is when left out.
   */
  debug?: boolean | DebugOptions;
  /** How long the browser may take to answer, in milliseconds; 30,000 when left out. */
  timeout?: number;
}

/** A device and why it was chosen, for people; the reason is another one once steps were timed. */
export interface Choice {
  readonly device: Device;
  readonly reason: string;
}

/** The device that calls of `init` share, and by which wish, as JSON. */
let shared: {
  readonly wish: string;
  readonly gpuDevice: PageDevice | undefined;
  readonly choice: Promise<Choice>;
  device?: Device;
} | null = null;

/**
 * Chooses a device and makes it the default one. Later calls with the same options give the same
 * device; after it was lost or disposed, a new one.
 * @throws DeviceError when `webgpu` was asked for and is not to be had, when the browser does not
 * answer in time, or when another part of the program started with other options.
 * @throws GradusError when an option is unknown or out of range.
 * @example const { device, reason } = await init();
 */
export async function init(options: InitOptions = {}): Promise<Choice> {
  checkInitOptions(options);
  const methods = { add, sub, mul, div, neg, matmul, sum, mean, reshape, transpose };
  provideMethods(methods satisfies TensorMethods);
  announceCopy();
  const { debug } = options;
  if (debug || (watch && debug === false)) (await tools.get()).watcher.always(debug);
  if (options.isolated) return choose(options);
  const choice = await share(options);
  setDefaultDevice(choice.device);
  return choice;
}

/** What options that are words may be. */
const WORDS = {
  device: ["auto", "webgpu", "cpu"],
  kernels: ["workgroup", "direct"],
  tune: ["background", "now", "off"],
  engine: ["compiled", "plain"],
};

function checkInitOptions(options: InitOptions): void {
  checkOptions<InitOptions>("init", options, {
    device: "string",
    kernels: true,
    tune: true,
    engine: true,
    threads: "number",
    isolated: "boolean",
    reproducible: "boolean",
    timeout: "number",
    gpuDevice: true,
    debug: true,
  });
  for (const [name, words] of Object.entries(WORDS)) {
    checkWords("init", { [name]: options[name as keyof InitOptions] ?? words[0] }, words);
  }
  const { threads = 1, timeout = TIMEOUT } = options;
  checkSteps("init", { threads });
  checkPositive("init", { timeout });
}

/** Gives what an earlier call with the same options chose, as long as that device works. */
function share({ timeout, gpuDevice, ...rest }: InitOptions): Promise<Choice> {
  const { kernels, tune, engine, threads, reproducible } = rest;
  const device = rest.device ?? (gpuDevice ? "webgpu" : "auto");
  const options = { device, kernels, tune, engine, threads, reproducible };
  const wish = JSON.stringify(options);
  if (shared && (!shared.device || isLive(shared.device))) {
    if (shared.wish === wish && shared.gpuDevice === gpuDevice) return shared.choice;
    throw new DeviceError(
      `init: options ${wish} after a call with ${shared.wish}; expected the same options` +
        SECOND_DEVICE,
    );
  }
  const choice = choose({ ...options, timeout, gpuDevice });
  const entry: NonNullable<typeof shared> = { wish, gpuDevice, choice };
  shared = entry;
  choice.then(
    ({ device }) => {
      entry.device = device;
    },
    () => {
      if (shared === entry) shared = null;
    },
  );
  return choice;
}

function isLive(device: Device): boolean {
  try {
    device.check("init");
    return true;
  } catch {
    return false;
  }
}

async function choose(options: InitOptions): Promise<Choice> {
  const { gpuDevice, timeout = TIMEOUT, kernels, reproducible } = options;
  const { tune = reproducible ? "off" : undefined } = options;
  const wanted = options.device ?? (gpuDevice ? "webgpu" : "auto");
  if (wanted === "cpu") return onCpu("asked for", options);
  try {
    const adapter = gpuDevice
      ? await (await cpuModule.get()).asAdapter("init", gpuDevice as GPUDevice)
      : await findAdapter(await findGpu(), timeout);
    if (!adapter) {
      throw new DeviceError(`init: no WebGPU adapter; expected one${USE_CPU}`);
    }
    const description = await describeAdapter(adapter);
    const { name, software } = description;
    if (software && wanted === "auto") {
      const reason = `the only WebGPU adapter is emulated by the CPU (${name})`;
      return onCpu(reason, options);
    }
    const isDirect = kernels ? kernels === "direct" : description.direct;
    const isMeasured = wanted === "auto" && !reproducible;
    // Without them one kind of tiles serves as well.
    const scripts = [isDirect ? directProducts : moreTiles, productRows];
    const asked = Promise.all(scripts.map((script) => script.get())).catch(() => {});
    const device = await GpuDevice.create(adapter, description, {
      ...options,
      tune,
      timeout,
      isMeasured,
    });
    if (isDirect) await asked;
    const reason = wanted === "auto" ? `a GPU was found (${name})` : "asked for";
    return {
      device,
      get reason() {
        return device.chosen ?? reason;
      },
    };
  } catch (error) {
    if (wanted === "webgpu") throw error;
    return onCpu(given(error as Error), options);
  }
}

// A page with a GPU does not wait for this.
async function onCpu(reason: string, { engine, threads }: InitOptions): Promise<Choice> {
  const { chooseEngine } = await cpuModule.get();
  return chooseEngine(reason, engine !== "plain", threads);
}

/** What was found, of a message that also says what was expected. */
function given({ message }: Error): string {
  return message.split(";")[0].replace(/^\w+: /, "");
}

/** Reports what is alive on the default device, or on another. */
export function memory(device: Device = defaultDevice()): MemoryInfo {
  checkDevice("memory", device);
  return device.memory();
}
