import vm from "node:vm";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { BatchSampler, DeviceDataset, TensorDataset } from "../../src/data/index.ts";
import { warnOfPlans } from "../../src/engine/refusal-words.ts";
import { Signatures, signatureOf } from "../../src/engine/signature.ts";
import {
  add,
  compile,
  type Device,
  GradusError,
  init,
  mean,
  mul,
  randomNormal,
  randomPermutation,
  randomUniform,
  relu,
  State,
  setDefaultDevice,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  uniformAt,
} from "../../src/index.ts";
import { Dropout, Linear, type Module, Sequential } from "../../src/nn/index.ts";
import { xavierUniform } from "../../src/nn/init.ts";
import { OptimizerGroup, SGD, WeightAverage } from "../../src/optim/index.ts";
import {
  accumulatedStep,
  GeneticAlgorithm,
  gradientDescent,
  numericalGradient,
  trainStep,
} from "../../src/train/index.ts";
import { ownDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = (await init({ device: "cpu" })).device;
});
beforeEach(() => setDefaultDevice(device));

const x = () => tensor([1, 2, 3]);

async function read(value: Promise<Tensor>): Promise<unknown> {
  using result = await value;
  return result.toArray();
}

describe("typed arrays are inputs", () => {
  test("one buffer, filled again, gives what it holds at each call", async () => {
    const f = compile((values: Float32Array) => mul(tensor(values, { shape: [2, 2] }), 10));
    const buffer = Float32Array.of(1, 2, 3, 4);
    const first = f(buffer);
    buffer.fill(7); // before the plan of the first call is built
    const second = f(buffer);
    expect(await read(first)).toEqual([[10, 20], [30, 40]]); // biome-ignore format: a matrix
    expect(await read(second)).toEqual([[70, 70], [70, 70]]); // biome-ignore format: a matrix
    expect(f.plans).toHaveLength(1);
  });

  test("length and dtype are their signature, and what `tensor` makes of them is made anew", async () => {
    let traces = 0;
    const f = compile((given: Uint8Array | Float64Array) => {
      traces++;
      const whole = tensor(given, { dtype: "i32" });
      return [tensor(given, { dtype: "bool" }), whole, add(whole, tensor(given, { dtype: "i32" }))];
    });
    for (const given of [Uint8Array.of(0, 200), Float64Array.of(2, -3), Uint8Array.of(5, 0)]) {
      const [bits, whole, twice] = await f(given);
      expect(await bits.toArray()).toEqual(Array.from(given, (v) => Number(v !== 0)));
      expect(await whole.toArray()).toEqual(Array.from(given));
      expect(await twice.toArray()).toEqual(Array.from(given, (v) => 2 * v));
    }
    expect(traces).toBe(2);
    await f(new Uint8Array(3));
    expect(traces).toBe(3);
    await expect(f(Float64Array.of(1, 0.5))).rejects.toThrow(
      "tensor: 0.5 as value 1 of dtype i32; expected whole numbers that i32 holds",
    );
    const [bits] = await f(Float64Array.of(1, 0));
    expect(await bits.toArray()).toEqual([1, 0]);
    expect(traces).toBe(3);
  });

  test("sizes can be read inside, elements not", async () => {
    const f = compile((values: Float32Array) => {
      expect(values).toBeInstanceOf(Float32Array);
      expect(values.byteLength).toBe(4 * values.length);
      return mean(tensor(values, { shape: [values.length / 2, 2] }), { axis: 0 });
    });
    expect(await read(f(Float32Array.of(1, 2, 3, 4)))).toEqual([2, 3]);
    const reads: ((values: Float32Array) => unknown)[] = [
      (values) => values[0],
      (values) => [...values],
      (values) => values.slice(),
      (values) => values.buffer,
      (values) => new Float32Array(values),
      (values) => Math.max(...values),
      (values) => Object.keys(values),
      (values) => 0 in values,
      (values) => {
        values[0] = 1;
      },
    ];
    for (const readOne of reads) {
      const g = compile((values: Float32Array) => {
        readOne(values);
        return tensor(values);
      });
      await expect(g(Float32Array.of(1, 2))).rejects.toThrow(
        new GradusError(
          "compile: elements of a typed array are read in a function that is being compiled; " +
            "expected tensor(array) there, which takes them from the array of each call",
        ),
      );
    }
  });

  test("they serve the trace only", async () => {
    let kept: Float32Array | undefined;
    const f = compile((values: Float32Array) => {
      kept = values;
      return tensor(values);
    });
    await f(Float32Array.of(1));
    expect(() => tensor(kept as Float32Array)).toThrow(
      "expected it to be used while that is traced",
    );
  });

  test("arrays of another realm are typed arrays, wherever they lie", async () => {
    const f = compile(({ parts: [values] }: { parts: readonly Float32Array[] }) => tensor(values));
    const foreign: Float32Array = vm.runInNewContext("Float32Array.of(4, 5)");
    expect(foreign).not.toBeInstanceOf(Float32Array);
    expect(await read(f({ parts: [foreign] }))).toEqual([4, 5]);
    foreign[0] = 6;
    expect(await read(f({ parts: [foreign] }))).toEqual([6, 5]);
    expect(f.plans).toHaveLength(1);
  });

  test("of a kind that no tensor has, they are refused", async () => {
    const f = compile((_: unknown) => x());
    for (const given of [new BigInt64Array(1), new DataView(new ArrayBuffer(8))]) {
      await expect(f({ given })).rejects.toThrow(/^compile: argument 0\.given: data is a/);
    }
  });

  test("calls free what they upload, those that fail too", async () => {
    const shared = device;
    device = await ownDevice(); // with nothing of other tests that may be reclaimed
    const f = compile((values: Float32Array, y: Tensor) => add(tensor(values), y));
    const y = x();
    const values = new Float32Array(3);
    (await f(values, y)).dispose();
    const { reclaimed: _, ...before } = device.memory();
    for (let i = 0; i < 20; i++) (await f(values, y)).dispose();
    expect(device.memory()).toMatchObject(before);
    y.dispose();
    await expect(f(values, y)).rejects.toThrow("was disposed");
    expect(device.memory().buffers).toBe(before.buffers - 1);
    device = shared;
    setDefaultDevice(device);
  });

  test("a data set finds its examples by numbers that change", async () => {
    const data = new TensorDataset({ inputs: tensor([10, 20, 30]) });
    const f = compile((indices: Uint32Array) => data.batch(indices).inputs);
    const indices = Uint32Array.of(2, 0);
    expect(await read(f(indices))).toEqual([30, 10]);
    indices[0] = 1;
    expect(await read(f(indices))).toEqual([20, 10]);
  });
});

