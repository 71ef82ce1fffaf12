import { beforeAll, describe, expect, test } from "vitest";
import { allocate, DTYPES, type DType } from "../../src/core/dtype.ts";
import "../../src/fluent/index.ts";
import {
  assignAll,
  evaluate,
  foldIn,
  GradusError,
  grad,
  gradCheck,
  State,
  scope,
  setDefaultDevice,
  Tensor,
  tensor,
  valueAndGrad,
} from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as ops from "../../src/ops/index.ts";
import { testDevice } from "../support/device.ts";

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
const scalar: Make = () => tensor(1);
const step: Make = () => tensor(3, { dtype: "u32" });
const labels: Make = () => tensor([0, 1], { dtype: "i32" });
const MAKERS = new Set([vector, matrix, bools, scalar, step, labels]);
/** A tensor of one element, of so many axes. */
const tensorOf = (rank: number, dtype: DType = "f32"): Make => {
  const make = () => tensor([1], { shape: Array(rank).fill(1), dtype });
  MAKERS.add(make);
  return make;
};
/** A tensor of zeros. */
const zerosOf = (...shape: number[]): Make => {
  const make = () => ops.zeros(shape);
  MAKERS.add(make);
  return make;
};
/** Stands for a list of one tensor. */
const list = () => [vector()];

const unary: Usage = { given: [vector] };
const binary: Usage = { given: [vector, vector] };
const reduction: Usage = { given: [matrix], options: true };

