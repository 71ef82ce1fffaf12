import { beforeAll, describe, expect, test } from "vitest";
import { defineOp, type OpDefinition } from "../../src/graph/op.ts";
import { apply } from "../../src/graph/tensor.ts";
import {
  add,
  argmax,
  cast,
  compile,
  concat,
  customGrad,
  type Device,
  DTypeError,
  debug,
  div,
  dot,
  foldIn,
  GradusError,
  gather,
  grad,
  IndexError,
  init,
  integersAt,
  keyFromSeed,
  matmul,
  memory,
  moments,
  moveAxis,
  mul,
  normalAt,
  Parameter,
  pad,
  permutationAt,
  randomUniform,
  relu,
  reshape,
  ShapeError,
  scatterAdd,
  scope,
  setDefaultDevice,
  slice,
  softmax,
  sort,
  square,
  stack,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tensor,
  topK,
  transpose,
  unbind,
  uniformAt,
  vmap,
  windows,
  writeAt,
  zeros,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Dropout, Linear, Sequential } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { expectClose, expectWithin } from "../support/close.ts";
import { lambertW } from "../support/custom-ops.ts";
import { ownDevice, testDevice } from "../support/device.ts";
import { tolerance } from "../support/op-case.ts";

let device: Device;
/** Where loops run: in a page each of their kernels would take long to compile. */
let reference: Device;
beforeAll(async () => {
  device = await testDevice();
  reference = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
});

const of = (...values: number[]) => tensor(values, { device });
const grid = (rows: number, columns: number, seed = 1, on = device) =>
  randomUniform([rows, columns], { low: -1, high: 1, seed, device: on });
const partsOf = (x: Tensor) => unbind(x, { axis: 0 });

describe("what a loop of calls gives", () => {
  test("comes at once, of tensors that differ and of those that stay", async () => {
    const x = tensor([[1, 2], [3, 4]], { device }); // biome-ignore format: a matrix
    const y = of(1, 10);
    expect(await vmap(dot, { inAxes: [0, null] })(x, y).toArray()).toEqual([21, 43]);
    expect(await vmap(dot, { inAxes: [1, 0] })(x, x).toArray()).toEqual([7, 22]);
    expect(await vmap(dot, { inAxes: [-1, null] })(x, y).toArray()).toEqual([31, 42]);
    const scaled = vmap((v: Tensor, k: Tensor) => mul(v, k));
    expect(await scaled(x, y).toArray()).toEqual([[1, 2], [30, 40]]); // biome-ignore format: a matrix
  });

  test("lies along the axis that is asked for", async () => {
    const x = zeros([5, 2, 3], { device });
    expect(vmap((v: Tensor) => v)(x).shape).toEqual([5, 2, 3]);
    expect(vmap((v: Tensor) => v, { outAxes: -1 })(x).shape).toEqual([2, 3, 5]);
    expect(vmap((v: Tensor) => v, { inAxes: 1, outAxes: 1 })(x).shape).toEqual([5, 2, 3]);
    const parts = vmap((v: Tensor) => [v, { total: sum(v) }] as const, {
      outAxes: [2, { total: 0 }],
    })(x);
    expect([parts[0].shape, parts[1].total.shape]).toEqual([[2, 3, 5], [5]]);
  });

  test("is taken of trees, and of plain data as it is", async () => {
    const fn = ({ a, b }: { a: Tensor; b: readonly Tensor[] }, times: number) =>
      mul(add(a, b[0]), times);
    const given = { a: of(1, 2), b: [of(10)] };
    const mapped = vmap(fn, { inAxes: [{ a: 0, b: [null] }, null] });
    expect(await mapped(given, 3).toArray()).toEqual([[33], [36]]);
    expect(await vmap(fn, { inAxes: [{ a: 0, b: null }, null] })(given, 3).toArray()).toEqual([
      [33],
      [36],
    ]);
  });

  test("is repeated where it is the same in all calls, and is not where that is asked for", async () => {
    const w = of(7, 8);
    const both = vmap((x: Tensor) => ({ x, w }), { outAxes: { x: 0, w: null } })(of(1, 2, 3));
    expect(both.w).toBe(w);
    expect(await vmap((_: Tensor) => w)(of(1, 2, 3)).toArray()).toEqual([[7, 8], [7, 8], [7, 8]]); // biome-ignore format: rows
    expect(vmap((x: Tensor) => [x, 5] as const, { outAxes: [0, null] })(w)[1]).toBe(5);
  });

  test("is nothing where there are no calls", async () => {
    const none = vmap((x: Tensor) => softmax(matmul(x, grid(3, 2))))(zeros([0, 4, 3], { device }));
    expect(none.shape).toEqual([0, 4, 2]);
    expect(await none.toArray()).toEqual([]);
  });

  test("is a value of its own", async () => {
    const x = of(1, 2);
    const y = vmap((v: Tensor) => v)(x);
    y.dispose();
    expect(await x.toArray()).toEqual([1, 2]);
  });
});

