import { beforeAll, describe, test } from "vitest";
import { type Device, init } from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";
import { expectParity } from "../support/parity.ts";

let cpu: Device;
let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", engine: "plain" })).device;
  gpus = await kernelKinds();
});

const seed = Math.floor(Math.random() * 1e6);

for (const kernels of KERNEL_KINDS) {
  describe(`${kernels} kernels`, () => {
    for (const [name, row] of tables) {
      for (const [i, call] of row.calls.entries()) {
        test(`${name} ${i + 1}`, () => expectParity(row, call, gpus[kernels], cpu, seed));
      }
    }
  });
}
