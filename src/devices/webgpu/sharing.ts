import { DTYPES } from "../../core/dtype.ts";
import { getOrInsert } from "../../core/get-or-insert.ts";
import { lower } from "../../engine/lower.ts";
import { type Lifetime, planMemory } from "../../engine/memory-plan.ts";
import type { PlanOptions } from "../../engine/plan.ts";
import type { Program } from "../../engine/program.ts";
import { type KernelSchedule, scheduleOf } from "../../engine/schedule.ts";
import { total } from "../../engine/stats.ts";
import { STATE_MARK } from "../../forms/number.ts";
import { MOST_PARTS } from "../../kernels/choose.ts";
import { generate, type KernelCode } from "./codegen.ts";
import { type Job, jobsOf } from "./jobs.ts";
import { pack } from "./pack.ts";
import type { BufferPlaces } from "./places.ts";
import { assembleRepeated, partsByCode } from "./repeats.ts";
import { inGranules, SharedSources } from "./shared-sources.ts";
import { stepBytes } from "./transfer.ts";
import { type Hardware, keyPlaces, type WrittenProgram } from "./write.ts";

export { arrange } from "./shared-sources.ts";

/** Values of more bytes have buffers of their own: what computes them keeps a GPU busy alone. */
const SMALL = 2 ** 20;

/** What decides which values share a buffer. */
interface ShareLimits {
  /** Buffers that one kernel may bind. */
  readonly bindings: number;
  /** Bytes of one buffer. */
  readonly bytes: number;
}

/** Values in buffers that they share. */
class SharedPlaces implements BufferPlaces {
  readonly #buffers = new Map<number, number>();
  readonly #starts = new Map<number, string>();

  /** @param groups the values of each shared buffer. */
  constructor(readonly groups: readonly (readonly number[])[]) {
    groups.forEach((keys, i) => {
      for (const key of keys) this.#buffers.set(key, -1 - i);
    });
  }

  buffer(key: number): number {
    return this.#buffers.get(key) ?? key;
  }

  start(key: number): string {
    return this.#starts.get(key) ?? "";
  }

  /** Says where a value begins: a number, of words, or what is known when a plan runs. */
  put(key: number, start: number | string): void {
    this.#starts.set(key, `⟨${start}u⟩`);
  }
}

/**
 * Writes a program's kernels as `writeApart` does, but small states, of which there are many, and
 * other tensors that stay from run to run share buffers, and so do values between kernels where that
 * saves dispatches. Equal parts of a dispatch are done by one piece of code.
 */
export function writeShared(
  program: Program,
  hardware: Hardware,
  { fixed = [] }: Pick<PlanOptions, "fixed"> = {},
): WrittenProgram {
  const { device, traits, choose } = hardware;
  const { limits: all } = device;
  const memory = all.maxComputeWorkgroupStorageSize;
  const limits = {
    bindings: all.maxStorageBuffersPerShaderStage,
    bytes: Math.min(all.maxStorageBufferBindingSize, all.maxBufferSize),
  };
  const lowered = lower(program, traits);
  const updated = new Set(lowered.updates.map(({ source }) => source));
  // Many that are only read share buffers with those; a few would gain nothing.
  const hasMany = fixed.filter(Boolean).length > 4 * limits.bindings;
  const own = lowered.sources.filter((step, i) => updated.has(step) || (hasMany && fixed[i]));
  const states = sharable(lowered, own, limits);
  let places = new SharedPlaces(states);
  const schedule = scheduleOf(lowered, limits.bindings, {
    bufferOf: (value) => places.buffer(value),
  });
  const jobs = jobsOf(schedule, choose);
  const packedBy = (own: SharedPlaces) =>
    pack(jobs, { ...limits, memory, bufferOf: (value) => own.buffer(value) });
  let dispatches = packedBy(places);
  const between = sharable(schedule.program, valuesBetween(schedule, jobs), limits);
  if (between.length > 0) {
    const other = new SharedPlaces([...states, ...between]);
    const fewer = packedBy(other);
    if (fewer.length < dispatches.length) [places, dispatches] = [other, fewer];
  }
  for (const state of states.flat()) places.put(state, `${STATE_MARK}${state}`);
  const values = lifetimesIn(schedule, dispatches, places);
  const { sizes, buffers } = layBetween(values, places);
  const kernels = dispatches.flatMap((some) => generateAll(schedule, some, places, memory));
  const shared = new SharedSources(schedule.program, states, limits.bytes);
  return {
    schedule,
    jobs: kernels.map(({ jobs }) => jobs),
    codes: kernels.map(({ code }) => code),
    values,
    sizes,
    places: new Map([...keyPlaces(schedule, buffers), ...shared.firsts]),
    shared,
  };
}

