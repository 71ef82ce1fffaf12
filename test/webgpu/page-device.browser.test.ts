import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  add,
  cast,
  compile,
  type Device,
  type DeviceNews,
  evaluate,
  init,
  matmul,
  mul,
  Parameter,
  setDefaultDevice,
  sum,
  tensor,
  zeros,
} from "../../src/index.ts";
import { meanSquaredError } from "../../src/losses/index.ts";
import { Linear } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { fromPixels } from "../../src/pictures/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { fromBuffer, toBuffer } from "../../src/webgpu/index.ts";
import { held } from "../support/memory.ts";

let page: GPUDevice;
let device: Device;
const uncaptured: string[] = [];

beforeEach(async () => {
  page = await newDevice();
  page.addEventListener("uncapturederror", ({ error }) => uncaptured.push(error.message));
  ({ device } = await init({ gpuDevice: page, isolated: true }));
  setDefaultDevice(device);
});
afterEach(() => {
  vi.restoreAllMocks();
  device.dispose();
  page.destroy();
  expect(uncaptured.splice(0)).toEqual([]);
});

async function newDevice(): Promise<GPUDevice> {
  const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
  return adapter.requestDevice();
}

const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;

function bufferOf(values: Float32Array | Int32Array | Uint8Array, size = 256): GPUBuffer {
  const buffer = page.createBuffer({
    size,
    usage: STORAGE | COPY_SRC | COPY_DST,
    mappedAtCreation: true,
  });
  new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(values.buffer));
  buffer.unmap();
  return buffer;
}

/** Reads a buffer by the page's own commands. */
async function read(buffer: GPUBuffer, offset: number, size: number): Promise<ArrayBuffer> {
  const copy = page.createBuffer({ size, usage: COPY_DST | MAP_READ });
  const encoder = page.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, offset, copy, 0, size);
  page.queue.submit([encoder.finish()]);
  await copy.mapAsync(GPUMapMode.READ);
  const bytes = copy.getMappedRange().slice(0);
  copy.destroy();
  return bytes;
}

test("a model trains on the page's GPUDevice as on another", async () => {
  const run = async (on: Device) => {
    setDefaultDevice(on);
    const model = new Linear(2, 1, { seed: 1 });
    const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
    const [x, y] = [tensor([[1, 2], [3, 4]]), tensor([[1], [0]])]; // biome-ignore format: rows
    const step = trainStep({ model, optimizer, loss: (net) => meanSquaredError(net.call(x), y) });
    for (let i = 0; i < 5; i++) await step({});
    return (await step.read()).map(({ loss }) => loss);
  };
  const { device: own } = await init({ device: "webgpu", isolated: true });
  expect(device.kind).toBe("webgpu");
  expect(await run(device)).toEqual(await run(own));
  own.dispose();
});

test("dispose leaves the GPUDevice, and what the page made of it", async () => {
  const mine = bufferOf(Float32Array.of(1, 2));
  const destroy = vi.spyOn(GPUDevice.prototype, "destroy");
  const freed = vi.spyOn(GPUBuffer.prototype, "destroy");
  const made = vi.spyOn(GPUDevice.prototype, "createBuffer");
  const { device: other } = await init({ gpuDevice: page, isolated: true });
  const x = add(tensor([1, 2], { device: other }), 1);
  expect(await x.toArray()).toEqual([2, 3]);
  other.dispose();
  expect(destroy).not.toHaveBeenCalled();
  expect(made.mock.results.length).toBeGreaterThan(2);
  const gone = new Set(freed.mock.contexts);
  for (const { value } of made.mock.results) expect(gone.has(value as GPUBuffer)).toBe(true);
  await expect(other.lost).resolves.toMatchObject({ reason: "destroyed" });
  expect(() => add(x, 1)).toThrow("add: the webgpu device was lost (disposed)");
  expect([...new Float32Array(await read(mine, 0, 8))]).toEqual([1, 2]);
  expect(await add(tensor([1]), 1).toArray()).toEqual([2]); // the first device goes on
});

test("one GPUDevice is one device, and another one another", async () => {
  const second = await newDevice();
  const first = await init({ gpuDevice: page });
  expect((await init({ gpuDevice: page })).device).toBe(first.device);
  expect((await init({ gpuDevice: page, device: "webgpu" })).device).toBe(first.device);
  await expect(init({ gpuDevice: second })).rejects.toThrow(
    'init: options {"device":"webgpu"} after a call with {"device":"webgpu"}; expected the same options',
  );
  first.device.dispose();
  const next = await init({ gpuDevice: second });
  expect(next.reason).toBe("asked for");
  next.device.dispose();
  second.destroy();
});

