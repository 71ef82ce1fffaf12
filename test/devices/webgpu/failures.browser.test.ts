import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { GpuDevice } from "../../../src/devices/webgpu/gpu-device.ts";
import type { GpuSession } from "../../../src/devices/webgpu/session.ts";
import { MOST_STAGED } from "../../../src/devices/webgpu/submit-queue.ts";
import {
  compile,
  DeviceError,
  evaluate,
  GradusError,
  grad,
  init,
  MemoryError,
  Parameter,
  setDefaultDevice,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../../src/index.ts";
import { loadCheckpoint, saveCheckpoint } from "../../../src/io/index.ts";
import { meanSquaredError } from "../../../src/losses/index.ts";
import { Linear } from "../../../src/nn/index.ts";
import { Adam } from "../../../src/optim/index.ts";
import { trainStep } from "../../../src/train/index.ts";
import { broken } from "../../support/broken.ts";
import { PATIENT } from "../../support/patient.ts";

// Each test has a device of its own: what went wrong on one must not hide what goes wrong next.
let device: GpuDevice;
const uncaptured: string[] = [];
beforeEach(async () => {
  device = (await init({ device: "webgpu", tune: "off", isolated: true, timeout: 20_000 }))
    .device as GpuDevice;
  device.device.addEventListener("uncapturederror", (e) => uncaptured.push(e.error.message));
  setDefaultDevice(device);
});
afterEach(() => {
  vi.restoreAllMocks();
  device.dispose();
  expect(uncaptured.splice(0)).toEqual([]);
});

type Method<T> = {
  [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never;
}[keyof T];

/** Puts something else in the place of call `at`, counted from 0, of a method. */
function at<T extends object, K extends Method<T> & string>(
  target: T,
  method: K,
  call: number,
  // biome-ignore lint/suspicious/noExplicitAny: whatever the method takes
  fake: (real: any, ...args: any[]) => unknown,
): void {
  const real = (target[method] as (...args: unknown[]) => unknown).bind(target);
  let next = 0;
  (target as Record<string, unknown>)[method] = (...args: unknown[]) =>
    next++ === call ? (fake as (...args: unknown[]) => unknown)(real, ...args) : real(...args);
}

/** A buffer that the device has no memory for; one that is mapped is invalid beside it, and small. */
const tooLarge = (real: GPUDevice["createBuffer"], given: GPUBufferDescriptor) => {
  const { usage, mappedAtCreation } = given;
  const large = real({ label: "too large", size: 2 ** 30, usage });
  return mappedAtCreation ? real({ ...given, usage: 0 }) : large;
};

/** A gibibyte, which cannot be had. */
const big = () => zeros([16384, 1]).add(zeros([1, 16384]));

const batch = () => ({
  x: tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]),
  y: tensor([[1], [0], [2]]),
});

function training(stepsPerSubmit = 8) {
  const model = new Linear(2, 1, { seed: 1 });
  const optimizer = new Adam(model.parameters(), { learningRate: 0.01 });
  const step = trainStep({
    model,
    optimizer,
    loss: (net, given: { x: Tensor; y: Tensor }) => meanSquaredError(net.call(given.x), given.y),
    stepsPerSubmit,
    mirrorEvery: null,
  });
  return { model, optimizer, step };
}

async function losses(n: number, given = batch()): Promise<number[]> {
  const { step } = training();
  for (let i = 0; i < n; i++) await step(given);
  return (await step.read()).map(({ loss }) => loss);
}

/** Takes all that is spare, so that new buffers have to be made. */
function drain() {
  const { pool } = device.session as GpuSession;
  const taken = [];
  while (pool.held.spare > 0) taken.push(pool.acquire(1));
  return taken;
}

/** What is held; what the collector frees meanwhile counts as still there. */
// The collector may take tensors that a test has dropped, so that fewer are as good.
const held = () => {
  const { reclaimed: _, plans: __, ...rest } = device.memory();
  return rest;
};