describe("steps take the batch that they are given", () => {
  const model = () => new Sequential(new Linear(1, 1, { bias: false }));
  const batch = { inputs: new Float32Array(4), targets: new Float32Array(4) };
  const loss = (net: Module, given: typeof batch) => {
    const [inputs, targets] = [given.inputs, given.targets].map((values) => {
      return tensor(values, { shape: [values.length, 1] });
    });
    return mean(square(sub(net.call(inputs), targets)));
  };
  const refill = (step: number) => {
    batch.inputs.forEach((_, i) => {
      batch.inputs[i] = step + i;
      batch.targets[i] = 3 * (step + i);
    });
  };

  for (const kind of ["trainStep", "accumulatedStep"] as const) {
    test(`${kind}, in one buffer`, async () => {
      const net = model();
      const optimizer = new SGD(net.parameters(), { learningRate: 0 });
      const options = { model: net, optimizer, loss };
      const step =
        kind === "trainStep" ? trainStep(options) : accumulatedStep({ ...options, accumulate: 2 });
      const want: number[] = [];
      for (let i = 0; i < 5; i++) {
        refill(i);
        await step(batch);
        want.push(await loss(net, batch).item());
      }
      expect((await step.read()).map((record) => record.loss)).toEqual(want);
      expect(new Set(want).size).toBe(5);
    });
  }

  test("the name in messages is that of what was called", async () => {
    const net = model();
    const optimizer = new SGD(net.parameters(), { learningRate: 0 });
    const run = {
      model: net,
      optimizer,
      loss: (_: Module, given: unknown) => loss(net, given as typeof batch),
    };
    await expect(trainStep(run)({ rates: new Map() })).rejects.toThrow(
      /^trainStep: batch\.rates is a Map; expected/,
    );
    const accumulated = accumulatedStep({ ...run, accumulate: 2 });
    await expect(accumulated({ rates: new Map() })).rejects.toThrow(
      /^accumulatedStep: batch\.rates is a Map; expected/,
    );
    const search = new GeneticAlgorithm({ model: net, loss: run.loss, populationSize: 4 });
    await expect(search.step(new Date())).rejects.toThrow(
      /^GeneticAlgorithm: batch is a Date; exp/,
    );
  });
});

