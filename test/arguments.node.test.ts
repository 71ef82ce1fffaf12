import { beforeAll, describe, expect, test } from "vitest";
import { GradusError, type Tensor, tensor } from "../src/index.ts";
import * as ops from "../src/ops/index.ts";
import { testDevice } from "./support/device.ts";

beforeAll(async () => {
  await testDevice();
});

/** The arguments of a call that is right, and whether options may follow them. */
interface Usage {
  readonly given: readonly unknown[];
  readonly options?: true;
}

/** Stands for a tensor until there is a device. */
type Make = () => Tensor;
const vector: Make = () => tensor([1, 2]);
const matrix: Make = () =>
  tensor([
    [1, 2],
    [3, 4],
  ]);
const bools: Make = () => tensor([true, false]);
const step: Make = () => tensor(3, { dtype: "u32" });
const labels: Make = () => tensor([0, 1], { dtype: "i32" });

const unary: Usage = { given: [vector] };
const binary: Usage = { given: [vector, vector] };
const reduction: Usage = { given: [matrix], options: true };

const usages = {
  abs: unary,
  add: binary,
  arange: { given: [0, 3, 1], options: true },
  argmax: reduction,
  argmin: reduction,
  batchIndices: { given: [step, { size: 4, batchSize: 2 }] },
  broadcastTo: { given: [vector, [2, 2]] },
  cast: { given: [vector, "i32"] },
  clip: { given: [vector, 0, 1] },
  concat: { given: [[]], options: true },
  cos: unary,
  customGrad: { given: [() => vector(), () => []] },
  div: binary,
  elu: { given: [vector, 1] },
  equal: binary,
  exp: unary,
  expandDims: { given: [vector, 0] },
  expm1: unary,
  eye: { given: [2, 2], options: true },
  floor: unary,
  full: { given: [[2], 1], options: true },
  gather: { given: [matrix, labels], options: true },
  gelu: unary,
  greater: binary,
  greaterEqual: binary,
  isFinite: unary,
  isNaN: unary,
  l2Normalize: reduction,
  leakyRelu: { given: [vector, 0.1] },
  less: binary,
  lessEqual: binary,
  log: unary,
  log1p: unary,
  logicalAnd: { given: [bools, bools] },
  logicalNot: { given: [bools] },
  logicalOr: { given: [bools, bools] },
  logSigmoid: unary,
  logSoftmax: reduction,
  logSumExp: reduction,
  matmul: { given: [matrix, matrix] },
  max: reduction,
  maximum: binary,
  mean: reduction,
  min: reduction,
  minimum: binary,
  mul: binary,
  neg: unary,
  normalAt: { given: [step, [2], { seed: 1 }] },
  notEqual: binary,
  oneHot: { given: [labels, 2], options: true },
  ones: { given: [[2]], options: true },
  pad: { given: [vector, [[1, 1]], 0] },
  pairwiseSquaredDistances: { given: [matrix, matrix] },
  permute: { given: [matrix, 0, 1] },
  pow: binary,
  randomNormal: { given: [[2]], options: true },
  randomPermutation: { given: [2], options: true },
  randomUniform: { given: [[2]], options: true },
  reciprocal: unary,
  relu: unary,
  reshape: { given: [matrix, [4]] },
  setSeed: { given: [0] },
  sigmoid: unary,
  sign: unary,
  silu: unary,
  sin: unary,
  slice: { given: [vector, [{ start: 1 }]] },
  softmax: reduction,
  softplus: unary,
  sqrt: unary,
  square: unary,
  squeeze: { given: [vector, []] },
  stack: { given: [[]], options: true },
  stopGradient: unary,
  sub: binary,
  sum: reduction,
  sumTo: { given: [matrix, [2]] },
  tanh: unary,
  tensor: { given: [[1, 2]], options: true },
  transpose: { given: [matrix, 0, 1] },
  uniformAt: { given: [step, [2], { seed: 1 }] },
  where: { given: [bools, vector, vector] },
  writeAt: { given: [vector, step, () => tensor(1)] },
  zeros: { given: [[2]], options: true },
} satisfies Record<keyof typeof ops, Usage>;

/** Ops that take any number of arguments of one kind. */
const VARIADIC = ["permute", "transpose"];

type Call = (...given: unknown[]) => unknown;
const made = (given: readonly unknown[]) =>
  given.map((x) => (MAKERS.has(x as Make) ? (x as Make)() : x));
const MAKERS = new Set([vector, matrix, bools, step, labels]);

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

function expectRefusal(call: () => unknown, says: RegExp): void {
  const error = thrownBy(call);
  expect(error).toBeInstanceOf(GradusError);
  expect((error as Error).message).toMatch(says);
}

describe.each(Object.entries<Usage>(usages))("%s", (name, { given, options }) => {
  const call = (ops as unknown as Record<string, Call>)[name];

  test("refuses what comes after its last argument", () => {
    const all = [...made(given), ...(options ? [{}] : [])];
    const says = VARIADIC.includes(name)
      ? /axis 7; expected/
      : /7 too much; expected|7 after the options; expected/;
    expectRefusal(() => call(...all, 7), new RegExp(`^${name}: .*?(${says.source})`));
  });

  const last = given.at(-1);
  const hasOptions = options || (typeof last === "object" && !Array.isArray(last));
  const before = options ? given : given.slice(0, -1);

  if (hasOptions) {
    test("refuses options that it does not know, and bare values", () => {
      const unknown = () =>
        call(...made(before), { ...(options ? {} : (last as object)), colour: 1 });
      expectRefusal(unknown, new RegExp(`^${name}: unknown option "colour"; expected `));
      expectRefusal(() => call(...made(before), 7), new RegExp(`^${name}: options 7; expected `));
    });
  }

  const tensors = given.flatMap((x, i) => (MAKERS.has(x as Make) ? [i] : []));
  test.each(tensors)("refuses what is no tensor as argument %i", (i) => {
    for (const wrong of [undefined, null, [1, 2], "x", new Float32Array(2), {}]) {
      const values = made(given);
      values[i] = wrong;
      expectRefusal(() => call(...values), new RegExp(`^${name}: `));
    }
  });
});