test("steps that wait to be submitted are not lost with a read that cannot be had", async () => {
  const given = batch();
  const want = await losses(15, given);
  const { step } = training();
  await step(given);
  await step.read();
  for (let i = 1; i < 3; i++) await step(given);
  const before = held();
  using x = big();
  const error = await x.data().catch((e) => e);
  expect(error).toBeInstanceOf(MemoryError);
  expect(error.message).toMatch(/^data: no memory for 1073741824 bytes; expected room beside \d+ /);
  expect(error).toMatchObject({ wanted: 2 ** 30, limits: { maxBufferSize: expect.any(Number) } });
  expect(error.held.tensors).toBeGreaterThan(0);
  for (let i = 3; i < 15; i++) await step(given);
  const found = (await step.read()).map(({ loss }) => loss);
  expect(found).toEqual(want.slice(1));
  const { tensors, bytes } = held();
  expect(tensors).toBeLessThanOrEqual(before.tensors);
  expect(bytes).toBeLessThanOrEqual(before.bytes + 8192);
});

test("all who read what could not be computed are told, none gets zeros", async () => {
  using x = big();
  evaluate(x);
  const outcomes = await Promise.allSettled([x.data(), sum(x).item(), tensor([1]).add(1).item()]);
  const [data, total, other] = outcomes;
  for (const outcome of [data, total]) {
    expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(MemoryError) });
  }
  expect(other).toMatchObject({ value: 2 });
  await expect(x.add(1).data()).rejects.toThrow((data as PromiseRejectedResult).reason);
  expect(() => evaluate(sum(x))).toThrow(MemoryError);
});

test("a read tries again when spare buffers have made room", async () => {
  const x = tensor([1, 2]).add(1);
  at(device.device, "createBuffer", 1, tooLarge); // the sum; the values are call 0
  expect(await x.toArray()).toEqual([2, 3]);
  at(device.device, "createBuffer", 0, tooLarge); // staging
  const y = x.add(tensor(new Float32Array(2)));
  expect(await y.reshape([2, 1]).toArray()).toEqual([[2], [3]]);
});

test("a step whose memory fails spoils the weights until they are assigned", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  const step = () => {
    using loss = sum(square(w));
    w.assign(sub(w, grad(loss, [w])[0].mul(0.25)));
  };
  step();
  expect(await w.toArray()).toEqual([0.5, 1]);
  const before = held();
  const taken = drain();
  at(device.device, "createBuffer", 0, tooLarge);
  step();
  const error = await w.data().catch((e) => e);
  expect(error).toBeInstanceOf(MemoryError);
  for (const use of [
    w.data(),
    w.add(1).data(),
    saveCheckpoint({
      model: { state: () => new Map([["w", w]]) },
      optimizer: { state: () => new Map() },
    }),
  ]) {
    await expect(use).rejects.toBe(error);
  }
  expect(() => step()).toThrow(error);
  using five = tensor([5]);
  using six = five.add(1);
  expect(await six.item()).toBe(6);
  const tensors = before.tensors + 2;
  w.assign(tensor([1, 2]));
  step();
  expect(await w.toArray()).toEqual([0.5, 1]);
  for (const storage of taken) (device.session as GpuSession).pool.release(storage);
  expect(held().tensors).toBeLessThanOrEqual(tensors);
});

test("a pipeline that failed is made anew, and nobody else gets it", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  const x = tensor([1, 2]);
  const f = () => sum(square(x)).item();
  at(device.device, "createComputePipeline", 0, (real, descriptor) => {
    return real({ ...descriptor, compute: { ...descriptor.compute, entryPoint: "none" } });
  });
  await expect(f()).rejects.toThrow(GradusError);
  expect(await f()).toBe(5);
  const step = compile(() => w.assign(w.mul(2)));
  at(device.device, "createComputePipelineAsync", 0, () => Promise.reject(new Error("mine")));
  await expect(step()).rejects.toThrow(/mine/);
  await step();
  expect(await w.toArray()).toEqual([2, 4]);
  await expect(broken(x).data()).rejects.toThrow(/^broken: .*no_such_function/s);
});