describe("plain data are compared by value", () => {
  const values: [string, unknown, unknown][] = [
    ["numbers", 1, 2],
    ["-0 and 0", 0, -0],
    ["NaN and a number", Number.NaN, 0],
    ["strings", "a", "b"],
    ["a string and a number", "1", 1],
    ["booleans", true, false],
    ["null and undefined", null, undefined],
    ["null and a string", null, "null"],
    ["big integers", 1n, 2n],
    ["a big integer and a number", 1n, 1],
    ["lists", [1, 2], [1, 3]],
    ["lists of other lengths", [1], [1, undefined]],
    ["lists and objects", [1], { 0: 1 }],
    ["nesting", [[1], 2], [[1, 2]]],
    ["objects", { a: { b: 1 } }, { a: { b: 2 } }],
    ["names", { a: 1 }, { b: 1 }],
    ["functions", relu, square],
    ["a tensor and an array", x, () => Float32Array.of(1, 2, 3)],
  ];
  for (const [title, one, two] of values) {
    test(title, async () => {
      const given: unknown[] = [];
      const f = compile((_: Tensor, value: unknown) => {
        given.push(value);
        return x();
      });
      const make = (value: unknown) =>
        value === x ? x() : title.startsWith("a tensor") ? (value as () => unknown)() : value;
      for (const value of [one, two, one, two]) await f(x(), make(value));
      expect(f.plans).toHaveLength(2);
      expect(given).toHaveLength(2);
    });
  }

  test("equal ones share a plan, mutated ones do not", async () => {
    const f = compile((y: Tensor, { by, list }: { by: number; list: number[] }) =>
      mul(y, by + list[0]),
    );
    const options = { by: 1, list: [1] };
    expect(await read(f(x(), options))).toEqual([2, 4, 6]);
    expect(await read(f(x(), { by: 1, list: [1] }))).toEqual([2, 4, 6]);
    expect(f.plans).toHaveLength(1);
    options.list[0] = 2;
    expect(await read(f(x(), options))).toEqual([3, 6, 9]);
    options.by = 2;
    expect(await read(f(x(), options))).toEqual([4, 8, 12]);
  });
});

class Pair {
  constructor(
    readonly a: Tensor,
    readonly b: readonly Tensor[] = [],
    readonly scale = 1,
  ) {}
  get total(): Tensor {
    return mul(
      this.b.reduce((a, b) => add(a, b), this.a),
      this.scale,
    );
  }
}

class Hidden {
  #a = x();
  b = x();
  get a() {
    return this.#a;
  }
}

