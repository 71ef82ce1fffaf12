import { beforeAll, expect, test, vi } from "vitest";
import { DataLoader, DeviceDataset } from "../../../src/data/index.ts";
import { Heap } from "../../../src/devices/cpu/compiled/heap.ts";
import {
  add,
  cast,
  checkpoint,
  compile,
  concat,
  type Device,
  full,
  gather,
  grad,
  init,
  matmul,
  max,
  mean,
  type Parameter,
  pad,
  relu,
  slice,
  softmax,
  sort,
  square,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
} from "../../../src/index.ts";
import { crossEntropy } from "../../../src/losses/index.ts";
import { Linear, Sequential, Tanh } from "../../../src/nn/index.ts";
import { Adam, SGD } from "../../../src/optim/index.ts";
import { trainStep } from "../../../src/train/index.ts";
import { uniform } from "../../support/reference.ts";
import { modulesOf } from "../../support/wasm-modules.ts";

let plain: Device;
let compiled: Device;
beforeAll(async () => {
  plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
  compiled = (await init({ device: "cpu", engine: "compiled", isolated: true })).device;
});

/** Trains a small net on batches of five, which fill no vector; gives losses and weights. */
async function trained(device: Device) {
  const pixels = Uint8Array.from({ length: 120 }, (_, i) => (i * 97 + i * i) % 256);
  const labels = Uint8Array.from({ length: 20 }, (_, i) => (i * 5) % 3);
  const images = tensor(pixels, { shape: [20, 6], device });
  const dataset = new DeviceDataset(images, tensor(labels, { device }));
  const { batchAt } = new DataLoader({ dataset, batchSize: 5, seed: 3 });
  const layers = [new Linear(6, 7, { seed: 1, device }), new Linear(7, 3, { seed: 2, device })];
  const model = new Sequential(layers[0], new Tanh(), layers[1]);
  const optimizer = new Adam(model.parameters(), { learningRate: 0.05 });
  const step = trainStep({
    model,
    optimizer,
    batchAt,
    loss: (net, batch) => crossEntropy(net.call(batch.images), batch.labels),
  });
  for (let i = 0; i < 30; i++) await step();
  const losses = (await step.read()).map(({ loss }) => loss);
  const mark = device.counters.now;
  const before = device.memory();
  const modules = await modulesMade(async () => {
    for (let i = 0; i < 10; i++) await step();
  });
  const counts = device.counters.since(mark);
  const after = device.memory();
  const made = {
    modules,
    buffers: counts.buffers,
    writes: counts.writes,
    bytes: after.bytes - before.bytes,
    tensors: after.tensors - before.tensors,
    plans: after.plans - before.plans + step.plans.length - 1,
  };
  const states = [...model.parameters().values()] as Parameter[];
  const weights = await Promise.all(states.map((state) => state.data()));
  return { losses, weights, made, step };
}

/** How many modules something makes. */
async function modulesMade(work: () => Promise<void>): Promise<number> {
  const { compile: compileModule, Module } = WebAssembly;
  let count = 0;
  const counted = class extends Module {
    constructor(bytes: BufferSource) {
      super(bytes);
      count++;
    }
  };
  const compileCounted = (bytes: BufferSource) => {
    count++;
    return compileModule(bytes);
  };
  Object.assign(WebAssembly, { Module: counted, compile: compileCounted });
  try {
    await work();
  } finally {
    Object.assign(WebAssembly, { Module, compile: compileModule });
  }
  return count;
}

test("modules that are made are counted", async () => {
  const x = tensor(uniform(5, 1), { device: compiled });
  expect(
    await modulesMade(() =>
      x
        .mul(3)
        .add(0.125)
        .data()
        .then(() => {}),
    ),
  ).toBe(1);
  // Memory is filled without one.
  const filled = full([3, 7], 2.5, { device: compiled });
  expect(
    await modulesMade(async () => {
      expect(await filled.data()).toEqual(new Float32Array(21).fill(2.5));
    }),
  ).toBe(0);
});

type OfTensor = (x: Tensor) => Tensor;
const WRAPS: readonly ((fn: OfTensor) => OfTensor)[] = [(fn) => fn, (fn) => checkpoint(fn)];