test("commands that are left out without an error are noticed by the next save or read", async () => {
  const given = batch();
  const { model, optimizer, step } = training(1);
  await step(given);
  const file = await saveCheckpoint({ model, optimizer, step });
  for (let i = 0; i < 3; i++) {
    if (i === 1) at(device.device.queue, "submit", 0, () => {});
    await step(given);
  }
  const error = await saveCheckpoint({ model, optimizer, step }).catch((e) => e);
  expect(error).toBeInstanceOf(DeviceError);
  expect(error.message).toMatch(/^trainStep: the device has left out commands/);
  await expect(step.read()).rejects.toBe(error);
  await expect(step(given)).rejects.toBe(error);
  loadCheckpoint({ model, optimizer, step }, file);
  for (let i = 0; i < 3; i++) await step(given);
  const weights = await model.weight.data();
  const own = training(1);
  for (let i = 0; i < 4; i++) await own.step(given);
  expect(weights).toEqual(await own.model.weight.data());
});

test("commands that are left out are noticed without any read, some hundred submits later", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  const step = compile(() => w.assign(w.add(1)), { stepsPerSubmit: 1 });
  for (let i = 0; i < 1600; i++) await step(); // the device is asked twice
  at(device.device.queue, "submit", 3, () => {});
  let steps = 0;
  const error = await (async () => {
    for (; steps < 1500; steps++) await step();
  })().catch((e) => e);
  expect(error).toBeInstanceOf(DeviceError);
  expect(error.message).toMatch(/^compile: the device has left out commands/);
  expect(steps).toBeLessThan(1200);
  await expect(w.data()).rejects.toBe(error);
});

test("a step number that is not the device's is an error, never a file", async () => {
  const given = batch();
  const { model, optimizer, step } = training(1);
  await step(given);
  at(device.device, "createCommandEncoder", 0, (real, descriptor) => {
    const encoder = real(descriptor);
    at(encoder as GPUCommandEncoder, "copyBufferToBuffer", 0, () => {}); // the number's
    return encoder;
  });
  step.seek(7);
  await step(given);
  await expect(saveCheckpoint({ model, optimizer, step })).rejects.toThrow(
    "saveCheckpoint: the device is at step 2, the run at step 8; expected the same",
  );
  await expect(step.read()).rejects.toThrow("trainStep: the device is at step 2");
  step.seek(0);
  await step(given);
  expect(await step.read()).toHaveLength(1);
});

test("what was lost on its way to the device is sent again", async () => {
  const x = tensor([1, 2, 3]);
  at(device.device, "createBuffer", 0, (real, given) => real({ ...given, usage: 0 }));
  evaluate(x);
  await expect(x.add(1).data()).rejects.toThrow(/usage/);
  expect(await x.add(2).toArray()).toEqual([3, 4, 5]);
  // Not when it has arrived and is then changed: that is the state's own value.
  const w = new Parameter(tensor([1, 2, 3]));
  w.assign(w.add(1));
  expect(await w.toArray()).toEqual([2, 3, 4]);
});

/** Uses of values that come from the host, each in memory that is there: they go by a submit. */
const UPLOADS: [
  string,
  () => Promise<{ change(): void | Promise<void>; use(): Promise<object> }>,
][] = [
  [
    "a tensor",
    async () => {
      const x = tensor([1, 2, 3]);
      return { change: () => evaluate(x), use: () => x.add(1).data() };
    },
  ],
  [
    "a state",
    async () => {
      const w = new Parameter(tensor([1, 2]));
      expect(await w.add(1).toArray()).toEqual([2, 3]);
      return { change: () => w.assign(tensor([3, 4])), use: () => w.data() };
    },
  ],
  [
    "a learning rate",
    async () => {
      const { model, optimizer, step } = training();
      const given = batch();
      await step(given);
      const change = () => {
        optimizer.learningRate = 0.5;
        return step(given);
      };
      return { change, use: () => saveCheckpoint({ model, optimizer, step }) };
    },
  ],
  [
    "a batch",
    async () => {
      const { model, step } = training();
      const next = async () => {
        const given = batch();
        await step(given);
        for (const x of Object.values(given)) x.dispose();
      };
      await next();
      return { change: next, use: () => model.weight.data() };
    },
  ],
];

