import { generate } from "../../src/devices/webgpu/codegen.ts";
import { jobsOf } from "../../src/devices/webgpu/jobs.ts";
import { pack } from "../../src/devices/webgpu/pack.ts";
import { GpuPlan, sharing } from "../../src/devices/webgpu/plan.ts";
import { lower } from "../../src/engine/lower.ts";
import { type Program, trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import { total } from "../../src/engine/stats.ts";
import { traceFunction } from "../../src/graph/tracing.ts";
import { init, type State, setDefaultDevice, type Tensor } from "../../src/index.ts";
import { summarize } from "../harness/statistics.ts";
import { type Build, GROWTHS, type Growth } from "./graphs.ts";
import { planHost } from "./plan-host.ts";

/**
 * What is timed on the way from nothing to a plan for WebGPU, in order: schedule, pack and code of kernels
 * that share no buffers, and all that making the plan takes.
 */
const PHASES = ["build", "grad", "step", "trace", "simplify", "schedule", "pack", "code", "plan"];

/** Phases that making the plan goes through once more. */
const IN_PLAN = ["simplify", "schedule", "pack", "code"];

/** What graphs of one size took. */
interface Sample {
  readonly count: number;
  /** Nodes of a graph, or how many evaluations there were. */
  readonly nodes: number;
  /** Milliseconds from nothing to the first result on the CPU. */
  readonly result: number;
  /** Milliseconds of each phase, and the dispatches of the plan. */
  readonly phases: readonly number[];
  readonly dispatches: number | null;
}

/**
 * So many nodes are measured at once, in one large graph or in many small ones: each then pays for
 * what the collector of JavaScript does meanwhile.
 */
const NODES = 10_000;

/** How often that is measured, after one time that the compiler of JavaScript is left for. */
const ROUNDS = 5;

/** The program of what functions build one after the other, and assign. */
export function programOf(builds: Build | readonly Build[], lap = (_phase: string) => {}): Program {
  const { result, assignments } = traceFunction<State, readonly Tensor[]>(() => {
    return [builds].flat().reduce((given: readonly Tensor[], build, i) => {
      const next = build(given);
      lap(PHASES[i]);
      return next;
    }, []);
  }, "compiled");
  const nodes = result.map(({ node }) => node);
  const { program } = trace(nodes, "bench", { replacements: assignments });
  lap("trace");
  return program;
}

/**
 * Measures how the time from a graph to its first result grows with the graph, in Node without a GPU:
 * on the CPU device, and of each phase to the plan that WebGPU would run. Time is that of the
 * processor, the collector's threads included, of as many graphs as have some ten thousand nodes;
 * the median of several rounds counts.
 */
export async function growthTable(only: RegExp, tell: (line: string) => void): Promise<string> {
  await sharing.get();
  const lines = [
    "Processor time from a graph to its first result on the CPU, and to a plan for WebGPU: microseconds",
    `a node, the median of ${ROUNDS} rounds; below it, the largest graph's by the smallest's`,
  ];
  for (const growth of GROWTHS.filter(({ name }) => only.test(name))) {
    tell(growth.name);
    // The largest first, so that the compiler of JavaScript is done with it.
    const samples: Sample[] = [];
    for (const count of [...growth.counts].reverse())
      samples.unshift(await measured(growth, count));
    lines.push("", growth.name, ...tableOf(growth, samples));
  }
  return lines.join("\n");
}

async function measured(growth: Growth, count: number): Promise<Sample> {
  await round(growth, count);
  const samples: Sample[] = [];
  while (samples.length < ROUNDS) samples.push(await round(growth, count));
  const [first] = samples;
  const middle = (of: (sample: Sample) => number) => summarize(samples.map(of)).median;
  const phases = first.phases.map((_, i) => middle((sample) => sample.phases[i]));
  return { ...first, result: middle(({ result }) => result), phases };
}

/** Means over graphs of one size, which have `NODES` together. */
async function round(growth: Growth, count: number): Promise<Sample> {
  const samples = [await tryOnce(growth, count)];
  const [first] = samples;
  const { nodes } = first;
  while (samples.length * nodes < NODES) samples.push(await tryOnce(growth, count));
  const mean = (of: (sample: Sample) => number) => total(samples.map(of)) / samples.length;
  const phases = first.phases.map((_, i) => mean((sample) => sample.phases[i]));
  return { ...first, result: mean(({ result }) => result), phases };
}

/** Milliseconds that processors have worked for this process, which nobody else's work makes longer. */
function now(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A device of its own knows no plan yet. */
async function tryOnce({ make, isMany }: Growth, count: number): Promise<Sample> {
  const { device } = await init({ device: "cpu", isolated: true });
  setDefaultDevice(device);
  const builds = make(count);
  const begin = now();
  const [first] = builds.reduce((given: readonly Tensor[], build) => build(given), []);
  await first.data();
  const result = now() - begin;
  if (isMany) return { count, nodes: count, result, phases: [], dispatches: null };
  return { count, result, ...(await phasesOf(make(count))) };
}

async function phasesOf(builds: readonly Build[]): Promise<Omit<Sample, "count" | "result">> {
  const taken = new Map<string, number>();
  let last = now();
  const lap = (phase: string) => {
    const time = now();
    taken.set(phase, time - last);
    last = time;
  };
  const host = planHost();
  const { maxStorageBuffersPerShaderStage: bindings, maxComputeWorkgroupStorageSize: memory } =
    host.device.limits;
  const traced = programOf(builds, lap);
  const program = simplify(traced);
  lap("simplify");
  const schedule = scheduleOf(lower(program, host.traits), bindings);
  lap("schedule");
  const jobs = pack(jobsOf(schedule, host.choose), { bindings, memory });
  lap("pack");
  for (const own of jobs) generate(schedule, own);
  lap("code");
  const plan = new GpuPlan(host, program, {
    repeated: true,
    fixed: program.sources.map(() => true),
  });
  lap("plan");
  const { dispatches } = await plan.stats();
  const phases = PHASES.map((name) => taken.get(name) ?? 0);
  return { nodes: traced.steps.length, phases, dispatches };
}

function tableOf({ unit }: Growth, samples: readonly Sample[]): string[] {
  const head = [unit, "nodes", "on the CPU", ...PHASES, "all to a plan", "dispatches"];
  const each = samples.map(({ nodes, result, phases }) => {
    const all = total(phases.filter((_, i) => !IN_PLAN.includes(PHASES[i])));
    const times = phases.length > 0 ? [result, ...phases, all] : [result];
    return times.map((ms) => (1000 * ms) / nodes);
  });
  const rows = samples.map(({ count, nodes, dispatches }, i) => {
    const own = each[i].map((time) => time.toFixed(2));
    return [`${count}`, `${nodes}`, ...own, ...(dispatches === null ? [] : [`${dispatches}`])];
  });
  const first = each[0];
  const last = each[each.length - 1];
  const ratios = last.map((time, i) => (first[i] > 0 ? `×${(time / first[i]).toFixed(2)}` : ""));
  const table = [head, ...rows, ["", "", ...ratios]];
  const widths = head.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0)));
  return table.map((row) => `  ${row.map((cell, i) => cell.padStart(widths[i])).join("  ")}`);
}
