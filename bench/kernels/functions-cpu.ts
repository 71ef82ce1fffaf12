/*
 * Times elementwise functions on the CPU device, plain and compiled, in alternation, and prints the
 * nanoseconds of CPU time for an element in the best round of each. Run it on one core with
 *   npx vite build . --ssr bench/kernels/functions-cpu.ts --outDir node_modules/.cache/bench
 *   taskset -c 0 node node_modules/.cache/bench/functions-cpu.js
 */
import {
  compile,
  cos,
  exp,
  expm1,
  init,
  log,
  log1p,
  pow,
  relu,
  sigmoid,
  softplus,
  sqrt,
  type Tensor,
  tanh,
  tensor,
  uniformAt,
} from "../../src/index.ts";

/** Elements of a round: in and out stay in a second-level cache. */
const SIZE = 32_768;
const ROUNDS = 40;
/** Calls of a round. */
const CALLS = 8;

const functions: Record<string, (x: Tensor, step: Tensor) => Tensor> = {
  "x + x": (x) => x.add(x),
  relu: (x) => relu(x),
  sqrt: (x) => sqrt(x),
  exp: (x) => exp(x),
  log: (x) => log(x),
  expm1: (x) => expm1(x),
  log1p: (x) => log1p(x),
  sigmoid: (x) => sigmoid(x),
  tanh: (x) => tanh(x),
  softplus: (x) => softplus(x),
  cos: (x) => cos(x),
  "pow(x, 2.5)": (x) => pow(x, 2.5),
  "a chain of eight": (x) =>
    tanh(
      sigmoid(x.mul(1.5).add(0.3))
        .mul(exp(x.mul(-0.5)))
        .add(x)
        .sub(0.1),
    ),
  uniformAt: (_, step) => uniformAt(step, [SIZE], { seed: 1 }),
};

const engines = ["plain", "compiled"] as const;

/** Gives the nanoseconds that an element takes in one round. */
async function timerOf(name: string, engine: (typeof engines)[number]) {
  const { device } = await init({ device: "cpu", engine, isolated: true });
  const values = Float32Array.from({ length: SIZE }, (_, i) => 0.01 + (4 * i) / SIZE);
  const x = tensor(values, { device });
  const step = tensor(3, { dtype: "u32", device });
  const run = compile(functions[name]);
  await (await run(x, step)).data();
  return async () => {
    const begin = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) (await run(x, step)).dispose();
    const { user, system } = process.cpuUsage(begin);
    return (1000 * (user + system)) / (CALLS * SIZE);
  };
}

console.log("nanoseconds for an element", engines.join(", "));
for (const name of Object.keys(functions)) {
  const timers = await Promise.all(engines.map((engine) => timerOf(name, engine)));
  const best = timers.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, timer] of timers.entries()) best[i] = Math.min(best[i], await timer());
  }
  console.log(name, ...best.map((time) => time.toFixed(2)));
}
