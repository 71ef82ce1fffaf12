import { beforeAll, describe, expect, test } from "vitest";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { generate, type KernelCode } from "../../src/devices/webgpu/codegen.ts";
import { jobsOf } from "../../src/devices/webgpu/jobs.ts";
import { pack } from "../../src/devices/webgpu/pack.ts";
import { lower } from "../../src/engine/lower.ts";
import { trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import {
  add,
  type ConvOptions,
  conv2d,
  evaluate,
  grad,
  matmul,
  max,
  mul,
  pad,
  permute,
  relu,
  reshape,
  sum,
  type Tensor,
  tensor,
  type WindowOptions,
  windows,
} from "../../src/index.ts";
import { byRule } from "../../src/kernels/choose.ts";
import { inBrowser, testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

interface Settings {
  stride: readonly [number, number];
  dilation: readonly [number, number];
}

/** relu(x * w + b) for x [n, h, w, c], w [kh, kw, c, o] and b [o]: a view and a product. */
function convolution(x: Tensor, w: Tensor, b: Tensor, options: Omit<WindowOptions, "axis">) {
  const [kh, kw, channels, outputs] = w.shape;
  const view = windows(x, [kh, kw], { axis: [1, 2], ...options }); // [n, oh, ow, c, kh, kw]
  const [n, oh, ow] = view.shape;
  const columns = reshape(permute(view, 0, 1, 2, 4, 5, 3), [n * oh * ow, kh * kw * channels]);
  const y = add(matmul(columns, reshape(w, [kh * kw * channels, outputs])), b);
  return reshape(relu(y), [n, oh, ow, outputs]);
}

const wave = (shape: Shape, phase: number) =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(phase + 1.3 * i));

/** The same, and its gradients for a cotangent, by loops over every product, in float64. */
function byLoops(
  shapes: readonly Shape[],
  values: readonly ArrayLike<number>[],
  settings: Settings,
) {
  const [[n, h, width, channels], [kh, kw, , outputs]] = shapes;
  const [x, w, b] = values;
  const { stride, dilation } = settings;
  const count = (size: number, k: number, i: number) =>
    Math.floor((size - dilation[i] * (k - 1) - 1) / stride[i]) + 1;
  const [oh, ow] = [count(h, kh, 0), count(width, kw, 1)];
  const y = new Float64Array(n * oh * ow * outputs);
  const g = wave([y.length], 4);
  const [dx, dw, db] = values.map(({ length }) => new Float64Array(length));
  const products = (at: number, then: (x: number, w: number) => void) => {
    const [o, j, i, image] = [
      at % outputs,
      Math.floor(at / outputs) % ow,
      Math.floor(at / outputs / ow) % oh,
      Math.floor(at / outputs / ow / oh),
    ];
    for (let p = 0; p < kh; p++) {
      for (let q = 0; q < kw; q++) {
        const row = image * h + i * stride[0] + p * dilation[0];
        const pixel = row * width + j * stride[1] + q * dilation[1];
        for (let c = 0; c < channels; c++) {
          then(pixel * channels + c, ((p * kw + q) * channels + c) * outputs + o);
        }
      }
    }
    return o;
  };
  for (let at = 0; at < y.length; at++) {
    let total = 0;
    const o = products(at, (i, j) => {
      total += x[i] * w[j];
    });
    if (total + b[o] <= 0) continue;
    y[at] = total + b[o];
    db[o] += g[at];
    products(at, (i, j) => {
      dx[i] += g[at] * w[j];
      dw[j] += g[at] * x[i];
    });
  }
  return { y, g, gradients: [dx, dw, db], shape: [n, oh, ow, outputs] };
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i] - expected[i])).toBeLessThan(2e-5 * (1 + Math.abs(expected[i])));
  }
}

test.each<[Shape, Shape, Settings]>([
  [[2, 11, 9, 4], [5, 5, 4, 6], { stride: [1, 1], dilation: [1, 1] }],
  [[1, 9, 12, 3], [3, 2, 3, 5], { stride: [2, 3], dilation: [1, 2] }],
  [[3, 7, 7, 8], [3, 3, 8, 4], { stride: [3, 1], dilation: [3, 2] }],
  [[2, 5, 6, 1], [1, 6, 1, 1], { stride: [4, 1], dilation: [1, 1] }],
])(
  "a convolution of %j with %j and its gradients are those of plain loops",
  async (x, w, settings) => {
    const shapes = [x, w, [w[3]]];
    const values = shapes.map((shape, i) => wave(shape, i));
    const { y, g, gradients, shape } = byLoops(shapes, values, settings);
    const inputs = values.map((data, i) => tensor(data, { shape: shapes[i] }));
    const [a, b, c] = inputs;
    const result = convolution(a, b, c, settings);
    expect(result.shape).toEqual(shape);
    const found = grad(sum(mul(result, tensor(g, { shape }))), inputs);
    evaluate(result, ...found);
    expectClose(await result.data(), y);
    for (const [i, gradient] of found.entries()) expectClose(await gradient.data(), gradients[i]);
  },
);

