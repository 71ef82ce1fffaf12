import { beforeAll, expect, test } from "vitest";
import page from "../../docs/custom-ops.md?raw";
import {
  add,
  cast,
  compile,
  customOp,
  type Device,
  evaluate,
  exp,
  grad,
  greater,
  init,
  matmul,
  mean,
  mul,
  slice,
  square,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "../../src/index.ts";
import { LAMBERT_W, LAPLACIAN, lambertW, laplacian } from "../support/custom-ops.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { wave } from "../support/random-choice.ts";

let device: Device;
let plain: Device;
beforeAll(async () => {
  device = await testDevice();
  plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
});

/** Compares what a function gives on the device with its specification. */
async function expectParity(fn: (wave: (...shape: number[]) => Tensor) => Tensor[]): Promise<void> {
  const [own, specified] = [device, plain].map((on) =>
    fn((...shape) => wave(shape, shape.length, on, "f32")),
  );
  evaluate(...own);
  for (const [i, x] of own.entries()) {
    const [values, expected] = await Promise.all([x.data(), specified[i].data()]);
    expect(values.length, `${i}`).toBe(expected.length);
    for (const [k, value] of values.entries())
      expect(value, `${i}, ${k}`).toBeCloseTo(expected[k], 4);
  }
}

test("the ops of the page are these, and are right on the device", async () => {
  expect(page).toContain(LAMBERT_W);
  expect(page).toContain(LAPLACIAN);
  const x = tensor([0, 1, Math.E]);
  const w = await lambertW(x).data();
  expect(w[1] * Math.exp(w[1])).toBeCloseTo(1, 5);
  const ones = await laplacian(tensor([1, 1, 1, 1, 1, 1], { shape: [2, 3] })).toArray();
  expect(ones).toEqual([
    [-2, -1, -2],
    [-2, -1, -2],
  ]);
});

test("both kinds agree with the specification, gradients of gradients too", async () => {
  await expectParity((x) => {
    const image = x(9, 7);
    const flat = lambertW(exp(mul(laplacian(transpose(image)), 0.1)));
    const y = mean(mul(flat, square(laplacian(flat))));
    const [dx] = grad(y, [image]);
    return [flat, y, dx, ...grad(sum(square(dx)), [image])];
  });
});

test("a pointwise op joins the kernel before it, and what is pointwise a kernel of one's own", async () => {
  const step = compile((a: Tensor, b: Tensor) => {
    const w = lambertW(square(matmul(a, b)));
    return add(laplacian(mul(w, 2)), 1);
  });
  const [a, b] = [wave([6, 5], 0, device, "f32"), wave([5, 7], 1, device, "f32")];
  await step(a, b);
  const { kernels } = await step.plans[0].stats();
  const groups = kernels.map(({ groups }) => groups.map((ops) => ops.join("+")).join(" | "));
  const plainGroups = ["matmul+square", "lambertW", "mul", "laplacian", "add"];
  expect(groups).toEqual(inBrowser ? ["matmul+square+lambertW+mul", "laplacian+add"] : plainGroups);
  step.dispose();
});

const blend = customOp({
  name: "blend",
  inputs: ["isNew: bool", "x", "k: i32", "rate"],
  // Names like those of others, and of constants in kernels.
  wgsl: `
    const SIZE = 2.0;
    fn twice(a: f32) -> f32 { return SIZE * a; }
    fn blend(isNew: bool, x: f32, k: i32, rate: f32) -> f32 {
      return select(x, twice(x) * rate + f32(k), isNew);
    }
  `,
  cpu: (isNew, x, k, rate) => (isNew ? 2 * x * rate + k : x),
  vjp: (g, _, isNew, __, ___, rate) => [
    null,
    mul(g, add(mul(cast(isNew, "f32"), add(mul(rate, 2), -1)), 1)),
    null,
    null,
  ],
});

const isOdd = customOp({
  name: "isOdd",
  inputs: ["k: i32"],
  result: "bool",
  wgsl: "(k & 1) == 1 // the lowest bit",
  cpu: (k) => (k & 1) === 1,
});

const brightness = customOp({
  name: "brightness",
  inputs: ["pixel: u8"],
  result: "i32",
  wgsl: "i32(pixel) - 128",
  cpu: (pixel) => pixel - 128,
});

test("inputs of several dtypes broadcast, and numbers are taken", async () => {
  await expectParity((x) => {
    const rows = x(3, 4);
    const k = cast(mul(x(4), 9), "i32");
    const y = blend(greater(rows, 0), rows, k, 0.25);
    const other = blend(isOdd(k), x(4), 3, x(2, 3, 1));
    return [y, other, isOdd(k)];
  });
  expect(await brightness(tensor(Uint8Array.of(0, 255, 7))).toArray()).toEqual([-128, 127, -121]);
  expect(isOdd(tensor([1, 2], { dtype: "i32" })).dtype).toBe("bool");
  const x = tensor([1, -1]);
  const [dx] = grad(sum(blend(greater(x, 0), x, 1, 3)), [x]);
  expect(await dx.toArray()).toEqual([6, 1]);
});

const meanOfRows = customOp({
  name: "meanOfRows",
  inputs: ["x", "bias"],
  shape: ([rows]) => [rows],
  grid: ([rows]) => rows,
  constants: ([, length]) => ({ HALF: Math.floor(length / 2) }),
  workgroupSize: 32,
  workgroupMemory: 4 * 32,
  wgsl: `
var<workgroup> sums: array<f32, WORKGROUP>;

fn group(row: u32, local: u32) {
  var sum = 0.0;
  for (var j = local; j < x_1; j += WORKGROUP) {
    sum += load_x(row, j);
  }
  sums[local] = sum;
  workgroupBarrier();
  if (local == 0u) {
    var all = 0.0;
    for (var j = 0u; j < WORKGROUP; j++) {
      all += sums[j];
    }
    store_y(row, all / f32(x_1) + load_bias() + f32(HALF));
  }
}
`,
  cpu: ([x, bias], y) => {
    const [rows, length] = x.shape;
    for (let r = 0; r < rows; r++) {
      const row = x.data.subarray(r * length, (r + 1) * length);
      y.data[r] =
        Array.from(row).reduce((a, b) => a + b, 0) / length + bias.data[0] + Math.floor(length / 2);
    }
  },
});

test("kernels of one's own see views, share a dispatch, and run over any sizes", async () => {
  await expectParity((x) => {
    const rows = x(70, 33);
    return [
      meanOfRows(rows, 0.5),
      meanOfRows(transpose(rows), 2),
      laplacian(
        slice(rows, [
          { start: 3, end: 40, step: 2 },
          { start: 31, step: -3 },
        ]),
      ),
      laplacian(x(1, 1)),
      laplacian(x(8, 8)),
      laplacian(x(13, 5)),
      sum(meanOfRows(exp(x(5, 64)), x(1).reshape([]))),
    ];
  });
  expect(await laplacian(zeros([0, 3])).toArray()).toEqual([]);
});
