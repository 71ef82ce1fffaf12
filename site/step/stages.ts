import { generate, type KernelCode } from "../../src/devices/webgpu/codegen.ts";
import { type Job, jobsOf, productRows } from "../../src/devices/webgpu/jobs.ts";
import { settle } from "../../src/devices/webgpu/numbers.ts";
import { pack } from "../../src/devices/webgpu/pack.ts";
import * as rowsOfProducts from "../../src/devices/webgpu/product-rows.ts";
import { statsOf } from "../../src/devices/webgpu/stats.ts";
import { lifetimes, scheduling } from "../../src/devices/webgpu/write.ts";
import { lower } from "../../src/engine/lower.ts";
import type { Lifetime } from "../../src/engine/memory-plan.ts";
import type { PlanStats } from "../../src/engine/plan.ts";
import type { Program } from "../../src/engine/program.ts";
import { type KernelSchedule, scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import { byRule } from "../../src/kernels/choose.ts";

/** What WebGPU promises of every adapter, and a GPU's traits. */
const LIMITS = { bindings: 8, memory: 16384 };
const TRAITS = { workgroupMemory: true, threads: 64, quads: false };

productRows.put(rowsOfProducts);

/** The forms that a traced program takes on its way to WebGPU. */
export interface Stages {
  readonly simplified: Program;
  readonly schedule: KernelSchedule;
  /** The jobs of each dispatch. */
  readonly dispatches: readonly (readonly Job[])[];
  readonly codes: readonly KernelCode[];
  /** What lies in memory between dispatches. */
  readonly lives: readonly Lifetime[];
  readonly stats: PlanStats;
}

/** Takes a traced program through the engine's stages, as it does for a GPU; none is needed for that. */
export function stagesOf(traced: Program): Stages {
  const simplified = simplify(traced);
  const schedule = scheduleOf(
    lower(simplified, TRAITS),
    LIMITS.bindings,
    scheduling({ traits: TRAITS }),
  );
  const dispatches = pack(jobsOf(schedule, byRule(TRAITS)), LIMITS);
  const codes = settle(
    dispatches.map((jobs) => generate(schedule, jobs)),
    new Map(),
  );
  const lives = lifetimes(schedule, codes);
  const stats = statsOf({ schedule, jobs: dispatches, codes, values: lives });
  return { simplified, schedule, dispatches, codes, lives, stats };
}
