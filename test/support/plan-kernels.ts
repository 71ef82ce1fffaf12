import { generate } from "../../src/devices/webgpu/codegen.ts";
import { jobsOf } from "../../src/devices/webgpu/jobs.ts";
import { type SettledKernel, settle } from "../../src/devices/webgpu/numbers.ts";
import { pack } from "../../src/devices/webgpu/pack.ts";
import type { EngineDevice } from "../../src/engine/device.ts";
import { lower } from "../../src/engine/lower.ts";
import type { Program } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import type { Traits } from "../../src/forms/traits.ts";
import { byRule } from "../../src/kernels/choose.ts";
import { directProducts, moreTiles } from "../../src/kernels/matmul.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import type { Repeated } from "./repeated-graphs.ts";

/** What adapters ask for: kernels with workgroup memory, or direct loads. */
export const TRAITS = {
  workgroup: { workgroupMemory: true, threads: 64, quads: false },
  /** A CPU that emulates a GPU, on which kernels share a dispatch only where that saves time. */
  direct: { workgroupMemory: false, threads: 16, quads: true },
  mobile: { workgroupMemory: false, threads: 64, quads: false },
} satisfies Record<string, Traits>;

/** Compiles a training step on a device of the CPU, one at a time; gives its program. */
export async function stepProgram(device: EngineDevice, net: Repeated): Promise<Program> {
  const { session } = device;
  const { compile } = session;
  const programs: Program[] = [];
  session.compile = (program, options) => {
    programs.push(program);
    return compile.call(session, program, options);
  };
  const { model, batch, loss } = net;
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
  const step = trainStep({ model, optimizer, loss: (_, given: typeof batch) => loss(given) });
  await step.prepare(batch);
  step.dispose();
  session.compile = compile;
  return programs[programs.length - 1];
}

/** The kernels of a program on a GPU that binds ten buffers. */
export async function kernelsOf(
  program: Program,
  kind: keyof typeof TRAITS,
): Promise<SettledKernel[]> {
  await Promise.all([directProducts.get(), moreTiles.get()]);
  const schedule = scheduleOf(lower(program, TRAITS[kind]), 10);
  const jobs = jobsOf(schedule, byRule(TRAITS[kind]));
  const dispatches = pack(jobs, { bindings: 10, memory: 16384 });
  return settle(
    dispatches.map((parts) => generate(schedule, parts)),
    new Map(),
  );
}
