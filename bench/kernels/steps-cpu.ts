/*
 * Times whole training steps on the CPU device: gather the batch from u8 images, forward, backward
 * and update, and prints the steps per second of each network. Run it on one core with
 *   npx vite build . --ssr bench/kernels/steps-cpu.ts --outDir node_modules/.cache/bench
 *   taskset -c 0 node node_modules/.cache/bench/steps-cpu.js
 */

import { Counters } from "../../src/core/counters.ts";
import { type ArrayStorage, Arrays } from "../../src/devices/cpu/arrays.ts";
import { CpuPlan } from "../../src/devices/cpu/plan.ts";
import { trace } from "../../src/engine/program.ts";
import {
  assignAll,
  cast,
  evaluate,
  gather,
  grad,
  init,
  matmul,
  mul,
  Parameter,
  randomNormal,
  relu,
  State,
  sigmoid,
  sqrt,
  Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";

const EXAMPLES = 4096;

type Assignment = readonly [State, Tensor];
type Update = (p: Parameter, g: Tensor) => Assignment[];

const sgd: Update = (p, g) => [[p, p.sub(g.mul(0.1))]];

/** Adam (Kingma & Ba 2015, algorithm 1), without the correction of the first steps' bias. */
function adam(parameters: readonly Parameter[]): Update {
  const slots = new Map(
    parameters.map((p) => [p, { m: new State(zeros(p.shape)), v: new State(zeros(p.shape)) }]),
  );
  return (p, g) => {
    const { m, v } = slots.get(p) as { m: State; v: State };
    const m1 = m.mul(0.9).add(g.mul(0.1));
    const v1 = v.mul(0.999).add(mul(g, g).mul(0.001));
    return [
      [m, m1],
      [v, v1],
      [p, p.sub(m1.mul(0.001).div(sqrt(v1).add(1e-8)))],
    ];
  };
}

interface Network {
  readonly sizes: readonly number[];
  readonly activation: (x: Tensor) => Tensor;
  readonly batch: number;
  readonly optimizer: "sgd" | "adam";
}

const networks: Record<string, Network> = {
  "A 784-50-10 sigmoid, SGD, batch 100": {
    sizes: [784, 50, 10],
    activation: sigmoid,
    batch: 100,
    optimizer: "sgd",
  },
  "B 784-128-10 relu, Adam, batch 64": {
    sizes: [784, 128, 10],
    activation: relu,
    batch: 64,
    optimizer: "adam",
  },
  "C 784-256-128-10 relu, Adam, batch 128": {
    sizes: [784, 256, 128, 10],
    activation: relu,
    batch: 128,
    optimizer: "adam",
  },
};

const bytes = (n: number, below: number) =>
  Uint8Array.from({ length: n }, () => Math.random() * below);

/** Steps per second of CPU time in the best of some rounds, which other programs disturb least. */
function rate(step: () => void, rounds = 15): number {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const used = process.cpuUsage();
    let steps = 0;
    for (; performance.now() - start < 250; steps++) step();
    const { user, system } = process.cpuUsage(used);
    rates.push((1e6 * steps) / (user + system));
  }
  return Math.max(...rates);
}

/** A step's loss and what it assigns, from the numbers of the examples in the batch. */
type Step = (rows: Tensor) => { loss: Tensor; assignments: Assignment[] };

function stepOf({ sizes, activation, optimizer }: Network): Step {
  const images = tensor(bytes(EXAMPLES * 784, 256), { shape: [EXAMPLES, 784] });
  const labels = tensor(bytes(EXAMPLES, 10));
  const layers = sizes.slice(1).map((n, i) => ({
    w: new Parameter(randomNormal([sizes[i], n], { std: 0.05 })),
    b: new Parameter(zeros([n])),
  }));
  const parameters = layers.flatMap(({ w, b }) => [w, b]);
  const update = optimizer === "sgd" ? sgd : adam(parameters);
  return (rows) => {
    let x = mul(cast(gather(images, rows), "f32"), 1 / 255);
    layers.forEach(({ w, b }, i) => {
      const z = matmul(x, w).add(b);
      x = i < layers.length - 1 ? activation(z) : z;
    });
    const loss = crossEntropy(x, gather(labels, rows));
    const gradients = grad(loss, parameters);
    return { loss, assignments: parameters.flatMap((p, i) => update(p, gradients[i])) };
  };
}

function rowsOf(batch: number, at: number): Int32Array {
  return Int32Array.from({ length: batch }, (_, i) => (at * batch + 7 * i) % EXAMPLES);
}

/** Traces and assigns at every step. */
function eagerSteps(network: Network): () => void {
  const step = stepOf(network);
  let at = 0;
  return () => {
    using rows = tensor(rowsOf(network.batch, at++));
    const { loss, assignments } = step(rows);
    assignAll(assignments, [loss]);
    loss.dispose();
  };
}

/** Traces once and replays the plan. */
function replayedSteps(network: Network): () => void {
  const rows = tensor(rowsOf(network.batch, 0));
  const { loss, assignments } = stepOf(network)(rows);
  evaluate(rows, ...assignments.map(([state]) => state));
  const wanted = [loss, ...assignments.map(([, value]) => value)].map((x) => x.node);
  const { program, sources } = trace(wanted, "bench");
  evaluate(...sources.map((node) => new Tensor(node)));
  const updates = assignments.map(([state], i) => ({
    source: program.sources[sources.indexOf(state.node)],
    value: program.outputs[i + 1],
  }));
  const arrays = new Arrays(new Counters());
  const plan = new CpuPlan({ ...program, outputs: [program.outputs[0]], updates }, arrays);
  const storages = sources.map((node) => node.storage as ArrayStorage);
  const batch = (rows.node.storage as ArrayStorage).data;
  let at = 0;
  return () => {
    batch.set(rowsOf(network.batch, at++));
    plan.run(storages);
  };
}

await init({ device: "cpu" });
console.log("| step | eager | replayed |\n|---|---|---|");
const chosen = process.argv[2] ?? "";
for (const [name, network] of Object.entries(networks)) {
  if (!name.startsWith(chosen)) continue;
  const rates = [eagerSteps, replayedSteps].map((make) => rate(make(network)).toFixed(0));
  console.log(`| ${name} | ${rates.join(" | ")} |`);
}
