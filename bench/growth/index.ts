import { GpuPlan, sharing } from "../../src/devices/webgpu/plan.ts";
import { type Program, trace } from "../../src/engine/program.ts";
import { simplify } from "../../src/engine/simplify.ts";
import { traceFunction } from "../../src/graph/tracing.ts";
import { init, type State, setDefaultDevice, type Tensor } from "../../src/index.ts";
import { GROWTHS, type Growth } from "./graphs.ts";
import { planHost } from "./plan-host.ts";

/** What a graph of one size took. */
interface Sample {
  readonly count: number;
  /** Nodes of the graph, or how many evaluations there were. */
  readonly nodes: number;
  /** Milliseconds from nothing to the first result on the CPU. */
  readonly result: number;
  /** Milliseconds from nothing to a plan for WebGPU, and the dispatches of that. */
  readonly plan: number | null;
  readonly dispatches: number | null;
}

/** The program of what a function builds and assigns. */
export function programOf(build: () => Tensor[]): Program {
  const { result, assignments } = traceFunction<State, Tensor[]>(build, true);
  const nodes = result.map(({ node }) => node);
  return trace(nodes, "bench", { replacements: assignments }).program;
}

/**
 * Measures how the time from a graph to its first result grows with the graph, in Node without a GPU:
 * on the CPU device, and to the plan that WebGPU would run. Of several tries the shortest counts, in time
 * of the processor.
 */
export async function growthTable(only: RegExp, tell: (line: string) => void): Promise<string> {
  await sharing.get();
  const lines = ["Processor time from a graph to its first result, the least of some tries"];
  for (const growth of GROWTHS.filter(({ name }) => only.test(name))) {
    tell(growth.name);
    const samples: Sample[] = [];
    for (const count of growth.counts) samples.push(await measured(growth, count));
    lines.push("", growth.name, ...samples.map((sample) => lineOf(growth, sample)));
  }
  return lines.join("\n");
}

async function measured(growth: Growth, count: number): Promise<Sample> {
  const samples: Sample[] = [];
  const begin = performance.now();
  while (samples.length < 3 || (samples.length < 30 && performance.now() - begin < 1000)) {
    samples.push(await tryOnce(growth, count));
  }
  const least = (of: (sample: Sample) => number) => Math.min(...samples.map(of));
  const [first] = samples;
  const plan = first.plan === null ? null : least((sample) => sample.plan as number);
  return { ...first, result: least(({ result }) => result), plan };
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
  const build = make(count);
  const begin = now();
  const [first] = build();
  await first.data();
  const result = now() - begin;
  if (isMany) return { count, nodes: count, result, plan: null, dispatches: null };
  const again = make(count);
  const start = now();
  const program = simplify(programOf(again));
  const made = new GpuPlan(planHost(), program, {
    repeated: true,
    fixed: program.sources.map(() => true),
  });
  const plan = now() - start;
  const { dispatches } = await made.stats();
  return { count, nodes: program.steps.length, result, plan, dispatches };
}

function lineOf({ unit }: Growth, { count, nodes, result, plan, dispatches }: Sample): string {
  const each = (ms: number) => `${ms.toFixed(1)} ms (${((1000 * ms) / nodes).toFixed(1)} µs each)`;
  const planned = plan === null ? "" : `; plan for WebGPU ${each(plan)}, ${dispatches} dispatches`;
  return `  ${count} ${unit}, ${nodes} nodes: ${each(result)}${planned}`;
}
