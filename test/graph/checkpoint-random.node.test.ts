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
  scan,
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
  vmap,
} from "../../src/index.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { picker, wave } from "../support/random-choice.ts";

type Wrap = typeof checkpoint;

/** What computes each seed: modules of compiled programs take longest to make. */
const ENGINES = [
  ...new Array<"compiled">(isAcceptance ? 40 : 1).fill("compiled"),
  ...new Array<"plain">(isAcceptance ? 400 : 12).fill("plain"),
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

test("loops in checkpointed functions, and those in the turns of loops", async () => {
  const { device } = await init({ device: "cpu", isolated: true });
  const [w, first, xs] = [
    [4, 4],
    [2, 4],
    [6, 2, 4],
  ].map((shape, i) => wave(shape, i, device, "f32"));
  const asIs: Wrap = (fn) => fn;
  const run = async (outer: Wrap, inner: Wrap) => {
    const turn = inner((h: Tensor, x: Tensor) => {
      const next = tanh(add(matmul(h, w), sigmoid(mul(x, h))));
      return [next, mul(next, x)] as const;
    });
    const loop = outer((h: Tensor, x: Tensor) => scan(turn, h, x));
    const [last, ys] = loop(first, xs);
    const y = add(sum(square(last)), sum(mul(ys, xs)));
    const gradients = grad(y, [w, first, xs]);
    const all = [y, ...gradients, ...grad(sum(square(gradients[0])), [w, xs])];
    evaluate(...all);
    return Promise.all(all.map((x) => x.data()));
  };
  const without = await run(asIs, asIs);
  expect(await run(checkpoint, asIs)).toEqual(without);
  expect(await run(asIs, checkpoint)).toEqual(without);
  expect(await run(checkpoint, checkpoint)).toEqual(without);
});

test("functions that vmap maps, and those that map", async () => {
  const { device } = await init({ device: "cpu", isolated: true });
  const [w, xs] = [
    [4, 4],
    [3, 2, 4],
  ].map((shape, i) => wave(shape, i, device, "f32"));
  const f = (x: Tensor) => sigmoid(tanh(matmul(x, w)));
  const gradients = (wrap: Wrap) => [
    vmap((x: Tensor) => grad(sum(square(wrap(f)(x))), [x])[0])(xs),
    ...grad(sum(square(wrap(vmap(f))(xs))), [xs, w]),
    ...grad(sum(square(vmap(wrap(f))(xs))), [xs, w]),
  ];
  const values = (wrap: Wrap) => Promise.all(gradients(wrap).map((x) => x.data()));
  expect(await values(checkpoint)).toEqual(await values((fn) => fn));
});