test.each(UPLOADS)("an upload that is left out is noticed: %s", async (_, prepare) => {
  const { change, use } = await prepare();
  const old = [tensor([7]), tensor([8])];
  evaluate(...old);
  await tensor([1]).add(1).data(); // nothing waits
  for (const x of old) x.dispose(); // what comes takes their memory
  at(device.device.queue, "submit", 0, () => {});
  await change();
  const error = await use().catch((e) => e);
  expect(error).toBeInstanceOf(DeviceError);
  expect(error.message).toMatch(/: the device has left out commands/);
});

test("what was left out on its way to the device is sent or assigned again", async () => {
  const w = new Parameter(tensor([1, 2, 3]));
  const x = tensor([1, 2, 3]);
  const old = tensor([7]);
  expect(await w.add(old).toArray()).toEqual([8, 9, 10]);
  old.dispose(); // x comes into its memory
  at(device.device.queue, "submit", 0, () => {});
  evaluate(x);
  w.assign(tensor([4, 5, 6]));
  const error = await w.data().catch((e) => e);
  expect(error.message).toMatch(/left out commands/);
  await expect(w.add(x).data()).rejects.toBe(error);
  w.assign(tensor([4, 5, 6]));
  expect(await w.add(x).toArray()).toEqual([5, 7, 9]);
});

test("an upload that has no memory takes nobody's steps with it", async () => {
  const [v, w] = [new Parameter(tensor([1, 2])), new Parameter(tensor([3, 4]))];
  const step = compile(() => v.assign(v.add(1)), { stepsPerSubmit: 8 });
  await step();
  expect([...(await w.add(0).data()), ...(await v.data())]).toEqual([3, 4, 2, 3]);
  await step();
  at(device.device, "createBuffer", 0, tooLarge);
  w.assign(tensor([5, 6]));
  for (let i = 0; i < 3; i++) await step();
  const error = await w.data().catch((e) => e);
  expect(error).toBeInstanceOf(MemoryError);
  expect(error.message).toMatch(/^write: no memory for \d+ bytes/);
  expect(await v.toArray()).toEqual([6, 7]);
  w.assign(tensor([5, 6]));
  expect(await w.add(0).toArray()).toEqual([5, 6]);
});

test("uploads keep their place among steps that wait", async () => {
  const [v, rate] = [new Parameter(tensor([0, 0])), new Parameter(tensor([1, 2]))];
  const step = compile((x: Tensor) => v.assign(v.add(rate).add(x)), { stepsPerSubmit: 16 });
  let want = 0;
  for (let i = 0; i < 12; i++) {
    if (i % 3 === 2) rate.assign(tensor([i, 2 * i]));
    using x = tensor([i / 2, i / 2]);
    await step(x);
    want += (i < 2 ? 1 : i - ((i + 1) % 3)) + i / 2;
  }
  expect((await v.data())[0]).toBe(want);
});

