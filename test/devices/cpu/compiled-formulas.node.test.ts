import { beforeAll, describe, expect, test } from "vitest";
import { allocate, type DType, is, isFloat, type NumericArray } from "../../../src/core/dtype.ts";
import { randomBits } from "../../../src/core/random.ts";
import { sizeOf } from "../../../src/core/shape.ts";
import { contiguous } from "../../../src/core/strided.ts";
import type { TensorType } from "../../../src/core/tensor-type.ts";
import { markAll } from "../../../src/debug/check-ops.ts";
import { hasMultiplyAdd } from "../../../src/devices/cpu/compiled/simd-level.ts";
import { fastest } from "../../../src/devices/cpu/plain-form.ts";
import { type Step, trace } from "../../../src/engine/program.ts";
import type { Operations } from "../../../src/forms/scalars.ts";
import { type Attributes, defineOp, type Op } from "../../../src/graph/op.ts";
import {
  add,
  argsort,
  batchIndices,
  cast,
  type Device,
  equal,
  grad,
  greater,
  greaterEqual,
  less,
  lessEqual,
  maximum,
  minimum,
  mul,
  normalAt,
  sub,
  sum,
  type Tensor,
  tensor,
  uniformAt,
} from "../../../src/index.ts";
import { tables } from "../../cases/tables.ts";
import { testDevice } from "../../support/device.ts";
import { draw, floats, place } from "../../support/op-case.ts";
import type { Pick } from "../../support/random-choice.ts";
import { SPECIAL } from "../../support/special-values.ts";
import { vectorStep } from "../../support/vector-step.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** A step by itself, and what it takes. */
interface Compiled {
  readonly name: string;
  readonly step: Step;
  readonly types: readonly TensorType[];
}

/** What the tables have not, or few of. */
function others(): [string, Tensor | readonly Tensor[]][] {
  const of = (dtype: DType) => tensor(new Float32Array(61), { dtype });
  const step = tensor(3, { dtype: "u32" });
  const dtypes = ["f32", "i32", "u32", "bool", "f16"] as const;
  const whole = ["i32", "u32"] as const;
  return [
    ["debug", markAll([of("f32"), tensor(new Float32Array(61).fill(1))]).words],
    ...dtypes.flatMap((from) =>
      [...dtypes].map((to): [string, Tensor] => [`${from} to ${to}`, cast(of(from), to)]),
    ),
    ...whole.flatMap((dtype) =>
      [add, sub, mul, maximum, minimum, equal, less, lessEqual, greater, greaterEqual].map(
        (op): [string, Tensor] => [`${op.name} of ${dtype}`, op(of(dtype), of(dtype))],
      ),
    ),
    ...[1, 2, 3, 60_000, 2 ** 32 - 1].flatMap((size) =>
      [true, false].map((replacement): [string, Tensor] => {
        const options = {
          size,
          batchSize: Math.min(size, 7),
          replacement,
          dropLast: true,
          seed: 5,
        };
        return [`batchIndices of ${size}`, batchIndices(step, options)];
      }),
    ),
    ["uniformAt", uniformAt(step, [501], { low: -3, high: 0.1, seed: 7 })],
    ["normalAt", normalAt(step, [501], { mean: 3, std: 0.1, seed: 7 })],
  ];
}

