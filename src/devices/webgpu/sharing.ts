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
import {
  joinPhases,
  type PhasesEntry,
  phaseChoice,
  phaseInvocations,
  phasesEntry,
  phaseTraits,
} from "./phases.ts";
import type { BufferPlaces } from "./places.ts";
import { assembleRepeated, partsByCode } from "./repeats.ts";
import { inGranules, SharedSources } from "./shared-sources.ts";
import { stepBytes } from "./transfer.ts";
import { type Hardware, isSmall, keyPlaces, scheduling, type WrittenProgram } from "./write.ts";

export { arrange } from "./shared-sources.ts";

/** Values of more bytes have buffers of their own: what computes them keeps a GPU busy alone. */
const SMALL = 2 ** 20;

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
 * saves dispatches. Equal parts of a dispatch are done by one piece of code, and all dispatches of a
 * small program by one workgroup.
 */
export function writeShared(
  program: Program,
  hardware: Hardware,
  options: PlanOptions,
): WrittenProgram {
  const { traits } = hardware;
  if (isSmall(program, traits, options)) {
    const own = { ...hardware, traits: phaseTraits(traits), choose: phaseChoice(traits) };
    const written = writeBy(own, program, options, true);
    if (written) return written;
  }
  return writeBy(hardware, program, options, false) as WrittenProgram;
}

/** Writes kernels, with phases if they are worth it; gives null where they are not. */
function writeBy(
  hardware: Hardware,
  program: Program,
  { fixed = [] }: PlanOptions,
  isPhased: boolean,
): WrittenProgram | null {
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
  const least = isPhased ? 2 : limits.bindings + 1;
  const own = lowered.sources.filter((step, i) => updated.has(step) || (hasMany && fixed[i]));
  const states = sharable(lowered, own, least, limits.bytes);
  let places = new SharedPlaces(states);
  const schedule = scheduleOf(lowered, limits.bindings, {
    ...scheduling(hardware),
    bufferOf: (value) => places.buffer(value),
  });
  const jobs = jobsOf(schedule, choose);
  const packedBy = (own: SharedPlaces) =>
    pack(jobs, { ...limits, memory, bufferOf: (value) => own.buffer(value) });
  let packed = packedBy(places);
  const between = sharable(schedule.program, valuesBetween(schedule, jobs), least, limits.bytes);
  if (between.length > 0) {
    const other = new SharedPlaces([...states, ...between]);
    const fewer = packedBy(other);
    if (isPhased || fewer.length < packed.length) [places, packed] = [other, fewer];
  }
  const invocations = phaseInvocations(traits);
  const isBindable = (jobs: readonly Job[]) => {
    const keys = jobs.flatMap(({ reads, writes }) => [...reads, ...writes]);
    return new Set(keys.map((key) => places.buffer(key))).size <= limits.bindings;
  };
  const dispatches = isPhased
    ? joinPhases(packed, invocations, isBindable)
    : packed.map((jobs) => [jobs]);
  if (!dispatches) return null;
  for (const state of states.flat()) places.put(state, `${STATE_MARK}${state}`);
  const values = lifetimesIn(schedule, dispatches, places);
  const { sizes, buffers } = layBetween(values, places);
  const kernels = dispatches.flatMap((phases) =>
    generateAll(schedule, phases, places, memory, phasesEntry(invocations)),
  );
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
 * Groups those values that may share buffers: where there are so many of one type of words, and in as
 * many buffers of so many bytes as they need.
 */
function sharable(
  program: Program,
  keys: Iterable<number>,
  least: number,
  most: number,
): number[][] {
  const byWord = new Map<string, number[]>();
  for (const key of keys) {
    const { word, perWord } = DTYPES[program.steps[key].dtype];
    const bytes = stepBytes(program, key);
    if (perWord > 1 || bytes === 0 || bytes > SMALL) continue;
    getOrInsert(byWord, word, () => []).push(key);
  }
  const many = [...byWord.values()].filter(({ length }) => length >= least);
  return many.flatMap((own) => cut(program, own, most));
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

/**
 * When the values between kernels are in memory, by the numbers of phases, and in which buffers. What
 * has one of its own is bound in all phases of a dispatch.
 */
function lifetimesIn(
  schedule: KernelSchedule,
  dispatches: readonly (readonly Job[][])[],
  places: SharedPlaces,
): Lifetime[] {
  const found = new Map<number, { -readonly [K in keyof Lifetime]: Lifetime[K] }>();
  let time = 0;
  for (const phases of dispatches) {
    const [begin, end] = [time, time + phases.length - 1];
    for (const jobs of phases) {
      for (const key of valuesBetween(schedule, jobs)) {
        const own = places.buffer(key);
        const [first, last, buffer] = own < 0 ? [time, time, own] : [begin, end];
        const bytes = stepBytes(schedule.program, key);
        getOrInsert(found, key, () => ({ key, bytes, first, last, buffer })).last = last;
      }
      time++;
    }
  }
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

/** Parts of a kernel with phases, at the most. */
const MOST_IN_PHASES = 4 * MOST_PARTS;

/**
 * Writes the kernels of jobs that may share a dispatch: several where more of them than were taken
 * to be equal are not.
 */
function generateAll(
  schedule: KernelSchedule,
  phases: readonly (readonly Job[])[],
  places: BufferPlaces,
  memory: number,
  entry: PhasesEntry,
): { jobs: readonly Job[]; code: KernelCode }[] {
  const jobs = phases.flat();
  const isPhased = phases.length > 1;
  let equal: Job[][] = [];
  const code = generate(schedule, jobs, {
    places,
    assemble: (shared, parts) => {
      let end = 0;
      const own = phases.map(({ length }) => {
        end += length;
        return parts.slice(end - length, end);
      });
      equal = own.flatMap((some, i) => partsByCode(some).map((k) => k.map((j) => phases[i][j])));
      return assembleRepeated(shared, own, isPhased ? entry : undefined);
    },
  });
  const needed = total(equal.map(([{ stage }]) => stage.memory ?? 0));
  const { length: words } = code.table ?? [];
  const most = isPhased ? MOST_IN_PHASES : MOST_PARTS;
  const fits = equal.length <= most && needed <= memory && words <= MOST_WORDS;
  if (fits || jobs.length === 1) return [{ jobs, code }];
  const units = isPhased ? phases : equal.flat().map((job) => [job]);
  const middle = units.length >> 1;
  return [units.slice(0, middle), units.slice(middle)].flatMap((half) =>
    generateAll(schedule, isPhased ? half : [half.flat()], places, memory, entry),
  );
}
