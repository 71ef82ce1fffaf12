import { beforeAll, expect, test } from "vitest";
import { GROWTHS } from "../../bench/growth/graphs.ts";
import { programOf } from "../../bench/growth/index.ts";
import { planHost } from "../../bench/growth/plan-host.ts";
import { Counters } from "../../src/core/counters.ts";
import { Arrays } from "../../src/devices/cpu/arrays.ts";
import { Heap } from "../../src/devices/cpu/compiled/heap.ts";
import { CompiledPlan } from "../../src/devices/cpu/compiled/plan.ts";
import { CpuPlan } from "../../src/devices/cpu/plan.ts";
import { GpuPlan, sharing } from "../../src/devices/webgpu/plan.ts";
import type { Program, Step } from "../../src/engine/program.ts";
import { simplify } from "../../src/engine/simplify.ts";
import { add, mul, slice, softmax, sub, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await sharing.get();
  await testDevice();
});

/** Counts how often steps are asked what they are made of while a plan is made, for each of them. */
function looks(program: Program, plan: (program: Program) => void): number {
  let count = 0;
  const steps = program.steps.map(({ inputs, ...step }): Step => {
    const look = () => {
      count++;
      return inputs;
    };
    return Object.defineProperty(step as Step, "inputs", { enumerable: true, get: look });
  });
  plan({ ...program, steps });
  return count / steps.length;
}

const PLANS: Record<string, (program: Program) => void> = {
  simplify,
  "plan for WebGPU": (program) => {
    const fixed = program.sources.map(() => true);
    new GpuPlan(planHost(), program, { repeated: true, fixed });
  },
  "plan for the CPU": (program) => new CpuPlan(program, new Arrays(new Counters())),
  "plan for WebAssembly": (program) => new CompiledPlan(program, new Heap(new Counters()), false),
};

const graphs = GROWTHS.filter(({ isMany }) => !isMany);

test.each(graphs)("what a plan looks at grows with $name, and no faster", ({ counts, make }) => {
  for (const [name, plan] of Object.entries(PLANS)) {
    const [few, many] = [1, 3].map((times) => {
      const program = programOf(make(counts[1] * times));
      return looks(name === "simplify" ? program : simplify(program), plan);
    });
    expect(many / few, name).toBeLessThan(1.2);
  }
});

test("what waits for empty tensors waits for each thing once, however many ways lead there", async () => {
  const build = () => {
    const start = softmax(tensor(new Float32Array(8), { shape: [2, 4] }));
    let [a, b] = [1, 2].map((k) => slice(mul(start, k), [{ end: 0 }]));
    for (let i = 0; i < 40; i++) [a, b] = [softmax(add(a, b)), softmax(sub(a, b))];
    return [a, b, start];
  };
  const program = programOf([build]);
  const plan = new GpuPlan(planHost(), simplify(program), { repeated: true });
  expect((await plan.stats()).dispatches).toBe(1);
});
