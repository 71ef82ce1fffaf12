import { afterEach, expect, test, vi } from "vitest";
import { Counters } from "../../../src/core/counters.ts";
import { Heap, type HeapBlock, type HeapStorage } from "../../../src/devices/cpu/compiled/heap.ts";
import {
  compile,
  type Device,
  evaluate,
  gather,
  init,
  MemoryError,
  matmul,
  softmax,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "../../../src/index.ts";
import { generator } from "../../support/reference.ts";

afterEach(() => vi.restoreAllMocks());

test("blocks never overlap, and what is given back is given again", () => {
  const heap = new Heap(new Counters());
  const next = generator(3);
  const held: HeapBlock[] = [];
  for (let i = 0; i < 3000; i++) {
    if (held.length > 40 || next() < 0.4) {
      const [block] = held.splice(Math.floor(next() * held.length), 1);
      if (block) heap.give(block);
    } else held.push(heap.take(Math.floor(next() ** 3 * 9000)));
    if (i % 20 > 0) continue;
    const sorted = held.filter(({ bytes }) => bytes > 0).sort((a, b) => a.address - b.address);
    sorted.forEach(({ address, bytes }, k) => {
      expect(address % 64).toBe(0);
      const end = sorted[k + 1]?.address ?? heap.buffer.byteLength - 63;
      expect(address + bytes).toBeLessThanOrEqual(end);
    });
  }
  const all = held.reduce((total, { bytes }) => total + bytes, 0);
  expect(heap.usage).toEqual({ buffers: held.length, bytes: all });
  const { byteLength } = heap.buffer;
  for (const block of held) heap.give(block);
  expect(heap.usage).toEqual({ buffers: 0, bytes: 0 });
  heap.take(byteLength - 256);
  expect(heap.buffer.byteLength).toBe(byteLength);
});

/** Has memories grow no more, after so many times. */
function limitGrowth(times: number): void {
  let left = times;
  const { grow } = WebAssembly.Memory.prototype;
  vi.spyOn(WebAssembly.Memory.prototype, "grow").mockImplementation(function (
    this: WebAssembly.Memory,
    n,
  ) {
    if (left-- <= 0) throw new RangeError("no more");
    return grow.call(this, n);
  });
}

test("what is spare goes before memory runs out, and what cannot be had is an error that leaves all as it was", async () => {
  const { device } = await init({ device: "cpu", engine: "compiled", isolated: true });
  const x = tensor(new Float32Array(2 ** 20).fill(1), { device });
  const y = sum(softmax(x).mul(3)); // what lies between stays with its plan
  evaluate(y);
  const before = device.memory();
  limitGrowth(0);
  const z = zeros([2 ** 20], { device });
  evaluate(z);
  expect(device.memory().bytes).toBeLessThanOrEqual(before.bytes);
  z.dispose();
  await expect(zeros([2 ** 26], { device }).data()).rejects.toThrow(MemoryError);
  const held = device.memory(); // without what was spare
  expect(() => evaluate(zeros([2 ** 26], { device }).add(1))).toThrow(MemoryError);
  expect(device.memory()).toMatchObject({ buffers: held.buffers, bytes: held.bytes });
  expect(await y.item()).toBe(3);
  vi.restoreAllMocks();
  expect((await zeros([2 ** 21], { device }).data()).length).toBe(2 ** 21);
});

test("values stay what they are while the memory grows", async () => {
  const { device } = await init({ device: "cpu", engine: "compiled", isolated: true });
  const x = tensor([1, 2, 3], { device });
  const sums: number[] = [];
  const big = [];
  for (let i = 0; i < 4; i++) {
    big.push(tensor(new Float32Array(2 ** (15 + i)), { device }));
    const y = sum(x.mul(i + 1));
    evaluate(...big, y);
    sums.push(await y.item());
  }
  expect(sums).toEqual([6, 12, 18, 24]);
  expect(await x.data()).toEqual(Float32Array.of(1, 2, 3));
});

test("values lie anywhere in 4 GiB, and beyond there is an error of memory", async () => {
  const { device } = await init({ device: "cpu", engine: "compiled", isolated: true });
  const plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
  const first = tensor([1], { device });
  evaluate(first);
  const { heap } = first.node.storage as HeapStorage;
  heap.reserve(2 ** 31); // nobody touches it, so that it takes no room in fact
  const calls = async (on: Device) => {
    const x = tensor(
      Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)),
      {
        shape: [6, 10],
        device: on,
      },
    );
    const rows = tensor(Int32Array.of(5, 0, 2), { device: on });
    const all = [softmax(x), matmul(x, transpose(x)), gather(x, rows), sum(x.mul(x), { axis: 0 })];
    evaluate(...all);
    if (on === device)
      expect((all[0].node.storage as HeapStorage).block.address).toBeGreaterThan(2 ** 31);
    return Promise.all(all.map((one) => one.data()));
  };
  const [own, wanted] = [await calls(device), await calls(plain)];
  own.forEach((values, i) => {
    for (const [j, value] of values.entries()) expect(value).toBeCloseTo(wanted[i][j], 5);
  });
  heap.reserve(2 ** 31 - 20 * 2 ** 20);
  const double = compile((x: Tensor) => softmax(x).mul(2));
  const x = tensor(new Float32Array(3 * 2 ** 20), { shape: [1, 3 * 2 ** 20], device });
  evaluate(x);
  expect(() => evaluate(x.add(1))).toThrow(MemoryError);
  await expect(x.add(1).data()).rejects.toThrow(MemoryError);
  await expect(double(x)).rejects.toThrow(MemoryError);
  expect(device.memory()).toMatchObject({ buffers: 2, bytes: 64 + 12 * 2 ** 20 }); // no more is spare
  expect(await first.item()).toBe(1);
});