/** Functions of vectors of 6, by what they are made of. */
const functions: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  "views and windows": (x) => sum(windows(pad(transpose(reshape(x, [2, 3])), [[1, 0], [0, 2]]), 2)), // biome-ignore format: axes
  "parts that are joined": (x) => concat([slice(x, [{ step: -1 }]), x, slice(x, [{ start: 2 }])]),
  products: (x) =>
    matmul(matmul(reshape(x, [3, 2]), grid(2, 4, 1, x.device)), transpose(grid(5, 4, 2, x.device))),
  "products from the left": (x) => matmul(grid(4, 6, 1, x.device), x),
  "rows of a table": (x) =>
    gather(grid(6, 3, 1, x.device), argmax(stack([x, mul(x, -1)]), { axis: 1 })),
  "its own elements": (x) => gather(x, cast(mul(x, 3), "i32")),
  "what is added to": (x) =>
    scatterAdd(zeros([3], { device: x.device }), cast(mul(x, 3), "i32"), x),
  "an order": (x) => mul(sort(x).values, topK(x, 6, { largest: false }).values),
  "moments and a softmax": (x) => mul(softmax(x), add(moments(x).variance, moments(x).mean)),
  "an element in place": (x) => writeAt(x, cast(mul(sum(square(x)), 4), "u32"), sum(x)),
};

describe("all kinds of ops", () => {
  for (const [name, fn] of Object.entries(functions)) {
    test(name, async () => {
      const [x, own] = [device, reference].map((on) => grid(6, 4, 3, on));
      const rows = transpose(x);
      const slope = (v: Tensor) => grad(sum(square(fn(v))), [v])[0];
      for (const f of [fn, slope]) {
        const loop = [...(await stack(partsOf(transpose(own)).map(f)).data())];
        const near = (y: number) => tolerance(y, 10);
        expectWithin(await vmap(f, { inAxes: 1 })(x).data(), loop, near);
        // Twice: each column in two copies.
        const twice = vmap(vmap(f), { inAxes: 2, outAxes: 1 })(stack([rows, rows], { axis: 2 }));
        expectWithin(await moveAxis(twice, 1, 0).data(), [...loop, ...loop], near);
      }
    });
  }
});