describe("objects", () => {
  test("of a class are inputs by the tensors in their properties", async () => {
    const f = compile((pair: Pair) => pair.total);
    expect(await read(f(new Pair(x(), [x()])))).toEqual([2, 4, 6]);
    expect(await read(f(new Pair(tensor([0, 0, 1]), [x()])))).toEqual([1, 2, 4]);
    expect(f.plans).toHaveLength(1);
    expect(await read(f(new Pair(x(), [], 3)))).toEqual([3, 6, 9]);
    expect(f.plans).toHaveLength(2);
  });

  test("of two classes have two plans, whatever their properties are called", async () => {
    class Difference extends Pair {
      override get total(): Tensor {
        return sub(this.a, this.b[0]);
      }
    }
    const f = compile((pair: Pair) => pair.total);
    expect(await read(f(new Pair(x(), [x()])))).toEqual([2, 4, 6]);
    expect(await read(f(new Difference(x(), [x()])))).toEqual([0, 0, 0]);
    expect(await read(f(new Pair(x(), [x()])))).toEqual([2, 4, 6]);
    expect(f.plans).toHaveLength(2);
  });

  test("with private fields say so when those are used", async () => {
    const shown = compile(({ b }: Hidden) => mul(b, 2));
    expect(await read(shown(new Hidden()))).toEqual([2, 4, 6]);
    const hidden = compile((_: number, { given }: { given: Hidden }) => given.a);
    const error = await hidden(1, { given: new Hidden() }).catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(GradusError);
    expect((error as Error).message).toMatch(
      /^compile: .*private.* \(argument 1\.given is given to fn as a copy .*Give it as a plain object/,
    );
    expect((error as Error).cause).toBeInstanceOf(TypeError);
  });

  test("that compiled functions know by identity", async () => {
    const known = () => {
      const net = new Sequential(new Linear(3, 3), new Dropout(0.5, { seed: 1 }));
      const data = new DeviceDataset(
        tensor(new Uint8Array(4), { shape: [2, 2] }),
        tensor(new Uint8Array(2)),
      );
      const optimizer = new SGD(net.parameters(), { learningRate: 1 });
      const sampler = new BatchSampler({ size: 2, batchSize: 1 });
      return [
        net,
        data,
        optimizer,
        sampler,
        new TensorDataset({ a: x() }),
        new WeightAverage(net.parameters()),
        new OptimizerGroup([optimizer]),
      ];
    };
    const [first, second] = [known(), known()];
    for (const [i, one] of first.entries()) {
      let traces = 0;
      const f = compile((y: Tensor, given: unknown) => {
        traces++;
        expect(given === one || given === second[i]).toBe(true);
        return y;
      });
      for (const given of [one, second[i], one, second[i]]) await f(x(), given);
      expect(traces, one.constructor.name).toBe(2);
    }
  });

  test("modules have a plan for each mode and for what is frozen", async () => {
    const net = new Sequential(new Linear(3, 3), new Dropout(0.5, { seed: 1 }));
    let traces = 0;
    const f = compile((given: Module, y: Tensor) => {
      traces++;
      return sum(given.call(y));
    });
    const y = tensor([[1, 2, 3]]);
    const evaluated = await read(f(net, y));
    net.train();
    const trained = await read(f(net, y));
    expect(trained).not.toBe(evaluated);
    expect(await read(f(net.eval(), y))).toBe(evaluated);
    expect(traces).toBe(2);
    net.freeze();
    await f(net, y);
    expect(traces).toBe(3);
  });

  test("modules have a plan for the parts that they have", async () => {
    const net = Object.assign(new Linear(3, 3, { bias: false }), { bias: new State(x()) });
    const f = compile((given: Linear, y: Tensor) => given.call(y));
    const y = tensor([[0, 0, 0]]);
    expect(await read(f(net, y))).toEqual([[1, 2, 3]]);
    Object.assign(net, { bias: new State(tensor([4, 5, 6])) });
    expect(await read(f(net, y))).toEqual([[4, 5, 6]]);
  });

  test("states are read anew and known by identity", async () => {
    const [s, t] = [new State(x()), new State(x())];
    const f = compile((state: State, by: Tensor) => state.assign(mul(state, by)));
    for (const state of [s, t, s]) await f(state, tensor(2));
    expect(await s.toArray()).toEqual([4, 8, 12]);
    expect(await t.toArray()).toEqual([2, 4, 6]);
  });

  test("on another device make another plan", async () => {
    const { device: other } = await init({ device: "cpu", isolated: true });
    const f = compile((y: Tensor) => mul(y, 2));
    expect(await read(f(x()))).toEqual([2, 4, 6]);
    using result = await f(tensor([5], { device: other }).reshape([1]));
    expect(result.device).toBe(other);
    using moved = await f(tensor([4, 5, 6], { device: other }));
    expect(moved.device).toBe(other);
    expect(await moved.toArray()).toEqual([8, 10, 12]);
  });
});

test.each<[unknown[], unknown[], string, string[]?]>([
  [[1, { by: 2 }], [1, { by: 3 }], "argument 1.by was 2 and is 3"],
  [[{ rate: 0.1 }], [{ rate: -0 }], "batch.rate was 0.1 and is -0", ["batch"]],
  [[[1, 2], 3], [[1], 3], "argument 0 was array of 2 and is array of 1"],
  [[1], [1, 2], "the arguments was array of 1 and is array of 2"],
  [["a"], ["b".repeat(99)], `argument 0 was "a" and is "${"b".repeat(79)}`],
])(
  "a warning of many plans tells what changed last: %j, %j",
  (before, now, what, parameters = []) => {
    const naming = { op: "compile", parameters };
    const [old, key] = [before, now].map((args) => signatureOf(args, naming).key);
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    warnOfPlans(64, now, naming, old, key);
    expect(warn.mock.calls).toEqual([
      [
        "compile: more than 64 plans, one for each set of arguments, so the oldest go; " +
          `${what}. Give what changes from call to call as a tensor of one shape`,
      ],
    ]);
    warn.mockRestore();
  },
);

describe("anything else is refused at the call", () => {
  class Settings {
    rate = 1;
  }
  class Closed {
    #x: Tensor | undefined;
    get x() {
      this.#x ??= x();
      return this.#x;
    }
  }
  const cycle: unknown[] = [];
  cycle.push({ inner: cycle });
  class Ring {
    list = cycle;
  }
  const rest = "modules, optimizers, functions, or plain data with these in it. ";
  const rule = `expected tensors, states, typed arrays, ${rest}`;
  const asPlain = "Give what is in it as tensors or plain data";
  const rows: [string, unknown, string][] = [
    [
      "a Map",
      new Map([["x", x]]),
      `is a Map; ${rule}Make it a plain object: Object.fromEntries(map)`,
    ],
    ["a Set", new Set([1]), `is a Set; ${rule}Make it an array: [...set]`],
    ["a Date", new Date(0), `is a Date; ${rule}${asPlain}`],
    ["an instance", new Settings(), `is a Settings; ${rule}${asPlain}`],
    ["an instance that holds a cycle", new Ring(), `is a Ring; ${rule}${asPlain}`],
    ["a tensor in a private field", new Closed(), `is a Closed; ${rule}${asPlain}`],
    ["a promise", Promise.resolve(1), `is a Promise; ${rule}await it`],
    ["a buffer", new ArrayBuffer(4), `is an ArrayBuffer; ${rule}Make it a typed array`],
    ["a symbol", Symbol("s"), `is Symbol(s); ${rule}${asPlain}`],
    ["a cycle", cycle, "0.inner holds itself; expected no cycle"],
  ];
  for (const [title, given, message] of rows) {
    test(title, async () => {
      let traces = 0;
      const f = compile((_: unknown, y: Tensor) => {
        traces++;
        return y;
      });
      const path = title === "a cycle" ? "argument 0.given." : "argument 0.given ";
      await expect(f({ given }, x())).rejects.toThrow(
        new GradusError(`compile: ${path}${message}`),
      );
      expect(traces).toBe(0);
    });
  }
});

describe("results are tensors, in arrays and plain objects, or nothing", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const expected = "expected tensors, in arrays and plain objects, or nothing";
  const rows: [string, () => unknown, string][] = [
    ["a number", () => 1, `fn returned 1; ${expected}`],
    ["a text in a list", () => [x(), "a"], `fn returned "a" at 1; ${expected}`],
    ["a function", () => ({ a: { b: relu } }), `fn returned a function at a.b; ${expected}`],
    ["an instance", () => new Pair(x()), `fn returned a Pair; ${expected}`],
    ["a Map", () => ({ m: new Map() }), `fn returned a Map at m; ${expected}`],
    ["a cycle", () => cycle, "the result of fn holds itself at self; expected no cycle"],
    ["a promise", async () => x(), "fn returned a promise; expected a synchronous function"],
    [
      "a promise of another realm",
      () => vm.runInNewContext("Promise.resolve(1)"),
      "fn returned a promise; expected a synchronous function",
    ],
  ];
  for (const [title, fn, message] of rows) {
    test(title, async () => {
      await expect(compile(fn)()).rejects.toThrow(new GradusError(`compile: ${message}`));
    });
  }

  test("a typed array that was given is none", async () => {
    const f = compile((values: Float32Array) => values);
    await expect(f(new Float32Array(1))).rejects.toThrow(
      `compile: fn returned a Float32Array; ${expected}`,
    );
  });

  test("each call has its own, also of nothing", async () => {
    const n = new State(tensor(0));
    const f = compile(() => {
      n.assign(add(n, 1));
      return { nothing: [null, undefined] };
    });
    const [one, two] = [await f(), await f()];
    expect(one).toEqual({ nothing: [null, undefined] });
    expect(one).toEqual(two);
    expect(one).not.toBe(two);
  });

  test("nothing may lie among them", async () => {
    const found = await compile(() => ({ y: x(), none: null, list: [undefined, x()] }))();
    expect(Object.keys(found)).toEqual(["y", "none", "list"]);
    expect([found.none, found.list[0]]).toEqual([null, undefined]);
    expect(
      await compile(() => {
        new State(x());
      })().catch((error: Error) => error.message),
    ).toMatch(/^state: made/);
  });
});