/**
 * Groups those values that may share buffers: where there are more of one type of words than a kernel
 * may bind, and in as many buffers as they need.
 */
function sharable(program: Program, keys: Iterable<number>, limits: ShareLimits): number[][] {
  const byWord = new Map<string, number[]>();
  for (const key of keys) {
    const { word, perWord } = DTYPES[program.steps[key].dtype];
    const bytes = stepBytes(program, key);
    if (perWord > 1 || bytes === 0 || bytes > SMALL) continue;
    getOrInsert(byWord, word, () => []).push(key);
  }
  const many = [...byWord.values()].filter(({ length }) => length > limits.bindings);
  return many.flatMap((own) => cut(program, own, limits.bytes));
}

/** Cuts a list of values to such as one buffer holds. */
function cut(program: Program, keys: readonly number[], most: number): number[][] {
  const groups: number[][] = [];
  let room = 0;
  for (const key of keys) {
    const bytes = inGranules(stepBytes(program, key));
    if (bytes > room) {
      groups.push([]);
      room = most;
    }
    groups[groups.length - 1].push(key);
    room -= bytes;
  }
  return groups;
}

/** The keys of what kernels leave for each other. */
function valuesBetween({ program }: KernelSchedule, jobs: readonly Job[]): Set<number> {
  const own = new Set([...program.sources, ...program.outputs]);
  const keys = jobs.flatMap(({ reads, writes }) => [...reads, ...writes]);
  return new Set(keys.filter((key) => !own.has(key)));
}

/** When the values between kernels are in memory, and in which buffers. */
function lifetimesIn(
  schedule: KernelSchedule,
  dispatches: readonly (readonly Job[])[],
  places: SharedPlaces,
): Lifetime[] {
  const found = new Map<number, { -readonly [K in keyof Lifetime]: Lifetime[K] }>();
  dispatches.forEach((jobs, at) => {
    for (const key of valuesBetween(schedule, jobs)) {
      const own = places.buffer(key);
      const buffer = own < 0 ? own : undefined;
      const bytes = stepBytes(schedule.program, key);
      getOrInsert(found, key, () => ({ key, bytes, first: at, last: at, buffer })).last = at;
    }
  });
  return [...found.values()];
}

/** Gives each slot a buffer, or a part of the one that it shares: sizes, and where each key is. */
function layBetween(values: readonly Lifetime[], places: SharedPlaces) {
  const { slots, sizes: bytes, buffers: shares } = planMemory(values);
  const sizes: number[] = [];
  const buffers = new Map<number, number>();
  const starts = bytes.map((size, slot) => {
    const shared = shares[slot];
    const index = buffers.get(shared as number) ?? sizes.push(0) - 1;
    if (shared !== undefined) buffers.set(shared, index);
    const start = sizes[index];
    sizes[index] += shared === undefined ? size : inGranules(size);
    return { index, start };
  });
  for (const [key, slot] of slots) {
    const { index, start } = starts[slot];
    if (shares[slot] === undefined) buffers.set(key, index);
    else places.put(key, start / 4);
  }
  return { sizes, buffers };
}

/** Words of a table, at the most: a uniform buffer has 64 KiB. */
const MOST_WORDS = 2 ** 13;

/**
 * Writes the kernels of jobs that may share a dispatch: several where more of them than were taken
 * to be equal are not.
 */
function generateAll(
  schedule: KernelSchedule,
  jobs: readonly Job[],
  places: BufferPlaces,
  memory: number,
): { jobs: readonly Job[]; code: KernelCode }[] {
  let equal: Job[][] = [];
  const code = generate(schedule, jobs, {
    places,
    assemble: (shared, parts) => {
      equal = partsByCode(parts).map((some) => some.map((i) => jobs[i]));
      return assembleRepeated(shared, parts);
    },
  });
  const needed = total(equal.map(([{ stage }]) => stage.memory ?? 0));
  const { length: words } = code.table ?? [];
  const fits = equal.length <= MOST_PARTS && needed <= memory && words <= MOST_WORDS;
  if (fits || jobs.length === 1) return [{ jobs, code }];
  const ordered = equal.flat();
  const middle = jobs.length >> 1;
  return [ordered.slice(0, middle), ordered.slice(middle)].flatMap((half) =>
    generateAll(schedule, half, places, memory),
  );
}
