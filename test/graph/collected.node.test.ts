import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, expect, test } from "vitest";
import {
  add,
  assignAll,
  compile,
  evaluate,
  init,
  memory,
  mul,
  Parameter,
  State,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(testDevice);

/** Nodes of a graph, some 400 bytes each. */
const NODES = 3000;

const chain = (x: Tensor, length = NODES): Tensor => {
  let y = x;
  for (let i = 0; i < length; i++) y = add(y, 1);
  return y;
};

const GRAPHS: Record<string, () => () => void> = {
  "a tensor is evaluated": () => {
    const x = tensor([1, 2]);
    return () => {
      const y = chain(x);
      evaluate(y);
      y.dispose();
    };
  },
  "a state is assigned": () => {
    const state = new State(tensor([1, 2]));
    return () => state.assign(chain(state));
  },
  "many states are assigned": () => {
    const states = Array.from({ length: 300 }, () => new State(tensor([1, 2])));
    return () => assignAll(states.map((state) => [state, chain(state, NODES / 300)]));
  },
  "an optimizer makes a step": () => {
    const p = new Parameter(tensor([1, 2]));
    const optimizer = new SGD([p], { learningRate: 0.1 });
    return () => optimizer.step(sum(chain(p)));
  },
};

// What lives until old objects are collected is copied twice, and makes a step of many nodes slow.
test.each(Object.entries(GRAPHS))(
  "the collection of young objects frees the graph when %s",
  async (_, make) => {
    setFlagsFromString("--expose-gc");
    setFlagsFromString("--no-allocation-site-pretenuring"); // lists that V8 makes as old objects
    const gc = runInNewContext("gc") as (options?: { type: "minor" }) => void;
    const run = make();
    for (let i = 0; i < 3; i++) run();
    const kept: number[] = [];
    while (kept.length < 5) {
      gc();
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < 12; i++) {
        run();
        gc({ type: "minor" });
        await null;
      }
      kept.push((process.memoryUsage().heapUsed - before) / (400 * NODES));
    }
    // Code that is just being compiled may keep what it has seen, now and then.
    expect(Math.min(...kept)).toBeLessThan(5);
  },
);

test("a compiled function that nobody has any more gives back the memory of its plans", async () => {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  const { device } = await init({ device: "cpu", threads: 1, isolated: true });
  const before = memory(device);
  await (async () => {
    const x = tensor([1, 2, 3, 4], { device });
    const fn = compile((x: Tensor) => sum(mul(sum(mul(x, x)), x)));
    const y = await fn(x);
    expect(memory(device).buffers).toBeGreaterThan(before.buffers + 2);
    y.dispose();
    x.dispose();
  })();
  for (let i = 0; i < 200 && memory(device).buffers > before.buffers; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { buffers, bytes } = memory(device);
  expect({ buffers, bytes }).toEqual({ buffers: before.buffers, bytes: before.bytes });
});
