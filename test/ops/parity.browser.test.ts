import { beforeAll, describe, expect, test } from "vitest";
import {
  type Device,
  evaluate,
  grad,
  init,
  mul,
  randomNormal,
  sum,
  type Tensor,
} from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";
import { type Call, draw, floats, place, tolerance } from "../support/op-case.ts";

let cpu: Device;
let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  cpu = (await init({ device: "cpu" })).device;
  gpus = await kernelKinds();
});

const seed = Math.floor(Math.random() * 1e6);

/** The result and the gradients of its randomly weighted sum. */
async function outcome(call: Call, device: Device, float: "f32" | "f64", differentiate: boolean) {
  const values = draw(call, seed);
  const inputs = place(call, values, device, float);
  const y = call.run(...inputs);
  const tensors: Tensor[] = [y];
  const targets = floats(call, inputs);
  if (differentiate && targets.length > 0) {
    const weights = randomNormal(y.shape, { seed, dtype: y.dtype, device });
    tensors.push(...grad(sum(mul(y, weights)), targets));
  }
  evaluate(...tensors);
  const read = await Promise.all(tensors.map((x) => x.data()));
  for (const x of [...tensors, ...inputs]) x.dispose();
  return read;
}

for (const kernels of KERNEL_KINDS) {
  describe(`${kernels} kernels`, () => {
    for (const [name, { calls, gradient }] of tables) {
      for (const [i, call] of calls.entries()) {
        test(`${name} ${i + 1}`, async () => {
          const float =
            call.inputs.every(({ dtype = "f32" }) => dtype !== "i32") || gradient === true;
          const differentiate = gradient === true && float && isFloat(call);
          const expected = await outcome(call, cpu, "f64", differentiate);
          const actual = await outcome(call, gpus[kernels], "f32", differentiate);
          actual.forEach((values, k) => {
            expect(values.length).toBe(expected[k].length);
            values.forEach((value, j) => {
              const want = expected[k][j];
              const error = Math.abs(value - want);
              if (!(error <= tolerance(want, (call.scale ?? 1) * (k > 0 ? 4 : 1)))) {
                throw new Error(
                  `seed ${seed}, ${k === 0 ? "value" : `gradient ${k}`} [${j}]: ${value}; expected ${want}`,
                );
              }
            });
          });
        });
      }
    }
  });
}

function isFloat(call: Call): boolean {
  return (
    (call.inputs[0]?.dtype ?? "f32") === "f32" ||
    call.inputs.some(({ dtype }) => dtype === undefined)
  );
}