const traits = { workgroupMemory: true, threads: 64, quads: false };

/** The kernels of some values on a GPU. */
function kernels(...wanted: Tensor[]): KernelCode[] {
  const { program } = trace(
    wanted.map(({ node }) => node),
    "test",
  );
  const schedule = scheduleOf(lower(simplify(program), traits), 10);
  const dispatches = pack(jobsOf(schedule, byRule(traits)), { bindings: 10, memory: 16384 });
  return dispatches.map((jobs) => generate(schedule, jobs));
}

const zeros = (...shape: number[]) => tensor(new Float32Array(sizeOf(shape)), { shape });

/** A function of a kernel's code. */
function functionOf({ code }: KernelCode, name: string): string {
  const found = new RegExp(`fn ${name}\\([^]*?\\n}`).exec(code.replaceAll(/[⟨⟩]/g, ""));
  return found?.[0] ?? "";
}

const divisions = (code: string) => code.match(/[/%]/g)?.length ?? 0;

describe.runIf(!inBrowser)("a convolution on a GPU", () => {
  const inputs = () => [zeros(8, 28, 28, 16), zeros(5, 5, 16, 32), zeros(32)] as const;

  test("is one dispatch with bias and relu, and its gradients at most four more", () => {
    const [x, w, b] = inputs();
    const y = convolution(x, w, b, {});
    expect(kernels(y).map(({ label }) => label)).toEqual(["matmul+add+relu"]);
    const gradients = grad(sum(mul(y, zeros(...y.shape))), [w, b, x]);
    const labels = kernels(y, ...gradients).map(({ label }) => label);
    expect(labels[0]).toContain("matmul+add+relu");
    expect(labels.length - 1, labels.join()).toBeLessThanOrEqual(4);
  });

  test("cuts the sums of its weights' gradient where few workgroups would compute them", () => {
    const [x, w, b] = [zeros(64, 28, 28, 2), zeros(5, 5, 2, 64), zeros(64)];
    const y = convolution(x, w, b, {});
    const [dw] = grad(sum(mul(y, zeros(...y.shape))), [w]); // 36,864 places, 50 × 64 weights
    const codes = kernels(dw).map(({ label, workgroups }) => `${label} ${workgroups}`);
    expect(codes.slice(-2)).toEqual(["matmul 256", "sum 50"]);
  });

  const edged = (x: Tensor) =>
    pad(x, [
      [0, 0],
      [2, 2],
      [1, 1],
      [0, 0],
    ]);
  const plain = (x: Tensor) => x;

  const kinds: [string, (x: Tensor) => Tensor, Partial<Settings>][] = [
    ["as it is", plain, {}],
    ["with strides", plain, { stride: [2, 3] }],
    ["with gaps", plain, { dilation: [2, 2] }],
    ["with strides and gaps", plain, { stride: [2, 3], dilation: [2, 2] }],
    ["padded", edged, {}],
    ["padded, with strides", edged, { stride: [2, 3] }],
    ["padded, with gaps", edged, { dilation: [2, 2] }],
    ["padded, with strides and gaps", edged, { stride: [2, 3], dilation: [2, 2] }],
  ];

  test.each(kinds)("loads four channels of an image at once, %s", (_, prepare, options) => {
    const [x, , b] = inputs();
    const image = prepare(x);
    const [kernel] = kernels(convolution(image, zeros(5, 5, image.shape[3], 32), b, options));
    const load = functionOf(kernel, "load_a4");
    expect(load).toContain("-> vec4<f32>");
    expect(load).toContain("= buffer0[");
    expect(load).not.toContain("load_a(");
    expect(kernel.code).toContain("buffer0: array<vec4<f32>>");
  });

  test.each(kinds)(
    "takes at most three divisions to find an element, %s",
    (_, prepare, options) => {
      for (const channels of [1, 3, 16]) {
        // Too many elements to divide their numbers by factors.
        const [x, w, b] = [zeros(64, 60, 60, channels), zeros(5, 5, channels, 6), zeros(6)];
        const y = convolution(prepare(x), w, b, options);
        const all = kernels(y, ...grad(sum(mul(y, zeros(...y.shape))), [w, b, x]));
        const loads = all.flatMap(({ code }) => code.match(/fn load_\w+\([\s\S]*?\n}/g) ?? []);
        expect(loads.length).toBeGreaterThan(8);
        for (const load of loads) expect(divisions(load), load).toBeLessThanOrEqual(3);
      }
    },
  );

  test("loads channels one by one where they are no fours", () => {
    const [kernel] = kernels(convolution(zeros(2, 9, 9, 3), zeros(5, 5, 3, 8), zeros(8), {}));
    expect(functionOf(kernel, "load_a4")).toContain("load_a(p0, p1, p2 + 3u)");
  });

  test("has its gradient for the image gathered", () => {
    const [x, w, b] = inputs();
    const [dx] = grad(sum(convolution(x, w, b, {})), [x]);
    const last = kernels(dx).at(-1) as KernelCode;
    expect(last.label).toContain("unwindow+sum");
    expect(last.code).not.toContain("atomic");
  });
});

