import { beforeAll, describe, expect, test } from "vitest";
import { sourcesIn, trace } from "../../src/engine/program.ts";
import {
  add,
  assignAll,
  cast,
  compile,
  customOp,
  DTypeError,
  debug,
  evaluate,
  GradusError,
  grad,
  gradCheck,
  init,
  KernelError,
  mul,
  ShapeError,
  State,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { lambertW, laplacian } from "../support/custom-ops.ts";
import { ownDevice } from "../support/device.ts";

beforeAll(async () => {
  await ownDevice();
});

const scalar = { name: "f", inputs: ["x"], wgsl: "x", cpu: (x: number) => x } as const;
const INVOCATION = "fn invocation(i: u32) { store_y(i, load_x(i)); }";
const kernel = {
  name: "f",
  inputs: ["x"],
  wgsl: INVOCATION,
  shape: (x: readonly number[]) => x,
  cpu: () => {},
} as const;

describe("a definition that is none", () => {
  const rows: readonly [what: string, definition: object | string, message: string][] = [
    ["no object", "x", 'definition "x"; expected an object of name, inputs, wgsl and cpu'],
    [
      "no name",
      { ...scalar, name: "a b" },
      'name "a b"; expected a name of letters and digits, such as softClip',
    ],
    [
      "no inputs",
      { ...scalar, inputs: [] },
      'f: inputs an array; expected a list of at least one name, such as ["x"]',
    ],
    [
      "a nameless input",
      { ...scalar, inputs: [3] },
      'f: input 3; expected a name, or one with a dtype, such as "k: i32"',
    ],
    [
      "two of one name",
      { ...scalar, inputs: ["x", "x: i32"] },
      "f: two inputs are x; expected a name for each",
    ],
    [
      "a dtype that devices lack",
      { ...scalar, inputs: ["x: f64"] },
      "f: dtype of x f64; expected f32, i32, u32, bool, u8, i8, u16, i16",
    ],
    ["another", { ...scalar, result: "f46" }, "f: result f46; expected f32, i32, u32, bool"],
    ["no text", { ...scalar, wgsl: " " }, 'f: wgsl " "; expected a text of WGSL'],
    ["no function", { ...scalar, cpu: 3 }, "f: cpu 3; expected a function"],
    ["no cost", { ...scalar, cost: -1 }, "f: cost -1; expected a finite number from 0"],
    ["no rule", { ...scalar, vjp: 3 }, "f: vjp 3; expected a function, or null"],
    [
      "an unknown option",
      { ...scalar, wgls: "x" },
      'unknown option "wgls"; expected name, inputs, wgsl, cpu, result, file, vjp, cost. Did you mean "wgsl"?',
    ],
    ["no shape", { ...kernel, shape: [3] }, "f: shape an array; expected a function"],
    ["no grid", { ...kernel, grid: 3 }, "f: grid 3; expected a function"],
    [
      "half an invocation",
      { ...kernel, workgroupSize: 0.5 },
      "f: workgroupSize 0.5; expected an integer from 1",
    ],
    [
      "an input y",
      { ...kernel, inputs: ["y"] },
      "f: an input is y; expected another name, for y is the result",
    ],
    [
      "no entry point",
      { ...kernel, wgsl: "fn invocatoin(i: u32) {}" },
      'f: wgsl has no function invocation, in "fn invocatoin(i: u32) {}"; expected fn invocation(i: u32) or ' +
        'fn group(k: u32, local: u32). Did you mean "invocatoin"?',
    ],
    [
      "no result",
      { ...kernel, wgsl: "fn invocation(i: u32) {}" },
      'f: wgsl has no call of store_y, in "fn invocation(i: u32) {}"; expected store_y(…, value)',
    ],
    [
      "memory without its size",
      { ...kernel, wgsl: `var<workgroup> m: array<f32, 4>; ${INVOCATION}` },
      "f: workgroupMemory 0 beside var<workgroup>; expected the bytes of these variables",
    ],
  ];
  test.each(rows)("%s", (_, definition, message) => {
    expect(() => customOp(definition as never)).toThrow(new GradusError(`customOp: ${message}`));
  });
});

describe("a call that is wrong", () => {
  const f = customOp(scalar);
  const two = customOp({ ...scalar, inputs: ["a", "k: i32"], cpu: (a, k) => a + k });
  const x = () => tensor([1, 2]);
  const rows: readonly [what: string, call: () => unknown, error: GradusError][] = [
    [
      "too much",
      () => f(...([x(), x()] as never as [Tensor])),
      new GradusError("f: 2 inputs; expected 1, as in f(x)"),
    ],
    [
      "only numbers",
      () => two(1, 2),
      new DTypeError("f: no tensor; expected at least one. Use tensor(value)"),
    ],
    [
      "a text",
      () => two(x(), "a" as never),
      new GradusError('f: input 1 is "a"; expected a tensor. Use tensor(value)'),
    ],
    [
      "another dtype",
      () => two(x(), x()),
      new DTypeError("f: k has dtype f32; expected i32. cast it"),
    ],
    [
      "no whole number",
      () => two(x(), 0.5),
      new DTypeError(
        "f: number 0.5 beside dtype i32; expected a value that i32 holds. cast the tensor to f32",
      ),
    ],
    [
      "shapes that do not fit",
      () => two(x(), tensor([1, 2, 3], { dtype: "i32" })),
      new ShapeError(
        "f: shapes [2] and [3] do not broadcast (2 vs 3); expected equal sizes or 1 on each axis, counted from the last",
      ),
    ],
    [
      "a shape that is none",
      () => customOp({ ...kernel, shape: () => [-1] })(x()),
      new ShapeError("f: shape [-1]; expected an array of non-negative integers"),
    ],
  ];
  test.each(rows)("%s", (_, call, error) => {
    expect(call).toThrow(error);
  });

  const computed: readonly [what: string, call: () => Tensor, message: string][] = [
    [
      "cpu throws",
      () =>
        customOp({
          ...scalar,
          cpu: () => {
            throw new TypeError("its own");
          },
        })(x()),
      "f: cpu threw TypeError: its own; expected a result",
    ],
    [
      "cpu gives nothing",
      () => customOp({ ...scalar, cpu: () => undefined as never })(x()),
      "f: cpu gave undefined; expected a number",
    ],
    [
      "cpu writes too much",
      () => customOp({ ...kernel, cpu: (_, y) => y.data.set(new Float32Array(3)) })(x()),
      "f: cpu threw RangeError: offset is out of bounds; expected a result",
    ],
    [
      "cpu gives an array",
      () => customOp({ ...kernel, cpu: (([a]: { data: unknown }[]) => a.data) as never })(x()),
      "f: cpu returned a Float32Array; expected it to write into y.data",
    ],
  ];
  test.each(computed)("%s", async (_, call, message) => {
    await expect(call().data()).rejects.toThrow(new KernelError(message));
  });
});

describe("gradients", () => {
  test("are right in float64, to the second order", async () => {
    const { device: cpu } = await init({ device: "cpu", isolated: true });
    const x = tensor(
      [
        [0.3, 1.2],
        [2.5, 0.1],
      ],
      { dtype: "f64", device: cpu },
    );
    await gradCheck((v) => sum(mul(lambertW(v), v)), [x]);
    await gradCheck((v) => sum(square(grad(sum(mul(lambertW(v), v)), [v])[0])), [x]);
    await gradCheck((v) => sum(square(laplacian(v))), [x]);
  });

  test("are an error where there is no rule, and zeros where that is null", async () => {
    const x = tensor([1, 2]);
    expect(() => grad(sum(customOp(scalar)(x)), [x])).toThrow(
      new GradusError(
        "grad: f has no gradient; expected one on the way to a target. " +
          "Give customOp a vjp, or stop gradients by stopGradient",
      ),
    );
    const flat = customOp({ ...scalar, vjp: null });
    expect(await grad(sum(flat(x)), [x])[0].toArray()).toEqual([0, 0]);
  });

  const wrong: readonly [what: string, vjp: (g: Tensor) => unknown, message: string][] = [
    [
      "no list",
      (g) => g,
      "f: vjp gave a Tensor; expected a list of 1, a tensor or null for each input",
    ],
    [
      "too many",
      (g) => [g, null],
      "f: vjp gave 2 values; expected a list of 1, a tensor or null for each input",
    ],
    ["another shape", (g) => [sum(g)], "f: vjp gave f32 [] for x; expected f32 [2], or null"],
    [
      "another dtype",
      (g) => [cast(g, "i32")],
      "f: vjp gave i32 [2] for x; expected f32 [2], or null",
    ],
    ["a number", () => [3], "f: vjp gave 3 for x; expected f32 [2], or null"],
  ];
  test.each(wrong)("are refused: %s", (_, vjp, message) => {
    const x = tensor([1, 2]);
    const y = customOp({ ...scalar, vjp: vjp as never })(x);
    expect(() => grad(sum(y), [x])).toThrow(new GradusError(message));
  });
});

test("an op is one as long as it is the same value, and plans know it", async () => {
  const f = customOp(scalar);
  const [own, again, other] = [f, f, customOp(scalar)].map((op) => [op(tensor([1, 2])).node]);
  const { program } = trace(own, "test");
  expect(sourcesIn(program, again)).toEqual(again[0].inputs);
  expect(sourcesIn(program, other)).toBeNull();
});

test("no state has changed when the function throws in a step", async () => {
  const positive = customOp({
    ...scalar,
    cpu: (x) => {
      if (x < 0) throw new RangeError("below 0");
      return x;
    },
  });
  const [first, second] = [new State(tensor([1, 2])), new State(tensor([0, 0]))];
  const step = compile((x: Tensor) => {
    assignAll([
      [first, add(first, x)],
      [second, add(second, positive(square(x)))],
    ]);
    return sum(positive(x));
  });
  await step(tensor([1, 1]));
  await expect(step(tensor([-9, 0]))).rejects.toThrow("f: cpu threw RangeError: below 0");
  expect(await first.toArray()).toEqual([2, 3]);
  expect(await second.toArray()).toEqual([1, 1]);
});

test("debug names an op of one's own that made a NaN", async () => {
  const root = customOp({ ...scalar, name: "root", wgsl: "sqrt(x)", cpu: Math.sqrt });
  await expect(debug(() => add(root(tensor([4, -1])), 1))).rejects.toThrow(
    /^debug: NaN made by root in /,
  );
});

test("calls that cannot be right do not compile", () => {
  const two = customOp({ ...scalar, inputs: ["a", "b"], cpu: (a, b) => a * b });
  const types = (x: Tensor) => {
    // @ts-expect-error one input is missing
    two(x);
    // @ts-expect-error one is too much
    two(x, x, x);
    // @ts-expect-error the function has two parameters
    customOp({ ...scalar, inputs: ["a", "b"], cpu: (a, b, c) => a * b * c });
    return two(x, 3);
  };
  expect(types).toBeTypeOf("function");
  evaluate(two(tensor([1]), 3));
});
