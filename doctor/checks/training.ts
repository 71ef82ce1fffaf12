import { relativeError } from "../../bench/harness/statistics.ts";
import { networkSteps } from "../../bench/peers/gradus.ts";
import { modelSteps } from "../../bench/peers/gradus-models.ts";
import type { Steps } from "../../bench/peers/peer.ts";
import { modelLosses } from "../../bench/workloads/model-trainer.ts";
import { MODELS, type Model } from "../../bench/workloads/models.ts";
import { NETWORKS, type Network } from "../../bench/workloads/networks.ts";
import { referenceLosses } from "../../bench/workloads/trainer.ts";
import type { Device } from "../../src/index.ts";
import { type Check, type Context, messageOf } from "../context.ts";
import { figureText } from "../report.ts";

/** A run to measure: its steps, its losses in float64, and what these may be off by. */
interface Run {
  readonly label: string;
  readonly name: string;
  readonly tolerance: number;
  steps(device: Device): Steps<void>;
  reference(count: number): Float64Array;
}

const ofNetwork = (label: string, network: Network): Run => ({
  label,
  name: network.name,
  tolerance: network.optimizer === "adam" ? 1e-3 : 1e-4,
  steps: (device) => networkSteps(device, network),
  reference: (count) => referenceLosses(network, count),
});

const ofModel = (label: string, model: Model): Run => ({
  label,
  name: model.name,
  tolerance: 1e-3,
  steps: (device) => modelSteps(device, model),
  reference: (count) => modelLosses(model, count),
});

/** Of a batch of 100 a step takes seconds where a CPU emulates the GPU. */
const [CNN] = MODELS;
const SMALL_CNN = { ...CNN, batchSize: 10, name: CNN.name.replace("batch 100", "batch 10") };

function runsOf({ isQuick, isSoftware }: Context): Run[] {
  const [a, b, , c] = NETWORKS;
  const networks = [ofNetwork("A", a), ofNetwork("B", b), ofNetwork("C", c)];
  return [...networks, ofModel("CNN", isQuick && isSoftware ? SMALL_CNN : CNN)];
}

/** Losses that are compared, and rounds of steps that are timed. */
const CHECKED = { quick: 2, full: 5 };
const ROUND_MS = { quick: 120, full: 500 };

/** How long better kernels are waited for, which are compiled behind the first steps. */
const PATIENCE_MS = { quick: 3000, full: 10_000 };

/** Makes steps until no kernel is made any more, where a CPU emulates the GPU. */
async function betterKernels(
  { preset, isSoftware, bench }: Context,
  { counters, kind }: Device,
  step: () => Promise<unknown>,
): Promise<void> {
  if (!isSoftware || kind === "cpu") return;
  const until = performance.now() + PATIENCE_MS[preset];
  for (let before = -1; before !== counters.now.pipelines && performance.now() < until; ) {
    before = counters.now.pipelines;
    await step();
    await bench.untilMade(until - performance.now());
  }
}

/** What steps come to: the first losses, steps a second, and dispatches of one. */
async function train(context: Context, run: Run, device: Device) {
  const start = performance.now();
  const steps = run.steps(device);
  let done = 0;
  try {
    const losses = [await steps.read(await steps.step(done++))];
    const first = performance.now() - start;
    while (losses.length < CHECKED[context.preset]) {
      losses.push(await steps.read(await steps.step(done++)));
    }
    const round = async (times: number) => {
      const mark = device.counters.now;
      const began = performance.now();
      for (let i = 1; i < times; i++) await steps.step(done++);
      await steps.read(await steps.step(done++));
      const elapsed = performance.now() - began;
      return { elapsed, times, dispatches: device.counters.since(mark).dispatches };
    };
    await betterKernels(context, device, () => round(1));
    let last = await round(1);
    while (last.elapsed < ROUND_MS[context.preset] && !context.isStopped) {
      const factor = (1.2 * ROUND_MS[context.preset]) / Math.max(last.elapsed, 0.1);
      last = await round(Math.ceil(last.times * Math.min(8, Math.max(1.5, factor))));
    }
    const rate = (1000 * last.times) / last.elapsed;
    return { losses, first, rate, dispatches: Math.floor(last.dispatches / last.times) };
  } finally {
    steps.dispose();
  }
}

async function measure(context: Context, run: Run): Promise<void> {
  const { isQuick, bench } = context;
  const cpu = await train(context, run, await bench.compiledCpu());
  const gpu = await train(context, run, await bench.engine());
  // Float64 in plain JavaScript takes seconds, and tests hold the CPU device against it.
  const wanted = isQuick ? cpu.losses : run.reference(gpu.losses.length);
  const error = relativeError(gpu.losses, wanted);
  const name = `${run.label}: ${run.name}`;
  if (!(error <= run.tolerance)) {
    const limit = run.tolerance.toExponential(0);
    const text = `losses are off by ${error.toExponential(1)}; expected at most ${limit}`;
    context.line({ name, verdict: "wrong", text });
    return;
  }
  context.line({
    name,
    verdict: gpu.rate < cpu.rate && !context.isSoftware ? "slow" : "ok",
    text: [
      `${gpu.dispatches} dispatches a step`,
      `the first loss after ${gpu.first.toFixed(0)} ms`,
      `the CPU device makes ${figureText(cpu.rate)} steps/s`,
    ].join(", "),
    ...{ figure: gpu.rate, unit: "steps/s" },
  });
}

/** Steps of training as users have them, checked against float64, and as fast as they are. */
export const training: Check = {
  name: "Training",
  seconds: { quick: 6, full: 30 },
  run: async (context) => {
    const runs = runsOf(context);
    for (const [i, run] of runs.entries()) {
      if (context.isStopped) break;
      if (context.isLate) {
        const text = "left out for want of time";
        context.line({ name: `${run.label}: ${run.name}`, verdict: "not there", text });
        continue;
      }
      context.progress(`${run.label}, ${run.name}`, i / runs.length);
      try {
        await measure(context, run);
      } catch (error) {
        context.line({ name: run.label, verdict: "wrong", text: messageOf(error) });
      }
    }
  },
};
