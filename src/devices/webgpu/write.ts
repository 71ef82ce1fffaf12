import { getOrInsert } from "../../core/get-or-insert.ts";
import { sizeOf } from "../../core/shape.ts";
import { lower } from "../../engine/lower.ts";
import { type Lifetime, planMemory } from "../../engine/memory-plan.ts";
import type { FindProduct } from "../../engine/merge.ts";
import type { PlanOptions } from "../../engine/plan.ts";
import type { Program } from "../../engine/program.ts";
import { type KernelSchedule, type ScheduleOptions, scheduleOf } from "../../engine/schedule.ts";
import type { Traits } from "../../forms/traits.ts";
import type { BufferStorage } from "./buffers.ts";
import { generate, type KernelCode } from "./codegen.ts";
import { type ChooseInProgram, type Job, jobsOf, productRows } from "./jobs.ts";
import { pack } from "./pack.ts";
import type { SharedSources } from "./shared-sources.ts";
import type { Pass } from "./submit-queue.ts";
import { stepBytes } from "./transfer.ts";

/** What decides how a program is written. */
export interface Hardware {
  readonly device: { readonly limits: GPUSupportedLimits };
  readonly traits: Traits;
  /** Decides which kernels run. */
  readonly choose: ChooseInProgram;
  /** Finds products that kernels make themselves; by the traits, when left out. */
  readonly findProduct?: FindProduct;
}

/** Elements of the largest value of a program whose dispatches one workgroup may do. */
const FEW_ELEMENTS = 2 ** 14;

/** Whether one workgroup may do all that a program computes again and again. */
export function isSmall(
  { steps }: Program,
  { phases }: Traits,
  { repeated }: PlanOptions,
): boolean {
  return (
    !!phases && repeated && steps.every(({ op, shape }) => !op || sizeOf(shape) <= FEW_ELEMENTS)
  );
}

/** A program as kernels, each with the jobs that it does. */
export interface WrittenProgram {
  readonly schedule: KernelSchedule;
  readonly jobs: readonly (readonly Job[])[];
  readonly codes: readonly KernelCode[];
  /** What lies in memory between kernels. */
  readonly values: readonly Lifetime[];
  /** Bytes of each buffer for that. */
  readonly sizes: readonly number[];
  /** Where in a plan's list of buffers, sources, outputs and those between, each key is. */
  readonly places: ReadonlyMap<number, number>;
  /** Sources that share buffers. */
  readonly shared?: SharedSources;
  /** What dispatches the kernels, some again and again; each once when left out. */
  readonly turns?: DispatchTurns;
  /** The schedule of each kernel's jobs, where there are several. */
  readonly schedules?: readonly KernelSchedule[];
}

/** Dispatches kernels again and again, some of which are told which row of a tensor they are at. */
export interface DispatchTurns {
  /** How many dispatches there are. */
  readonly length: number;
  /** Adds the numbers of rows to the words of a plan. */
  find(words: number[]): void;
  /** Where these are bound, given the buffer of the words. */
  bound(words: readonly BufferStorage[]): readonly BufferStorage[];
  encode(pass: Pass, encodeOne: EncodeOne): void;
}

/** Encodes a kernel, and tells it by an offset which row it is at. */
export type EncodeOne = (pass: Pass, kernel: number, offsets?: number[]) => void;

/** Writes a program's kernels. */
export type WriteProgram = (
  program: Program,
  host: Hardware,
  options: PlanOptions,
) => WrittenProgram;

/** How kernels are cut for such hardware. */
export function scheduling({
  traits,
  findProduct = productRows.loaded?.findProducts(traits),
}: Pick<Hardware, "traits" | "findProduct">): ScheduleOptions {
  return { findProduct };
}

/** Writes a program's kernels, each of its values in a buffer of its own. */
export function writeApart(program: Program, hardware: Hardware): WrittenProgram {
  const { device, traits, choose } = hardware;
  const { maxStorageBuffersPerShaderStage: bindings, maxComputeWorkgroupStorageSize: memory } =
    device.limits;
  const schedule = scheduleOf(lower(program, traits), bindings, scheduling(hardware));
  const jobs = pack(jobsOf(schedule, choose), { bindings, memory });
  const codes = jobs.map((own) => generate(schedule, own));
  const values = lifetimes(schedule, codes);
  const { slots, sizes } = planMemory(values);
  return { schedule, jobs, codes, values, sizes, places: keyPlaces(schedule, slots) };
}

/** When the values between kernels are in memory. */
export function lifetimes({ program }: KernelSchedule, kernels: readonly KernelCode[]): Lifetime[] {
  const { sources, outputs } = program;
  const own = new Set([...sources, ...outputs]);
  const found = new Map<number, { -readonly [K in keyof Lifetime]: Lifetime[K] }>();
  kernels.forEach(({ bindings }, at) => {
    for (const { key } of bindings) {
      if (own.has(key)) continue;
      const make = () => ({ key, bytes: stepBytes(program, key), first: at, last: at });
      getOrInsert(found, key, make).last = at;
    }
  });
  return [...found.values()];
}

/** Where in a plan's list of buffers each key of its kernels is, given where those between are. */
export function keyPlaces(
  { program }: KernelSchedule,
  between: ReadonlyMap<number, number>,
): Map<number, number> {
  const own = [...program.sources, ...program.outputs];
  return new Map([
    ...[...between].map(([key, i]) => [key, own.length + i] as const),
    ...own.map((step, i) => [step, i] as const),
  ]);
}