test("a lost GPUDevice of the page is not replaced", async () => {
  const news: DeviceNews[] = [];
  device.listeners.add((one) => news.push(one));
  const requests = vi.spyOn(GPU.prototype, "requestAdapter");
  const model = new Linear(2, 1, { seed: 1 });
  const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
  const x = tensor([[1, 2]]);
  const step = trainStep({ model, optimizer, loss: (net) => sum(net.call(x)) });
  await step({});
  page.destroy();
  await device.lost;
  await device.recovering;
  await expect((async () => step({}))()).rejects.toThrow(
    /the webgpu device was lost \(.*\); expected a live device\. Call init\(\) again/,
  );
  expect(() => add(model.weight, 1)).toThrow(/^add: the webgpu device was lost/);
  await expect(model.weight.data()).rejects.toThrow(/^data: the webgpu device was lost/);
  expect(news.map(({ event }) => event)).toEqual(["lost"]);
  expect(requests).not.toHaveBeenCalled();
  await expect(init({ gpuDevice: page, isolated: true })).rejects.toThrow(
    /^init: gpuDevice is lost \(.*\); expected a live one/,
  );
});

test("what is no GPUDevice is refused, and one with less than kernels need", async () => {
  await expect(init({ gpuDevice: {} as never, isolated: true })).rejects.toThrow(
    /^init: gpuDevice .*; expected a GPUDevice$/,
  );
  const { maxComputeInvocationsPerWorkgroup: _, ...limits } = Object.fromEntries(
    Object.keys(GPUSupportedLimits.prototype).map((name) => [
      name,
      page.limits[name as "maxBufferSize"],
    ]),
  );
  const small = new Proxy(page, {
    get: (target, name) =>
      name === "limits"
        ? { ...limits, maxComputeInvocationsPerWorkgroup: 128 }
        : Reflect.get(target, name, target),
  });
  await expect(init({ gpuDevice: small, isolated: true })).rejects.toThrow(
    "init: gpuDevice with maxComputeInvocationsPerWorkgroup 128; expected at least 256, as core WebGPU promises",
  );
  const choice = await init({ device: "cpu", gpuDevice: page, isolated: true });
  expect(choice.device.kind).toBe("cpu");
});

test("the page's error scopes stay its own", async () => {
  page.pushErrorScope("validation");
  const x = add(tensor([1, 2]), 1);
  expect(await x.toArray()).toEqual([2, 3]);
  page.createBuffer({ size: 4, usage: 0 }); // refused
  expect(await page.popErrorScope()).toBeInstanceOf(GPUValidationError);
});

test("a buffer's values are a tensor's, without a copy", async () => {
  const buffer = bufferOf(Float32Array.of(1, 2, 3, 4, 5, 6));
  const before = held(device);
  const x = fromBuffer(buffer, { shape: [2, 3] });
  expect(held(device)).toBe(before + 1);
  expect(await x.toArray()).toEqual([[1, 2, 3], [4, 5, 6]]); // biome-ignore format: rows
  expect((await toBuffer(x)).buffer).toBe(buffer);
  expect(await matmul(x, tensor([[1], [0], [2]])).toArray()).toEqual([[7], [16]]);
  const double = compile((y: typeof x) => mul(y, 2));
  for (let i = 0; i < 3; i++) {
    expect(await (await double(x)).data()).toEqual(Float32Array.of(2, 4, 6, 8, 10, 12));
  }
  // What the page writes before the next tensor is made comes first.
  page.queue.writeBuffer(buffer, 0, Float32Array.of(10));
  const y = fromBuffer(buffer, { shape: [6] });
  expect((await y.data())[0]).toBe(10);
  const most = held(device);
  for (const one of [x, y]) one.dispose();
  expect(held(device)).toBe(most - 2);
  expect([...new Float32Array(await read(buffer, 0, 8))]).toEqual([10, 2]);
  buffer.destroy();
});

test("other dtypes, and parts of a buffer", async () => {
  const all = new Float32Array(192);
  all.set([1, 2, 3], 64);
  const buffer = bufferOf(all, 768);
  const x = fromBuffer(buffer, { shape: [3], offset: 256 });
  expect(await x.toArray()).toEqual([1, 2, 3]);
  expect(await toBuffer(x)).toEqual({ buffer, offset: 256, size: 12 });
  expect(await sum(fromBuffer(buffer, { shape: [64], offset: 256 })).item()).toBe(6);
  const whole = bufferOf(Int32Array.of(-1, 5, 0, 1));
  expect(await fromBuffer(whole, { shape: [2], dtype: "i32" }).toArray()).toEqual([-1, 5]);
  const bytes = bufferOf(Uint8Array.of(1, 2, 255, 4, 5, 6, 7, 8));
  expect(await fromBuffer(bytes, { shape: [5], dtype: "u8" }).toArray()).toEqual([1, 2, 255, 4, 5]);
  const flags = bufferOf(Int32Array.of(1, 0, 1));
  const mask = fromBuffer(flags, { shape: [3], dtype: "bool" });
  expect(await cast(mask, "f32").toArray()).toEqual([1, 0, 1]);
});

