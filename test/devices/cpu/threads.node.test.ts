import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { NumericArray } from "../../../src/core/dtype.ts";
import { DataLoader, DeviceDataset } from "../../../src/data/index.ts";
import type { CpuSession } from "../../../src/devices/cpu/cpu-device.ts";
import type { Threads } from "../../../src/devices/cpu/threads/threads.ts";
import {
  compile,
  type Device,
  init,
  matmul,
  type Parameter,
  permute,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
  transpose,
  windows,
} from "../../../src/index.ts";
import { crossEntropy } from "../../../src/losses/index.ts";
import { Linear, Sequential, Sigmoid, Tanh } from "../../../src/nn/index.ts";
import { Adam, SGD } from "../../../src/optim/index.ts";
import { trainStep } from "../../../src/train/index.ts";
import { tables } from "../../cases/tables.ts";
import { draw } from "../../support/op-case.ts";
import { outcome } from "../../support/parity.ts";
import { uniform } from "../../support/reference.ts";
import { largestCall } from "../../support/special-values.ts";

const COUNTS = [1, 2, 3, 7];

function threadsOf(device: Device): Threads {
  return (
    (device as unknown as { session: CpuSession }).session.engine as unknown as {
      threads: Threads;
    }
  ).threads;
}

function start(threads: number, options = {}) {
  return init({ device: "cpu", engine: "compiled", isolated: true, threads, ...options });
}

