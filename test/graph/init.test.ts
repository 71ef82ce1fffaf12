import { afterEach, expect, test } from "vitest";
import { within } from "../../src/devices/webgpu/within.ts";
import {
  add,
  DeviceError,
  GradusError,
  type InitOptions,
  init,
  memory,
  setDefaultDevice,
  tensor,
} from "../../src/index.ts";
import { inBrowser } from "../support/device.ts";
import { held } from "../support/memory.ts";

const kind = inBrowser ? "webgpu" : "cpu";

let started: Awaited<ReturnType<typeof init>>[] = [];
afterEach(() => {
  for (const { device } of started) device.dispose(); // the next `init` may wish for another
  started = [];
});

/** `init`, whose device goes when the test is over. */
async function start(options?: InitOptions) {
  const choice = await init(options);
  started.push(choice);
  return choice;
}

test("auto never takes a GPU that the CPU emulates, and says why", async () => {
  const { device, reason } = await start({ device: "auto" });
  expect(device.kind).toBe("cpu");
  expect(reason).toMatch(
    inBrowser
      ? /^the only WebGPU adapter is emulated by the CPU/
      : /^Node has no WebGPU of its own$/,
  );
});

test("webgpu takes an emulated GPU, or fails clearly", async () => {
  if (inBrowser) {
    const { device, reason } = await start({ device: "webgpu" });
    expect([device.kind, reason]).toEqual(["webgpu", "asked for"]);
    expect(device.description).toMatch(/swiftshader/i);
    device.dispose();
    expect(() => tensor([1])).toThrow(DeviceError);
  } else {
    await expect(init({ device: "webgpu" })).rejects.toThrow(
      new DeviceError(
        'webgpu: Node has no WebGPU of its own; expected the package "webgpu". ' +
          "Run npm install webgpu, or use the cpu device",
      ),
    );
    expect((await start({ device: "cpu" })).device.kind).toBe("cpu"); // what failed is forgotten
  }
});

test.each<[object, string]>([
  [{ device: "tpu" }, "init: device tpu; expected auto, webgpu, cpu"],
  [{ kernels: "fast" }, "init: kernels fast; expected workgroup, direct"],
  [{ tune: "later" }, "init: tune later; expected background, now, off"],
  [{ engine: "fast" }, "init: engine fast; expected compiled, plain"],
  [{ reproducible: 1 }, "init: reproducible 1; expected true or false"],
  [{ threads: 0 }, "init: threads 0; expected an integer from 1"],
  [{ threads: 1.5 }, "init: threads 1.5; expected an integer from 1"],
  [{ timeout: 0 }, "init: timeout 0; expected a finite number above 0"],
  [
    { devise: "cpu" },
    'init: unknown option "devise"; expected device, kernels, tune, engine, threads, isolated, ' +
      'reproducible, timeout, gpuDevice, debug. Did you mean "device"?',
  ],
])("%j is refused", async (options, message) => {
  const refused = init(options as InitOptions);
  await expect(refused).rejects.toThrow(GradusError);
  await expect(refused).rejects.toThrow(message);
});

test("a missing init is told", () => {
  setDefaultDevice(null);
  expect(() => tensor([1])).toThrow(
    "device: none yet; expected `await init()` before the first tensor",
  );
});

test("calls with the same options give the same device, also at the same time", async () => {
  const [a, b] = await Promise.all([start({ device: kind }), start({ device: kind })]);
  const { device } = await start({ device: kind, timeout: 10_000 });
  expect(b.device).toBe(a.device);
  expect(device).toBe(a.device);
  setDefaultDevice(null);
  await start({ device: kind });
  expect(tensor([1]).device).toBe(a.device);
});

test("other options are an error that says how to have two devices", async () => {
  await start({ device: kind });
  for (const options of [{}, { device: kind, kernels: "workgroup" }] as InitOptions[]) {
    await expect(init(options)).rejects.toThrow(
      `init: options ${JSON.stringify({ device: "auto", ...options })} after a call with ` +
        `{"device":"${kind}"}; expected the same options. For a second device use ` +
        "init({ …, isolated: true }), and setDefaultDevice to make it the default one",
    );
  }
});

test("after the device was disposed, init gives a new one, with any options", async () => {
  const first = await start({ device: kind });
  first.device.dispose();
  const second = await start({ device: kind });
  expect(second.device).not.toBe(first.device);
  second.device.dispose();
  expect((await start({ device: "auto" })).device.kind).toBe("cpu");
});

test("an isolated device is used by naming it, and shared with nobody", async () => {
  const { device: usual } = await start({ device: kind });
  const { device } = await start({ device: "cpu", isolated: true });
  const { device: other } = await start({ device: "cpu", isolated: true });
  expect(other).not.toBe(device);
  expect(tensor([1]).device).toBe(usual);
  const before = held(usual);
  using x = add(tensor([1, 2], { device }), 1);
  expect(await x.toArray()).toEqual([2, 3]);
  expect(held(usual)).toBe(before);
  expect(memory(device).tensors).toBeGreaterThan(0);
  device.dispose();
  expect(() => add(x, 1)).toThrow("add: the cpu device was disposed; expected a live one");
});

test("what the browser never answers is an error after a while", async () => {
  const silence = new Promise<{ destroy(): void }>(() => {});
  await expect(within("init", "requestDevice", 20, () => silence)).rejects.toThrow(
    new DeviceError(
      "init: requestDevice gave no answer within 0.02 s; expected one. Restart the browser, " +
        "use the cpu device, or wait longer by the option timeout",
    ),
  );
});

test("what the browser refuses is a DeviceError, and what comes too late is given up", async () => {
  const no = new Error("no");
  const throws = (): Promise<never> => {
    throw no;
  };
  for (const ask of [() => Promise.reject(no), throws]) {
    await expect(within("init", "requestDevice", 1000, ask)).rejects.toThrow(
      new DeviceError("init: requestDevice failed (no); expected an answer"),
    );
  }
  let give = (_: number) => {};
  const late = new Promise<number>((resolve) => {
    give = resolve;
  });
  const gone: number[] = [];
  await expect(
    within(
      "init",
      "requestDevice",
      1,
      () => late,
      (x) => gone.push(x),
    ),
  ).rejects.toThrow(DeviceError);
  give(7);
  await new Promise((resolve) => setTimeout(resolve));
  expect(gone).toEqual([7]);
});
