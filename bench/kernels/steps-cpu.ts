/*
 * Times whole training steps on the CPU device: gather the batch from u8 images, forward, backward
 * and update, and prints the median steps per second of each network. Run it on one core with
 *   npx vite build --ssr bench/kernels/steps-cpu.ts --outDir node_modules/.cache/bench
 *   taskset -c 0 node node_modules/.cache/bench/steps-cpu.js
 */

import {
  assignAll,
  cast,
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
  type Tensor,
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

/** Makes a function that trains the network on one batch after the other. */
function stepsOf({ sizes, activation, batch, optimizer }: Network): () => Tensor {
  const images = tensor(bytes(EXAMPLES * 784, 256), { shape: [EXAMPLES, 784] });
  const labels = tensor(bytes(EXAMPLES, 10));
  const layers = sizes.slice(1).map((n, i) => ({
    w: new Parameter(randomNormal([sizes[i], n], { std: 0.05 })),
    b: new Parameter(zeros([n])),
  }));
  const parameters = layers.flatMap(({ w, b }) => [w, b]);
  const update = optimizer === "sgd" ? sgd : adam(parameters);
  let at = 0;
  return () => {
    using rows = tensor(Int32Array.from({ length: batch }, (_, i) => (at + 7 * i) % EXAMPLES));
    at += batch;
    let x = mul(cast(gather(images, rows), "f32"), 1 / 255);
    layers.forEach(({ w, b }, i) => {
      const z = matmul(x, w).add(b);
      x = i < layers.length - 1 ? activation(z) : z;
    });
    const loss = crossEntropy(x, gather(labels, rows));
    const gradients = grad(loss, parameters);
    assignAll(
      parameters.flatMap((p, i) => update(p, gradients[i])),
      [loss],
    );
    return loss;
  };
}

/** Median steps per second over rounds of at least a fifth of a second. */
async function rate(step: () => Tensor, rounds = 9): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < rounds + 2; round++) {
    const start = performance.now();
    const used = process.cpuUsage();
    let steps = 0;
    for (; performance.now() - start < 300; steps++) {
      using loss = step();
      if (steps === 0) await loss.item();
    }
    const { user, system } = process.cpuUsage(used);
    rates.push((1e6 * steps) / (user + system));
  }
  return rates.slice(2).sort((a, b) => a - b)[rounds >> 1];
}

await init({ device: "cpu" });
console.log("| step | steps/s |\n|---|---|");
const chosen = process.argv[2] ?? "";
for (const [name, network] of Object.entries(networks)) {
  if (!name.startsWith(chosen)) continue;
  console.log(`| ${name} | ${(await rate(stepsOf(network))).toFixed(0)} |`);
}
