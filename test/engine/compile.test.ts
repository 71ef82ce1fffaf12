import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { substitute } from "../../src/graph/substitute.ts";
import {
  add,
  assignAll,
  chromeTrace,
  compile,
  type Device,
  debug,
  evaluate,
  explain,
  grad,
  matmul,
  mean,
  mul,
  ones,
  Parameter,
  randomNormal,
  relu,
  State,
  scan,
  scope,
  setDefaultDevice,
  sigmoid,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  vmap,
  zeros,
} from "../../src/index.ts";
import { inBrowser, ownDevice, testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

test("a function runs as one plan and gives new tensors each time", async () => {
  const f = compile((x: Tensor, y: Tensor) => ({ sum: add(x, y), rows: [sum(x, { axis: 1 })] }));
  const a = tensor([
    [1, 2],
    [3, 4],
  ]);
  const b = tensor([
    [10, 20],
    [30, 40],
  ]);
  const first = await f(a, b);
  const second = await f(b, b);
  expect(await first.sum.toArray()).toEqual([
    [11, 22],
    [33, 44],
  ]);
  expect(await first.rows[0].toArray()).toEqual([3, 7]);
  expect(await second.sum.toArray()).toEqual([
    [20, 40],
    [60, 80],
  ]);
  expect(f.plans).toHaveLength(1);
  f.dispose();
});

test("other shapes, dtypes and settings make other plans, equal ones none", async () => {
  let traces = 0;
  const f = compile((x: Tensor, options: { by: number; name?: string }) => {
    traces++;
    return mul(x, options.by);
  });
  expect(await (await f(tensor([1, 2]), { by: 3 })).toArray()).toEqual([3, 6]);
  expect(await (await f(tensor([5, 6]), { by: 3 })).toArray()).toEqual([15, 18]);
  expect(traces).toBe(1);
  expect(await (await f(tensor([5, 6]), { by: 4 })).toArray()).toEqual([20, 24]);
  expect(await (await f(tensor([5, 6, 7]), { by: 4 })).toArray()).toEqual([20, 24, 28]);
  expect(await (await f(tensor([5, 6, 7], { dtype: "i32" }), { by: 4 })).toArray()).toEqual([
    20, 24, 28,
  ]);
  expect(traces).toBe(4);
  expect(f.plans).toHaveLength(4);
});

test("typed arrays are uploaded at each call, as what they hold then", async () => {
  const f = compile((values: Float32Array, given: { bytes: Uint8Array }) => [
    mul(tensor(values, { shape: [2, 2] }), 10),
    add(tensor(given.bytes, { dtype: "f32" }), 0.5),
  ]);
  const values = new Float32Array(4);
  const bytes = new Uint8Array(3);
  const call = (by: number) => {
    values.fill(by);
    bytes.fill(by);
    return f(values, { bytes });
  };
  const calls = Array.from({ length: 5 }, (_, i) => call(i)); // before there is a plan
  for (const [i, results] of (await Promise.all(calls)).entries()) {
    expect(Array.from(await results[0].data())).toEqual([1, 1, 1, 1].map(() => 10 * i));
    expect(Array.from(await results[1].data())).toEqual([i + 0.5, i + 0.5, i + 0.5]);
    for (const x of results) x.dispose();
  }
  expect(f.plans).toHaveLength(1);
  const { reclaimed: _, ...memory } = device.memory();
  const { tensors, pipelines } = memory;
  for (let i = 0; i < 20; i++) for (const x of await call(i)) x.dispose();
  expect(device.memory()).toMatchObject({ pipelines });
  expect(held(device)).toBe(tensors + _);
  f.dispose();
});

test("states change in place, all from their old values", async () => {
  const a = new State(tensor([1, 2, 3]));
  const b = new State(tensor([4, 5, 6]));
  const c = new State(tensor([0, 0, 0]));
  const f = compile(() => {
    assignAll([
      [a, b],
      [b, a],
      [c, add(a, b)],
    ]);
    return c;
  });
  expect(await (await f()).toArray()).toEqual([5, 7, 9]);
  expect(await a.toArray()).toEqual([4, 5, 6]);
  expect(await b.toArray()).toEqual([1, 2, 3]);
  await f();
  expect(await a.toArray()).toEqual([1, 2, 3]);
  expect([a.version, b.version, c.version]).toEqual([2, 2, 2]);
});

test("a state read at other places than it is written keeps its old value for the readers", async () => {
  const w = new State(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  const f = compile(() => {
    const product = matmul(w, w);
    w.assign(transpose(w));
    return product;
  });
  expect(await (await f()).toArray()).toEqual([
    [7, 10],
    [15, 22],
  ]);
  expect(await w.toArray()).toEqual([
    [1, 3],
    [2, 4],
  ]);
});

test("what is read after an assignment is the new value, and the last assignment counts", async () => {
  const n = new State(tensor(1));
  const f = compile(() => {
    n.assign(mul(n, 2));
    const doubled = add(n, 0.5);
    n.assign(add(n, 1));
    return { doubled, n };
  });
  const result = await f();
  expect([await result.doubled.item(), await result.n.item(), await n.item()]).toEqual([2.5, 3, 3]);
  expect(n.version).toBe(1);
});

test("one value may go to two states and out", async () => {
  const a = new State(tensor([0, 0]));
  const b = new State(tensor([0, 0]));
  const f = compile((x: Tensor) => {
    const y = mul(x, 10);
    assignAll([
      [a, y],
      [b, y],
    ]);
    return [y, y, x];
  });
  const x = tensor([1, 2]);
  const results = await f(x);
  for (const y of results.slice(0, 2)) expect(await y.toArray()).toEqual([10, 20]);
  results[2].dispose();
  expect(await x.toArray()).toEqual([1, 2]);
  a.assign(tensor([5, 5]));
  expect(await b.toArray()).toEqual([10, 20]);
});

test("tensors from outside are constants, computed once; states are read anew", async () => {
  const base = tensor([1, 2]);
  const lazy = mul(base, 100);
  const s = new State(tensor([0, 0]));
  const f = compile(() => add(add(lazy, s), tensor([0.5, 0.5])));
  expect(await (await f()).toArray()).toEqual([100.5, 200.5]);
  s.assign(mul(tensor([7, 8]), 1));
  expect(await (await f()).toArray()).toEqual([107.5, 208.5]);
  s.assign(tensor([9, 9]));
  expect(await (await f()).toArray()).toEqual([109.5, 209.5]);
  lazy.dispose();
  await expect(f()).rejects.toThrow("compile: depends on a tensor that was disposed");
});

test("a graph on a state's old value says so after a replay", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  const f = compile(() => w.assign(mul(w, 2)));
  const before = mul(w, 10);
  await f();
  await expect(before.data()).rejects.toThrow('"w" as it was before step 1; evaluate it first');
  expect(await w.toArray()).toEqual([2, 4]);
});

test("mistakes are told", async () => {
  const x = tensor([1, 2]);
  const promised = compile(async () => x);
  await expect(promised()).rejects.toThrow(
    "compile: fn returned a promise; expected a synchronous",
  );
  const inner = compile((y: Tensor) => add(y, 1));
  let inside: Promise<unknown> = Promise.resolve();
  await compile((y: Tensor) => {
    inside = inner(y);
    inside.catch(() => {});
    return y;
  })(x);
  await expect(inside).rejects.toThrow(
    "compile: called in a function that is being compiled; expected plain functions there. " +
      "Call the function that was compiled",
  );
  const making = compile(() => new State(tensor(0)));
  await expect(making()).rejects.toThrow("state: made in a function that is being compiled");
  const failing = compile(() => {
    throw new Error("mine");
  });
  await expect(failing()).rejects.toThrow("mine");
  await expect(failing()).rejects.toThrow("mine");
  expect(() => compile(() => x, { stepsPerSubmit: 0 })).toThrow(
    "compile: stepsPerSubmit 0; expected an integer from 1",
  );
  const s = new State(tensor([1, 2]), { name: "s" });
  const onState = compile(() => add(s, 1));
  await onState();
  s.dispose();
  await expect(onState()).rejects.toThrow("was disposed; expected a live tensor");
  let leaked = x;
  const leaking = compile((y: Tensor) => {
    leaked = mul(y, 2);
  });
  await leaking(x);
  await expect(leaked.data()).rejects.toThrow(
    "data: depends on an argument of a compiled function; return from there what you read",
  );
  // A trace that failed leaves states as they were.
  const t = new State(tensor(3));
  const half = compile(() => {
    t.assign(add(t, 1));
    throw new Error("half");
  });
  await expect(half()).rejects.toThrow("half");
  expect(await t.item()).toBe(3);
});

test("reading inside is an error that names the call", async () => {
  let reading: Promise<unknown> = Promise.resolve();
  const f = compile((x: Tensor) => {
    reading = x.item().catch((error: Error) => error.message);
    return add(x, 1);
  });
  await f(tensor(1));
  expect(await reading).toBe(
    "item: called in a function that is being compiled; expected no reads there. " +
      "Return the tensor and read it outside",
  );
});

test("calls keep their order though nobody waits for them", async () => {
  const trail = new State(tensor([1, 1]));
  const f = compile((x: Tensor) => trail.assign(add(mul(trail, 10), sum(x))));
  const calls = [f(tensor([1])), f(tensor([1, 1])), f(tensor([3])), f(tensor([1, 1, 1, 1]))];
  await Promise.all(calls);
  expect(await trail.toArray()).toEqual([11234, 11234]);
});

/** A function that was never called: its first call has to wait for its plan. */
function coldStep(name: string) {
  const state = new State(tensor([1, 2]), { name });
  const read = compile((x: Tensor) => add(state, x), { name: "read" });
  const change = compile((x: Tensor) => {
    state.assign(add(mul(state, 10), x));
    return sum(state);
  });
  return { state, read, change };
}

describe.each(inBrowser ? [undefined] : (["compiled", "plain"] as const))(
  "a first call that nobody waits for, on an engine that is %s, comes before",
  (engine) => {
    beforeAll(async () => void (await ownDevice({ engine })));
    afterAll(() => setDefaultDevice(device));

    test("an assignment of a state that it reads", async () => {
      const { state, read } = coldStep("assigned");
      const reading = read(tensor(1));
      state.assign(tensor([100, 200]));
      expect(await (await reading).toArray()).toEqual([2, 3]);
      expect(await state.toArray()).toEqual([100, 200]);
    });

    test("reads, assignments and graphs on a state that it changes", async () => {
      const { state, change } = coldStep("changed");
      const calls = [change(tensor(3)), change(tensor(4)), change(tensor([5, 6]))];
      const after = mul(state, 2); // built on what the calls leave
      const values = state.toArray();
      state.assign(add(state, 1));
      expect(await values).toEqual([1345, 2346]);
      expect(await state.toArray()).toEqual([1346, 2347]);
      const sums = await Promise.all(calls);
      expect(await Promise.all(sums.map((x) => x.item()))).toEqual([36, 368, 3691]);
      await expect(after.data()).rejects.toThrow(/as it was before step 4; evaluate it first/);
    });

    test("graphs of functions that are traced to be mapped or to stand in", async () => {
      const { state, change } = coldStep("mapped");
      const last = change(tensor(3));
      const mapped = vmap((x: Tensor) => add(x, state))(tensor([[1, 1]]));
      expect(await mapped.toArray()).toEqual([[14, 24]]);
      await last;
      const looped = coldStep("looped");
      const before = looped.change(tensor(3));
      const [sums] = scan(
        (c: Tensor, x: Tensor) => [add(c, mul(looped.state, x)), x],
        zeros([2]),
        ones([2]),
      );
      expect(await sums.toArray()).toEqual([26, 46]);
      await before;
      const other = coldStep("stand-in");
      const called = other.change(tensor(3));
      substitute([[other.state, tensor([7, 7])]], () => mul(other.state, 1));
      expect(await other.state.toArray()).toEqual([13, 23]);
      await called;
    });

    test("the end of what it is given, and of what that is made of", async () => {
      const { read, change, state } = coldStep("given");
      const [x, a] = [tensor([10, 20]), tensor([3, 4])];
      const product = mul(a, 2);
      const calls = [read(x), change(product)] as const;
      x.dispose();
      a.dispose();
      product.dispose();
      expect(await (await calls[0]).toArray()).toEqual([11, 22]);
      await calls[1];
      expect(await state.toArray()).toEqual([16, 28]);
    });

    test("what takes over the values that it is given", async () => {
      const { read, state } = coldStep("taken");
      const [x, y] = [mul(tensor([10, 20]), 1), mul(tensor([30, 40]), 1)];
      const first = read(x);
      new State(x).assign(tensor([0, 0]));
      const second = coldStep("taken too").read(y);
      state.assign(y);
      state.assign(tensor([0, 0]));
      expect(await (await first).toArray()).toEqual([11, 22]);
      expect(await (await second).toArray()).toEqual([31, 42]);
    });

    test("the end of a tensor that its function holds", async () => {
      const [c, d] = [tensor([3, 4]), tensor([5, 6])];
      evaluate(c, d);
      const calls = [c, d].map((held) => compile((x: Tensor) => mul(x, held))(tensor(2)));
      c.dispose();
      new State(d).assign(tensor([0, 0]));
      const results = await Promise.all(calls);
      expect(await Promise.all(results.map((y) => y.toArray()))).toEqual([
        [6, 8],
        [10, 12],
      ]);
    });

    test("the end of a state", async () => {
      const { state, change } = coldStep("ended");
      const last = change(tensor(1));
      state.dispose();
      expect(await (await last).item()).toBe(32);
      await expect(change(tensor(1))).rejects.toThrow("was disposed");
    });

    test("calls of other functions that touch its states, whose plans are there", async () => {
      const { state, read, change } = coldStep("shared");
      await read(tensor(0));
      const calls = [change(tensor(1)), read(tensor(0)), change(tensor([1])), read(tensor(0))];
      const results = await Promise.all(calls);
      expect(await results[1].toArray()).toEqual([11, 21]);
      expect(await results[3].toArray()).toEqual([111, 211]);
      const reset = compile(() => state.assign(zeros([2])));
      await reset.prepare();
      const [before] = await Promise.all([
        compile((x: Tensor) => mul(state, x))(tensor(1)),
        reset(),
      ]);
      expect(await before.toArray()).toEqual([111, 211]);
      expect(await state.toArray()).toEqual([0, 0]);
    });

    test("a state that is itself among what it is given", async () => {
      const { state } = coldStep("among");
      const twice = compile((x: Tensor) => mul(x, 2));
      const doubled = twice(state);
      state.assign(tensor([5, 6]));
      expect(await (await doubled).toArray()).toEqual([2, 4]);
      const { state: own, change } = coldStep("own");
      const both = [change(own), twice(own)];
      expect(await (await both[1]).toArray()).toEqual([22, 44]);
      await both[0];
    });

    test("what others do goes on, and errors are the call's own", async () => {
      const { state, change } = coldStep("other");
      const x = tensor([1, 2]);
      const last = change(tensor([1, 2, 3]) as Tensor).catch((error: Error) => error.message);
      state.assign(x);
      expect(await last).toMatch(/do not broadcast|expected/);
      const { change: slow, state: own } = coldStep("slow");
      const { version } = own;
      let isOver = false;
      const waiting = slow(tensor(1)).then(() => {
        isOver = true;
      });
      using y = add(x, 1);
      evaluate(y); // touches nothing of it
      const isAtOnce = engine === "plain"; // there is nothing to build
      expect([own.version, isOver]).toEqual([version + Number(isAtOnce), false]);
      await waiting;
      expect(own.version).toBe(version + 1);
    });

    test("what debug has still to check", async () => {
      await debug(async () => {
        const { state, change } = coldStep("checked");
        const calls = [change(tensor(1)), change(tensor(2))];
        state.assign(add(state, 1));
        expect(await state.toArray()).toEqual([113, 213]);
        await Promise.all(calls);
        expect(await state.toArray()).toEqual([113, 213]);
      });
    });
  },
);

test("calls that wait for their plans end with their device", async () => {
  const own = await ownDevice();
  const { state, change } = coldStep("gone");
  const calls = [change(tensor(1)), change(tensor([1])), change(tensor(2))];
  own.dispose();
  setDefaultDevice(device);
  for (const call of await Promise.allSettled(calls)) {
    expect(call).toMatchObject({
      reason: { message: expect.stringMatching(/disposed.*; expected/) },
    });
  }
  expect(() => add(state, 1)).toThrow(/disposed.*; expected/);
});

test("scopes and evaluations inside change nothing", async () => {
  const f = compile((x: Tensor) => scope(() => add(mul(x, 2), sum(mul(x, 3)))));
  expect(await (await f(tensor([1, 2]))).toArray()).toEqual([11, 13]);
});

test("a scope inside takes typed arrays of the call in its result", async () => {
  const f = compile((values: Float32Array) => {
    const { x, length } = scope(() => ({ values, x: tensor(values), length: values.length }));
    return mul(x, length);
  });
  expect(await (await f(Float32Array.of(1, 2))).toArray()).toEqual([2, 4]);
});

test("results of size 0 and results that are constants", async () => {
  const f = compile((x: Tensor) => ({ empty: mul(x, 2), one: add(sum(x), 1) }));
  const { empty, one } = await f(tensor(new Float32Array(0), { shape: [0, 3] }));
  expect(empty.shape).toEqual([0, 3]);
  expect((await empty.data()).length).toBe(0);
  expect(await one.item()).toBe(1);
});

test("progress is told while a plan is built, and prepare runs nothing", async () => {
  const told: [number, number][] = [];
  const n = new State(tensor(0));
  const f = compile((x: Tensor) => n.assign(add(n, sum(sigmoid(matmul(x, x))))), {
    onProgress: (built, total) => told.push([built, total]),
  });
  const x = randomNormal([5, 5], { seed: 1 });
  const plan = await f.prepare(x);
  expect(await n.item()).toBe(0);
  if (device.kind === "webgpu") {
    const { dispatches } = await plan.stats();
    expect(told[0]).toEqual([0, dispatches]);
    expect(told.at(-1)).toEqual([dispatches, dispatches]);
  }
  await f(x);
  expect(await n.item()).not.toBe(0);
});

test("a profile tells each kernel's time and opens in trace viewers; the run counts", async () => {
  const n = new State(tensor([1, 1, 1]));
  const f = compile((x: Tensor) => {
    n.assign(add(n, sum(x)));
    return relu(matmul(x, transpose(x)));
  });
  const x = randomNormal([8, 8], { seed: 1 });
  const before = held(device);
  const profile = await f.profile(x);
  expect(n.version).toBe(1);
  const { kernels, flops, bytes, peakBytes } = await f.plans[0].stats();
  expect(profile.kernels.length).toBe(kernels.length);
  expect(flops).toBeGreaterThanOrEqual(2 * 8 ** 3);
  expect(flops).toBe(kernels.reduce((sum, kernel) => sum + kernel.flops, 0));
  expect(bytes).toBe(kernels.reduce((sum, kernel) => sum + kernel.bytes, 0));
  expect(peakBytes).toBeGreaterThanOrEqual(0);
  for (const { start, duration } of profile.kernels) {
    expect(start).toBeGreaterThanOrEqual(0);
    expect(duration).toBeGreaterThanOrEqual(0);
  }
  const { traceEvents, ...rest } = JSON.parse(chromeTrace(profile));
  expect(rest).toEqual({ displayTimeUnit: "ns" });
  const { clock } = profile;
  const events = profile.kernels.map(({ name, start, duration }, dispatch) => {
    const when = { ts: start, dur: duration };
    return { name, cat: "kernel", ph: "X", ...when, pid: 1, tid: 1, args: { dispatch, clock } };
  });
  expect(traceEvents).toEqual(events);
  expect(held(device)).toBe(before + 2); // x and n are on the device now
  expect(await explain(f.plans[0])).toContain(device.kind === "webgpu" ? "matmul+relu" : "matmul");
  const code = await explain(f.plans[0], { code: 1 });
  expect(code).toMatch(device.kind === "webgpu" ? /@compute/ : /\(func \$f|plain TypeScript: /);
});

/** A small network of its own for each way of running it. */
function network() {
  const w = new Parameter(randomNormal([6, 5], { seed: 1 }), { name: "w" });
  const b = new Parameter(randomNormal([5], { seed: 2 }), { name: "b" });
  const v = new Parameter(randomNormal([5, 3], { seed: 3 }), { name: "v" });
  const loss = (x: Tensor, y: Tensor) =>
    mean(square(sub(matmul(sigmoid(add(matmul(x, w), b)), v), y)));
  const step = (x: Tensor, y: Tensor) => {
    const value = loss(x, y);
    const states = [w, b, v];
    const grads = grad(value, states);
    assignAll(
      states.map((state, i) => [state, sub(state, mul(grads[i], 0.3))] as const),
      [value],
    );
    return value;
  };
  return { states: [w, b, v], step };
}

test("replays agree with the same steps evaluated one by one, and with each other bit for bit", async () => {
  const [eager, one, two] = [network(), network(), network()];
  const compiled = [compile(one.step), compile(two.step)];
  for (let i = 0; i < 200; i++) {
    using x = randomNormal([7, 6], { seed: 10 + i });
    using y = randomNormal([7, 3], { seed: 1000 + i });
    eager.step(x, y).dispose();
    for (const step of compiled) (await step(x, y)).dispose();
  }
  for (const [k, state] of eager.states.entries()) {
    const want = await state.data();
    const got = await one.states[k].data();
    const scale = Math.max(...Array.from(want, Math.abs));
    for (const [i, value] of got.entries()) {
      expect(Math.abs(value - want[i])).toBeLessThanOrEqual(1e-5 * scale);
    }
    expect(await two.states[k].data()).toEqual(got);
  }
});

test("2,000 runs leave memory and counts of what exists where they were", async () => {
  // On a device of its own, where the collector has nothing of other tests to take.
  const own = await ownDevice();
  const { step } = network();
  const compiled = compile(step);
  const x = randomNormal([7, 6], { seed: 1 });
  const y = randomNormal([7, 3], { seed: 2 });
  for (let i = 0; i < 10; i++) (await compiled(x, y)).dispose();
  const { reclaimed: _, ...memory } = own.memory();
  const mark = own.counters.now;
  for (let i = 0; i < 2000; i++) (await compiled(x, y)).dispose();
  expect(own.memory()).toMatchObject(memory);
  const { bindGroups, pipelines, writes, reads } = own.counters.since(mark);
  expect({ bindGroups, pipelines, writes, reads }).toEqual({
    bindGroups: 0,
    pipelines: 0,
    writes: 0,
    reads: 0,
  });
  own.dispose();
  setDefaultDevice(device);
});
