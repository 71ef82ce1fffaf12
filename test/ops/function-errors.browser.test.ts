import { beforeAll, describe, expect, test } from "vitest";
import { type Device, evaluate, init, type NumericArray, tensor } from "../../src/index.ts";
import { functions, inputsOf, promised, samples, worstError } from "../support/function-errors.ts";

/** Beyond that, shaders' angles are only bounded. */
const WITHIN: Record<string, number> = { sin: 1e4, cos: 1e4, tan: 1e4 };

interface Found {
  readonly step: Parameters<typeof worstError>[0];
  readonly values: NumericArray;
}

let device: Device;
beforeAll(async () => {
  device = (await init({ device: "webgpu" })).device;
});

describe.each([...samples(3).keys()])("set %i of numbers on WebGPU", (set) => {
  const found = new Map<string, Found>();
  const inputs = (name: string) => inputsOf({ ...functions[name], within: WITHIN[name] }, set);
  beforeAll(async () => {
    const results = Object.entries(functions).map(([name, { of }]) => {
      const [x, y = x] = inputs(name).map((values) => tensor(values, { device }));
      return [name, of(x, y)] as const;
    });
    const steps = results.map(([, y]) => ({ op: y.node.op, attributes: y.node.attributes }));
    evaluate(...results.map(([, y]) => y)); // in few kernels
    for (const [i, [name, y]] of results.entries()) {
      found.set(name, { step: steps[i], values: await y.data() });
    }
  });

  test.each(Object.keys(functions))("%s is as near as docs/numerics.md says", (name) => {
    const { step, values } = found.get(name) as Found;
    const worst = worstError(step, functions[name], inputs(name), values, true);
    expect(worst).toBeLessThan(promised(name).webgpu);
  });
});
