import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type GradusError, KernelError, MemoryError } from "../../src/core/errors.ts";
import type { EngineDevice } from "../../src/engine/device.ts";
import type { Program } from "../../src/engine/program.ts";
import { nextNodeId } from "../../src/graph/node.ts";
import { defineOp } from "../../src/graph/op.ts";
import { apply, readAll } from "../../src/graph/tensor.ts";
import {
  add,
  assignAll,
  compile,
  customGrad,
  DeviceError,
  evaluate,
  grad,
  init,
  mul,
  ones,
  Parameter,
  State,
  scope,
  setDefaultDevice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { cpuEngines } from "../support/cpu-engines.ts";
import { type Call, draw, floats, place } from "../support/op-case.ts";
import { PATIENT } from "../support/patient.ts";

let device: EngineDevice;
beforeEach(async () => {
  device = (await init({ device: "cpu", isolated: true })).device as EngineDevice;
  setDefaultDevice(device);
});
afterEach(() => {
  vi.restoreAllMocks();
  device.dispose();
});

/** What must stay where it is, less what the collector may take. */
function counts() {
  const { reclaimed: _, ...rest } = device.memory();
  return rest;
}

const otherTasks = () => new Promise<void>((resolve) => setTimeout(resolve));

/** An op that adds a number to each element. */
function adds(n: number) {
  return defineOp<Record<string, never>>({
    name: "adds",
    infer: ([x]) => x,
    cpu: (y, [x]) => y.data.set(Array.from(x.data, (value) => value + n)),
    linear: true,
    form: {
      kind: "pointwise",
      element: ({ at, load, scalars, y }) => {
        const m = scalars(y.dtype);
        return m.call("+", load(0, at), m.literal(n));
      },
    },
    vjp: null,
  });
}

describe("ops are known by what they are, not by their names", () => {
  const [one, ten] = [adds(1), adds(10)];

  test("in the plans of evaluations", async () => {
    expect(await apply(one, [tensor([1, 2])], {}).toArray()).toEqual([2, 3]);
    expect(await apply(ten, [tensor([1, 2])], {}).toArray()).toEqual([11, 12]);
    expect(await apply(one, [tensor([3, 4])], {}).toArray()).toEqual([4, 5]);
    expect(device.memory().plans).toBe(2);
  });

  test("in one program", async () => {
    const x = tensor([1, 2]);
    const y = add(apply(one, [x], {}), mul(apply(ten, [x], {}), 100));
    expect(await y.toArray()).toEqual([1102, 1203]);
    const f = compile((z: Tensor) => [apply(one, [z], {}), apply(ten, [z], {})]);
    const [a, b] = await f(x);
    expect([await a.toArray(), await b.toArray()]).toEqual([[2, 3], [11, 12]]); // biome-ignore format: two lists
  });
});

describe("a loop that repeats itself makes no plans", () => {
  /** Runs a call with its gradients on other numbers. */
  const run = (call: Call, isSmooth: boolean, seed: number) =>
    scope(() => {
      const inputs = place(call, draw(call, seed), device, "f64");
      const y = call.run(...inputs);
      const targets = isSmooth ? floats(call, inputs) : [];
      evaluate(y, ...(targets.length > 0 ? grad(sum(square(y)), targets) : []));
    });

  for (const [name, { calls, gradient }] of tables) {
    test(name, () => {
      for (const call of calls) {
        run(call, gradient === true, 1);
        const { plans } = device.memory();
        for (const seed of [2, 3]) run(call, gradient === true, seed);
        expect(device.memory().plans).toBe(plans);
      }
    });
  }

  test("a gradient of one's own, at each call a new one", () => {
    const w = new Parameter(tensor([1, 2]));
    const step = (slope: number) => {
      const twice = customGrad((x: Tensor) => mul(x, 2), (g) => [mul(g, slope)]); // biome-ignore format: one line
      assignAll([[w, sub(w, grad(sum(twice(w)), [w])[0])]]);
    };
    for (let i = 0; i < 2; i++) step(3);
    const { plans } = device.memory();
    for (let i = 0; i < 5; i++) step(3);
    expect(device.memory().plans).toBe(plans);
  });
});

describe("plans of evaluations", () => {
  test("are made for what must be computed only", () => {
    evaluate();
    evaluate(tensor([1, 2]), new State(tensor(3)));
    expect(counts()).toMatchObject({ plans: 0, tensors: 2 });
  });

  test("are forgotten from the 257th on, the longest unused first, with their buffers", async () => {
    const run = (n: number) => {
      const x = tensor(new Float32Array(n + 1));
      const y = sum(softmax(add(x, 1))); // a sum of what lies in a buffer of the plan
      evaluate(y);
      for (const z of [x, y]) z.dispose();
    };
    const compiled = vi.spyOn(device as unknown as { compile(p: Program): unknown }, "compile");
    for (let n = 1; n <= 256; n++) run(n);
    const full = counts();
    expect(full).toMatchObject({ plans: 256, tensors: 0 });
    expect(full.buffers).toBeGreaterThanOrEqual(256);
    run(1); // is the youngest now
    expect(compiled).toHaveBeenCalledTimes(256);
    for (let n = 257; n <= 600; n++) {
      run(n);
      if (n % 100 === 0) run(1);
    }
    expect(compiled).toHaveBeenCalledTimes(600);
    expect(counts()).toMatchObject({ plans: 256, tensors: 0, buffers: full.buffers });
    run(2); // went first
    expect(compiled).toHaveBeenCalledTimes(601);
    run(1);
    expect(compiled).toHaveBeenCalledTimes(601);
  });
});

describe("plans of a compiled function", () => {
  test("10,000 calls with other numbers and shapes keep 64, and warn once what changes", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const f = compile((x: Tensor, options: { by: number }) => {
      return sum(mul(x, tensor([options.by]))); // a constant on the device
    });
    let early = counts();
    for (let i = 0; i < 10_000; i++) {
      using x = ones([1 + ((i >> 7) % 70)]);
      using y = await f(x, { by: i });
      if (i % 2500 === 199) expect(await y.item()).toBe(i * x.size);
      if (i === 199) early = counts();
      if (i === 9999) expect(counts().buffers).toBe(early.buffers);
    }
    expect(f.plans).toHaveLength(64);
    expect(warn.mock.calls).toEqual([
      [
        "compile: more than 64 plans, one for each set of arguments, so the oldest go; " +
          "argument 1.by was 63 and is 64. Give what changes from call to call as a tensor of one shape",
      ],
    ]);
    f.dispose();
    expect(counts()).toMatchObject({ tensors: 0, buffers: 0, bytes: 0 });
  });

  test("the longest unused goes first, 64 of them without a warning", async () => {
    const warn = vi.spyOn(console, "warn");
    const traced: number[] = [];
    const f = compile((by: number) => {
      traced.push(by);
      return tensor([by]);
    });
    for (let i = 0; i < 64; i++) await f(i);
    expect(warn).not.toHaveBeenCalled();
    warn.mockImplementation(() => {});
    await f(0);
    await f(64);
    await f(0);
    expect(traced).toHaveLength(65);
    await f(1);
    expect(traced.slice(64)).toEqual([64, 1]);
    await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(1), PATIENT);
  });

  test("what is kept has its buffers from call to call", async () => {
    const f = compile((x: Tensor) => sum(mul(add(x, 1), add(x, 2))));
    const x = tensor([1, 2]);
    (await f(x)).dispose();
    const mark = device.counters.now;
    for (let i = 0; i < 10; i++) (await f(x)).dispose();
    expect(device.counters.since(mark).buffers).toBe(10); // the sums
  });

  test("none goes while its call is under way", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const trail = new State(tensor([0]));
    const f = compile((by: number) => {
      trail.assign(add(trail, by));
      return mul(trail, 2);
    });
    const calls = Array.from({ length: 200 }, (_, i) => f(i));
    expect(f.plans).toHaveLength(200);
    const results = await Promise.all(calls);
    expect(await results[199].toArray()).toEqual([2 * ((199 * 200) / 2)]);
    expect(f.plans).toHaveLength(64);
    const more = [f(1000), f(1001)];
    f.dispose();
    expect(await (await more[1]).toArray()).toEqual([2 * ((199 * 200) / 2 + 2001)]);
    for (const y of [...results, ...(await Promise.all(more)), trail]) y.dispose();
    expect(counts()).toMatchObject({ tensors: 0, buffers: 0 });
  });

  test("one that is let go while its call is under way goes with that", async () => {
    const x = ones([20, 30]);
    const f = compile((x: Tensor) => sum(softmax(sum(mul(x, 2), { axis: 1 }))));
    (await f(x)).dispose();
    const held = counts().buffers;
    vi.spyOn(device, "room").mockImplementationOnce(otherTasks);
    const call = f(x);
    f.dispose();
    expect(counts().buffers).toBe(held + 1); // its result
    (await call).dispose();
    x.dispose();
    expect(counts()).toMatchObject({ tensors: 0, buffers: 0 });
  });

  test("one that is built when it has been let go is freed once more", async () => {
    let built = () => {};
    const make = device.plan.bind(device);
    const disposed = vi.fn();
    const made = vi.spyOn(device, "plan").mockImplementation((...args) => {
      const prepare = () => new Promise<void>((resolve) => (built = resolve));
      const plan = Object.assign(make(...args), { prepare, dispose: disposed });
      return Object.defineProperty(plan, "ready", { value: false });
    });
    const [w, c, x] = [new State(tensor([1])), tensor([2]), tensor([3])];
    const f = compile((x: Tensor) => add(mul(x, w), c));
    x.dispose();
    await expect(f(x)).rejects.toThrow("was disposed");
    expect(made.mock.calls[0][1]?.fixed).toEqual([false, true, true]); // in each run the same
    f.dispose();
    expect(disposed).toHaveBeenCalledTimes(1);
    built();
    await otherTasks();
    expect(disposed).toHaveBeenCalledTimes(2);
  });

  test("a call waits for its plan and for the calls before it, and for nothing else", async () => {
    const built: (() => void)[] = [];
    const ran: number[] = [];
    const make = device.plan.bind(device);
    vi.spyOn(device, "plan").mockImplementation((...args) => {
      const plan = make(...args);
      const number = built.length;
      const run = plan.run.bind(plan);
      let isBuilt = false;
      Object.defineProperty(plan, "ready", { get: () => isBuilt });
      plan.prepare = async () => {
        await new Promise<void>((resolve) => built.push(resolve));
        isBuilt = true;
      };
      plan.run = (sources) => {
        ran.push(number);
        return run(sources);
      };
      return plan;
    });
    const f = compile((x: Tensor) => add(x, 1));
    const early = [f(tensor([1])), f(tensor([2]))];
    const late = [f(tensor([1, 2])), f(tensor([1, 2, 3]))];
    built[2]();
    await otherTasks();
    expect(ran).toEqual([]);
    built[0]();
    await Promise.all(early);
    late.push(f(tensor([4]))); // its plan is there, the turn of those before it is not over
    await otherTasks();
    expect(ran).toEqual([0, 0]);
    built[1]();
    await Promise.all(late);
    expect(ran).toEqual([0, 0, 1, 2, 0]);
    const next = f(tensor([5]));
    expect(ran).toEqual([0, 0, 1, 2, 0, 0]);
    expect(await (await next).toArray()).toEqual([6]);
  });

  test("a call waits while the device is far behind, and hears if it is lost meanwhile", async () => {
    const f = compile((x: Tensor) => add(x, 1));
    const x = tensor([1]);
    await f(x);
    let go = () => {};
    const room = vi.spyOn(device, "room").mockImplementation(() => {
      return new Promise((resolve) => {
        go = resolve;
      });
    });
    let isOver = false;
    const call = f(x).then(() => {
      isOver = true;
    });
    for (let i = 0; i < 5; i++) await otherTasks();
    expect(isOver).toBe(false);
    go();
    await call;
    const lost = f(x);
    await otherTasks();
    device.dispose();
    go();
    await expect(lost).rejects.toThrow(DeviceError);
    expect(room).toHaveBeenCalledTimes(2);
  });

  test("disposing one leaves what its function made in the trace to who kept it", async () => {
    let kept: Tensor | undefined;
    const make = () =>
      compile((x: Tensor) => {
        kept ??= tensor([5, 7]);
        const constant = tensor([1, 1]);
        return add(mul(x, kept), constant);
      });
    const x = tensor([1, 2]);
    const [f, g] = [make(), make()];
    for (const h of [f, g, f]) expect(await (await h(x)).toArray()).toEqual([6, 15]);
    f.dispose();
    expect(await (await g(x)).toArray()).toEqual([6, 15]);
    expect(await kept?.toArray()).toEqual([5, 7]);
    expect(await (await f(x)).toArray()).toEqual([6, 15]);
  });

  test("disposing one frees what its function made in the trace first", async () => {
    const f = compile(() => mul(tensor([1, 2]), tensor([3, 4])));
    (await f()).dispose();
    expect(counts().tensors).toBe(2);
    f.dispose();
    expect(counts().tensors).toBe(0);
  });

  test("disposing one leaves what was made before it where it is", async () => {
    const outside = tensor([3, 3]);
    const f = compile((x: Tensor) => [add(x, outside), tensor([5, 7])]);
    for (const y of await f(tensor([1, 2]))) y.dispose();
    const before = counts();
    f.dispose();
    expect(counts().tensors).toBe(before.tensors - 1);
    const mark = device.counters.now;
    expect(await mul(outside, 2).toArray()).toEqual([6, 6]);
    expect(device.counters.since(mark).writes).toBe(0);
  });

  test("a function that fails when it is traced leaves nothing", async () => {
    const f = compile((x: Tensor) => {
      evaluate(add(x, 1));
      throw new Error("mine");
    });
    const x = tensor([1]);
    for (let i = 0; i < 100; i++) await expect(f(x)).rejects.toThrow("mine");
    expect(f.plans).toHaveLength(0);
    expect(counts()).toMatchObject({ tensors: 0, buffers: 0 });
  });
});

