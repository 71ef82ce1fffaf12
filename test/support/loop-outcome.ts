import { is } from "../../src/core/dtype.ts";
import {
  type Device,
  evaluate,
  grad,
  mul,
  randomNormal,
  type scan,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import type { LoopCase } from "../cases/loops.ts";
import { uniform } from "./reference.ts";

/** A scalar of tensors: the sum of the floats, weighted at random. */
function weighted(all: readonly Tensor[], seed: number): Tensor | null {
  const terms = all
    .filter(({ dtype }) => is(dtype, "float"))
    .map((y, i) => {
      const { shape, dtype, device } = y;
      return sum(mul(y, randomNormal(shape, { seed: seed + i, dtype, device })));
    });
  return terms.length > 0 ? terms.reduce((a, b) => a.add(b)) : null;
}

/** Values, gradients of their weighted sum, and gradients of the sum of these squared. */
export async function loopOutcome(
  { inputs, run, orders = 2 }: LoopCase,
  loop: typeof scan,
  device: Device,
  dtype: "f32" | "f64",
): Promise<number[][]> {
  const given = inputs.map((shape, i) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(uniform(size, i + 1), { shape, dtype, device });
  });
  const all = [...run(loop, ...given)];
  if (orders > 0) {
    const slopes = grad(weighted(all, 1) as Tensor, given);
    all.push(...slopes);
    if (orders > 1) all.push(...grad(sum(square(weighted(slopes, 7) as Tensor)), given));
  }
  evaluate(...all);
  return Promise.all(all.map(async (x) => Array.from(await x.data())));
}

/** Throws where numbers are farther from others than rounding takes them. */
export function expectNear(actual: number[][], expected: number[][], epsilon: number): void {
  expected.forEach((values, k) => {
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    if (values.length !== actual[k].length) throw new Error(`${k}: ${actual[k].length} elements`);
    values.forEach((value, i) => {
      if (Math.abs(actual[k][i] - value) <= epsilon * scale) return;
      throw new Error(`result ${k} [${i}]: ${actual[k][i]}; expected ${value}`);
    });
  });
}
