import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  cast,
  compile,
  type Device,
  DisposedError,
  DTypeError,
  debug,
  div,
  explain,
  GradusError,
  grad,
  matmul,
  mean,
  mul,
  ones,
  Parameter,
  randomUniform,
  reshape,
  ShapeError,
  State,
  scan,
  scope,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  zeros,
} from "../../src/index.ts";
import { Linear, Module } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { inBrowser, ownDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";
import { held } from "../support/memory.ts";
import { plainScan } from "../support/plain-scan.ts";
import { uniform } from "../support/reference.ts";

let device: Device;
beforeAll(async () => {
  device = await ownDevice(inBrowser ? { kernels: "direct" } : {});
});

const sums = (s: Tensor, x: Tensor) => [add(s, x), s] as const;

describe("scan refuses", () => {
  const x = () => tensor([[1, 2], [3, 4]]); // biome-ignore format: a matrix
  const loose = scan as (...all: unknown[]) => unknown;
  const w = () => new Parameter(tensor([1, 2]), { name: "w" });
  const rows: [string, () => unknown, new (message: string) => Error, string][] = [
    [
      "what is no function",
      () => loose(3, x(), x()),
      GradusError,
      "scan: fn is 3; expected a function",
    ],
    [
      "another option",
      () => loose(sums, x(), x(), { size: 3 }),
      GradusError,
      'scan: unknown option "size"; expected length, reverse',
    ],
    [
      "numbers in a tree",
      () => loose(sums, { h: [x(), 3] }, x()),
      GradusError,
      "scan: init.h.1 is 3; expected tensors in arrays and plain objects. Use tensor(value)",
    ],
    [
      "a scalar as rows",
      () => scan(sums, x(), tensor(1)),
      ShapeError,
      "scan: xs is a scalar; expected rows, [length, …]",
    ],
    [
      "rows of two lengths",
      () => loose(sums, x(), { a: x(), b: ones([3]) }),
      ShapeError,
      "scan: xs.a has 2 rows, xs.b 3; expected one length",
    ],
    [
      "another length than there are rows",
      () => scan(sums, x(), x(), { length: 3 }),
      ShapeError,
      "scan: length 3, xs has 2 rows; expected the same",
    ],
    [
      "neither rows nor a length",
      () => loose(sums, x(), null),
      GradusError,
      "scan: neither xs nor length; expected one of them",
    ],
    [
      "what is no pair",
      () => loose(() => x(), x(), x()),
      GradusError,
      "scan: fn gave a Tensor; expected [carry, y]",
    ],
    [
      "a promise",
      () => loose(async () => [x(), x()], x(), x()),
      GradusError,
      "scan: fn returned a promise; expected a synchronous function",
    ],
    [
      "a carry of another shape",
      () => loose((c: { h: Tensor }) => [{ h: sum(c.h) }, null], { h: x() }, x()),
      ShapeError,
      "scan: fn gave carry.h as f32 []; expected f32 [2, 2], as init.h is",
    ],
    [
      "a carry of another dtype",
      () => loose((c: Tensor) => [cast(c, "i32"), null], x(), x()),
      DTypeError,
      "scan: fn gave carry as i32 [2, 2]; expected f32 [2, 2], as init is",
    ],
    [
      "more carries than there were",
      () => loose((c: Tensor) => [[c, c], null], x(), x()),
      GradusError,
      "scan: fn gave a carry of 2 tensors; expected 1, as init has",
    ],
    [
      "a carry of other names",
      () => loose((c: { a: Tensor }) => [{ b: c.a }, null], { a: x() }, x()),
      GradusError,
      "scan: fn gave [carry.b]; expected carry.a, as init.a is",
    ],
    [
      "a carry in another place of a list",
      () => loose((c: [Tensor, null]) => [[null, c[0]], null], [x(), null], x()),
      GradusError,
      "scan: fn gave [carry.1]; expected carry.0, as init.0 is",
    ],
    [
      "carries of storage",
      () => loose((c: Tensor) => [c, null], tensor([1], { dtype: "u8" }), x()),
      DTypeError,
      "scan: init has dtype u8; expected f32, f64, i32, u32 or bool",
    ],
    [
      "an assignment",
      () => {
        const own = w();
        const assigning = (c: Tensor, v: Tensor) => {
          own.assign(v);
          return [c, null] as const;
        };
        return scan(assigning, tensor(0), x());
      },
      GradusError,
      'scan: fn assigned "w"; expected what changes from turn to turn as a carry',
    ],
    [
      "numbers without a seed",
      () => scan((c) => [add(c, randomUniform([2])), null], x(), x()),
      GradusError,
      "randomUniform: called without seed or key in a function that is being compiled, whose runs would all " +
        "have the same numbers; expected uniformAt or normalAt, which draw anew from a step counter. Give a seed where the same numbers are meant",
    ],
    [
      "no tensor at all",
      () => scan(() => [null, zeros([2])], null, null, { length: 2 }),
      GradusError,
      "scan: neither init, xs nor fn has a tensor; expected one",
    ],
  ];
  test.each(rows)("%s", (_, call, Kind, message) => {
    const error = errorOf(call);
    expect(error.message).toBe(message);
    expect(error).toBeInstanceOf(Kind);
  });

  test("a cycle, and a read", async () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(errorOf(() => loose(sums, cycle, x())).message).toBe(
      "scan: init.0 holds itself; expected no cycle",
    );
    const reads: Promise<unknown>[] = [];
    const reading = (c: Tensor, v: Tensor) => {
      reads.push(v.data().catch((thrown: Error) => thrown));
      return [add(c, v), null] as const;
    };
    const [last] = scan(reading, zeros([2]), x());
    expect(await last.toArray()).toEqual([4, 6]);
    expect(((await reads[0]) as Error).message).toContain(
      "data: called in a function that is being compiled",
    );
  });
});