const usages = {
  abs: unary,
  acos: unary,
  acosh: unary,
  add: binary,
  arange: { given: [0, 3, 1], options: true },
  argmax: reduction,
  argmin: reduction,
  argsort: reduction,
  asin: unary,
  asinh: unary,
  atan: unary,
  atan2: binary,
  atanh: unary,
  at: { given: [vector, "1"] },
  batchIndices: { given: [step, { size: 4, batchSize: 2 }] },
  bincount: { given: [labels, 2], options: true },
  broadcastTensors: { given: [list] },
  bernoulliAt: { given: [step, [2], { seed: 1 }] },
  categoricalAt: { given: [step, vector, { seed: 1 }] },
  exponentialAt: { given: [step, [2], { seed: 1 }] },
  gammaAt: { given: [step, [2], { seed: 1 }] },
  integersAt: { given: [step, [2], { high: 2, seed: 1 }] },
  permutationAt: { given: [step, 2, { seed: 1 }] },
  randomBernoulli: { given: [[2]], options: true },
  randomCategorical: { given: [vector], options: true },
  randomExponential: { given: [[2]], options: true },
  randomGamma: { given: [[2]], options: true },
  randomTruncatedNormal: { given: [[2]], options: true },
  truncatedNormalAt: { given: [step, [2], { seed: 1 }] },
  randomIntegers: { given: [[2], { high: 2 }] },
  broadcastTo: { given: [vector, [2, 2]] },
  cast: { given: [vector, "i32"] },
  cbrt: unary,
  chunk: { given: [vector, 1], options: true },
  clip: { given: [vector, 0, 1] },
  concat: { given: [list], options: true },
  cos: unary,
  cosh: unary,
  cumLogSumExp: reduction,
  cumMax: reduction,
  cumMin: reduction,
  cumProd: reduction,
  cumSum: reduction,
  customGrad: { given: [() => vector(), () => []] },
  digamma: unary,
  diag: { given: [vector, 0] },
  diagonal: reduction,
  diff: reduction,
  div: binary,
  dot: binary,
  dropout: { given: [vector, 0.5], options: true },
  alphaDropout: { given: [vector, 0.5], options: true },
  featureAlphaDropout: { given: [matrix, 0.5], options: true },
  embedding: { given: [matrix, labels], options: true },
  einsum: { given: ["i,i", vector, vector] },
  elu: { given: [vector, 1] },
  equal: binary,
  erf: unary,
  erfc: unary,
  erfInv: unary,
  exp: unary,
  exp2: unary,
  expandDims: { given: [vector, 0] },
  expm1: unary,
  eye: { given: [2, 2], options: true },
  flatten: { given: [matrix, 0, 1] },
  flip: reduction,
  floor: unary,
  full: { given: [[2], 1], options: true },
  fullLike: { given: [vector, 1], options: true },
  gather: { given: [matrix, labels], options: true },
  gelu: { given: [vector], options: true },
  greater: binary,
  greaterEqual: binary,
  hypot: binary,
  isFinite: unary,
  isNaN: unary,
  gatherND: { given: [matrix, labels] },
  histogram: reduction,
  indexAdd: { given: [matrix, labels, matrix], options: true },
  inner: binary,
  kthValue: { given: [matrix, 1], options: true },
  kron: binary,
  l2Normalize: reduction,
  leakyRelu: { given: [vector, 0.1] },
  less: binary,
  lessEqual: binary,
  lgamma: unary,
  linspace: { given: [0, 1, 2], options: true },
  log: unary,
  log10: unary,
  log1p: unary,
  logAddExp: binary,
  log2: unary,
  signBit: unary,
  logicalAnd: { given: [bools, bools] },
  logicalNot: { given: [bools] },
  logicalOr: { given: [bools, bools] },
  logSigmoid: unary,
  logSoftmax: reduction,
  logSumExp: reduction,
  logspace: { given: [0, 1, 2], options: true },
  maskedFill: { given: [vector, bools, 0] },
  matmul: { given: [matrix, matrix] },
  max: reduction,
  maximum: binary,
  mean: reduction,
  meshgrid: { given: [list], options: true },
  min: reduction,
  minimum: binary,
  mul: binary,
  moveAxis: { given: [matrix, 0, 1] },
  moments: reduction,
  neg: unary,
  normalCdf: unary,
  normalAt: { given: [step, [2], { seed: 1 }] },
  notEqual: binary,
  oneHot: { given: [labels, 2], options: true },
  ones: { given: [[2]], options: true },
  onesLike: reduction,
  outer: binary,
  pad: { given: [vector, [[1, 1]]], options: true },
  pairwiseSquaredDistances: { given: [matrix, matrix] },
  permute: { given: [matrix, 0, 1] },
  polygamma: { given: [vector, 1] },
  pow: binary,
  putAlongAxis: { given: [vector, labels, vector], options: true },
  randomNormal: { given: [[2]], options: true },
  randomPermutation: { given: [2], options: true },
  randomUniform: { given: [[2]], options: true },
  reciprocal: unary,
  relu: unary,
  repeatInterleave: { given: [vector, 2], options: true },
  reshape: { given: [matrix, [4]] },
  rsqrt: unary,
  roll: { given: [vector, 1], options: true },
  rotaryEmbedding: { given: [matrix], options: true },
  rot90: { given: [matrix, 1], options: true },
  scaledDotProductAttention: { given: [matrix, matrix, matrix], options: true },
  scatter: { given: [vector, labels, vector], options: true },
  scatterAdd: { given: [vector, labels, vector], options: true },
  scatterND: { given: [matrix, labels, scalar], options: true },
  searchSorted: { given: [vector, vector], options: true },
  segmentSum: { given: [vector, labels, 2] },
  setSeed: { given: [0] },
  sigmoid: unary,
  sign: unary,
  silu: unary,
  sin: unary,
  sinh: unary,
  slice: { given: [vector, [{ start: 1 }]] },
  softmax: reduction,
  softplus: unary,
  sort: reduction,
  split: { given: [vector, 1], options: true },
  sqrt: unary,
  square: unary,
  squeeze: { given: [vector, []] },
  stack: { given: [list], options: true },
  stopGradient: unary,
  sub: binary,
  sum: reduction,
  sumTo: { given: [matrix, [2]] },
  tan: unary,
  take: { given: [vector, labels], options: true },
  takeAlongAxis: { given: [vector, labels], options: true },
  tanh: unary,
  vdot: binary,
  vecdot: { given: [vector, vector], options: true },
  tensordot: { given: [vector, vector, 1] },
  tensor: { given: [[1, 2]], options: true },
  tile: { given: [vector, [2]] },
  topK: { given: [matrix, 1], options: true },
  transpose: { given: [matrix, 0, 1] },
  tril: { given: [matrix, 0] },
  triu: { given: [matrix, 0] },
  unbind: reduction,
  unflatten: { given: [vector, 0, [2, 1]] },
  uniformAt: { given: [step, [2], { seed: 1 }] },
  variance: reduction,
  where: { given: [bools, vector, vector] },
  windows: { given: [vector, 1], options: true },
  writeAt: { given: [vector, step, scalar] },
  zeros: { given: [[2]], options: true },
  bitwiseAnd: { given: [labels, labels] },
  bitwiseLeftShift: { given: [labels, labels] },
  bitwiseOr: { given: [labels, labels] },
  bitwiseRightShift: { given: [labels, labels] },
  bitwiseXor: { given: [labels, labels] },
  bitwiseNot: { given: [labels] },
  ceil: unary,
  fract: unary,
  isInf: unary,
  round: unary,
  trunc: unary,
  copysign: binary,
  floorDivide: binary,
  fmod: binary,
  nextafter: binary,
  remainder: binary,
  lerp: { given: [vector, vector, vector] },
  logicalXor: { given: [bools, bools] },
  nanMean: reduction,
  nanSum: reduction,
  nanToNum: reduction,
  hardSigmoid: unary,
  hardSwish: unary,
  mish: unary,
  relu6: unary,
  selu: unary,
  softsign: unary,
  tanhShrink: unary,
  celu: { given: [vector, 1] },
  hardShrink: { given: [vector, 1] },
  softShrink: { given: [vector, 1] },
  rrelu: { given: [vector], options: true },
  unfold: { given: [zerosOf(1, 3, 3), 2], options: true },
  fold: { given: [zerosOf(4, 4), 3, 2], options: true },
  hardTanh: { given: [vector, 0, 1] },
  threshold: { given: [vector, 0, 1] },
  prelu: binary,
  glu: reduction,
  swiglu: reduction,
  all: reduction,
  any: reduction,
  countNonZero: reduction,
  median: reduction,
  norm: reduction,
  prod: reduction,
  std: reduction,
  quantile: { given: [matrix, 0.5], options: true },
  zerosLike: reduction,
  conv1d: { given: [tensorOf(3), tensorOf(3)], options: true },
  conv2d: { given: [tensorOf(4), tensorOf(4)], options: true },
  conv3d: { given: [tensorOf(5), tensorOf(5)], options: true },
  convTranspose1d: { given: [tensorOf(3), tensorOf(3)], options: true },
  convTranspose2d: { given: [tensorOf(4), tensorOf(4)], options: true },
  convTranspose3d: { given: [tensorOf(5), tensorOf(5)], options: true },
  maxPool1d: { given: [tensorOf(3), 1], options: true },
  avgPool1d: { given: [tensorOf(3), 1], options: true },
  adaptiveAvgPool1d: { given: [tensorOf(3), 1], options: true },
  adaptiveMaxPool1d: { given: [tensorOf(3), 1], options: true },
  lpPool1d: { given: [tensorOf(3), 2, 1], options: true },
  maxUnpool1d: { given: [tensorOf(3), tensorOf(3, "i32"), 1], options: true },
  maxPool2d: { given: [tensorOf(4), 1], options: true },
  avgPool2d: { given: [tensorOf(4), 1], options: true },
  adaptiveAvgPool2d: { given: [tensorOf(4), 1], options: true },
  adaptiveMaxPool2d: { given: [tensorOf(4), 1], options: true },
  lpPool2d: { given: [tensorOf(4), 2, 1], options: true },
  maxUnpool2d: { given: [tensorOf(4), tensorOf(4, "i32"), 1], options: true },
  maxPool3d: { given: [tensorOf(5), 1], options: true },
  avgPool3d: { given: [tensorOf(5), 1], options: true },
  adaptiveAvgPool3d: { given: [tensorOf(5), 1], options: true },
  adaptiveMaxPool3d: { given: [tensorOf(5), 1], options: true },
  lpPool3d: { given: [tensorOf(5), 2, 1], options: true },
  maxUnpool3d: { given: [tensorOf(5), tensorOf(5, "i32"), 1], options: true },
  batchNorm: reduction,
  groupNorm: { given: [matrix, 1], options: true },
  instanceNorm: reduction,
  layerNorm: { given: [matrix, 2], options: true },
  localResponseNorm: { given: [matrix, 1], options: true },
  rmsNorm: { given: [matrix, 2], options: true },
  pixelShuffle: { given: [tensorOf(4), 1], options: true },
  pixelUnshuffle: { given: [tensorOf(4), 1], options: true },
  resize: { given: [tensorOf(4), 2], options: true },
  gridSample: { given: [tensorOf(4), zerosOf(1, 1, 1, 2)], options: true },
  affineGrid: { given: [zerosOf(1, 2, 3), 2], options: true },
} satisfies Record<keyof typeof ops, Usage>;

