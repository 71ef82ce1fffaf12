import { beforeAll, describe, expect, test } from "vitest";
import { type Device, init, scan } from "../../src/index.ts";
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