describe("what was evaluated on a state", () => {
  let derefs = 0;
  class CountedRef<T extends WeakKey> extends WeakRef<T> {
    override deref(): T | undefined {
      derefs++;
      return isCollected ? undefined : super.deref();
    }
  }
  let isCollected = false;
  const Original = globalThis.WeakRef;
  beforeEach(() => {
    derefs = 0;
    isCollected = false;
    globalThis.WeakRef = CountedRef;
  });
  afterEach(() => {
    globalThis.WeakRef = Original;
  });
  const losses = (w: State, n: number) => {
    const all = Array.from({ length: n }, () => sum(square(w)));
    for (const y of all) evaluate(y);
    return all;
  };

  test("is forgotten once it is freed, 64 at a time", () => {
    const w = new State(tensor([1, 2]));
    for (let i = 0; i < 640; i++) for (const y of losses(w, 1)) y.dispose();
    expect(derefs).toBe(9 * 64);
    w.assign(tensor([3, 4]));
    expect(derefs).toBe(10 * 64);
  });

  test("may be collected at any time", async () => {
    const w = new State(tensor([1, 2]));
    losses(w, 60);
    isCollected = true;
    losses(w, 60);
    expect(derefs).toBe(64);
    w.assign(tensor([3, 4]));
    expect(await w.toArray()).toEqual([3, 4]);
  });

  test("keeps its graph until the state changes, and is looked at ever more seldom", async () => {
    const w = new State(tensor([1, 2]));
    const all = losses(w, 640);
    expect(derefs).toBe(64 + 128 + 256 + 512);
    expect(await grad(all[0], [w])[0].toArray()).toEqual([2, 4]);
    w.assign(tensor([3, 4]));
    for (const y of all) expect(() => grad(y, [w])).toThrow("grad: y does not depend on");
    derefs = 0;
    w.assign(tensor([5, 6]));
    expect(derefs).toBe(0);
  });
});