/** What ops say of one more that take any number of arguments of one kind. */
const VARIADIC: Readonly<Record<string, RegExp>> = {
  einsum: /input 2 is 7; expected a tensor/,
  permute: /axis 7; expected/,
  transpose: /axis 7; expected/,
};

type Call = (...given: unknown[]) => unknown;
const made = (given: readonly unknown[]) =>
  given.map((x) => (x === list ? list() : MAKERS.has(x as Make) ? (x as Make)() : x));

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What was asked for, of each tensor among some results. */
function nodesOf(results: unknown): object[] {
  if (!(results instanceof Tensor)) return Object.values(results as object).flatMap(nodesOf);
  const { op, attributes, shape, dtype, result } = results.node;
  return [{ op, attributes, shape, dtype, result }];
}

function expectRefusal(call: () => unknown, says: RegExp): void {
  const error = thrownBy(call);
  expect(error).toBeInstanceOf(GradusError);
  expect((error as Error).message).toMatch(says);
}

const x = () => tensor([1, 2], { dtype: "f64" });
const surplus = 7 as never;
const options = (given: object) => given as never;

/** Calls of what is no op, with an argument too many or of another kind. */
const others: Record<string, readonly [() => unknown, string][]> = {
  "gradients and states": [
    [() => grad(x().sum(), [x()], surplus), "grad: 7 too much; expected grad(y, [x, …])"],
    [
      () => grad(x().sum(), x() as never),
      "grad: targets a Tensor; expected an array of tensors. Did you mean [x]?",
    ],
    [() => grad(1 as never, []), "grad: input 0 is 1; expected a tensor. Use tensor(value)"],
    [
      () => grad(x().sum(), [3 as never]),
      "grad: input 0 is 3; expected a tensor. Use tensor(value)",
    ],
    [
      () => grad(x().sum(), [x()]),
      "grad: y does not depend on target 0 of shape [2]; expected targets that it was computed " +
        "from. A graph without a Parameter is dropped once evaluated: take gradients first",
    ],
    [() => valueAndGrad((a) => a, surplus), "valueAndGrad: 7 too much; expected valueAndGrad(fn)"],
    [() => valueAndGrad(x() as never), "valueAndGrad: fn is a Tensor; expected a function"],
    [() => ops.customGrad(ops.abs, null as never), "customGrad: vjp is null; expected a function"],
    [() => scope(() => 1, surplus), "scope: 7 too much; expected scope(fn)"],
    [() => scope(x() as never), "scope: fn is a Tensor; expected a function"],
    [
      () => evaluate([x()] as never),
      "evaluate: input 0 is an array; expected a tensor. Use tensor(value)",
    ],
    [
      () => assignAll([], [], surplus),
      "assignAll: 7 too much; expected assignAll([[state, value], …], also)",
    ],
    [() => assignAll([[x(), x()]] as never), "assignAll: pair 0 an array; expected [State, value]"],
    [
      () => assignAll([new State(tensor(1))] as never),
      "assignAll: pair 0 a State; expected [State, value]",
    ],
    [() => assignAll(null as never), "assignAll: pairs null; expected an array"],
    [() => assignAll([], x() as never), "assignAll: also a Tensor; expected an array"],
    [
      () => new State(tensor(1)).assign(2 as never),
      "assign: input 1 is 2; expected a tensor. Use tensor(value)",
    ],
    [
      () => new State(tensor(1)).assign(tensor(1), surplus),
      "assign: 7 too much; expected assign(value)",
    ],
  ],
  "devices and keys": [
    [
      () => tensor([1], { device: options("cpu" as never) }),
      'tensor: device "cpu"; expected one that init gave, as (await init()).device',
    ],
    [
      () => ops.zeros([1], { device: options({ device: {} }) }),
      "zeros: device an object; expected one that init gave, as (await init()).device",
    ],
    [
      () => setDefaultDevice("cpu" as never),
      'setDefaultDevice: device "cpu"; expected one that init gave, as (await init()).device',
    ],
    ...(
      [
        ["float32", '"float32"', "f32"],
        ["int32", '"int32"', "i32"],
        ["uint8", '"uint8"', "u8"],
        ["boolean", '"boolean"', "bool"],
        ["complex", '"complex"', null],
        [32, "32", "f32"],
      ] as const
    ).map(([dtype, given, meant]): [() => unknown, string] => [
      () => tensor([1], options({ dtype })),
      `tensor: dtype ${given}; expected one of f32, i32, u32, bool, f64, u8, i8, u16, i16, f16` +
        (meant ? `. Did you mean "${meant}"?` : ""),
    ]),
    ...([5, [1], [1, -1], [1, 2, 3], [1, 2 ** 32]] as const).map((key): [() => unknown, string] => [
      () => foldIn(key as never, 1),
      `foldIn: key ${typeof key === "number" ? 5 : "an array"}; expected two u32 words, as ` +
        "keyFromSeed(seed) gives them",
    ]),
    [
      () => ops.randomUniform([1], options({ key: 5 })),
      "randomUniform: key 5; expected two u32 words, as keyFromSeed(seed) gives them",
    ],
    [
      () => ops.uniformAt(step(), [1], options({ key: 0 })),
      "uniformAt: key 0; expected two u32 words, as keyFromSeed(seed) gives them",
    ],
    [
      () => new nn.Linear(1, 1, options({ key: 5 })),
      "Linear: key 5; expected two u32 words, as keyFromSeed(seed) gives them",
    ],
    [
      () => ops.randomNormal([1], options({ seed: "1" })),
      'randomNormal: seed "1"; expected an integer from 0 to 2^53 - 1',
    ],
  ],
  initialisers: [
    [() => nn.constant(1, surplus), "constant: 7 too much; expected constant(value)"],
    [() => nn.normal(1, surplus), "normal: 7 too much; expected normal(std)"],
    [() => nn.xavierUniform(1, surplus), "xavierUniform: 7 too much; expected xavierUniform(gain)"],
    [() => nn.xavierNormal(1, surplus), "xavierNormal: 7 too much; expected xavierNormal(gain)"],
    [
      () => nn.xavierNormal(options({ gain: 2 })),
      "xavierNormal: gain an object; expected a finite number above 0",
    ],
    [() => nn.heNormal(0, surplus), "heNormal: 7 too much; expected heNormal(slope)"],
    [() => nn.heUniform(0, surplus), "heUniform: 7 too much; expected heUniform(slope)"],
    [
      () => nn.loadState(new nn.Identity(), new Map(), surplus),
      "loadState: options 7; expected an object of strict, from, rename",
    ],
    [
      () => nn.loadState(new nn.Identity(), new Map(), {}, surplus),
      "loadState: 7 after the options; expected nothing there",
    ],
  ],
  "methods of tensors": [
    [() => x().neg(surplus), "neg: 7 too much; expected neg(x)"],
    [() => x().add(1, surplus), "add: 7 too much; expected add(a, b)"],
    [() => x().sub(1, surplus), "sub: 7 too much; expected sub(a, b)"],
    [() => x().mul(1, surplus), "mul: 7 too much; expected mul(a, b)"],
    [() => x().div(1, surplus), "div: 7 too much; expected div(a, b)"],
    [() => x().matmul(x(), surplus), "matmul: 7 too much; expected matmul(a, b)"],
    [
      () => x().sum(1 as never),
      "sum: options 1; expected an object of axis, keepDims. Did you mean { axis: 1 }?",
    ],
    [
      () => x().mean(options({ dim: 0 })),
      'mean: unknown option "dim"; expected axis, keepDims. Did you mean "axis"?',
    ],
    [() => x().sum({}, surplus), "sum: 7 after the options; expected nothing there"],
    [() => x().mean({}, surplus), "mean: 7 after the options; expected nothing there"],
    [() => x().reshape([2], surplus), "reshape: 7 too much; expected reshape(x, shape)"],
    [() => x().reshape(2 as never), "reshape: shape 2; expected an array of integers"],
  ],
};