test("a read tries again where the host had no room to map a buffer", async () => {
  const refuse = () => {
    throw new RangeError("too large to be mapped");
  };
  const x = tensor([1, 2, 3]);
  at(device.device, "createBuffer", 0, refuse);
  const z = x.add(1);
  expect(await z.toArray()).toEqual([2, 3, 4]);
  for (const one of [x, z]) one.dispose(); // so that the collector changes no count
  const before = held();
  const y = tensor([4]);
  for (let i = 0; i < 2; i++) at(device.device, "createBuffer", 0, refuse);
  const taken = drain();
  const error = await y
    .add(1)
    .item()
    .catch((e) => e);
  expect(error).toBeInstanceOf(MemoryError);
  expect(error.message).toMatch(/^item: no memory for 256 bytes; expected room beside/);
  expect(error).toMatchObject({ wanted: 256, held: { tensors: expect.any(Number) } });
  expect(held().tensors).toBe(before.tensors);
  expect(await y.add(1).item()).toBe(5);
  for (const storage of taken) (device.session as GpuSession).pool.release(storage);
});

test("values that are more than is staged at once go in pieces, all or none", async () => {
  const size = MOST_STAGED / 2 + 3; // two whole pieces and three elements
  const values = Float32Array.from({ length: size }, (_, i) => i % 1000);
  const w = new Parameter(tensor(values)); // to new memory
  const parts = async () => {
    const starts = [0, MOST_STAGED / 4 - 2, MOST_STAGED / 2 - 2, size - 4];
    const found: number[] = [];
    for (const start of starts) {
      found.push(...(await slice(w, [{ start, end: start + 4 }]).data()));
    }
    return [found, starts.flatMap((start) => [...values.subarray(start, start + 4)])];
  };
  let [found, right] = await parts();
  expect(found).toEqual(right);
  values.reverse();
  let mark = device.counters.now;
  w.assign(tensor(values)); // over the values before
  expect(device.counters.since(mark)).toMatchObject({ submits: 2, buffers: 2, writes: 1 });
  [found, right] = await parts();
  expect(found).toEqual(right);
  mark = device.counters.now;
  at(device.device, "createBuffer", 0, () => {
    throw new TypeError("mine");
  });
  w.assign(tensor(values));
  expect(device.counters.since(mark)).toMatchObject({ submits: 2, buffers: 1 });
  await expect(w.data()).rejects.toThrow(/^write: webgpu: mine/); // it has a part of them
  w.assign(tensor(values.fill(3)));
  [found, right] = await parts();
  expect(found).toEqual(right);
});

test.each([
  "createBuffer",
  "createBindGroup",
  "createCommandEncoder",
  "createShaderModule",
  "createPipelineLayout",
  "createComputePipeline",
  "pushErrorScope",
  "popErrorScope",
] as const)(
  "%s that throws is an error of what was called, and the next call is right",
  async (method) => {
    const right = async (rank: number) => {
      using x = tensor([1, 2], { shape: [2, ...new Array(rank).fill(1)] });
      using y = square(x).add(rank);
      return [...(await y.data())];
    };
    expect(await right(0)).toEqual([1, 4]);
    drain();
    const before = held();
    at(device.device, method, 0, () => {
      throw new TypeError("mine");
    });
    const error = await right(1).catch((e) => e);
    expect(error).toBeInstanceOf(GradusError);
    expect(error.message).toMatch(/^data: .*mine/);
    expect(await right(1)).toEqual([2, 5]);
    expect(held().tensors).toBeLessThanOrEqual(before.tensors);
    expect(held().pipelines).toBe(before.pipelines + 1);
  },
);

test("queue calls that throw spoil what they should have written", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  expect(await w.add(1).toArray()).toEqual([2, 3]);
  const { queue } = device.device;
  at(queue, "submit", 0, () => {
    throw new TypeError("mine");
  });
  expect(() => w.assign(w.mul(2))).toThrow(/^assign: webgpu: mine; expected a valid command/);
  expect(await w.toArray()).toEqual([1, 2]); // nothing was assigned
  const double = compile(() => w.assign(w.mul(2)));
  await double();
  at(queue, "submit", 0, () => {
    throw new TypeError("mine");
  });
  await expect(double()).rejects.toThrow(/^compile: webgpu: mine/);
  await expect(w.data()).rejects.toThrow(/^compile: webgpu: mine/);
  at(device.device, "createBuffer", 0, () => {
    throw new TypeError("mine");
  });
  w.assign(tensor([3, 4])); // to other memory, when it is needed
  await expect(w.add(1).data()).rejects.toThrow(/^data: webgpu: mine/);
  await expect(w.data()).rejects.toThrow(/^data: webgpu: mine/);
  w.assign(tensor([3, 4]));
  expect(await w.add(1).toArray()).toEqual([4, 5]);
  await double();
  expect(await w.toArray()).toEqual([6, 8]);
});

