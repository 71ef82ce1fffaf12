import type { DigitFiles } from "../bench/workloads/digits.ts";
import {
  type AdapterDescription,
  describeAdapter,
  findAdapter,
  findGpu,
  requestDevice,
  TIMEOUT,
} from "../src/devices/webgpu/adapter.ts";
import type { GpuDevice } from "../src/devices/webgpu/gpu-device.ts";
import { type Device, init, setDefaultDevice } from "../src/index.ts";
import { directProducts, moreTiles } from "../src/kernels/matmul.ts";
import type { FamilyCall } from "../test/support/family-calls.ts";
import type { OpCase } from "../test/support/op-case.ts";
import type { AdapterFacts, DoctorReport, Line, Preset } from "./report.ts";

/** What is tried: all that there is, unless somebody has something else tried. */
export interface Subjects {
  readonly ops: readonly (readonly [name: string, row: OpCase])[];
  readonly families: Readonly<Record<string, FamilyCall>>;
}

/** Where a run takes place. */
export interface Surroundings {
  readonly platform: string;
  readonly cores: number;
  readonly version: string;
  /** Bytes of memory that the machine has; 4 GiB when left out, for not every browser tells. */
  readonly memory?: number;
  /** Gives the files of MNIST; left out where there are none. */
  readonly digits?: () => Promise<DigitFiles>;
}

/** A line without the check that it belongs to. */
export type Finding = Omit<Line, "check">;

/** What is told while a run goes on. */
export interface DoctorListener {
  /** What is being done, and how much of all is done, from 0 to 1. */
  progress?(text: string, share: number): void;
  line?(line: Line): void;
  /** All that was found so far, as if the run were stopped. */
  soFar?(report: DoctorReport): void;
  /** The adapter, as soon as it is known, or why there is none. */
  adapter?(facts: AdapterFacts | null, why: string): void;
}

/** So long no pipeline is begun where one that is finished leads to others. */
const PAUSE_MS = 60;

/** Devices that all checks share; one that is lost is made again for the next. */
export class Bench {
  #raw: Promise<GPUDevice> | null = null;
  #engine: Promise<GpuDevice> | null = null;
  #loss: string | null = null;
  #cpu: Promise<Device> | null = null;
  #compiled: Promise<Device> | null = null;
  /** Pipelines of the engine's device that are being made behind its runs. */
  #underway = 0;
  /** The multiply-adds that the adapter was measured to do, in GFLOP/s; null before. */
  flops: number | null = null;

  /** The CPU device that runs the specification. */
  cpu(): Promise<Device> {
    this.#cpu ??= init({ device: "cpu", engine: "plain", isolated: true }).then((x) => x.device);
    return this.#cpu;
  }

  /** The CPU device that compiles, on one thread; the default one too. */
  async compiledCpu(): Promise<Device> {
    this.#compiled ??= init({ device: "cpu", engine: "compiled", threads: 1, isolated: true }).then(
      (x) => x.device,
    );
    const device = await this.#compiled;
    setDefaultDevice(device);
    return device;
  }

  /** A GPUDevice without the engine, with all that the engine asks for. */
  gpu(): Promise<GPUDevice> {
    if (this.#raw) return this.#raw;
    const made = rawDevice();
    this.#raw = made;
    made
      .then(({ lost }) => lost)
      .then(({ message, reason }) => {
        if (this.#raw !== made) return;
        this.#raw = null;
        this.#loss = message || reason;
      })
      .catch(() => {}); // told to who asked for it
    return made;
  }

  /** Why the GPUDevice was lost since this was asked last; null where it was not. */
  takeLoss(): string | null {
    const loss = this.#loss;
    this.#loss = null;
    return loss;
  }

  /** The engine's device, with the kernels that the adapter decides for; the default one too. */
  async engine(): Promise<GpuDevice> {
    this.#engine ??= init({ device: "webgpu", isolated: true }).then(async ({ device }) => {
      await Promise.all([directProducts.get(), moreTiles.get()]);
      this.#watch((device as GpuDevice).device);
      return device as GpuDevice;
    });
    const device = await this.#engine;
    setDefaultDevice(device);
    return device;
  }

  /** Waits until the engine's device makes no pipeline any more, for some milliseconds at the most. */
  async untilMade(most: number): Promise<void> {
    const until = performance.now() + most;
    do await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    while (this.#underway > 0 && performance.now() < until);
  }

  #watch(device: GPUDevice): void {
    const make = device.createComputePipelineAsync.bind(device);
    device.createComputePipelineAsync = (descriptor) => {
      const made = make(descriptor);
      this.#underway++;
      const end = () => void this.#underway--;
      made.then(end, end);
      return made;
    };
  }

  /** Forgets devices of which nobody knows what they still do. */
  renew(): void {
    for (const made of [this.#raw, this.#engine]) {
      made
        ?.then((device) => ("dispose" in device ? device.dispose() : device.destroy()))
        .catch(() => {});
    }
    this.#raw = null;
    this.#engine = null;
  }
}

