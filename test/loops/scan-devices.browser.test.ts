import { beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import {
  add,
  compile,
  type Device,
  init,
  mul,
  State,
  scan,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { loopCases } from "../cases/loops.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";
import { expectNear, loopOutcome } from "../support/loop-outcome.ts";
import { plainScan } from "../support/plain-scan.ts";

let cpu: Device;
let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
  gpus = await kernelKinds();
});

/** Cases whose second gradients are compared too; those of others in Node, which compiles less. */
const TWICE = ["running sums", "no results"];
/** Cases without products, whose kernels with workgroup memory take this adapter minutes to compile. */
const QUICK = ["running sums", "no carry", "carries that change places"];

describe.each(KERNEL_KINDS)("%s kernels", (kind) => {
  const isMeant = (name: string) => kind === "direct" || QUICK.some((one) => name.startsWith(one));
  const cases = loopCases.filter(({ name }) => isMeant(name));
  test.each(cases)("give of $name what the unrolled loop does", async (one) => {
    const most = TWICE.includes(one.name) ? 2 : 1;
    const orders = Math.min(most, one.orders ?? 2) as 0 | 1 | 2;
    const own = { ...one, orders };
    const expected = await loopOutcome(own, plainScan, cpu, "f64");
    expectNear(await loopOutcome(own, scan, gpus[kind], "f32"), expected, 2e-5);
  });
});

test("the table has what it is to compare", () => {
  for (const name of [...TWICE, ...QUICK]) {
    expect(loopCases.some((one) => one.name.startsWith(name))).toBe(true);
  }
});

test("a loop in a step goes on, with the same bits, when its device is lost", async () => {
  const trained = async (isLost: boolean) => {
    const { device } = await init({ device: "webgpu", kernels: "direct", isolated: true });
    const w = new State(tensor([1, 2], { device }));
    const start = tensor([0, 0], { device });
    const run = compile(
      (xs: Tensor) => {
        const [last] = scan((s, x) => [add(mul(s, 0.5), mul(x, w)), null], start, xs);
        w.assign(add(w, mul(last, 0.1)));
      },
      { mirrorEvery: 1 },
    );
    const xs = tensor([[1, 2], [3, 4], [5, 6]], { device }); // biome-ignore format: rows
    for (let i = 0; i < 4; i++) {
      await run(xs);
      if (i !== 1 || !isLost) continue;
      (device as GpuDevice).device.destroy();
      await device.lost;
    }
    const values = await w.data();
    expect((device as GpuDevice).losses).toBe(Number(isLost));
    return values;
  };
  expect(await trained(true)).toEqual(await trained(false));
});