test("a step whose states nobody looks at makes no nodes", async () => {
  const [w, n] = [new State(tensor([1, 2])), new State(tensor(0))];
  const f = compile(() => {
    w.assign(mul(w, 2));
    n.assign(add(n, 1));
  });
  const made = async () => {
    const before = nextNodeId();
    await f();
    return nextNodeId() - before;
  };
  await f();
  expect(w.node.ready).toBe(true); // to look where the value is keeps nothing
  expect(await made()).toBe(0);
  expect(await w.toArray()).toEqual([4, 8]);
  expect(await made()).toBe(1);
  expect(await made()).toBe(0);
  n.assign(sub(n, 4));
  evaluate(n);
  expect([await made(), await made()]).toEqual([1, 0]);
  expect([w.version, n.version, await n.item()]).toEqual([6, 7, 2]);
});

test("a state of values on the host is not uploaded before it is needed", () => {
  const mark = device.counters.now;
  const w = new State(tensor([1, 2]));
  expect(device.counters.since(mark).writes).toBe(0);
  evaluate(mul(w, 2));
  expect(device.counters.since(mark).writes).toBe(1);
});

test("a value on the host is written over the old one, in its memory", async () => {
  const [w, v] = [new State(tensor([1, 2])), new State(tensor([3, 4]))];
  evaluate(w, v);
  const { storage } = w.node;
  const mark = device.counters.now;
  w.assign(tensor([5, 6]));
  expect(w.node.storage).toBe(storage);
  expect(device.counters.since(mark)).toMatchObject({ buffers: 0, dispatches: 0, writes: 1 });
  expect(await w.toArray()).toEqual([5, 6]);
});