test.each([
  ["SGD", SGD],
  ["Adam", Adam],
] as const)(
  "a step with %s keeps a layer's value until its gradient is made, no longer",
  async (_, Optimizer) => {
    const [rows, width, count] = [256, 16, 10];
    const peaks = [];
    for (const wrap of WRAPS) {
      const layers = Array.from({ length: count }, (_, i) => {
        return new Linear(width, width, { seed: i, device: compiled });
      });
      const model = new Sequential(...layers);
      const block = (some: Linear[]) => wrap((x) => some.reduce((y, own) => tanh(own.call(y)), x));
      const blocks = [block(layers.slice(0, 5)), block(layers.slice(5))];
      const step = trainStep({
        model,
        optimizer: new Optimizer(model.parameters(), { learningRate: 0.01 }),
        loss: (_, { x }: { x: Tensor }) => mean(square(blocks.reduce((y, own) => own(y), x))),
      });
      await step({ x: full([rows, width], 0.5, { device: compiled }) });
      const { peakBytes } = await step.plans[0].stats();
      peaks.push(Math.floor(peakBytes / (4 * rows * width)));
    }
    // The values of all layers and a cotangent; the one between blocks, those of a block, and two.
    expect(peaks).toEqual([count + 1, 1 + 5 + 2]);
  },
);

test("a step trains as the specification does, makes nothing, and gives the same bits again", async () => {
  const [wanted, own, again] = [
    await trained(plain),
    await trained(compiled),
    await trained(compiled),
  ];
  expect(own.losses.length).toBe(30);
  own.losses.forEach((loss, i) => {
    expect(loss).toBeCloseTo(wanted.losses[i], 3);
  });
  expect(own.losses.at(-1)).toBeLessThan(own.losses[0] * 0.8);
  const nothing = { modules: 0, buffers: 0, writes: 0, bytes: 0, tensors: 0, plans: 0 };
  expect(own.made).toEqual(nothing);
  expect(again.losses).toEqual(own.losses);
  expect(again.weights).toEqual(own.weights);
  const { kernels } = await own.step.plans[0].stats();
  const names = kernels.flatMap(({ groups }) => groups.map((ops) => ops.join("+")));
  expect(names.filter((name) => /matmul\+.*tanh/.test(name)).length).toBe(1);
  expect(names.filter((name) => /matmul.*sqrt/.test(name)).length).toBe(2); // Adam in a product's tiles
});

const SIZES = [1, 3, 4, 6, 9, 13, 18, 33];

test("products of all rests of tiles, as they lie and transposed", async () => {
  for (const m of SIZES) {
    for (const n of SIZES) {
      const k = (m * 7 + n * 3) % 29 || 1100; // longer sums come in parts
      const [a, b] = [uniform(m * k, m), uniform(k * n, n + 50)];
      const value = async (device: Device) => {
        const x = tensor(a, { shape: [m, k], device });
        const y = tensor(b, { shape: [n, k], device });
        const z = tensor(b, { shape: [k, n], device });
        const left = tensor(a, { shape: [k, m], device });
        const all = [relu(matmul(x, z)), matmul(x, transpose(y)), matmul(transpose(left), z)];
        return Promise.all(all.map((one) => one.data()));
      };
      const [wanted, own] = [await value(plain), await value(compiled)];
      const bound = 1e-6 * k;
      own.forEach((values, i) => {
        let worst = 0;
        values.forEach((x, j) => {
          worst = Math.max(worst, Math.abs(x - wanted[i][j]));
        });
        expect(worst, `[${m}, ${k}] · [${k}, ${n}], ${i}`).toBeLessThanOrEqual(bound);
      });
    }
  }
});

test("errors of long sums stay below what is promised, where each rounds the same way", async () => {
  const [x, y] = [0.1, 0.7].map(Math.fround);
  for (const k of [1024, 5000, 200_000]) {
    for (const [m, n] of [
      [1, 1],
      [5, 9],
    ]) {
      const a = full([m, k], x, { device: compiled });
      const b = full([k, n], y, { device: compiled });
      const [first] = await matmul(a, b).data();
      // ‖a‖ ‖b‖ = √k x · √k y.
      expect(Math.abs(first - k * x * y)).toBeLessThan(1e-6 * Math.sqrt(k) * k * x * y * 0.5);
    }
  }
});

test("rows and columns of all rests of vectors", async () => {
  for (const m of SIZES) {
    for (const n of SIZES) {
      const value = async (device: Device) => {
        const x = tensor(uniform(m * n, m + n), { shape: [m, n], device });
        const along = [0, 1].flatMap((axis) => [
          sum(x.mul(x), { axis }).add(1),
          max(x, { axis }),
          softmax(x, { axis }).mul(2),
        ]);
        return Promise.all(along.map((one) => one.data()));
      };
      const [wanted, own] = [await value(plain), await value(compiled)];
      own.forEach((values, i) => {
        values.forEach((x, j) => {
          expect(Math.abs(x - wanted[i][j])).toBeLessThanOrEqual(1e-5);
        });
      });
    }
  }
});