for (const [what, calls] of Object.entries(others)) {
  test.each(calls)(`${what} %#`, (call, says) => {
    const error = thrownBy(call);
    expect(error).toBeInstanceOf(GradusError);
    expect((error as Error).message).toBe(says);
  });
}

test("reads refuse arguments, and item more than one value", async () => {
  const reads: [Promise<unknown>, string][] = [
    [x().data(surplus), "data: 7 too much; expected data()"],
    [x().toArray(surplus), "toArray: 7 too much; expected toArray()"],
    [x().item(surplus), "item: 7 too much; expected item()"],
    [x().item(), "item: shape [2]; expected a tensor of size 1"],
    [
      gradCheck((a) => a.sum(), [x()], options({ eps: 1 })),
      'gradCheck: unknown option "eps"; expected epsilon, tolerance, seed. Did you mean "epsilon"?',
    ],
  ];
  for (const [read, says] of reads) {
    const error = await read.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(GradusError);
    expect((error as Error).message).toBe(says);
  }
});

test("gradCheck looks along the directions of seed 0, and takes a millionth for right", async () => {
  const check = (given?: object) => gradCheck((a) => a.mul(a).sum(), [x()], given);
  expect(await check()).toEqual(await check({ seed: 0 }));
  expect((await check())[0].analytic).not.toBe((await check({ seed: 1 }))[0].analytic);
  // The slope is wrong by 2e-5, but for what a direction takes of it.
  const wrong = ops.customGrad(
    (a: Tensor) => a.mul(3),
    (g) => [g.mul(3 * (1 + 2e-5))],
  );
  await expect(gradCheck((a) => wrong(a).sum(), [x()])).rejects.toThrow(
    "expected at most 0.000001",
  );
  await gradCheck((a) => wrong(a).sum(), [x()], { tolerance: 1e-4 });
});