test("no rows give what the first turn would have been given, and no results", async () => {
  const init = tensor([1, 2]);
  const [last, ys] = scan(
    (s, x) => [add(s, x), { own: matmul(x, ones([2, 3])), none: null }],
    init,
    zeros([0, 2]),
  );
  expect([await last.toArray(), ys.own.shape, ys.none]).toEqual([[1, 2], [0, 3], null]);
  last.dispose();
  expect(init.disposed).toBe(false);
});

test("fn is called once, and NaN and infinities go through", async () => {
  let calls = 0;
  const [last, ys] = scan(
    (s, x) => {
      calls++;
      return [add(s, x), div(s, x)];
    },
    tensor(0),
    tensor([1, 0, Number.NaN, 2]),
  );
  expect([await last.item(), await ys.toArray()]).toEqual([
    Number.NaN,
    [0, Number.POSITIVE_INFINITY, Number.NaN, Number.NaN],
  ]);
  expect(calls).toBe(1);
});

test("a loop is found again, whatever numbers, weights and closures it has", async () => {
  const run = async (scale: number) => {
    const w = tensor([[scale, 0.5], [0.25, 1]]); // biome-ignore format: a matrix
    const [last] = scan(
      (h, x) => [tanh(add(matmul(h, w), x)), null],
      zeros([1, 2]),
      ones([3, 1, 2]),
    );
    await last.data();
  };
  await run(1);
  const { plans } = device.memory();
  await run(2);
  expect(device.memory().plans).toBe(plans);
});

test("scope frees what a loop needs and makes, and keeps what it gives", async () => {
  const before = held(device);
  const ys = scope(() => {
    const [, ys] = scan((s, x) => [add(s, mul(x, tensor([2, 3]))), s], zeros([2]), ones([4, 2]));
    return ys;
  });
  expect(await ys.toArray()).toEqual([[0, 0], [2, 3], [4, 6], [6, 9]]); // biome-ignore format: rows
  ys.dispose();
  expect(held(device)).toBe(before);
});

test("what was freed or assigned since says so", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  const x = tensor([[1, 1]]);
  const [last] = scan((s, v) => [add(s, mul(v, w)), null], zeros([2]), x);
  w.assign(tensor([3, 4]));
  expect(((await last.data().catch((error: Error) => error)) as Error).message).toContain(
    '"w" as it was',
  );
  const [other] = scan((s, v) => [add(s, v), null], zeros([2]), x);
  x.dispose();
  await expect(other.data()).rejects.toBeInstanceOf(DisposedError);
});

/** A recurrent net that reads sequences `[steps, batch, 3]`. */
class Recurrent extends Module {
  readonly input = new Linear(3, 8, { seed: 1 });
  readonly hidden = new Linear(8, 8, { seed: 2 });
  readonly output = new Linear(8, 1, { seed: 3 });

  constructor(readonly loop: typeof scan) {
    super();
  }

  override forward(xs: Tensor): Tensor {
    const turn = (h: Tensor, x: Tensor) => {
      const next = tanh(add(this.input.call(x), this.hidden.call(h)));
      return [next, null] as const;
    };
    const [h] = this.loop(turn, zeros([xs.shape[1], 8]), xs);
    return this.output.call(h);
  }
}

/** The losses of some steps, and what the plan of a step is and made. */
async function trained(loop: typeof scan, length: number, steps: number) {
  const model = new Recurrent(loop);
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
  const step = trainStep({
    model,
    optimizer,
    loss: (net, { xs, y }: { xs: Tensor; y: Tensor }) => mean(square(sub(net.call(xs), y))),
    mirrorEvery: null,
  });
  const xs = tensor(uniform(length * 12, 5), { shape: [length, 4, 3] });
  const batch = { xs, y: reshape(mean(xs, { axis: [0, 2] }), [4, 1]) };
  await step(batch);
  const { pipelines } = device.memory();
  await step(batch);
  await step(batch); // the outputs of a run may lie in one of two places
  const before = device.counters.now;
  for (let i = 3; i < steps; i++) await step(batch);
  const after = device.counters.now;
  const losses = (await step.read()).map(({ loss }) => loss);
  const [plan] = step.plans;
  const stats = await plan.stats();
  const text = await explain(plan);
  const profiled = (await step.profile(batch)).kernels.length;
  step.dispose();
  return { losses, stats, text, pipelines, before, after, profiled };
}

