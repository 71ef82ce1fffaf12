import {
  type Device,
  evaluate,
  grad,
  mul,
  randomNormal,
  sum,
  type Tensor,
} from "../../src/index.ts";
import { type Call, draw, floats, type OpCase, place, tolerance } from "./op-case.ts";

/** The result and the gradients of its randomly weighted sum. */
export async function outcome(
  call: Call,
  device: Device,
  float: "f32" | "f64",
  differentiate: boolean,
  seed: number,
) {
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

/** Compares a call on a device, in f32, with the CPU's specification in f64; gradients as well. */
export async function expectParity(
  { gradient }: OpCase,
  call: Call,
  device: Device,
  cpu: Device,
  seed: number,
): Promise<void> {
  const float = call.inputs.every(({ dtype = "f32" }) => dtype !== "i32") || gradient === true;
  const differentiate = gradient === true && float && isFloat(call);
  const expected = await outcome(call, cpu, "f64", differentiate, seed);
  const actual = await outcome(call, device, "f32", differentiate, seed);
  actual.forEach((values, k) => {
    const what = k === 0 ? "value" : `gradient ${k}`;
    if (values.length !== expected[k].length) throw new Error(`${what}: ${values.length} elements`);
    values.forEach((value, j) => {
      const want = expected[k][j];
      const error = Math.abs(value - want);
      if (!(error <= tolerance(want, (call.scale ?? 1) * (k > 0 ? 4 : 1)))) {
        throw new Error(`seed ${seed}, ${what} [${j}]: ${value}; expected ${want}`);
      }
    });
  });
}

function isFloat(call: Call): boolean {
  return (
    (call.inputs[0]?.dtype ?? "f32") === "f32" ||
    call.inputs.some(({ dtype }) => dtype === undefined)
  );
}