const devices: Device[] = [];
beforeAll(async () => {
  for (const count of COUNTS) {
    const { device } = await start(count);
    devices.push(device);
    // Whatever can be shared out is, in the smallest units.
    if (count > 1) Object.assign(threadsOf(device), { worth: 0, unit: 1, isEager: true });
  }
});
afterAll(() => {
  for (const device of devices) device.dispose();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Jobs that a device with threads has shared out while something ran on all of them. */
async function onAll(run: (device: Device) => Promise<NumericArray[]>): Promise<number> {
  const before = threadsOf(devices[1]).jobs;
  const hashes: string[] = [];
  for (const device of devices) {
    const hash = createHash("sha256");
    for (const values of await run(device)) hash.update(values as NodeJS.ArrayBufferView);
    hashes.push(hash.digest("hex"));
  }
  expect(new Set(hashes).size).toBe(1);
  return threadsOf(devices[1]).jobs - before;
}

describe("the same bits on 1, 2, 3 and 7 threads", () => {
  const shared = new Map<string, number>();

  for (const [name, row] of tables) {
    const call = largestCall(row);
    if (!call) continue;
    test(name, async () => {
      const jobs = await onAll((device) =>
        outcome(call, draw(call, 1), device, "f32", row.gradient === true),
      );
      shared.set(name, jobs);
    });
  }

  test("most rows of the table are shared out", () => {
    const rows = [...shared.values()];
    expect(rows.filter((jobs) => jobs > 0).length).toBeGreaterThan(0.8 * rows.length);
  });

  test("long work, which one thread does part by part", async () => {
    const units: (number | undefined)[] = [];
    await onAll(async (device) => {
      const [a, b] = [uniform(300 * 261, 1), uniform(261 * 310, 2)];
      const f = compile((x: Tensor, y: Tensor) => relu(matmul(x, y)));
      const given = [
        tensor(a, { shape: [300, 261], device }),
        tensor(b, { shape: [261, 310], device }),
      ] as const;
      await f.prepare(...given);
      units.push((await f.plans[0].stats()).kernels[0].units);
      return [await (await f(...given)).data()];
    });
    expect(units.map((n = 0) => n > 1)).toEqual(COUNTS.map(() => true));
  });

  test("products of windows, which are put in order block by block, and of turned matrices", async () => {
    const jobs = await onAll(async (device) => {
      const x = tensor(uniform(30 * 14 * 14 * 8, 1), { shape: [30, 14, 14, 8], device });
      const w = tensor(uniform(72 * 9, 2), { shape: [72, 9], device });
      const view = permute(windows(x, 3, { axis: [1, 2] }), 0, 1, 2, 4, 5, 3);
      const columns = reshape(view, [30 * 144, 72]);
      const turned = slice(reshape(x, [3, 3920, 4]), [{ step: -1 }, { step: -1 }, { step: -1 }]);
      const all = [
        matmul(columns, w),
        matmul(transpose(w), transpose(columns)),
        matmul(turned, tensor(uniform(4 * 9, 3), { shape: [4, 9], device })),
      ];
      return Promise.all(all.map((y) => y.data()));
    });
    expect(jobs).toBe(3);
  });

  test("products that are shared out by columns, rows and batches, with all rests", async () => {
    const shapes = [
      [9, 5, 67],
      [200, 3, 10],
      [130, 1030, 13],
      [200, 6, 32],
    ];
    for (const [m, k, n] of shapes) {
      const jobs = await onAll(async (device) => {
        const a = tensor(uniform(m * k, m), { shape: [m, k], device });
        const b = tensor(uniform(k * n, n), { shape: [k, n], device });
        const c = tensor(uniform(k * n, n), { shape: [n, k], device });
        return Promise.all([relu(matmul(a, b)), matmul(a, transpose(c))].map((y) => y.data()));
      });
      expect(jobs).toBe(2);
    }
    const jobs = await onAll((device) => {
      const [a, b] = [0, 1].map((i) => tensor(uniform(9 * 35, i), { shape: [9, 5, 7], device }));
      return Promise.all([matmul(a, transpose(b, [0, 2, 1])).data()]);
    });
    expect(jobs).toBe(1);
  });

  test.each<[string, number[], typeof Sigmoid | typeof Tanh, typeof SGD | typeof Adam, number]>([
    ["A", [784, 50, 10], Sigmoid, SGD, 100],
    ["B", [784, 128, 10], Tanh, Adam, 64],
    ["C", [200, 128, 128, 10], Tanh, Adam, 128],
  ])("net %s", async (_, sizes, Activation, Optimizer, batchSize) => {
    const jobs = await onAll(async (device) => {
      const layers = sizes.slice(1).flatMap((n, i) => {
        const layer = new Linear(sizes[i], n, { seed: i + 1, device });
        return i < sizes.length - 2 ? [layer, new Activation()] : [layer];
      });
      const model = new Sequential(...layers);
      const optimizer = new Optimizer(model.parameters(), { learningRate: 0.01 });
      const count = 2 * batchSize;
      const pixels = Uint8Array.from(
        { length: count * sizes[0] },
        (_, i) => (i * 97 + i * i) % 256,
      );
      const images = tensor(pixels, { shape: [count, sizes[0]], device });
      const labels = tensor(
        Uint8Array.from({ length: count }, (_, i) => (i * 7) % 10),
        { device },
      );
      const dataset = new DeviceDataset(images, labels);
      const { batchAt } = new DataLoader({ dataset, batchSize, seed: 3 });
      const step = trainStep({
        model,
        optimizer,
        batchAt,
        loss: (net, batch) => crossEntropy(net.call(batch.images), batch.labels),
      });
      for (let i = 0; i < 3; i++) await step();
      const states = [...model.parameters().values()] as Parameter[];
      return Promise.all(states.map((state) => state.data()));
    });
    expect(jobs).toBeGreaterThan(12); // at least two products a layer and step
  });
});

test("only what takes long is shared out", async () => {
  const { device } = await start(2);
  const { jobs } = threadsOf(device);
  const of = (n: number) => tensor(uniform(n * n, n), { shape: [n, n], device });
  await matmul(of(32), of(32)).data();
  expect(threadsOf(device).jobs - jobs).toBe(0);
  await matmul(of(256), of(256)).data();
  expect(threadsOf(device).jobs - jobs).toBe(1);
  expect(device.description).toMatch(/, 2 threads$/);
  device.dispose();
});

test("other threads do a part of the work, and know plans as long as these have memory", async () => {
  const [, , device] = devices;
  const threads = threadsOf(device);
  const before = threads.done;
  const x = tensor(uniform(2 ** 16, 1), { shape: [256, 256], device });
  const f = compile((y: Tensor) => sum(softmax(matmul(y, y)), { axis: 0 }));
  // A thread that gets no core does none; sooner or later it gets one.
  for (let i = 0; i < 2000 && threads.done === before; i++) (await f(x)).dispose();
  expect(threads.done).toBeGreaterThan(before);
  const known = threads.plans;
  f.dispose();
  expect(threads.plans).toBe(known - 1);
});

test("what threads computed is given in memory of its own", async () => {
  const [, device] = devices;
  const x = tensor([1, 2, 3], { device });
  const y = sigmoid(x);
  const u8 = tensor(Uint8Array.of(103, 114), { device });
  for (const values of [await x.data(), await y.data(), await u8.data()]) {
    expect(values.buffer).toBeInstanceOf(ArrayBuffer);
    expect(values.buffer.byteLength).toBe(values.byteLength);
  }
  expect(new TextDecoder().decode((await u8.data()) as Uint8Array)).toBe("gr");
  expect(y.preview).toContain("0.73");
});

/** Workers that are there and never get to work. */
class Idle {
  onmessage = () => {};
  postMessage() {
    queueMicrotask(() => this.onmessage());
  }
  terminate() {}
}

test("a thread that gets no core costs nothing: the caller does all of its work", async () => {
  vi.stubGlobal("Worker", Idle);
  const { device } = await start(4);
  const threads = Object.assign(threadsOf(device), { worth: 0, unit: 1, isEager: true });
  const x = tensor(uniform(5000, 2), { device });
  const y = tensor(uniform(5000, 2), { device: devices[0] });
  expect(await sigmoid(x).data()).toEqual(await sigmoid(y).data());
  expect([threads.jobs, threads.done]).toEqual([1, 0]);
  device.dispose();
});

describe("one thread serves, and the reason says why, where", () => {
  const reasonOf = async () => {
    const { device, reason } = await start(3);
    expect(device.description).not.toContain("threads");
    expect(await tensor([1], { device }).add(1).data()).toEqual(Float32Array.of(2));
    return reason;
  };

  test("the page is not isolated", async () => {
    vi.stubGlobal("crossOriginIsolated", false);
    expect(await reasonOf()).toBe(
      "asked for; one thread, since the page is not cross-origin isolated",
    );
  });

  test("workers are forbidden at once", async () => {
    class Forbidden {
      constructor() {
        throw new Error("refused");
      }
    }
    vi.stubGlobal("Worker", Forbidden);
    expect(await reasonOf()).toBe("asked for; one thread, since no worker is to be had (refused)");
  });

  test("workers are forbidden by a content policy", async () => {
    class Blocked extends Idle {
      onerror = (_: object) => {};
      override postMessage() {
        queueMicrotask(() => this.onerror({ message: "", preventDefault() {} }));
      }
    }
    vi.stubGlobal("Worker", Blocked);
    expect(await reasonOf()).toBe(
      "asked for; one thread, since no worker is to be had " +
        "(the page's content policy forbids workers of its own text)",
    );
  });
});

test("threads end with their device, disposed or collected", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const ended = vi.spyOn(Worker.prototype, "terminate");
  const { device } = await start(2);
  device.dispose();
  expect(ended).toHaveBeenCalledTimes(1);
  await (async () => {
    const { device } = await start(3);
    await tensor(uniform(2 ** 20, 1), { device })
      .mul(2)
      .data();
  })();
  for (let i = 0; i < 200 && ended.mock.calls.length < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(ended).toHaveBeenCalledTimes(3);
});