describe("functions of functions", () => {
  test("each example of a net has a gradient of its own", async () => {
    const netOn = (on: Device) => {
      const net = new Sequential(
        new Linear(3, 4, { seed: 1, device: on }),
        relu,
        new Linear(4, 2, { seed: 2, device: on }),
      );
      const loss = (one: Tensor, label: Tensor) =>
        crossEntropy(net.call(reshape(one, [-1, 3])), reshape(label, [-1]));
      const slopes = (one: Tensor, label: Tensor) => grad(loss(one, label), net.parameters());
      const labels = tensor([0, 1, 1, 0, 1], { device: on, dtype: "i32" });
      return { slopes, x: grid(5, 3, 1, on), labels };
    };
    const { slopes, x, labels } = netOn(device);
    const found = await compile((a: Tensor, b: Tensor) => vmap(slopes)(a, b))(x, labels);
    expect(found.map(({ shape }) => shape)).toEqual([[5, 3, 4], [5, 4], [5, 4, 2], [5, 2]]); // biome-ignore format: shapes
    const own = netOn(reference);
    const [xs, ys] = [own.x, own.labels].map(partsOf);
    const loop = xs.map((one, i) => own.slopes(one, ys[i]));
    const mean = own.slopes(own.x, own.labels);
    for (const [k, g] of found.entries()) {
      expectClose(await g.data(), [...(await stack(loop.map((each) => each[k])).data())]);
      expectClose(await div(sum(g, { axis: 0 }), 5).data(), [...(await mean[k].data())]);
    }
  });

  test("a step trains through it as without it", async () => {
    const losses = await Promise.all(
      [true, false].map(async (isMapped) => {
        const on = isMapped ? device : reference;
        const model = new Linear(3, 2, { seed: 1, device: on });
        const step = trainStep({
          model,
          optimizer: new SGD(model.parameters(), { learningRate: 0.5 }),
          loss: (own, { x }: { x: Tensor }) =>
            sum(square(isMapped ? vmap((one: Tensor) => own.call(one))(x) : own.call(x))),
        });
        for (let i = 0; i < 3; i++) await step({ x: grid(4, 3, 1, on) });
        return (await step.read()).map(({ loss }) => loss);
      }),
    );
    expectClose(losses[0], losses[1]);
  });

  test("a product with one matrix is one product of all calls", async () => {
    const w = new Parameter(grid(3, 4));
    const step = compile((x: Tensor) => vmap((v: Tensor) => relu(matmul(v, w)))(x));
    const { kernels } = await (await step.prepare(grid(5, 3))).stats();
    expect(kernels.map(({ groups }) => groups)).toEqual([[["matmul", "relu"]]]);
  });

  test("gradients pass what is mapped, by rules of one's own too", async () => {
    const factor = tensor(3, { device });
    const double = customGrad(
      (v: Tensor, k: Tensor) => mul(v, k),
      (g, y, v, k) => [add(mul(g, 10), mul(factor, 0)), sum(mul(mul(g, sub(y, mul(v, k))), 5))],
    );
    const x = tensor([[1, 2], [3, 4]], { device }); // biome-ignore format: a matrix
    const k = tensor(2, { device });
    const [dx, dk] = grad(sum(vmap((v: Tensor) => double(v, k))(x)), [x, k]);
    expect(await dx.toArray()).toEqual([[10, 10], [10, 10]]); // biome-ignore format: a matrix
    expect(await dk.item()).toBe(0);
    const each = vmap((v: Tensor) => grad(sum(double(v, k)), [v])[0])(x);
    expect(await each.toArray()).toEqual([[10, 10], [10, 10]]); // biome-ignore format: a matrix
    const twice = vmap(vmap((v: Tensor) => grad(double(v, k), [v])[0]))(x);
    expect(await twice.toArray()).toEqual([[10, 10], [10, 10]]); // biome-ignore format: a matrix
    const [ds] = grad(sum(vmap((v: Tensor) => mul(v, stopGradient(v)))(x)), [x]);
    expect(await ds.toArray()).toEqual(await x.toArray());
  });

  test("second derivatives of each element", async () => {
    const cube = (v: Tensor) => mul(mul(v, v), v);
    const second = (v: Tensor) => grad(grad(cube(v), [v])[0], [v])[0];
    expect(await vmap(second)(of(1, 2, -3)).toArray()).toEqual([6, 12, -18]);
  });

  test("ops of one's own by their elements, and what debug finds in them", async () => {
    const slope = (v: Tensor) => grad(sum(lambertW(v)), [v])[0];
    const [x, own] = [device, reference].map((on) =>
      randomUniform([3, 4], { seed: 2, device: on }),
    );
    const expected = await stack(partsOf(own).map(slope)).data();
    expectWithin(await vmap(slope)(x).data(), expected, tolerance);
    const places = tensor([[0], [5]], { device, dtype: "i32" });
    const found = debug(() => vmap((i: Tensor) => gather(of(1, 2), i))(places).data());
    await expect(found).rejects.toThrow(IndexError);
    await expect(found).rejects.toThrow("data: index 5 at position 1 for gather");
  });

  test("a chain of any length", async () => {
    const long = (v: Tensor) => {
      let y = v;
      for (let i = 0; i < 20_000; i++) y = add(y, 1);
      return y;
    };
    expect(vmap(long)(of(1, 2)).shape).toEqual([2]);
  });
});