test("searches speak with their own names", async () => {
  const one = tensor([1, 2]);
  const noisy = (y: Tensor) => sum(mul(y, randomNormal([2])));
  await expect(gradientDescent(noisy, one, { learningRate: 0.1, steps: 1 })).rejects.toThrow(
    /^randomNormal: called without seed or key in a function that is being compiled/,
  );
  const awaited = (async (y: Tensor) => sum(y)) as unknown as typeof noisy;
  await expect(numericalGradient(awaited, one)).rejects.toThrow(/^numericalGradient: /);
});

describe("random numbers inside", () => {
  const draws: [string, () => Tensor][] = [
    ["randomNormal", () => randomNormal([2])],
    ["randomUniform", () => randomUniform([2])],
    ["randomPermutation", () => randomPermutation(4)],
    ["Dropout", () => new Dropout().call(x())],
    ["randomUniform", () => xavierUniform()([2, 2], { fanIn: 2, fanOut: 2 })],
  ];
  for (const [name, draw] of draws) {
    test(`${name} without a seed is an error that names what is meant`, async () => {
      await expect(compile(draw)()).rejects.toThrow(
        new RegExp(`^${name}: called without seed or key in a function .* uniformAt or normalAt`),
      );
    });
  }

  test("with a seed are the same in each run, from a counter new ones", async () => {
    const seeded = compile(() => randomNormal([4], { seed: 1 }));
    expect(await read(seeded())).toEqual(await read(seeded()));
    const counter = new State(tensor(0, { dtype: "u32" }));
    const drawn = compile(() => {
      const u = uniformAt(counter, [4], { seed: 1 });
      counter.assign(add(counter, 1));
      return u;
    });
    expect(await read(drawn())).not.toEqual(await read(drawn()));
  });
});