async function rawDevice(): Promise<GPUDevice> {
  const adapter = await findAdapter(await findGpu());
  if (!adapter) throw new NotThere("no WebGPU adapter");
  return requestDevice("doctor", adapter, TIMEOUT);
}

/** Says that something cannot be tried here, and why. */
export class NotThere extends Error {}

/** What one check works with. */
export class Context {
  readonly #began = performance.now();
  /** Whether nobody listens to the check any more. */
  isOver = false;

  constructor(
    readonly preset: Preset,
    readonly bench: Bench,
    readonly subjects: Subjects,
    readonly surroundings: Surroundings,
    readonly facts: AdapterFacts | null,
    readonly signal: AbortSignal | undefined,
    readonly seconds: number,
    readonly tell: (finding: Finding) => void,
    readonly say: (text: string, share?: number) => void,
  ) {}

  /** Bytes that are asked for at the most, so that no phone ends the page: an eighth of its memory. */
  get spare(): number {
    const { memory = 4 * 2 ** 30 } = this.surroundings;
    return Math.min(memory / 8, this.isQuick ? 2 ** 27 : 2 ** 30);
  }

  get isQuick(): boolean {
    return this.preset === "quick";
  }

  /** Whether a CPU emulates the GPU, so that times say nothing. */
  get isSoftware(): boolean {
    return this.facts?.software ?? false;
  }

  /** Whether the check may begin one thing more. */
  get hasTime(): boolean {
    return this.within(1);
  }

  /** Whether it may begin one thing more in a share of its time. */
  within(share: number): boolean {
    return !this.isStopped && performance.now() - this.#began < 1000 * this.seconds * share;
  }

  /** Whether the check takes far longer than it should. */
  get isLate(): boolean {
    return performance.now() - this.#began > 3000 * this.seconds;
  }

  get isStopped(): boolean {
    return this.isOver || (this.signal?.aborted ?? false);
  }

  line(finding: Finding): void {
    if (!this.isOver) this.tell(finding);
  }

  /** Tells what is being done; `share` is how much of the check is done. */
  progress(text: string, share?: number): void {
    if (!this.isOver) this.say(text, share);
  }
}

/** A part of a run. */
export interface Check {
  readonly name: string;
  /** How long it should take at the most. */
  readonly seconds: Readonly<Record<Preset, number>>;
  /**
   * Whether it may take longer or shorter, for it tells how much it left out: in a quick run what the others leave,
   * half of its own time at the least; false when left out.
   */
  readonly isOpen?: boolean;
  /** Whether it can be done without WebGPU; false when left out. */
  readonly isFree?: boolean;
  run(context: Context): Promise<void>;
}

/** Finds out what WebGPU tells of the adapter; null where there is none. */
export async function adapterFacts(
  traitsFor: (adapter: AdapterDescription, has: Pick<GPUAdapter, "features" | "limits">) => object,
): Promise<{ facts: AdapterFacts | null; why: string }> {
  try {
    const adapter = await findAdapter(await findGpu());
    if (!adapter) return { facts: null, why: "the browser gives no adapter" };
    const description = await describeAdapter(adapter);
    const { name, software, direct } = description;
    const features = [...adapter.features].sort();
    const traits = traitsFor(description, adapter);
    const facts = { name, info: infoOf(adapter), software, features, limits: limitsOf(adapter) };
    return {
      facts: { ...facts, traits: { ...traits, direct } as AdapterFacts["traits"] },
      why: "",
    };
  } catch (error) {
    return { facts: null, why: messageOf(error) };
  }
}

function infoOf({ info }: GPUAdapter): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name in info) {
    const value = info[name as keyof GPUAdapterInfo] as unknown;
    if (["string", "number", "boolean"].includes(typeof value) && value !== "")
      found[name] = `${value}`;
  }
  return found;
}

function limitsOf({ limits }: GPUAdapter): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name in limits) {
    const value = limits[name as keyof GPUSupportedLimits] as unknown;
    if (typeof value === "number") found[name] = value;
  }
  return found;
}

/** The first lines of what was thrown. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message.split("\n").slice(0, 3).join(" ").slice(0, 400);
}