test("what waits and fails when more comes behind it spoils what would have been made of it", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  const step = compile(() => w.assign(w.mul(2)), { stepsPerSubmit: 8 });
  const other = compile((x: Tensor) => x.add(w), { stepsPerSubmit: 8 });
  const x = tensor([1, 1]);
  await step();
  (await other(x)).dispose();
  await w.add(3).data(); // all is built
  const uses: (() => unknown)[] = [
    () => w.data(),
    () => w.add(3).data(),
    async () => (await other(x)).data(),
    () => other.profile(x),
    async () => evaluate(w.add(3)),
    async () => evaluate(w.add(5)), // what is new
  ];
  for (const use of uses) {
    w.assign(tensor([3, 4]));
    await step(); // binds the new memory
    at(device.device, "createCommandEncoder", 0, () => {
      throw new TypeError("mine");
    });
    await step(); // waits
    await expect(use(), String(use)).rejects.toThrow(/^compile: webgpu: mine/);
    await expect(w.data()).rejects.toThrow(/^compile: webgpu: mine/);
  }
  w.assign(tensor([3, 4]));
  await step();
  expect(await w.toArray()).toEqual([6, 8]);
});

test.each(["popErrorScope", "mapAsync"] as const)(
  "%s without an answer is an error after a while",
  async (method) => {
    device.dispose();
    device = (await init({ device: "webgpu", isolated: true, timeout: 1000 })).device as GpuDevice;
    setDefaultDevice(device);
    using x = tensor([1, 2]);
    expect(await x.add(1).toArray()).toEqual([2, 3]);
    using y = square(x);
    if (method === "mapAsync") {
      vi.spyOn(GPUBuffer.prototype, "mapAsync").mockReturnValueOnce(new Promise(() => {}));
    } else at(device.device, method, 0, () => new Promise(() => {}));
    const error = await y.data().catch((e) => e);
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toMatch(/within 1 s/);
    if (method === "mapAsync") expect(await y.toArray()).toEqual([1, 4]);
    using z = square(x);
    expect(await z.toArray()).toEqual([1, 4]);
  },
);

test("kernels that are built when the device is lost are built again", async () => {
  await vi.waitFor(() => expect(device.journal).not.toBeNull(), PATIENT);
  const { lost } = device;
  const x = tensor([1, 2, 3]);
  const f = compile((y: Tensor) => sum(square(y.mul(3))));
  const preparing = f.prepare(x);
  const running = f(x);
  device.device.destroy();
  expect((await preparing).ready).toBe(true);
  expect(await (await running).item()).toBe(9 * 14);
  expect(await lost).toMatchObject({ reason: "destroyed" });
});

test("compiled functions wait until their memory is known to be good", async () => {
  const w = new Parameter(tensor([1, 2]), { name: "w" });
  await w.data();
  const step = compile(() => {
    const y = big();
    w.assign(w.add(sum(y)));
    return y;
  });
  const before = held();
  const error = await step().catch((e) => e);
  expect(error).toBeInstanceOf(MemoryError);
  expect(error.message).toMatch(/^compile: no memory for 1073741824 bytes/);
  expect(await w.toArray()).toEqual([1, 2]);
  expect(held().tensors).toBeLessThanOrEqual(before.tensors);
  expect(held().pipelines).toBe(before.pipelines);
  const small = compile(() => w.assign(w.mul(2)));
  await small();
  expect(await w.toArray()).toEqual([2, 4]);
});