describe.each(Object.entries<Usage>(usages))("%s", (name, { given, options }) => {
  const call = (ops as unknown as Record<string, Call>)[name];

  test("refuses what comes after its last argument", () => {
    const all = [...made(given), ...(options ? [{}] : [])];
    const says = VARIADIC[name] ?? /7 too much; expected|7 after the options; expected/;
    expectRefusal(() => call(...all, 7), new RegExp(`^${name}: .*?(${says.source})`));
  });

  if (Object.hasOwn(Tensor.prototype, name)) {
    test("is a method of its first argument, by gradus/fluent", () => {
      const [a, ...rest] = made(given);
      const method = (...args: unknown[]) => (a as Record<string, Call>)[name](...args);
      const nodes = nodesOf(method(...rest));
      expect(nodes.length).toBeGreaterThan(0);
      expect(nodes).toEqual(nodesOf(call(a, ...rest)));
      const tooMuch = [...rest, ...(options ? [{}] : []), 7];
      expect(thrownBy(() => method(...tooMuch))).toEqual(thrownBy(() => call(a, ...tooMuch)));
    });
  }

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

  test.each(tensors)("takes any dtype as argument %i, or refuses it by its own name", (i) => {
    for (const dtype of Object.keys(DTYPES) as DType[]) {
      const values = made(given);
      const { shape, size } = made(given)[i] as Tensor;
      values[i] = tensor(allocate(dtype, size), { shape, dtype });
      const error = thrownBy(() => call(...values));
      if (error === undefined) continue;
      expect(error).toBeInstanceOf(GradusError);
      expect((error as Error).message).toMatch(new RegExp(`^${name}: .*${dtype}`));
    }
  });
});