/** Every op of the tables that is no kernel, once for the same attributes and types. */
function stepsOf(): Compiled[] {
  const found = new Map<string, Compiled>();
  const add = (name: string, tensors: readonly Tensor[]) => {
    const nodes = tensors.map(({ node }) => node).filter((node) => node.op);
    if (nodes.length === 0) return;
    const { steps } = trace(nodes, "test").program;
    for (const step of steps) {
      const types = step.inputs.map((input) => steps[input]);
      const isKernel = !step.op || step.op.form.kind === "kernel";
      const isHere = [step, ...types].every(({ dtype }) => is(dtype, "gpu"));
      const size = sizeOf(step.shape);
      if (step.op?.throws || isKernel || !isHere || size === 0 || size > 5000) continue;
      if (types.some(({ shape }) => sizeOf(shape) > 50_000)) continue;
      const shapes = types.map(({ shape, dtype }) => `${dtype} ${shape}`);
      // Of elementwise ops only some shapes.
      const key = step.op?.scalar
        ? `${step.op.name} ${types.map(({ dtype }) => dtype)} ${step.dtype} ${size % 4}`
        : `${step.op?.name} ${JSON.stringify([step.attributes, step.result, step.dtype, step.shape])}`;
      const whole = `${key} ${step.op?.scalar ? "" : shapes}`;
      if (!found.has(whole)) found.set(whole, { name: `${name}: ${step.op?.name}`, step, types });
    }
  };
  for (const [name, { calls, gradient }] of tables) {
    for (const call of calls.slice(0, 6)) {
      const inputs = place(call, draw(call, 1), device, "f32");
      const y = call.run(...inputs);
      add(name, [y]);
      const targets = floats(call, inputs);
      if (gradient !== true || targets.length === 0 || !isFloat(y.dtype)) continue;
      add(`${name}, gradient`, grad(sum(y), targets) as Tensor[]);
    }
  }
  for (const [name, y] of others()) add(name, [y].flat());
  return [...found.values()];
}

const EDGES: Partial<Record<DType, readonly number[]>> = {
  f32: [...SPECIAL, 3e9, -3e9, 1e-40, -1e-45, 88.7, -87.4, 16777217, 0.5, -0.5],
  i32: [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)],
  u32: [0, 1, 2 ** 31, 2 ** 32 - 1],
};

/** Values of an input, edges among them; what names elements names some that are there. */
function valuesOf({ step, types }: Compiled, i: number, pick: Pick): NumericArray {
  const { dtype, shape } = types[i];
  const values = allocate(dtype, sizeOf(shape));
  const rows = i === 0 || types[0].shape.length === 0 ? 20 : Math.min(...types[0].shape);
  const edges = step.op?.scalar || isFloat(dtype) ? EDGES[dtype] : undefined;
  for (let k = 0; k < values.length; k++) {
    if (edges && pick(4) === 0) values[k] = edges[pick(edges.length)];
    else if (isFloat(dtype)) values[k] = (pick(2 ** 24) / 2 ** 23 - 1) * 10 ** (pick(5) - 2);
    else values[k] = pick(is(dtype, "bool") ? 2 : Math.max(1, rows));
  }
  return values;
}

/** What the specification gives, in float64. */
function specified({ step, types }: Compiled, inputs: readonly NumericArray[]): NumericArray {
  const op = step.op as Op;
  const y = allocate(isFloat(step.dtype) ? "f64" : step.dtype, sizeOf(step.shape));
  const views = inputs.map((values, i) => contiguous(values, types[i].shape));
  const { loop: _, ...plain } = op;
  fastest(plain, types)(contiguous(y, step.shape), views, step.attributes);
  return y;
}

/** All operations there are. */
const OPERATIONS: Record<keyof Operations<unknown>, true> = {
  "+": true,
  "-": true,
  "*": true,
  "/": true,
  "%": true,
  "==": true,
  "<": true,
  "<=": true,
  ">": true,
  ">=": true,
  "&": true,
  "|": true,
  "^": true,
  "~": true,
  "!": true,
  abs: true,
  sign: true,
  floor: true,
  ceil: true,
  trunc: true,
  round: true,
  max: true,
  min: true,
  select: true,
  g_is_nan: true,
  g_is_finite: true,
  g_copysign: true,
  g_next_after: true,
  g_fmod: true,
  g_half: true,
  g_half_bits: true,
  shift_left_i32: true,
  shift_left_u32: true,
  shift_right_i32: true,
  shift_right_u32: true,
  g_sqrt: true,
  g_exp: true,
  g_expm1: true,
  g_exp2: true,
  g_log: true,
  g_log2: true,
  g_log1p: true,
  g_sigmoid: true,
  g_tanh: true,
  g_softplus: true,
  g_sin: true,
  g_cos: true,
  g_pow: true,
  vec2u: true,
  threefry2x32: true,
  random_bits: true,
  random_unit: true,
  random_uniform: true,
  random_normal: true,
  shuffled_index: true,
  drawn_index: true,
  order_key_f32: true,
  order_key_i32: true,
  order_key_u32: true,
  order_key_down_f32: true,
  order_key_down_i32: true,
  order_key_down_u32: true,
  fma: true,
};

