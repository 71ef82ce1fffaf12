import { beforeAll, describe, expect, test } from "vitest";
import { ShapeError, type Tensor, tensor } from "../../src/index.ts";
import { cosineSimilarity } from "../../src/losses/index.ts";
import { L2Normalize, LogSoftmax, Softmax } from "../../src/nn/index.ts";
import * as ops from "../../src/ops/index.ts";
import { testDevice } from "../support/device.ts";

let x: Tensor; // [2, 3, 4]
let even: Tensor; // [2, 6, 4]
let flat: Tensor; // [1, 1, 1]
let index: Tensor;
beforeAll(async () => {
  await testDevice();
  x = tensor(
    Float32Array.from({ length: 24 }, (_, i) => Math.sin(3 * i)),
    { shape: [2, 3, 4] },
  );
  even = ops.concat([x, x], { axis: 1 });
  flat = tensor([[[1]]]);
  index = tensor([1, 0, 1], { dtype: "i32" });
});

type Run = (axis: number) => Tensor;
/** Whether something is an object of options with an axis among them. */
type HasAxis<T> = T extends object ? ("axis" extends keyof T ? true : never) : never;
type Ops = typeof ops;
/** The ops that have an option axis. */
type Taker = {
  [K in keyof Ops]: true extends HasAxis<Parameters<Ops[K]>[number]> ? K : never;
}[keyof Ops];

/** Those of which the first axis is that of examples, and no channels'. */
type Examples = "groupNorm" | "instanceNorm";

/** Everything that takes an axis of a tensor of rank 3, by what messages call it. */
const takers = {
  sum: (axis) => ops.sum(x, { axis }),
  mean: (axis) => ops.mean(x, { axis: [axis] }),
  max: (axis) => ops.max(x, { axis, keepDims: true }),
  min: (axis) => ops.min(x, { axis }),
  nanSum: (axis) => ops.nanSum(x, { axis: [axis] }),
  nanMean: (axis) => ops.nanMean(x, { axis }),
  prod: (axis) => ops.prod(x, { axis }),
  any: (axis) => ops.any(x, { axis: [axis] }),
  all: (axis) => ops.all(x, { axis }),
  countNonZero: (axis) => ops.countNonZero(x, { axis }),
  norm: (axis) => ops.norm(x, { axis }),
  median: (axis) => ops.median(x, { axis: [axis] }),
  quantile: (axis) => ops.quantile(x, 0.3, { axis }),
  argmax: (axis) => ops.argmax(x, { axis }),
  argmin: (axis) => ops.argmin(x, { axis }),
  softmax: (axis) => ops.softmax(x, { axis }),
  logSoftmax: (axis) => ops.logSoftmax(x, { axis }),
  logSumExp: (axis) => ops.logSumExp(x, { axis }),
  moments: (axis) => ops.moments(x, { axis }).variance,
  std: (axis) => ops.std(x, { axis }),
  variance: (axis) => ops.variance(x, { axis: [axis] }),
  sort: (axis) => ops.sort(x, { axis }).values,
  argsort: (axis) => ops.argsort(x, { axis }),
  topK: (axis) => ops.topK(x, 2, { axis }).values,
  windows: (axis) => ops.windows(x, 2, { axis }),
  l2Normalize: (axis) => ops.l2Normalize(x, { axis }),
  glu: (axis) => ops.glu(even, { axis }),
  swiglu: (axis) => ops.swiglu(even, { axis }),
  gather: (axis) => ops.gather(x, index, { axis }),
  flip: (axis) => ops.flip(x, { axis }),
  roll: (axis) => ops.roll(x, 1, { axis: [axis] }),
  rot90: (axis) => ops.rot90(x, 1, { axis: [axis, (axis + 4) % 3] }),
  diagonal: (axis) => ops.diagonal(x, { axis: [axis, (axis + 4) % 3] }),
  split: (axis) => ops.split(x, [1, -1], { axis })[0],
  chunk: (axis) => ops.chunk(x, 2, { axis })[1],
  unbind: (axis) => ops.unbind(x, { axis })[1],
  repeatInterleave: (axis) => ops.repeatInterleave(x, 2, { axis }),
  moveAxis: (axis) => ops.moveAxis(x, axis, 0),
  flatten: (axis) => ops.flatten(x, axis, 2),
  unflatten: (axis) => ops.unflatten(x, axis, [-1, 1]),
  take: (axis) => ops.take(x, index, { axis }),
  takeAlongAxis: (axis) => ops.takeAlongAxis(x, ops.argsort(x, { axis: 0 }), { axis }),
  putAlongAxis: (axis) => ops.putAlongAxis(x, ops.argsort(x, { axis: 0 }), 1, { axis }),
  scatter: (axis) => ops.scatter(x, ops.argsort(x, { axis: 0 }), 1, { axis }),
  scatterAdd: (axis) => ops.scatterAdd(x, ops.argsort(x, { axis: 0 }), 1, { axis }),
  indexAdd: (axis) => {
    const i = ops.cast(ops.zeros([x.shape.at(axis) ?? 1]), "i32");
    return ops.indexAdd(x, i, x, { axis });
  },
  cumLogSumExp: (axis) => ops.cumLogSumExp(x, { axis }),
  cumMax: (axis) => ops.cumMax(x, { axis }),
  cumMin: (axis) => ops.cumMin(x, { axis }),
  cumProd: (axis) => ops.cumProd(x, { axis }),
  cumSum: (axis) => ops.cumSum(x, { axis }),
  diff: (axis) => ops.diff(x, { axis }),
  vecdot: (axis) => ops.vecdot(x, x, { axis }),
  kthValue: (axis) => ops.kthValue(x, 2, { axis }).values,
  concat: (axis) => ops.concat([x, x], { axis }),
  squeeze: (axis) => ops.squeeze(flat, axis),
  batchNorm: (axis) => ops.batchNorm(x, { axis }),
  localResponseNorm: (axis) => ops.localResponseNorm(x, 2, { axis, alpha: 1 }),
  permute: (axis) => ops.permute(x, axis, (axis + 4) % 3, (axis + 5) % 3),
  transpose: (axis) => ops.transpose(x, axis, 1),
} satisfies Record<
  | Exclude<Taker, "stack" | Examples>
  | "permute"
  | "squeeze"
  | "transpose"
  | "moveAxis"
  | "flatten"
  | "unflatten",
  Run
