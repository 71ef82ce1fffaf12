import { beforeAll, describe, expect, test } from "vitest";
import { type Shape, sizeOf, stridesOf } from "../../src/core/shape.ts";
import { trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import { type Device, type Tensor, tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import { testDevice } from "../support/device.ts";
import { type Pick, picker } from "../support/random-choice.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const SEED = Math.floor(Math.random() * 1e6);

/** A tensor whose elements are their row-major numbers, from 1. */
function numbered(shape: Shape): Tensor {
  return tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => i + 1),
    { shape, device },
  );
}

function coordinatesOf(i: number, shape: Shape): number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(i / stride) % shape[axis]);
}

function numberOf(coordinates: readonly number[], shape: Shape): number {
  const strides = stridesOf(shape);
  return coordinates.reduce((sum, c, axis) => sum + c * strides[axis], 0);
}

const mod = (i: number, n: number) => ((i % n) + n) % n;

/** Where on an axis of n elements lies what is read at place i, which may be outside. */
const EDGES = {
  reflect: (i: number, n: number) => {
    const k = mod(i, 2 * n - 2 || 1);
    return k < n ? k : 2 * n - 2 - k;
  },
  symmetric: (i: number, n: number) => {
    const k = mod(i, 2 * n);
    return k < n ? k : 2 * n - 1 - k;
  },
  replicate: (i: number, n: number) => Math.min(n - 1, Math.max(0, i)),
  circular: mod,
};

/** What a call gives, and the coordinates in x of each element, or null for a zero. */
type Moved = readonly [y: Tensor, from: (c: readonly number[]) => readonly number[] | null];

/** Calls of each op with attributes drawn at random, for x of a shape. */
const moves: Record<string, (x: Tensor, pick: Pick) => Moved> = {
  flip: (x, pick) => {
    const axis = [...x.shape.keys()].filter(() => pick(2) === 0);
    const at = (c: number, i: number) => (axis.includes(i) ? x.shape[i] - 1 - c : c);
    return [ops.flip(x, { axis }), (c) => c.map(at)];
  },
  roll: (x, pick) => {
    const shift = x.shape.map(() => pick(13) - 6);
    const axis = [...x.shape.keys()];
    return [ops.roll(x, shift, { axis }), (c) => c.map((k, i) => mod(k - shift[i], x.shape[i]))];
  },
  tile: (x, pick) => {
    const counts = Array.from({ length: x.rank + pick(2) }, () => 1 + pick(3));
    const at = (c: readonly number[]) => c.slice(-x.rank).map((k, i) => k % x.shape[i]);
    return [ops.tile(x, counts), at];
  },
  repeatInterleave: (x, pick) => {
    const [axis, count] = [pick(x.rank), 1 + pick(4)];
    const at = (c: readonly number[]) => c.map((k, i) => (i === axis ? Math.floor(k / count) : k));
    return [ops.repeatInterleave(x, count, { axis }), at];
  },
  moveAxis: (x, pick) => {
    const [from, to] = [pick(x.rank), pick(x.rank)];
    const y = ops.moveAxis(x, from, to - x.rank);
    return [y, (c) => [...c.slice(0, to), ...c.slice(to + 1)].toSpliced(from, 0, c[to])];
  },
  diagonal: (x, pick) => {
    if (x.rank < 2) return [ops.flip(x, { axis: [] }), (c) => c];
    const [m, n] = x.shape.slice(-2);
    const offset = pick(m + n) - m;
    const [down, right] = [Math.max(0, -offset), Math.max(0, offset)];
    return [
      ops.diagonal(x, { offset }),
      (c) => [...c.slice(0, -1), c[c.length - 1] + down, c[c.length - 1] + right],
    ];
  },
  diag: (x, pick) => {
    const offset = pick(5) - 2;
    const [down, right] = [Math.max(0, -offset), Math.max(0, offset)];
    const flat = ops.flatten(x);
    const y = ops.diag(flat, offset);
    const inX = (i: number) => coordinatesOf(i, x.shape);
    return [y, ([r, c]) => (c - r === offset ? inX(Math.min(r - down, c - right)) : null)];
  },
  tril: (x, pick) => {
    if (x.rank < 2) return [ops.flip(x, { axis: [] }), (c) => c];
    const offset = pick(7) - 3;
    const isKept = ([r, c]: readonly number[]) => c - r <= offset;
    return [ops.tril(x, offset), (c) => (isKept(c.slice(-2)) ? c : null)];
  },
  triu: (x, pick) => {
    if (x.rank < 2) return [ops.flip(x, { axis: [] }), (c) => c];
    const offset = pick(7) - 3;
    const isKept = ([r, c]: readonly number[]) => c - r >= offset;
    return [ops.triu(x, offset), (c) => (isKept(c.slice(-2)) ? c : null)];
  },
  ...Object.fromEntries(
    Object.entries(EDGES).map(([mode, at]) => [
      `pad, ${mode}`,
      (x: Tensor, pick: Pick): Moved => {
        const most = (n: number) => (mode === "reflect" ? n : n + 1);
        const padding = x.shape.map((n) => [pick(most(n)), pick(most(n))] as const);
        const y = ops.pad(x, padding, { mode: mode as keyof typeof EDGES });
        return [y, (c) => c.map((k, i) => at(k - padding[i][0], x.shape[i]))];
      },
    ]),
  ),
};

