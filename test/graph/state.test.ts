import { beforeAll, expect, test } from "vitest";
import type { Followers } from "../../src/graph/state.ts";
import {
  assignAll,
  type Device,
  DisposedError,
  DTypeError,
  evaluate,
  grad,
  Parameter,
  ShapeError,
  State,
  scope,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

test("assigning replaces the value and counts versions", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  w.assign(w.mul(3));
  expect(await w.toArray()).toEqual([3, 6]);
  expect(w.version).toBe(1);
  w.dispose();
});

test("several assignments all see the old values", async () => {
  const a = new State(tensor([1]));
  const b = new State(tensor([2]));
  assignAll([
    [a, b],
    [b, a],
  ]);
  expect([await a.item(), await b.item()]).toEqual([2, 1]);
  a.dispose();
  b.dispose();
});

test("a value from the host is assigned too where another new value is made of it", async () => {
  const [a, b] = [new State(tensor([0, 0])), new State(tensor([1, 1]))];
  for (const [i, sum] of [2, 4, 7].entries()) {
    using x = tensor([i + 1, i + 1]);
    assignAll([
      [a, x],
      [b, b.add(x)],
    ]);
    expect(await a.toArray()).toEqual([i + 1, i + 1]);
    expect(await b.toArray()).toEqual([sum, sum]);
  }
  a.dispose();
  b.dispose();
});

test("a state assigned its own value keeps it", async () => {
  const a = new State(tensor([4]));
  a.assign(a);
  expect(await a.item()).toBe(4);
  a.dispose();
});

test("one value may go to two states, and stays readable until they change", async () => {
  const a = new State(tensor([1, 2]), { name: "a" });
  const b = new State(tensor([0, 0]), { name: "b" });
  const v = a.mul(10);
  assignAll([
    [a, v],
    [b, v],
  ]);
  expect(await v.toArray()).toEqual([10, 20]);
  expect([await a.toArray(), await b.toArray()]).toEqual([
    [10, 20],
    [10, 20],
  ]);
  const w = a.add(1);
  a.assign(w);
  b.assign(b.add(2));
  expect([await a.toArray(), await b.toArray()]).toEqual([
    [11, 21],
    [12, 22],
  ]);
  a.assign(a.add(1));
  await expect(w.toArray()).rejects.toThrow('depends on "a" as it was before step 3');
  a.dispose();
  b.dispose();
});

test("a state made of another one is a copy, one made of a tensor takes it over", async () => {
  const a = new Parameter(tensor([1, 2]), { name: "a" });
  const average = new State(a, { name: "average" });
  a.assign(a.mul(2));
  expect([await a.toArray(), await average.toArray()]).toEqual([
    [2, 4],
    [1, 2],
  ]);
  const x = tensor([3]).add(1);
  const b = new State(x, { name: "b" });
  expect(await grad(sum(square(x)), [b])[0].toArray()).toEqual([8]); // x is b's value from now on
  expect([await x.item(), await b.item()]).toEqual([4, 4]);
  for (const state of [a, average, b]) state.dispose();
});

test("a state given twice is refused", () => {
  const a = new State(tensor([1]), { name: "a" });
  expect(() =>
    assignAll([
      [a, a.add(1)],
      [a, a.add(2)],
    ]),
  ).toThrow('assign: "a" is given twice; expected each state once');
  a.dispose();
});

test("what was built on an old value says so", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "hidden.weight" });
  const loss = sum(square(w));
  w.assign(w.mul(0.5));
  await expect(loss.item()).rejects.toThrow(
    'item: depends on "hidden.weight" as it was before step 1; evaluate it first',
  );
  expect(() => grad(loss, [w])).toThrow(DisposedError);
  w.dispose();
});

test("an evaluated loss keeps its value, and its graph until the state is assigned", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  const loss = sum(square(w));
  evaluate(loss);
  const [dw] = grad(loss, [w]);
  expect(await dw.toArray()).toEqual([2, 4]);
  w.assign(w.sub(dw));
  expect(await loss.item()).toBe(5);
  expect(() => grad(loss, [w])).toThrow('grad: y does not depend on "w"');
  const next = sum(square(w)); // of a value that was assigned
  evaluate(next);
  expect(await grad(next, [w])[0].toArray()).toEqual([-2, -4]);
  for (const x of [w, dw, loss, next]) x.dispose();
});

test("what is evaluated with an assignment keeps its value and drops its graph", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  const [loss, one] = [sum(square(w)), tensor(1)];
  assignAll([[w, w.mul(2)]], [loss, one, w]);
  expect([await loss.item(), await one.item()]).toEqual([5, 1]);
  expect(await w.toArray()).toEqual([2, 4]);
  expect(() => grad(loss, [w])).toThrow('grad: y does not depend on "w"');
  for (const x of [w, loss, one]) x.dispose();
});

test("states and parameters refuse options that they do not know", () => {
  for (const [name, Kind] of Object.entries({ State, Parameter })) {
    expect(() => new Kind(tensor(1), { nam: "w" } as object)).toThrow(
      `${name}: unknown option "nam"; expected name, pytorch. Did you mean "name"?`,
    );
  }
});

test("assigning rejects another shape or dtype and keeps the value", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  expect(() => w.assign(tensor([1, 2, 3]))).toThrow(
    new ShapeError('assign: "w" has shape [2], the value [3]; expected the same shape'),
  );
  expect(() => w.assign(tensor([1, 2], { dtype: "i32" }))).toThrow(DTypeError);
  expect(await w.toArray()).toEqual([1, 2]);
  w.dispose();
});