>;
/** Those whose result has an axis more, which theirs is counted in. */
const inserters: Record<string, Run> = {
  stack: (axis) => ops.stack([x, x], { axis }),
  expandDims: (axis) => ops.expandDims(x, axis),
};
const modules: Record<string, Run> = {
  softmax: (axis) => new Softmax(axis).call(x),
  logSoftmax: (axis) => new LogSoftmax(axis).call(x),
  l2Normalize: (axis) => new L2Normalize(axis).call(x),
  cosineSimilarity: (axis) => cosineSimilarity(x, ops.square(x), { axis }),
};

describe.each([
  ["ops", takers, 3],
  ["ops that insert an axis", inserters, 4],
  ["modules and losses", modules, 3],
] as const)("%s", (_, table, rank) => {
  test.each(Object.entries<Run>(table))(
    "%s counts axes from the end when negative",
    async (name, run) => {
      for (let axis = 0; axis < rank; axis++) {
        const [y, same] = [run(axis), run(axis - rank)];
        expect(same.shape).toEqual(y.shape);
        expect(await same.data()).toEqual(await y.data());
      }
      for (const axis of [rank, -rank - 1]) {
        expect(() => run(axis)).toThrow(
          new ShapeError(
            `${name}: axis ${axis}; expected an integer in [${-rank}, ${rank - 1}] for rank ${rank}`,
          ),
        );
      }
    },
  );
});

describe("along each axis", () => {
  // Axes of one element are squeezed all alike.
  const { squeeze, ...others } = takers;
  test.each(Object.entries<Run>({ ...others, ...inserters }))("%s is another", async (_, run) => {
    const found = await Promise.all(
      [0, 1, 2].map(async (axis) => JSON.stringify([run(axis).shape, await run(axis).toArray()])),
    );
    expect(new Set(found).size).toBe(3);
  });
});

/** The ops that work along one axis. */
type AxisOf<T> = T extends { axis?: infer A } ? A : never;
type Single = {
  [K in Taker]: readonly number[] extends AxisOf<Parameters<Ops[K]>[number]> ? never : K;
}[Taker];
/** Those that take two. */
type Pair = "diagonal" | "rot90";
const single = {
  argmax: takers.argmax,
  argmin: takers.argmin,
  argsort: takers.argsort,
  concat: takers.concat,
  gather: takers.gather,
  glu: takers.glu,
  chunk: takers.chunk,
  indexAdd: takers.indexAdd,
  kthValue: takers.kthValue,
  putAlongAxis: takers.putAlongAxis,
  scatter: takers.scatter,
  scatterAdd: takers.scatterAdd,
  take: takers.take,
  takeAlongAxis: takers.takeAlongAxis,
  logSoftmax: takers.logSoftmax,
  cumLogSumExp: takers.cumLogSumExp,
  cumMax: takers.cumMax,
  cumMin: takers.cumMin,
  cumProd: takers.cumProd,
  cumSum: takers.cumSum,
  diff: takers.diff,
  vecdot: takers.vecdot,
  repeatInterleave: takers.repeatInterleave,
  softmax: takers.softmax,
  sort: takers.sort,
  split: takers.split,
  unbind: takers.unbind,
  stack: inserters.stack,
  swiglu: takers.swiglu,
  topK: takers.topK,
  batchNorm: takers.batchNorm,
  localResponseNorm: takers.localResponseNorm,
} satisfies Record<Exclude<Single, Pair | Examples>, Run>;

test.each(Object.entries<Run>(single))("%s takes one axis, no list", (name, run) => {
  for (const axes of [[0], [0, 1], []]) {
    expect(() => run(axes as never)).toThrow(`${name}: axis an array; expected an integer in [-`);
  }
});