describe.each(Object.entries(moves))("%s", (_, move) => {
  test(`moves elements as its definition says, seed ${SEED}`, async () => {
    for (let turn = 0; turn < 12; turn++) {
      const pick = picker(SEED, turn);
      const shape = Array.from({ length: 1 + pick(3) }, () => 1 + pick(5));
      const [y, from] = move(numbered(shape), pick);
      const expected = Array.from({ length: y.size }, (_, i) => {
        const at = from(coordinatesOf(i, y.shape));
        return at ? numberOf(at, shape) + 1 : 0;
      });
      expect([shape, y.shape, Array.from(await y.data())]).toEqual([shape, y.shape, expected]);
    }
  });
});

/** Indices drawn at random, some of them outside. */
function indices(shape: Shape, n: number, pick: Pick): Int32Array {
  return Int32Array.from({ length: sizeOf(shape) }, () => pick(n + 2) - 1);
}

test(`values go where indices say, seed ${SEED}`, async () => {
  for (let turn = 0; turn < 12; turn++) {
    const pick = picker(SEED, turn);
    const shape = Array.from({ length: 1 + pick(3) }, () => 1 + pick(5));
    const axis = pick(shape.length);
    const own = shape.map((n, i) => (i === axis ? pick(9) : 1 + pick(n)));
    const [x, values] = [numbered(shape), numbered(own)];
    const index = indices(own, shape[axis], pick);
    const given = tensor(index, { shape: own, device });
    const [set, sum] = [1, 2].map(() => Float32Array.from({ length: x.size }, (_, i) => i + 1));
    index.forEach((row, i) => {
      if (row < 0 || row >= shape[axis]) return;
      const at = numberOf(coordinatesOf(i, own).with(axis, row), shape);
      set[at] = i + 1;
      sum[at] += i + 1;
    });
    const calls = [ops.scatter, ops.scatterAdd].map((op) => op(x, given, values, { axis }));
    const [put, added] = await Promise.all(calls.map((y) => y.data()));
    expect([shape, own, put, added]).toEqual([shape, own, set, sum]);
  }
});

test(`slices go where places say, seed ${SEED}`, async () => {
  for (let turn = 0; turn < 12; turn++) {
    const pick = picker(SEED, turn);
    const shape = Array.from({ length: 1 + pick(3) }, () => 1 + pick(4));
    const [depth, count] = [pick(shape.length + 1), pick(7)];
    const index = Int32Array.from({ length: count * depth }, (_, i) => {
      return pick(shape[i % depth] + 1) - (pick(4) === 0 ? 1 : 0);
    });
    const given = tensor(index, { shape: [count, depth], device });
    const rest = shape.slice(depth);
    const [x, values] = [numbered(shape), numbered([count, ...rest])];
    const width = sizeOf(rest);
    const [set, sum] = [1, 2].map(() => Float32Array.from({ length: x.size }, (_, i) => i + 1));
    const taken: number[] = [];
    for (let j = 0; j < count; j++) {
      const place = Array.from(index.subarray(j * depth, (j + 1) * depth));
      const isInside = place.every((k, i) => k >= 0 && k < shape[i]);
      const start = numberOf([...place, ...rest.map(() => 0)], shape);
      for (let c = 0; c < width; c++) {
        taken.push(isInside ? start + c + 1 : Number.NaN);
        if (!isInside) continue;
        set[start + c] = j * width + c + 1;
        sum[start + c] += j * width + c + 1;
      }
    }
    const calls = [
      ops.scatterND(x, given, values),
      ops.scatterND(x, given, values, { add: true }),
      ops.gatherND(x, given),
    ];
    const all = await Promise.all(calls.map((y) => y.data()));
    expect([shape, depth, ...all]).toEqual([shape, depth, set, sum, Float32Array.from(taken)]);
  }
});

/** How many kernels compute what is made of a tensor's elements. */
function kernelsOf(y: Tensor): number {
  return scheduleOf(simplify(trace([ops.exp(y).node], "test").program), 8).groups.length;
}

/** Ops that fuse into what reads them. */
const fused: Record<string, (x: Tensor, i: Tensor) => Tensor> = {
  at: (x) => ops.at(x, "1:, ::-2, -1"),
  chunk: (x) => ops.chunk(x, 2)[1],
  diag: (x) => ops.diag(ops.flatten(x), 1),
  diagonal: (x) => ops.diagonal(x, { offset: 1 }),
  flip: (x) => ops.flip(x),
  gatherND: (x, i) => ops.gatherND(x, i),
  kron: (x) => ops.kron(x, x),
  maskedFill: (x) => ops.maskedFill(x, ops.greater(x, 2), 0),
  meshgrid: (x) =>
    ops.add(...(ops.meshgrid(ops.unbind(ops.flatten(x)).slice(0, 2)) as [Tensor, Tensor])),
  moveAxis: (x) => ops.moveAxis(x, 0, -1),
  outer: (x) => ops.outer(x, x),
  pad: (x) =>
    ops.pad(
      x,
      [
        [1, 1],
        [2, 0],
        [0, 1],
      ],
      { mode: "reflect" },
    ),
  repeatInterleave: (x) => ops.repeatInterleave(x, 2),
  roll: (x) => ops.roll(x, 2, { axis: 1 }),
  rot90: (x) => ops.rot90(x),
  split: (x) => ops.split(x, [1, -1])[1],
  take: (x, i) => ops.take(x, i),
  takeAlongAxis: (x, i) =>
    ops.takeAlongAxis(ops.slice(x, [{}, {}, { end: 1 }]), ops.expandDims(i, 2), { axis: 1 }),
  tile: (x) => ops.tile(x, [2, 1, 3]),
  tril: (x) => ops.tril(x),
};

test.each(Object.entries(fused))("%s is part of the kernel that reads it", (_, run) => {
  const places = tensor(new Int32Array(6), { shape: [2, 3], device });
  expect(kernelsOf(run(numbered([2, 3, 4]), places))).toBe(1);
});
