import { expect, test } from "vitest";
import {
  add,
  checkpoint,
  concat,
  evaluate,
  grad,
  init,
  matmul,
  max,
  mean,
  mul,
  sigmoid,
  slice,
  softmax,
  sort,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  transpose,
} from "../../src/index.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { picker, wave } from "../support/random-choice.ts";

type Wrap = typeof checkpoint;

/** What computes each seed: modules of compiled programs take longest to make. */
const ENGINES = [
  ...new Array<"compiled">(isAcceptance ? 40 : 2).fill("compiled"),
  ...new Array<"plain">(isAcceptance ? 400 : 20).fill("plain"),
];

type Step = (x: Tensor, y: Tensor) => Tensor;

const STEPS: readonly Step[] = [
  (x) => tanh(x),
  (x) => transpose(x),
  (x) => softmax(x, { axis: 0 }),
  (x, y) => mul(x, sigmoid(y)),
  (x, y) => tanh(matmul(x, y)),
  (x, y) => sub(x, mean(y, { axis: 1, keepDims: true })),
  (x, y) => concat([slice(x, [{ start: 2 }]), slice(y, [{ end: 2 }])]),
  (x, y) => mul(x, max(y, { axis: 0 })),
  (x) => sort(x).values,
];

/** Values of a random graph, of which random parts are checkpointed, within others. */
function randomParts(seed: number, wrap: Wrap, pool: readonly Tensor[], depth = 0): Tensor[] {
  const pick = picker(seed, depth);
  const made = [...pool];
  for (let i = 0; i < 5; i++) {
    const [a, b] = [made[pick(made.length)], made[pick(made.length)]];
    if (depth < 3 && pick(3) === 0) {
      // What is made inside is made of arguments, and of what lies around.
      const part = (x: Tensor) => randomParts(seed + i, wrap, [x, b], depth + 1).slice(-2);
      made.push(...wrap(part)(a));
    } else made.push(STEPS[pick(STEPS.length)](a, b));
  }
  return made;
}

test("random parts of random graphs, to the second order", async () => {
  for (const [i, engine] of ENGINES.entries()) {
    const { device } = await init({ device: "cpu", engine, isolated: true });
    const seed = 1000 * i;
    const sources = [1, 2].map((phase) => wave([6, 6], seed + phase, device, "f32"));
    const values = async (wrap: Wrap) => {
      const made = randomParts(seed, wrap, sources);
      const total = made.reduce((a, b) => add(a, mul(b, b)));
      const y = sum(total);
      const first = grad(y, [...sources, made[made.length - 1]]);
      const next = sources.reduce((sum, x) => add(sum, square(x)), square(first[0]));
      const second = grad(sum(next), sources);
      const all = [y, ...first, ...second];
      evaluate(...all);
      return Promise.all(all.map((x) => x.data()));
    };
    const without = await values((fn) => fn);
    expect(without[0][0], `${seed}`).toSatisfy(Number.isFinite);
    expect(await values(checkpoint), `${seed}`).toEqual(without);
  }
});