test("states have copies of what the page lends, and change these", async () => {
  const buffer = bufferOf(Float32Array.of(1, 2));
  const w = new Parameter(fromBuffer(buffer, { shape: [2] }), { name: "w" });
  const up = compile(() => {
    w.assign(add(w, 1));
    return sum(w);
  });
  for (let i = 0; i < 3; i++) await up();
  expect(await w.toArray()).toEqual([4, 5]);
  w.assign(fromBuffer(buffer, { shape: [2] }));
  await up();
  expect(await w.toArray()).toEqual([2, 3]);
  expect([...new Float32Array(await read(buffer, 0, 8))]).toEqual([1, 2]);
});

test("a tensor's buffer is what the page's commands find", async () => {
  const x = add(tensor([1, 2, 3]), 0.5);
  const { buffer, offset, size } = await toBuffer(x);
  expect([...new Float32Array(await read(buffer as GPUBuffer, offset, size))]).toEqual([
    1.5, 2.5, 3.5,
  ]);
  const again = await toBuffer(x);
  expect(again.buffer).toBe(buffer);
  const bytes = await toBuffer(tensor(Uint8Array.of(1, 2, 3)));
  expect(bytes.size).toBe(4);
});

test("a texture of the page is a picture", async () => {
  const { COPY_SRC: FROM, COPY_DST: TO } = GPUTextureUsage;
  const texture = page.createTexture({ size: [2, 1], format: "rgba8unorm", usage: FROM | TO });
  page.queue.writeTexture({ texture }, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), {}, [2, 1]);
  expect(await fromPixels(texture, { channels: 4 }).toArray()).toEqual([[[1, 2, 3, 4], [5, 6, 7, 8]]]); // biome-ignore format: pixels
  texture.destroy();
});

test("what is no buffer for kernels is refused", async () => {
  const buffer = bufferOf(Float32Array.of(1, 2));
  const shape = [2];
  const { device: own } = await init({ device: "webgpu", isolated: true });
  const { device: cpu } = await init({ device: "cpu", isolated: true });
  const other = "a GPUDevice that is not the page's; expected one that init({ gpuDevice }) gave";
  expect(() => fromBuffer(buffer, { shape, device: own })).toThrow(
    `fromBuffer: a webgpu device with ${other}`,
  );
  expect(() => fromBuffer(buffer, { shape, device: cpu })).toThrow(
    `fromBuffer: a cpu device with ${other}`,
  );
  await expect(toBuffer(zeros([2], { device: cpu }))).rejects.toThrow(
    `toBuffer: a cpu device with ${other}`,
  );
  own.dispose();
  expect(() => fromBuffer(null as never, { shape })).toThrow(
    "fromBuffer: buffer null; expected a GPUBuffer",
  );
  expect(() => fromBuffer(new ArrayBuffer(8) as never, { shape })).toThrow("expected a GPUBuffer");
  expect(() => fromBuffer(buffer, { shape, offset: 4 })).toThrow(
    "fromBuffer: offset 4; expected a multiple of 256 from 0",
  );
  expect(() => fromBuffer(buffer, { shape: [65] })).toThrow(
    "fromBuffer: a buffer of 256 bytes for shape [65] from byte 0 on; expected at least 512 bytes",
  );
  expect(() => fromBuffer(buffer, { shape: [0] })).toThrow("expected at least one element");
  expect(() => fromBuffer(buffer, { shape, usage: 1 } as never)).toThrow(
    'fromBuffer: unknown option "usage"; expected shape, dtype, offset, device',
  );
  const hidden = page.createBuffer({ size: 256, usage: COPY_DST | COPY_SRC });
  expect(() => fromBuffer(hidden, { shape })).toThrow(
    "fromBuffer: a buffer with usage 12; expected STORAGE and COPY_SRC among it",
  );
  await expect(toBuffer(zeros([0]))).rejects.toThrow(
    "toBuffer: shape [0]; expected at least one element",
  );
  await expect(compile(() => fromBuffer(buffer, { shape }))()).rejects.toThrow(
    "fromBuffer: called in a function that is being compiled",
  );
});

test("a buffer of another GPUDevice, or one that is gone, spoils only what reads it", async () => {
  const second = await newDevice();
  const strange = second.createBuffer({ size: 256, usage: STORAGE | COPY_SRC });
  const x = fromBuffer(strange, { shape: [2] });
  await expect(add(x, 1).data()).rejects.toThrow(/^(fromBuffer|data): webgpu: /);
  const gone = bufferOf(Float32Array.of(1, 2));
  const y = fromBuffer(gone, { shape: [2] });
  expect(await y.toArray()).toEqual([1, 2]);
  gone.destroy();
  const z = add(y, 1);
  evaluate(z);
  await expect(z.data()).rejects.toThrow(/webgpu: /);
  expect(await add(tensor([1]), 1).toArray()).toEqual([2]);
  second.destroy();
});