test("an assignment that fails half-way spoils all its states until they are assigned anew", async () => {
  const [w, v, fresh] = ["w", "v", "fresh"].map((name) => new State(tensor([1, 2]), { name }));
  evaluate(w, v);
  const error = new MemoryError("memory");
  vi.spyOn(device.session, "overwrite").mockImplementationOnce(() => {
    throw error;
  });
  const assignment = () =>
    assignAll([
      [fresh, fresh],
      [w, tensor([3, 4])],
      [v, tensor([5, 6])],
    ]);
  expect(assignment).toThrow(error);
  for (const state of [w, v, fresh]) await expect(state.data()).rejects.toBe(error);
  for (const state of [w, v, fresh]) state.assign(tensor([7, 8]));
  for (const state of [w, v, fresh]) expect(await state.toArray()).toEqual([7, 8]);
  const lazy = new State(tensor([1, 2]), { name: "lazy" });
  lazy.spoil(error);
  await expect(lazy.data()).rejects.toThrow(
    'data: depends on "lazy", which could not be assigned; assign it anew',
  );
  lazy.assign(tensor([9, 9]));
  expect(await lazy.toArray()).toEqual([9, 9]);
});

test("what nobody holds and nobody freed is freed by the collector, and counted", async () => {
  const { reclaimed } = device.memory();
  const { device: other } = await init({ device: "cpu", isolated: true });
  for (let i = 0; i < 10; i++) evaluate(tensor([i, i + 1]));
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  for (let i = 0; i < 100 && device.memory().tensors > 0; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(device.memory().tensors).toBe(0);
  expect(device.memory().reclaimed).toBeGreaterThanOrEqual(reclaimed + 10);
  expect(other.memory().reclaimed).toBe(0);
});

test("a device that was disposed holds nothing, whatever is freed later", async () => {
  for (const [engine, own] of Object.entries(await cpuEngines())) {
    const x = tensor([1, 2], { device: own });
    const state = new State(add(x, 1));
    const f = compile((y: Tensor) => add(state, y));
    const results = [add(x, 2), await f(x)];
    evaluate(results[0]);
    expect(own.memory(), engine).toMatchObject({ tensors: 4, plans: 2 });
    own.dispose();
    for (const one of [x, state, ...results]) one.dispose();
    f.dispose();
    const nothing = { tensors: 0, buffers: 0, bytes: 0, plans: 0, pipelines: 0, reclaimed: 0 };
    expect(own.memory(), engine).toEqual(nothing);
  }
});

describe("a read that fails", () => {
  const failing = (error: GradusError, times: number, source?: Tensor) => {
    const spy = vi.spyOn(device.session, "download");
    for (let i = 0; i < times; i++) {
      spy.mockImplementationOnce(async (wanted) => {
        for (const { storage } of wanted) storage.failure = error;
        if (source?.node.storage) source.node.storage.failure = error;
        throw error;
      });
    }
    return spy;
  };

  test("for want of memory is made once more, of values that are computed anew", async () => {
    const w = new State(tensor([1, 2]));
    const [x, host] = [tensor([3, 4]), tensor([5])];
    const [y, z] = [mul(w, 2), mul(x, 2)];
    const download = failing(new MemoryError("memory"), 1, x);
    const read = await readAll("mine", [y, host, z, y]);
    expect(read.map((values) => [...values])).toEqual([[2, 4], [5], [6, 8], [2, 4]]);
    expect(download).toHaveBeenCalledTimes(2);
    expect(counts().tensors).toBe(4);
    expect(await x.toArray()).toEqual([3, 4]);
    expect(await grad(sum(y), [w])[0].toArray()).toEqual([2, 2]);
  });

  test("twice gives the first error, and leaves what can be read later", async () => {
    const y = mul(new State(tensor([1, 2])), 2);
    const first = new MemoryError("memory");
    failing(first, 2);
    await expect(y.data()).rejects.toBe(first);
    expect(counts().tensors).toBe(1);
    expect(await y.toArray()).toEqual([2, 4]);
  });

  test("for another reason is not repeated, and spoils what it read", async () => {
    const y = mul(tensor([1, 2]), 2);
    const error = new KernelError("kernel");
    const download = failing(error, 1);
    await expect(y.data()).rejects.toBe(error);
    await expect(y.data()).rejects.toBe(error);
    expect(download).toHaveBeenCalledTimes(1);
  });
});

test("the collector is told of what is held, and of nothing else", async () => {
  let told = 0;
  /** Whether it stands for what a tensor holds; plans have memory, too. */
  const isOfTensor = (token: unknown) => Object.hasOwn(token as object, "held");
  const { register, unregister } = FinalizationRegistry.prototype;
  vi.spyOn(FinalizationRegistry.prototype, "register").mockImplementation(function (
    this: FinalizationRegistry<unknown>,
    ...args
  ) {
    if (isOfTensor(args[2])) told++;
    register.apply(this, args);
  });
  vi.spyOn(FinalizationRegistry.prototype, "unregister").mockImplementation(function (
    this: FinalizationRegistry<unknown>,
    token,
  ) {
    const wasTold = unregister.call(this, token);
    if (wasTold && isOfTensor(token)) told--;
    return wasTold;
  });
  const w = new State(tensor([1, 2]));
  const f = compile((x: Tensor) => {
    w.assign(add(w, x));
    return sum(w);
  });
  const held: Tensor[] = [];
  for (const x of [tensor([1, 2]), tensor([3, 4])]) {
    const y = square(w);
    evaluate(y);
    held.push(x, y, await f(x));
  }
  expect(told).toBe(counts().tensors);
  w.assign(mul(w, 2));
  evaluate(w);
  for (const x of held) x.dispose();
  expect(told).toBe(1);
  expect(counts().tensors).toBe(1);
  w.dispose();
  f.dispose();
  expect(told).toBe(0);
});

test("scope gives back any number of tensors", () => {
  const many = scope(() => Array.from({ length: 130_000 }, () => tensor(1)));
  expect(many[129_999].disposed).toBe(false);
  for (const x of many) x.dispose();
});
