import { beforeEach, expect, test } from "vitest";
import { sourcesIn, trace } from "../../src/engine/program.ts";
import { apply } from "../../src/graph/tensor.ts";
import {
  add,
  concat,
  type Device,
  evaluate,
  init,
  mul,
  relu,
  setDefaultDevice,
  slice,
  sort,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../../src/index.ts";
import { elementwise } from "../../src/ops/elementwise.ts";

let device: Device;
beforeEach(async () => {
  ({ device } = await init({ device: "cpu", isolated: true }));
  setDefaultDevice(device);
});

const vector = (size: number) => tensor(new Float32Array(size).fill(2));

// Two ops that differ by what they compute, and by nothing that is written anywhere.
const [twice, thrice] = [2, 3].map((n) =>
  elementwise({ name: "scale", domain: "float", js: (x) => n * x, formula: "abs", vjp: null }),
);

/** Programs that compute different things, each by what builds its results. */
const builds: Record<string, () => Tensor[]> = {
  add: () => [add(vector(4), vector(4))],
  "another op": () => [sub(vector(4), vector(4))],
  "another op of one name": () => [apply(twice, [vector(4)], {})],
  "and its like": () => [apply(thrice, [vector(4)], {})],
  "another size": () => [add(vector(5), vector(5))],
  "another dtype": () => [add(tensor([1, 2, 3, 4], { dtype: "i32" }), tensor([1, 2, 3, 4], { dtype: "i32" }))], // biome-ignore format: one line each
  "another shape": () => [add(tensor([[1, 2], [3, 4]]), tensor([[1, 2], [3, 4]]))], // biome-ignore format: one line each
  "one source": () => {
    const x = vector(4);
    return [add(x, x)];
  },
  "inputs in order": () => {
    const [x, y] = [vector(4), vector(4)];
    return [concat([sub(x, y), sub(x, y)])];
  },
  "inputs the other way": () => {
    const [x, y] = [vector(4), vector(4)];
    return [concat([sub(x, y), sub(y, x)])];
  },
  "times 0": () => [mul(vector(4), 0)],
  "times −0": () => [mul(vector(4), -0)],
  "times NaN": () => [mul(vector(4), Number.NaN)],
  "times 1e-12": () => [mul(vector(4), 1e-12)],
  "times 2e-12": () => [mul(vector(4), 2e-12)],
  "the first half": () => [slice(vector(4), [{ start: 0, end: 2 }])],
  "the last half": () => [slice(vector(4), [{ start: 2, end: 4 }])],
  transposed: () => [transpose(tensor([[1, 2], [3, 4]]))], // biome-ignore format: one line each
  "the first result": () => [sort(vector(4)).values],
  "the second result": () => [sort(vector(4)).indices],
  "both results": () => Object.values(sort(vector(4))),
  "both results, turned": () => Object.values(sort(vector(4))).reverse(),
  "one output": () => [relu(square(vector(4)))],
  "two outputs": () => {
    const y = square(vector(4));
    return [relu(y), y];
  },
};

const nodesOf = (build: () => Tensor[]) => build().map(({ node }) => node);

test("a program is that of graphs like its own, and of no other", () => {
  for (const [name, build] of Object.entries(builds)) {
    const { program } = trace(nodesOf(build), "test");
    const same = Object.keys(builds).filter((other) => sourcesIn(program, nodesOf(builds[other])));
    expect(same, name).toEqual([name]);
  }
});

test("what stands in a program's place of sources is given in their order", () => {
  const build = () => {
    const [x, y, z] = [vector(4), vector(4), vector(4)];
    return { wanted: [concat([mul(sub(z, x), y), x]).node], given: [x, y, z].map((t) => t.node) };
  };
  const { program, sources } = trace(build().wanted, "test");
  const { wanted, given } = build();
  const found = sourcesIn(program, wanted);
  expect(found).toEqual(trace(wanted, "test").sources);
  expect(new Set(found)).toEqual(new Set(given));
  expect(sources).toHaveLength(3);
});

test("values that are there end a graph, and so do given ones", () => {
  const build = () => {
    const x = square(vector(4));
    return { x, y: add(x, 1) };
  };
  const { program } = trace([build().y.node], "test");
  const { x, y } = build();
  expect(sourcesIn(program, [y.node])).toHaveLength(1);
  expect(sourcesIn(program, [y.node], new Set([x.node]))).toBeNull();
  evaluate(x);
  expect(sourcesIn(program, [y.node])).toBeNull();
  const shorter = trace([y.node], "test").program;
  expect(sourcesIn(shorter, [y.node])).toEqual([x.node]);
  expect(sourcesIn(shorter, [build().y.node])).toBeNull();
});

test("what was disposed stands for no source", () => {
  const build = () => {
    const x = vector(4);
    return { x, y: relu(x).node };
  };
  const { program } = trace([build().y], "test");
  const { x, y } = build();
  x.dispose();
  expect(sourcesIn(program, [y])).toBeNull();
});

test("each plan is found again, and gives what its program computes", async () => {
  const x = tensor([1, 2, 3, 4]);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) {
      expect(await slice(x, [{ start: i, end: i + 1 }]).toArray()).toEqual([i + 1]);
    }
    expect(device.memory().plans).toBe(4);
  }
});

test("a graph that cannot be listed leaves nothing behind", async () => {
  const x = vector(4);
  const y = add(square(x), 1);
  x.dispose();
  for (let i = 0; i < 2; i++) expect(() => trace([sum(y).node], "test")).toThrow(/disposed/);
  const z = vector(4);
  expect(await add(square(z), 1).toArray()).toEqual([5, 5, 5, 5]);
});
