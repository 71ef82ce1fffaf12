import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { nextTask } from "../../../src/core/event-loop.ts";
import type { CpuSession } from "../../../src/devices/cpu/cpu-device.ts";
import type { CpuEngine } from "../../../src/devices/cpu/engine.ts";
import type { Threads } from "../../../src/devices/cpu/threads/threads.ts";
import {
  compile,
  type Device,
  DeviceError,
  evaluate,
  grad,
  init,
  matmul,
  Parameter,
  relu,
  scan,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../../src/index.ts";
import { crossEntropy } from "../../../src/losses/index.ts";
import { compiledRun } from "../../support/program-runs.ts";
import { uniform } from "../../support/reference.ts";

let device: Device;
const start = async () => {
  const options = { device: "cpu", engine: "compiled", threads: 2, isolated: true } as const;
  device = (await init(options)).device;
};
beforeEach(start);
afterEach(() => {
  vi.restoreAllMocks();
  device.dispose();
});

function engineOf(owner: Device): CpuEngine & { threads: Threads } {
  const { session } = owner as unknown as { session: CpuSession };
  return session.engine as CpuEngine & { threads: Threads };
}

/** Has each group of a run take so long that others get their turn behind it. */
function slowDown(): void {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    now += 100;
    return now;
  });
}

const square = (n: number, seed: number) =>
  tensor(uniform(n * n, seed), { shape: [n, n], device }).mul(1 / n);

/** Changes a state by a chain of products, and gives a sum. */
function chain() {
  const w = new Parameter(square(12, 1), { name: "w" });
  const f = compile((x: Tensor) => {
    let y = x;
    for (let i = 0; i < 6; i++) y = relu(matmul(y, w).add(0.1));
    w.assign(w.add(y));
    return sum(y.mul(x));
  });
  return { w, f };
}

/** Does the same in the turns of a loop. */
function looped() {
  const w = new Parameter(square(12, 1), { name: "w" });
  const f = compile((x: Tensor) => {
    const turn = (y: Tensor, row: Tensor) => {
      const next = relu(matmul(y, w).add(row));
      return [next, sum(next)] as const;
    };
    const [last, sums] = scan(turn, x, x);
    w.assign(w.add(last));
    return sum(last.mul(x)).add(sum(sums));
  });
  return { w, f };
}

const ways = [chain, looped];

/** Does all that may meet a run, waiting for nothing in between. */
async function meetings(way: typeof chain): Promise<unknown[]> {
  const { w, f } = way();
  await f.prepare(square(12, 2));
  const x = square(12, 2);
  evaluate(x);
  const before = w.data();
  const first = f(x);
  const after = w.data(); // of what the run has made, whatever is assigned next
  x.dispose();
  w.assign(square(12, 3));
  const assigned = w.data();
  const [second, third] = [f(square(12, 4)), f(square(12, 5))];
  const last = w.data();
  w.assign(tensor(uniform(144, 6), { shape: [12, 12], device })); // written over the old values
  const written = w.data();
  const shown = w.preview;
  const { tensors, bytes } = device.memory();
  f.dispose();
  const sums = await Promise.all((await Promise.all([first, second, third])).map((y) => y.item()));
  const values = await Promise.all([before, after, assigned, last, written]);
  return [sums, ...values, shown, tensors, bytes];
}

test.each(ways)(
  "a long call lets other tasks have their turn between its groups: %o",
  async (way) => {
    const { f } = way();
    const x = square(12, 2);
    await f.prepare(x);
    let turns = 0;
    let isOver = false;
    const others = (async () => {
      for (; !isOver; turns++) await nextTask();
    })();
    slowDown();
    const y = f(x).finally(() => {
      isOver = true;
    });
    await Promise.all([y, others]);
    expect(engineOf(device).underway?.room).toBe(undefined);
    const { kernels } = await f.plans[0].stats();
    const count = way === looped ? 12 : kernels.length;
    expect(count).toBeGreaterThan(6);
    expect(turns).toBeGreaterThanOrEqual(count - 1);
  },
);

test.each(ways)(
  "nobody sees a run half done, and what cannot wait has it finished: %o",
  async (way) => {
    const wanted = await meetings(way);
    device.dispose();
    await start();
    slowDown();
    expect(await meetings(way)).toEqual(wanted);
  },
);

test("random programs give what they give at once", async () => {
  for (const seed of [1, 2, 3]) {
    const wanted = await compiledRun(seed, device);
    slowDown();
    expect(await compiledRun(seed, device)).toEqual(wanted);
    vi.restoreAllMocks();
  }
});

test("a value that is refused is an error of the call, before any state has changed", async () => {
  slowDown();
  const w = new Parameter(zeros([2, 3], { device }), { name: "w" });
  const f = compile((labels: Tensor) => {
    const loss = crossEntropy(w, labels);
    const [g] = grad(loss, [w]);
    w.assign(w.sub(g));
  });
  const labels = (...values: number[]) => tensor(values, { dtype: "i32", device });
  await f(labels(0, 2));
  const before = await w.data();
  await expect(f(labels(0, 3))).rejects.toThrow("3");
  expect(await w.data()).toEqual(before);
});

test.each([
  [chain, true],
  [chain, false],
  [looped, true],
])(
  "a failure within a run, %o, long: %s, belongs to all that it should have written",
  async (way, isLong) => {
    const { threads } = engineOf(device);
    Object.assign(threads, { worth: 0, unit: 1, isEager: true });
    const { w, f } = way();
    const x = square(12, 2);
    if (isLong) slowDown();
    const wanted = await (await f(x)).item();
    w.assign(square(12, 1));
    let jobs = 0;
    const share = vi.spyOn(threads, "share").mockImplementation(() => {
      if (++jobs > 2) throw new Error("a part of the work failed");
    });
    const value = f(x).then((y) => y.item());
    await expect(value).rejects.toThrow(
      new DeviceError("run: a part of the work failed; expected a run to its end"),
    );
    await expect(w.data()).rejects.toThrow(/a part of the work failed/);
    share.mockRestore();
    w.assign(square(12, 1));
    expect(await (await f(x)).item()).toBeCloseTo(wanted, 5);
  },
);