test("what is read from its end on may lie where the memory begins", async () => {
  const { device } = await init({ device: "cpu", engine: "compiled", isolated: true });
  const x = tensor(uniform(4000, 1), { shape: [40, 100], device });
  const turned = slice(x, [{ step: -1 }, { step: -1 }]);
  const y = await add(turned, 1).data();
  const [first] = await x.data();
  expect([y.length, y.at(-1)]).toEqual([4000, Math.fround(first + 1)]);
  device.dispose();
});

test("values beyond 2 GiB are read and written as all others", async () => {
  // Pages of memory that nobody touches cost nothing.
  const take = vi.spyOn(Heap.prototype, "take");
  const { device } = await init({ device: "cpu", engine: "compiled", isolated: true });
  await add(tensor([1], { device }), 1).data();
  const heap = take.mock.contexts[0] as Heap;
  take.mockRestore();
  const most = heap.take(2 ** 31 + 2 ** 20);
  const values = async (at: Device) => {
    const x = tensor(uniform(6000, 2), { shape: [60, 100], device: at });
    const rows = tensor([3, 59, -1, 60, 3], { dtype: "i32", device: at });
    const bytes = tensor(
      Uint8Array.from({ length: 99 }, (_, i) => i),
      { device: at },
    );
    const all = [
      add(slice(x, [{ step: -1 }, { step: -1 }]), 1),
      add(
        pad(x, [
          [3, 2],
          [1, 4],
        ]),
        1,
      ),
      relu(matmul(x, transpose(x))),
      softmax(x),
      sum(x, { axis: 0 }),
      gather(x, rows),
      grad(sum(gather(x, rows).mul(2)), [x])[0],
      sort(x).values,
      concat([transpose(x), transpose(x)], { axis: 1 }),
      cast(bytes, "f32").mul(0.5),
    ];
    return Promise.all(all.map((one) => one.data()));
  };
  const [wanted, own] = [await values(plain), await values(device)];
  expect(heap.buffer.byteLength).toBeGreaterThan(2 ** 31);
  for (const [i, data] of own.entries()) {
    let worst = 0;
    data.forEach((x, j) => {
      worst = Math.max(worst, Math.abs(x - wanted[i][j]) || 0);
    });
    expect(worst, `${i}`).toBeLessThan(1e-4);
    expect(data.length).toBe(wanted[i].length);
  }
  heap.give(most);
  device.dispose();
});

test("equal groups share a function, and only what they read moves", async () => {
  const f = compile((...x: Tensor[]) => x.map((one) => sum(relu(one.mul(3)), { axis: 0 })));
  const inputs = Array.from({ length: 12 }, (_, i) => {
    return tensor(uniform(60, i), { shape: [6, 10], device: compiled });
  });
  const bytes: number[] = [];
  for (const count of [1, 12]) {
    const [module] = await modulesOf(async () => void (await f.prepare(...inputs.slice(0, count))));
    bytes.push(module.byteLength);
  }
  expect(bytes[1] / bytes[0]).toBeLessThan(4);
});

test("a small module is compiled at once, and in the background where that is refused", async () => {
  const ways: string[] = [];
  const { compile: inBackground, Module } = WebAssembly;
  let isRefused = false;
  WebAssembly.Module = new Proxy(Module, {
    construct(target, [source]: [BufferSource]) {
      ways.push("at once");
      if (isRefused) throw new RangeError("larger than 4KB");
      return new target(source);
    },
  });
  WebAssembly.compile = (source: BufferSource) => {
    ways.push("in the background");
    return inBackground(source);
  };
  try {
    for (const factor of [2, 3]) {
      const f = compile((x: Tensor) => x.mul(factor));
      const x = tensor([1, 2, 3], { device: compiled });
      await f.prepare(x);
      using y = await f(x);
      expect(await y.toArray()).toEqual([factor, 2 * factor, 3 * factor]);
      isRefused = true;
    }
  } finally {
    Object.assign(WebAssembly, { compile: inBackground, Module });
  }
  expect(ways).toEqual(["at once", "at once", "in the background"]);
});
