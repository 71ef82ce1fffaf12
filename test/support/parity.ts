import { type Device, evaluate, grad, mul, sum, type Tensor, tensor } from "../../src/index.ts";
import { type Call, draw, floats, type OpCase, place, tolerance } from "./op-case.ts";
import { uniform } from "./reference.ts";

/** The result and the gradients of its randomly weighted sum. */
export async function outcome(
  call: Call,
  values: readonly Float64Array[],
  device: Device,
  float: "f32" | "f64",
  differentiate: boolean,
  weightOf: (weight: number) => number = (weight) => weight,
) {
  const inputs = place(call, values, device, float);
  const y = call.run(...inputs);
  const tensors: Tensor[] = [y];
  const targets = floats(call, inputs);
  if (differentiate && targets.length > 0) {
    const { shape, dtype } = y;
    const all = Float64Array.from(uniform(y.size, 3, -2, 2), weightOf);
    const weights = tensor(all, { shape, dtype, device });
    tensors.push(...grad(sum(mul(y, weights)), targets));
  }
  evaluate(...tensors);
  const read = await Promise.all(tensors.map((x) => x.data()));
  for (const x of [...tensors, ...inputs]) x.dispose();
  return read;
}

/** How far a device is off at the most: as a multiple of what is allowed, and where that is. */
export interface Deviation {
  readonly share: number;
  readonly where: string;
}

/** Compares a call on a device, in f32, with the CPU's specification in f64; gradients as well. */
export async function deviation(
  { gradient }: OpCase,
  call: Call,
  device: Device,
  cpu: Device,
  seed: number,
): Promise<Deviation> {
  const float = call.inputs.every(({ dtype = "f32" }) => dtype !== "i32") || gradient === true;
  const differentiate = gradient === true && float && isFloat(call);
  const values = draw(call, seed);
  const expected = await outcome(call, values, cpu, "f64", differentiate);
  const actual = await outcome(call, values, device, "f32", differentiate);
  let worst: Deviation = { share: 0, where: "" };
  actual.forEach((values, k) => {
    const what = k === 0 ? "value" : `gradient ${k}`;
    if (values.length !== expected[k].length) throw new Error(`${what}: ${values.length} elements`);
    const scale = (call.scale ?? 1) * (k > 0 ? 4 : 1);
    values.forEach((value, j) => {
      const want = expected[k][j];
      const share = shareOf(value, want, scale);
      if (share <= worst.share) return;
      worst = { share, where: `seed ${seed}, ${what} [${j}]: ${value}; expected ${want}` };
    });
  });
  return worst;
}

/** An error as a multiple of what is allowed; ∞ where one of two numbers is not finite. */
export function shareOf(value: number, want: number, scale: number): number {
  if (Object.is(value, Math.fround(want))) return 0;
  const share = Math.abs(value - want) / tolerance(want, scale);
  return Number.isNaN(share) ? Number.POSITIVE_INFINITY : share;
}

/** Throws where a call on a device is off by more than is allowed. */
export async function expectParity(...given: Parameters<typeof deviation>): Promise<void> {
  const { share, where } = await deviation(...given);
  if (share > 1) throw new Error(where);
}

function isFloat(call: Call): boolean {
  return (
    (call.inputs[0]?.dtype ?? "f32") === "f32" ||
    call.inputs.some(({ dtype }) => dtype === undefined)
  );
}