describe.runIf(!inBrowser)("conv2d on a GPU", () => {
  const kinds: [string, Shape, Shape, ConvOptions][] = [
    ["padded", [64, 16, 14, 14], [32, 16, 3, 3], { padding: 1 }],
    ["of an image of one channel", [64, 1, 28, 28], [16, 1, 3, 3], { padding: "same" }],
    ["of a stride", [64, 16, 28, 28], [32, 16, 4, 4], { stride: 2, padding: 1 }],
    [
      "of a stride, whose phases differ",
      [64, 16, 28, 28],
      [32, 16, 3, 3],
      { stride: 2, padding: 1 },
    ],
    ["of gaps", [64, 16, 28, 28], [32, 16, 3, 3], { dilation: 2 }],
    ["of groups", [64, 16, 14, 14], [32, 8, 3, 3], { groups: 2 }],
  ];

  test.each(kinds)("is a product of a view, and so are its gradients: %s", (_, x, w, options) => {
    const inputs = [zeros(...x), zeros(...w), zeros(w[0])];
    const y = conv2d(inputs[0], inputs[1], { bias: inputs[2], ...options });
    const forward = kernels(y);
    expect(forward.map(({ label }) => label)[0]).toMatch(/^(pad\+)?matmul(\+add)?$/);
    const g = zeros(...y.shape);
    const steps = grad(sum(mul(y, g)), inputs).map((dx) => reshape(dx, [dx.size]));
    const labels = kernels(...steps).map(({ label }) => label);
    expect(labels.filter((label) => label.includes("windows"))).toEqual([]);
    // Nothing that lies between is as large as the windows of the batch.
    for (const one of [y, ...steps]) {
      const { program } = trace([one.node], "test");
      const schedule = scheduleOf(lower(simplify(program), traits), 10);
      const sizes = schedule.groups.flatMap(({ outputs }) =>
        outputs.map((i) => sizeOf(schedule.program.steps[i].shape)),
      );
      const largest = Math.max(...inputs.map(({ size }) => size), y.size);
      expect(Math.max(...sizes)).toBeLessThan(1.5 * largest);
    }
  });
});

test("max pooling is one dispatch", async () => {
  const x = tensor(wave([2, 5, 6, 3], 1), { shape: [2, 5, 6, 3] });
  const y = max(windows(x, 2, { axis: [1, 2], stride: 2 }), { axis: [-2, -1] });
  if (!inBrowser) expect(kernels(y).map(({ label }) => label)).toEqual(["max"]);
  const data = await x.data();
  const want: number[] = [];
  for (let n = 0; n < 2; n++) {
    for (let i = 0; i < 2; i++) {
      for (let j = 0; j < 3; j++) {
        for (let c = 0; c < 3; c++) {
          const at = (p: number, q: number) => data[((n * 5 + 2 * i + p) * 6 + 2 * j + q) * 3 + c];
          want.push(Math.max(at(0, 0), at(0, 1), at(1, 0), at(1, 1)));
        }
      }
    }
  }
  expect(y.shape).toEqual([2, 2, 3, 3]);
  expect([...(await y.data())]).toEqual(want);
});