test("a disposed tensor says so, and so does what was built on it", async () => {
  const x = tensor([1, 2]);
  const y = x.add(1);
  x.dispose();
  expect(() => x.add(1)).toThrow("tensor: [2] was disposed; expected a live tensor");
  const why = "depends on a tensor that was disposed; evaluate it before disposing";
  await expect(y.data()).rejects.toThrow(`data: ${why}`);
  expect(() => evaluate(y)).toThrow(`evaluate: ${why}`);
  expect(() => new State(y)).toThrow(`state: ${why}`);
  const s = new State(tensor([0, 0]));
  expect(() => s.assign(y)).toThrow(`assign: ${why}`);
  expect(await s.toArray()).toEqual([0, 0]);
});

test("scope frees what it made but its result, states and older tensors", async () => {
  const before = held(device);
  const x = tensor([1, 2, 3]);
  let state: State | undefined;
  const y = scope(() => {
    const doubled = x.mul(2);
    evaluate(doubled);
    state = new State(zeros([2]));
    evaluate(state);
    return { total: sum(doubled.add(tensor([1, 1, 1]))) };
  });
  expect(await y.total.item()).toBe(15);
  expect(await x.toArray()).toEqual([1, 2, 3]);
  expect(await state?.toArray()).toEqual([0, 0]);
  for (const kept of [x, y.total, state]) kept?.dispose();
  expect(held(device)).toBe(before);
});

test("scope rejects an asynchronous function", () => {
  expect(() => scope(async () => tensor([1]))).toThrow(
    "scope: fn returned a promise; expected a synchronous function",
  );
});

test("scope frees what it made when the function throws, or its result cannot be computed", () => {
  const before = held(device);
  const old = tensor([1, 2]);
  evaluate(old);
  let state: State | undefined;
  const fail = () => {
    evaluate(
      old.mul(2),
      scope(() => old.add(1)),
    );
    state = new State(zeros([2]));
    evaluate(state);
    throw new Error("mine");
  };
  expect(() => scope(fail)).toThrow("mine");
  const lost = () => {
    evaluate(old.mul(2));
    const freed = tensor([1, 2]);
    const y = freed.add(1);
    freed.dispose();
    return [old.mul(3), y];
  };
  expect(() => scope(lost)).toThrow("depends on a tensor that was disposed");
  expect(() => scope(async () => evaluate(old.mul(2)))).toThrow("scope: fn returned a promise");
  expect(held(device)).toBe(before + 2);
  for (const kept of [old, state]) kept?.dispose();
  expect(held(device)).toBe(before);
});

test("scope leaves states alone, and takes a result that was disposed", () => {
  const [state, gone] = scope(() => {
    const made = new State(zeros([2]));
    const freed = tensor([1]);
    freed.dispose();
    return [made, freed];
  });
  let lone: State | undefined;
  scope(() => {
    lone = new State(zeros([2]));
  });
  expect([state.disposed, gone.disposed, lone?.disposed]).toEqual([false, true, false]);
  for (const made of [state, lone]) made?.dispose();
});

test("what an inner scope returns belongs to the outer one", async () => {
  const before = held(device);
  const x = tensor([1, 2]);
  let inner: Tensor | undefined;
  const [y, older] = scope(() => {
    inner = scope(() => scope(() => x.mul(2).add(1)));
    const passed = scope(() => scope(() => [x, x.mul(7)]));
    return [passed[1], passed[0]];
  });
  expect(inner?.disposed).toBe(true);
  expect(older).toBe(x);
  expect(await y.toArray()).toEqual([7, 14]);
  expect(held(device)).toBe(before + 2);
  for (const kept of [x, y]) kept.dispose();
  expect(held(device)).toBe(before);
});

test("followers that are gone are forgotten, after as many again as were left", () => {
  const counts = { asked: 0, cut: 0 };
  const follower = (isThere: boolean) =>
    ({
      get isThere() {
        counts.asked++;
        return isThere;
      },
      cut: () => void counts.cut++,
    }) as unknown as Followers;
  const w = new Parameter(tensor([1]));
  const follow = (count: number, isThere: boolean) => {
    for (let i = 0; i < count; i++) w.follow(follower(isThere));
    return counts.asked;
  };
  expect(follow(40, true)).toBe(0);
  expect(follow(24, false)).toBe(0);
  expect(follow(1, true)).toBe(64);
  expect(follow(39, true)).toBe(64); // of 40, 40 more are let come
  expect(follow(1, true)).toBe(64 + 80);
  w.assign(tensor([2]));
  expect(counts.cut).toBe(81);
  w.assign(tensor([3]));
  expect(counts.cut).toBe(81);
  w.dispose();
});

test("scope finds its result's tensors in Maps, Sets, objects of classes and cycles", async () => {
  const before = held(device);
  const make = () => tensor([1, 2]).add(1);
  class Holder {
    parts = [make()];
    bytes = new Uint8Array(4);
  }
  interface Ring {
    value: Tensor;
    next?: Ring;
  }
  const result = scope(() => {
    make();
    const ring: Ring = { value: make() };
    ring.next = { value: make(), next: ring };
    const key = make();
    return [new Map([[key, new Set([make()])]]), new Holder(), ring] as const;
  });
  const [map, holder, ring] = result;
  const [[key, values]] = map;
  const found = [key, ...values, ...holder.parts, ring.value, ring.next?.value as Tensor];
  for (const x of found) expect(await x.toArray()).toEqual([2, 3]);
  expect(held(device)).toBe(before + 5);
  for (const x of found) x.dispose();
  expect(held(device)).toBe(before);
});

test("using frees at the end of a block", () => {
  const before = held(device);
  {
    using x = tensor([1, 2]).add(1);
    evaluate(x);
    expect(held(device)).toBeGreaterThan(before);
  }
  expect(held(device)).toBeLessThanOrEqual(before + 1);
});