test("a recurrent net learns as the unrolled one does, by a plan that does not grow", async () => {
  const short = await trained(scan, 4, 8);
  const long = await trained(scan, 12, 8);
  const { losses } = await trained(plainScan, 4, 8);
  for (const [i, loss] of short.losses.entries()) expect(loss).toBeCloseTo(losses[i], 5);
  expect(losses[7]).toBeLessThan(losses[0]);
  expect(long.stats.kernels.length).toBe(short.stats.kernels.length);
  const turns = ({ kernels }: typeof long.stats) =>
    kernels.reduce((all, { times = 1 }) => all + times, 0);
  if (inBrowser) {
    expect([short.stats.dispatches, long.stats.dispatches]).toEqual(
      [short.stats, long.stats].map(turns),
    );
    for (const name of ["buffers", "bindGroups", "pipelines", "writes"] as const) {
      expect([name, long.after[name]]).toEqual([name, long.before[name]]);
    }
  }
  const perTurn = (turns(long.stats) - turns(short.stats)) / 8;
  expect(perTurn).toBe(Math.round(perTurn));
  expect(long.profiled).toBe(long.stats.kernels.length);
  expect(long.text).toContain("times");
});

test("under debug a turn may do no more than otherwise", async () => {
  const own = new State(tensor(1), { name: "own" });
  const assigning = (c: Tensor, v: Tensor) => {
    own.assign(v);
    return [c, null] as const;
  };
  await expect(debug(() => scan(assigning, tensor(0), tensor([1, 2])))).rejects.toThrow(
    'scan: fn assigned "own"; expected what changes from turn to turn as a carry',
  );
  expect([own.version, await own.item()]).toEqual([0, 1]);
  const drawing = (c: Tensor) => [add(c, randomUniform([2])), null] as const;
  await expect(debug(() => scan(drawing, tensor([0, 0]), tensor([1, 2])))).rejects.toThrow(
    /^randomUniform: called without seed or key in a function that is being compiled/,
  );
});

test("under debug an error names the op within a turn", async () => {
  const run = () =>
    debug(() => scan((s, x) => [sub(s, x), div(s, x)], tensor([0]), tensor([[1], [1], [0], [0]])));
  await expect(run()).rejects.toThrow(/div/);
  const [, ys] = await debug(() => scan(sums, tensor([0]), tensor([[1], [2]])));
  expect(await ys.toArray()).toEqual([[0], [1]]);
});

test("a state is what it is when a compiled loop runs", async () => {
  const w = new State(tensor([2]));
  const run = compile((x: Tensor) => {
    const [last, ys] = scan((s, v) => [mul(add(s, v), w), s], zeros([1]), x);
    w.assign(add(w, last));
    return ys;
  });
  const x = tensor([[1], [1]]);
  expect(await (await run(x)).toArray()).toEqual([[0], [2]]);
  expect(await w.toArray()).toEqual([8]); // 2 + ((0 + 1) 2 + 1) 2
  expect(await (await run(x)).toArray()).toEqual([[0], [8]]);
  run.dispose();
});

test("gradients of a stack of rows are those of the rows", async () => {
  const x = tensor([[1, 2], [3, 4]]); // biome-ignore format: a matrix
  const [, ys] = scan((s, v) => [v, mul(s, v)], ones([2]), x);
  const [slope] = grad(sum(ys), [x]);
  const [expected] = grad(sum(stack([mul(ones([2]), x), mul(x, x)])), [x]);
  expect((await slope.toArray()) as unknown).not.toEqual(await expected.toArray());
  expect(await slope.toArray()).toEqual([[4, 5], [1, 2]]); // biome-ignore format: a matrix
});

test("carries are known by their names, in whatever order fn gives them", async () => {
  const init = { h: tensor(1), c: tensor(2) };
  const turn = (s: typeof init, x: Tensor) => [{ c: mul(s.c, 10), h: add(s.h, x) }, s.h] as const;
  const [{ h, c }, before] = scan(turn as never, init, tensor([1, 2])) as unknown as [
    typeof init,
    Tensor,
  ];
  expect([await h.item(), await c.item()]).toEqual([4, 200]);
  expect([...(await before.data())]).toEqual([1, 2]);
});

test("gradients of no turns are zeros, and of the first carry what comes to the last", async () => {
  const [w, c, xs] = [tensor(3), tensor(5), zeros([0])];
  const [last, ys] = scan((c: Tensor, x: Tensor) => [mul(mul(c, w), x), add(c, x)], c, xs);
  const slopes = grad(add(mul(last, 2), sum(ys)), [w, c, xs]);
  expect(await Promise.all(slopes.map((slope) => slope.toArray()))).toEqual([0, 2, []]);
});
