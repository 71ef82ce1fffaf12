import { afterEach, describe, expect, test, vi } from "vitest";
import { compiledEngine, moreThreads, rareCodes } from "../../../src/devices/cpu/choose-engine.ts";
import {
  add,
  compile,
  type Device,
  type InitOptions,
  init,
  mul,
  softmax,
  sum,
  type Tensor,
  tensor,
} from "../../../src/index.ts";
import { Linear, Sequential } from "../../../src/nn/index.ts";
import { SGD } from "../../../src/optim/index.ts";
import { trainStep } from "../../../src/train/index.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const start = (options: InitOptions = {}) => init({ device: "cpu", ...options, isolated: true });

const MISSING = "asked for; plain TypeScript, since WebAssembly with SIMD is not to be had";

test("the CPU computes by WebAssembly, unless the plain forms are asked for", async () => {
  const { device, reason } = await start();
  expect(device.description).toMatch(/^WebAssembly, SIMD( with multiply-add)?$/);
  expect(reason).toBe("asked for");
  const load = vi.spyOn(compiledEngine, "get");
  const plain = await start({ engine: "plain" });
  expect([plain.device.description, plain.reason]).toEqual(["plain TypeScript", "asked for"]);
  expect(load).not.toHaveBeenCalled();
});

test("what shares work among threads is loaded where there may be several", async () => {
  const load = vi.spyOn(moreThreads, "get");
  await start({ threads: 1 });
  vi.stubGlobal("crossOriginIsolated", false);
  await start();
  await start({ threads: 2 });
  expect(load).not.toHaveBeenCalled();
  vi.stubGlobal("crossOriginIsolated", undefined);
  (await start({ threads: 2 })).device.dispose();
  expect(load).toHaveBeenCalled();
  load.mockRejectedValue(new TypeError("offline"));
  const { device, reason } = await start({ threads: 2 });
  expect(device.description).toMatch(/^WebAssembly, SIMD( with multiply-add)?$/);
  expect(reason).toBe("asked for; one thread, since no worker is to be had (offline)");
});

test("code that few apps want is loaded where an app has what wants it, then or later", async () => {
  const loads = Object.values(rareCodes).map((script) => vi.spyOn(script, "get"));
  await start({ engine: "plain" });
  for (const load of loads) expect(load).not.toHaveBeenCalled();
  await start({ threads: 1 }); // this file imports all ops
  for (const load of loads) expect(load).toHaveBeenCalledTimes(1);

  vi.resetModules();
  const own = await import("../../../src/devices/cpu/choose-engine.ts");
  const { rare, wanted } = await import("../../../src/forms/rare.ts");
  const [kernels, places, functions] = (["kernels", "places", "functions"] as const).map((code) =>
    vi.spyOn(own.rareCodes[code], "get"),
  );
  wanted.codes.clear(); // of an app without such ops
  rare("op", "places");
  await own.chooseEngine("", true, 1);
  expect(places).toHaveBeenCalledTimes(1);
  expect(kernels).not.toHaveBeenCalled();
  expect(rare("op")).toBe("op");
  expect(kernels).toHaveBeenCalledTimes(1);
  functions.mockRejectedValue(new TypeError("offline")); // plain forms serve
  rare("file", "functions");
});

test("until code that few apps want is there, plain forms serve; then programs are made anew", async () => {
  vi.resetModules();
  const own = await import("../../../src/index.ts");
  const { wanted } = await import("../../../src/forms/rare.ts");
  const codes = [...wanted.codes];
  wanted.codes.clear(); // of an app without such ops
  const devices = [
    await own.init({ device: "cpu", engine: "plain", isolated: true }),
    await own.init({ device: "cpu", threads: 1, isolated: true }),
  ].map(({ device }) => device);
  const { grad, matmul, windows } = own;
  const ways: Record<string, (x: Tensor) => Tensor> = {
    sin: own.sin,
    tanh: (x) => own.tanh(own.matmul(x, own.transpose(x))),
    normals: (x) =>
      own.add(
        x,
        own.normalAt(own.tensor(3, { dtype: "u32", device: x.device }), x.shape, { seed: 1 }),
      ),
    argmax: (x) => own.argmax(x, { axis: 1 }),
    sort: (x) => own.sort(x).values,
    sums: (x) => own.cumSum(x, { axis: 1 }),
    moments: (x) => own.variance(x, { axis: 1 }),
    scattered: (x) => {
      const index = own.tensor([1, 0, 1, 3], { dtype: "i32", device: x.device });
      const square = (y: Tensor) => own.sum(own.square(own.gather(y, index)));
      return grad(square(x), [x])[0];
    },
    convolved: (x) => {
      const seen = own.reshape(windows(x, 3, { axis: 1 }), [-1, 3]);
      return own.relu(matmul(seen, own.ones([3, 5], { device: x.device })));
    },
  };
  const x = own.randomNormal([24, 40], { seed: 4, device: devices[0] });
  const values = await x.data();
  const tensorOf = (shape: readonly number[], device: Device) =>
    own.tensor(values, { shape, device });
  const results = async (device: Device, shape: readonly number[]) => {
    const own = (way: (x: Tensor) => Tensor) => way(tensorOf(shape, device)).data();
    return (await Promise.all(Object.values(ways).map(own))).map((all) => [...all]);
  };
  const isNear = (a: number[][], b: number[][]) =>
    a.flat().every((value, i) => Math.abs(value - b.flat()[i]) < 1e-4);
  const [plain, compiled] = devices;
  // Plans are kept, so that other shapes are computed when there is code.
  const [first, second] = [
    [24, 40],
    [20, 48],
  ];
  const before = await results(compiled, first);
  await Promise.all(codes.map(wanted.load));
  const after = await results(compiled, second);
  const expected = [await results(plain, first), await results(plain, second)];
  expect([isNear(before, expected[0]), isNear(after, expected[1])]).toEqual([true, true]);
  expect(before[0]).toEqual(expected[0][0]); // the bits of the plain form
  expect(after[0]).not.toEqual(expected[1][0]);
});