describe("draws", () => {
  const key = keyFromSeed(4);
  const draws: Readonly<Record<string, (step: Tensor) => Tensor>> = {
    uniform: (step) => uniformAt(step, [3], { key }),
    normal: (step) => normalAt(step, [2, 3], { key: foldIn(key, 1) }),
    integers: (step) => integersAt(step, [5], { key, high: 9, dtype: "i32" }),
    permutation: (step) => permutationAt(step, 7, { key }),
  };
  for (const [name, fn] of Object.entries(draws)) {
    test(`${name}: the same in all calls of one step, others where it differs`, async () => {
      const steps = tensor([3, 5, 4], { device, dtype: "u32" });
      const each = await Promise.all(
        [3, 5, 4].map((n) => fn(tensor(n, { device, dtype: "u32" })).data()),
      );
      const all = await vmap(fn)(steps).data();
      expect([...all]).toEqual(each.flatMap((values) => [...values]));
      const shared = vmap((x: Tensor) => [x, fn(tensor(5, { device, dtype: "u32" }))])(of(0, 0));
      expect([...(await shared[1].data())]).toEqual([...each[1], ...each[1]]);
    });
  }
});

test("nothing that is traced stays", async () => {
  const shared = device;
  device = await ownDevice(); // with nothing of other tests that may be reclaimed
  const x = of(1, 2, 3);
  const run = async () => {
    const y = scope(() => vmap((v: Tensor) => add(mul(v, tensor(2, { device })), 1))(x));
    expect(await y.toArray()).toEqual([3, 5, 7]);
    y.dispose();
  };
  await run(); // x goes to the device
  const { tensors, bytes } = memory();
  await run();
  expect(memory()).toMatchObject({ tensors, bytes });
  device = shared;
  setDefaultDevice(device);
});

const unruly: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "unruly",
  form: {
    kind: "kernel",
    batching: null,
    family: { prologueCost: 0, kernels: [], rule: () => [] },
    problem: ({ y: { dtype } }) => ({ dtype }),
  },
  vjp: null,
});