test("unknown options are refused", () => {
  expect(() => compile(x, { stepPerSubmit: 2 } as object)).toThrow(
    'compile: unknown option "stepPerSubmit"; expected onProgress, stepsPerSubmit, name, parameters, mirrorEvery, onDropped, count.' +
      ' Did you mean "stepsPerSubmit"?',
  );
  for (const name of ["stepsPerSubmit", "mirrorEvery"]) {
    expect(() => compile(x, { [name]: 0 })).toThrow(
      `compile: ${name} 0; expected an integer from 1`,
    );
  }
});

describe("arguments like the last ones", () => {
  class Pair {
    constructor(
      readonly a: unknown,
      readonly b: unknown,
    ) {}
  }
  function kindsOf() {
    const state = new State(tensor([1, 2, 3]));
    const model = new Sequential(new Linear(2, 2, { seed: 1 }));
    const y = tensor([4, 5, 6]);
    const sparse: unknown[] = [1];
    sparse.length = 2;
    const kinds: readonly (readonly unknown[])[] = [
      [],
      [undefined],
      [undefined, undefined],
      [null],
      [0],
      [-0],
      ["0"],
      [Number.NaN],
      [true],
      [1n],
      [Math.sin],
      [y],
      [tensor([1, 2, 3], { dtype: "i32" })],
      [tensor([[1, 2, 3]])],
      [state],
      [model],
      [Float32Array.of(1, 2, 3)],
      [Float32Array.of(1, 2, 3, 4)],
      [Int32Array.of(1, 2, 3)],
      [[y]],
      [[y, y]],
      [[]],
      [sparse],
      [[1, undefined]],
      [{}],
      [{ a: y, b: y }],
      [{ b: y, a: y }],
      [{ a: y, b: 1 }],
      [{ a: y, b: state }],
      [{ a: y }],
      [new Pair(y, y)],
      [Object.assign(Object.create(null), { a: y, b: y })],
      [{ a: { b: [y, 2, Float32Array.of(1)] } }, y],
      [{ a: { b: [y, 3, Float32Array.of(1)] } }, y],
    ];
    return kinds;
  }

  test("have the signature that they have taken apart", () => {
    const naming = { op: "f", parameters: [] };
    const kinds = kindsOf();
    for (const before of kinds) {
      for (const now of kinds) {
        const signatures = new Signatures();
        for (let i = 0; i < 3; i++) signatures.of(before, naming);
        const [found, wanted] = [signatures.of(now, naming), signatureOf(now, naming)];
        expect(found.key).toBe(wanted.key);
        expect(found.inputs).toEqual(wanted.inputs);
        found.inputs.forEach((input, i) => {
          expect(input).toBe(wanted.inputs[i]);
        });
      }
    }
  });

  test("are told apart where an object was changed, or what is in a module", () => {
    const naming = { op: "f", parameters: [] };
    const signatures = new Signatures();
    const model = new Sequential(new Linear(2, 2, { seed: 1 }));
    const batch: Record<string, unknown> = { x: tensor([4, 5, 6]), rate: 1 };
    const same = () =>
      expect(signatures.of([batch, model], naming)).toEqual(signatureOf([batch, model], naming));
    for (let i = 0; i < 3; i++) same();
    batch.rate = 2;
    same();
    same();
    batch.x = Float32Array.of(1);
    same();
    same();
    model.freeze();
    same();
  });
});