/** Has WebAssembly refuse what is made of bytes. */
function refuse(make: () => Error, isRefused: (bytes: Uint8Array) => boolean = () => true) {
  class Refusing extends WebAssembly.Module {
    constructor(bytes: Uint8Array<ArrayBuffer>) {
      if (isRefused(bytes)) throw make();
      super(bytes);
    }
  }
  vi.spyOn(WebAssembly, "Module").mockImplementation(Refusing as never);
}

/** Has no memory to be had. */
function refuseMemory() {
  class Full {
    constructor() {
      throw new RangeError("could not allocate memory");
    }
  }
  vi.spyOn(WebAssembly, "Memory").mockImplementation(Full as never);
}

describe("the plain forms serve, and the reason says why,", () => {
  const ways: Record<string, [take: () => void, why: RegExp]> = {
    "where a content policy forbids WebAssembly": [
      () => refuse(() => new WebAssembly.CompileError("blocked by the content policy")),
      /\(blocked by the content policy\)$/,
    ],
    "where the engine has none": [
      () => vi.stubGlobal("WebAssembly", undefined),
      /\(WebAssembly is not defined|Cannot read properties of undefined.*\)$/,
    ],
    "where its script cannot be loaded": [
      () => vi.spyOn(compiledEngine, "get").mockRejectedValue(new TypeError("offline")),
      /\(offline\)$/,
    ],
    "where there is no room for a memory": [refuseMemory, /\(could not allocate memory\)$/],
  };

  test.each(Object.entries(ways))("%s", async (_, [take, why]) => {
    take();
    const { device, reason } = await start();
    expect(device.description).toBe("plain TypeScript");
    expect(reason.startsWith(MISSING)).toBe(true);
    expect(reason).toMatch(why);
    expect(await tensor([1], { device }).add(1).data()).toEqual(Float32Array.of(2));
    expect((await start({ engine: "plain" })).reason).toBe("asked for");
  });
});

const inputs = (device: Device) => [
  tensor([1, 2, 3, 4], { shape: [2, 2], device }),
  tensor([0.5, -1], { device }),
];

test("a plan whose module is refused where nothing can wait runs in plain forms", async () => {
  const { device } = await start();
  const held = device.memory();
  const [x, y] = inputs(device);
  refuse(
    () => new RangeError("disallowed on the main thread, if the buffer size is larger than 4KB"),
    ({ length }) => length > 100,
  );
  const f = compile((a: Tensor, b: Tensor) => sum(softmax(add(mul(a, b), 3.25))));
  using eager = sum(softmax(add(mul(x, y), 3.25)));
  expect(await eager.item()).toBeCloseTo(2);
  using value = await f(x, y); // prepared, so that its module could wait
  expect(await value.item()).toBeCloseTo(2);
  const mark = device.counters.now;
  for (let i = 0; i < 3; i++) (await f(x, y)).dispose();
  expect(device.counters.since(mark).buffers).toBe(3);
  f.dispose();
  for (const z of [x, y, eager, value]) z.dispose();
  device.dispose();
  expect(device.memory()).toMatchObject({ tensors: 0, buffers: held.buffers, bytes: held.bytes });
});

test("equal programs share their code", async () => {
  const { device } = await start();
  const modules = [vi.spyOn(WebAssembly, "Module"), vi.spyOn(WebAssembly, "compile")];
  const train = async (size: number) => {
    const model = new Sequential(new Linear(2, size, { device }), new Linear(size, 1, { device }));
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
    const step = trainStep({ model, optimizer, loss: (net, x: Tensor) => sum(net.call(x)) });
    await step(inputs(device)[0]);
    step.dispose();
    const made = modules.reduce((all, { mock }) => all + mock.calls.length, 0);
    for (const { mock } of modules) mock.calls.length = 0;
    return made;
  };
  expect(await train(17)).toBeGreaterThan(0);
  expect(await train(17)).toBe(0);
  expect(await train(18)).toBeGreaterThan(0);
});