/** What is refused, with the whole message. */
const refused: Readonly<Record<string, readonly [run: () => unknown, error: GradusError]>> = {
  "an axis that is no integer": [
    () => vmap(relu, { inAxes: 0.5 }),
    new GradusError("vmap: inAxes 0.5; expected an integer, null, or arrays and objects of these"),
  ],
  "an axis that is not there": [
    () => vmap(relu, { inAxes: 2 })(grid(2, 3)),
    new ShapeError("vmap: axis 2 of argument 0, [2, 3]; expected an integer in [-2, 1]"),
  ],
  "an axis of a scalar": [
    () => vmap(add)(of(1), tensor(1, { device })),
    new ShapeError("vmap: axis 0 of argument 1, []; expected null for a scalar"),
  ],
  "an axis for the result that is not there": [
    () => vmap((x: Tensor) => [sum(x)], { outAxes: 1 })(grid(2, 3)),
    new ShapeError("vmap: axis 1 of the result.0, [2]; expected an integer in [-1, 0]"),
  ],
  "other numbers of calls": [
    () => vmap(add)(grid(2, 3), grid(3, 3)),
    new ShapeError("vmap: argument 1 has 3 along axis 0, one before it 2; expected as many"),
  ],
  "nothing to map": [
    () => vmap(relu, { inAxes: null })(of(1)),
    new GradusError("vmap: no tensor to map; expected one among the arguments, and an axis of it"),
  ],
  "what is no tensor": [
    () => vmap((x: Tensor, n: number) => mul(x, n))(of(1), 2),
    new GradusError(
      "vmap: argument 1 is 2; expected tensors, in arrays and plain objects, or inAxes null for it",
    ),
  ],
  "axes for fewer arguments": [
    () => vmap(add, { inAxes: [0] })(of(1), of(2)),
    new GradusError("vmap: inAxes has none for argument 1; expected one for each"),
  ],
  "axes for more arguments": [
    () => vmap(relu, { inAxes: [0, 0] } as never)(of(1)),
    new GradusError(
      'vmap: inAxes has "1" for the arguments, in which it is not; expected one for each',
    ),
  ],
  "axes within a tensor": [
    () => vmap(relu, { inAxes: [[0]] })(of(1)),
    new GradusError("vmap: inAxes an array for argument 0, a tensor; expected an integer or null"),
  ],
  "a result that is no tensor": [
    () => vmap((_: Tensor) => 3)(of(1)),
    new GradusError(
      "vmap: the result is 3; expected tensors, in arrays and plain objects, or outAxes null for it",
    ),
  ],
  "one result where it differs": [
    () => vmap(relu, { outAxes: null })(of(1)),
    new GradusError(
      "vmap: outAxes null for the result, which differs from call to call; expected an axis for it",
    ),
  ],
  "a promise": [
    () => vmap(async (x: Tensor) => x)(of(1)),
    new GradusError("vmap: fn returned a promise; expected a synchronous function"),
  ],
  "what is assigned": [
    () => {
      const drop = new Dropout(0.5, { seed: 1, device });
      drop.train();
      return vmap((x: Tensor) => drop.call(x))(of(1));
    },
    new GradusError(
      'vmap: fn assigns "step"; expected a function that assigns no state. Return what it would assign',
    ),
  ],
  "draws without a seed": [
    () => vmap((x: Tensor) => add(x, randomUniform([1], { device })))(of(1)),
    new GradusError(
      "randomUniform: called without seed or key in a function that is being mapped, whose runs would " +
        "all have the same numbers; expected uniformAt or normalAt, which draw anew from a step " +
        "counter. Give a seed where the same numbers are meant",
    ),
  ],
  "a state that is made": [
    () => vmap((x: Tensor) => add(x, new Parameter(zeros([], { device }))))(of(1)),
    new GradusError(
      "state: made in a function that is being mapped; expected states made before it runs",
    ),
  ],
  "an op of which no way is known": [
    () => vmap((x: Tensor) => apply(unruly, [x], {}))(of(1)),
    new GradusError(
      'vmap: "unruly" of what differs from call to call; expected ops with a batching rule. Call fn ' +
        "in a loop and stack what it gives",
    ),
  ],
  "options that are not known": [
    () => vmap(relu, { inAxis: 0 } as never),
    new GradusError(
      'vmap: unknown option "inAxis"; expected inAxes, outAxes. Did you mean "inAxes"?',
    ),
  ],
};

describe("what is refused", () => {
  for (const [name, [run, error]] of Object.entries(refused)) {
    test(name, () => {
      let thrown: unknown;
      try {
        run();
      } catch (caught) {
        thrown = caught;
      }
      expect(thrown).toEqual(error);
      expect(thrown).toBeInstanceOf(error.constructor);
    });
  }

  test("an op's own refusal is that of one call", () => {
    expect(() => vmap((x: Tensor) => add(x, of(1, 2)))(zeros([4, 3], { device }))).toThrow(
      "add: shapes [3] and [2] do not broadcast (3 vs 2)",
    );
    expect(() => vmap((x: Tensor) => softmax(cast(x, "i32")))(of(1))).toThrow(DTypeError);
  });

  test("reads, of which the promises say so", async () => {
    let read: Promise<number> | undefined;
    vmap((x: Tensor) => {
      read = x.item();
      return x;
    })(of(1));
    await expect(read).rejects.toThrow(
      "item: called in a function that is being mapped; expected no reads there. Return the tensor",
    );
  });
});