const LEVELS = hasMultiplyAdd() ? [false, true] : [false];

describe.each(LEVELS)("a formula that is compiled, with a multiply-add: %s", (isFused) => {
  test("gives what the op's specification does", () => {
    const called = new Set<string>();
    const steps = stepsOf();
    for (const [n, one] of steps.entries()) {
      const run = vectorStep(one.step, one.types, isFused, (name) => called.add(name));
      const bits = randomBits([n, 3], 100_000);
      let used = 0;
      const pick = (below: number) => bits[used++ % bits.length] % below;
      const inputs = one.types.map((_, i) => valuesOf(one, i, pick));
      const want = specified(one, inputs);
      const found = run(inputs);
      const { dtype, op } = one.step;
      const error = ERRORS[op?.name ?? ""];
      const isSame = (y: number, i: number) =>
        isFloat(dtype) ? isNear(found[i], y, error) : found[i] === y;
      const wrong = want.findIndex((y, i) => !isSame(y, i));
      if (wrong < 0) continue;
      const given = one.types.map(
        ({ shape, dtype }, k) => `${dtype} [${shape}] ${inputs[k][wrong]}`,
      );
      const about = `${one.name} ${JSON.stringify(one.step.attributes)} of ${given} at ${wrong}`;
      expect(found[wrong], about).toBe(want[wrong]);
    }
    expect(steps.length).toBeGreaterThan(300);
    for (const key of KEYS) called.add(key); // see below
    expect([...called].sort()).toEqual(Object.keys(OPERATIONS).sort());
  });
});

const KEYS = (["f32", "i32", "u32"] as const).flatMap(
  (dtype) => [`order_key_${dtype}`, `order_key_down_${dtype}`] as const,
);

test.each(KEYS)("%s puts numbers in the order of sort", async (key) => {
  const dtype = key.slice(-3) as "f32" | "i32" | "u32";
  const drawn = Array.from(randomBits([1, 2], 64), (word) => word % 100);
  const x = tensor([...(EDGES[dtype] ?? []), ...drawn].slice(0, 60), { dtype });
  const types = [{ shape: x.shape, dtype }];
  const op = defineOp<Attributes>({
    name: key,
    vjp: null,
    form: {
      kind: "pointwise",
      element: ({ at, load, scalars }) => scalars(dtype).call(key, load(0, at)),
    },
  });
  const step = {
    ...trace([cast(x, "bool").node], "test").program.steps[1],
    op,
    dtype: "u32" as const,
  };
  const keys = vectorStep(step, types, false)([await x.data()]);
  const order = await argsort(x, { descending: key.includes("down") }).data();
  const places = [...keys.keys()].sort((a, b) => keys[a] - keys[b]); // stable
  expect(places).toEqual([...order]);
});

/** Relative and absolute errors of functions of floats; all else has the bits of the specification. */
const ERRORS: Readonly<Record<string, readonly [number, number]>> = Object.fromEntries([
  ...[
    "exp expm1 exp2 log log1p log2 log10 pow sigmoid softplus logSigmoid rsqrt cbrt hypot",
    "sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh",
  ].flatMap((names) => names.split(" ").map((name) => [name, [3e-7, 2 ** -149]])),
  ...["erf", "erfc", "erfInv", "normalCdf", "tanhShrink"].map((name) => [name, [6e-7, 2 ** -149]]),
  ...["lgamma", "digamma", "polygamma", "logAddExp"].map((name) => [name, [1.2e-6, 1.2e-6]]),
  ["normalAt", [0, 1e-6]],
]);

/** Whether a value is that of the specification, or near enough to it. */
function isNear(found: number, want: number, error: readonly [number, number] | undefined) {
  const rounded = Math.fround(want);
  if (Object.is(found, rounded) || !error) return Object.is(found, rounded);
  return Math.abs(found - rounded) <= error[0] * Math.abs(rounded) + error[1];
}
