import { beforeAll, expect, test } from "vitest";
import { type Device, evaluate, init, type Tensor } from "../../../src/index.ts";
import { isAcceptance } from "../../support/acceptance.ts";
import { compiledRun, difference, plainRun } from "../../support/program-runs.ts";
import { randomFlagsAndBytes, randomGraph } from "../../support/random-graph.ts";
import { movedElements } from "../../support/random-moves.ts";

// Other seeds: VITE_FIRST=1000 VITE_COUNT=500.
const FIRST = Number(import.meta.env.VITE_FIRST ?? 0);
const COUNT = Number(import.meta.env.VITE_COUNT ?? (isAcceptance ? 400 : 12));
const seeds = Array.from({ length: COUNT }, (_, i) => FIRST + i);

let plain: Device;
let compiled: Device;
beforeAll(async () => {
  plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
  compiled = (await init({ device: "cpu", engine: "compiled", isolated: true })).device;
});

async function valuesOf(tensors: readonly Tensor[]) {
  evaluate(...tensors);
  return [await Promise.all(tensors.map((x) => x.data()))];
}

test("random programs mean what they mean op by op, and give the same bits again", async () => {
  // 53: a product's elements stored in a shape across its own.
  for (const seed of [...seeds, 53]) {
    const values = await compiledRun(seed, compiled);
    expect(difference(values, await plainRun(seed, plain, "f64")), `${seed}`).toBe("");
    expect(await compiledRun(seed, compiled), `${seed}`).toEqual(values);
  }
});

test("random graphs give what the specification gives, and the same bits again", async () => {
  for (const seed of seeds) {
    const values = (device: Device, dtype: "f32" | "f64") => {
      const all = randomGraph(seed, device, dtype, seed % 2 === 1);
      return valuesOf([all[all.length - 1], all[12 + (seed % 6)], all[18 + (seed % 7)]]);
    };
    const own = await values(compiled, "f32");
    expect(difference(own, await values(plain, "f64"), 2e-4), `${seed}`).toBe("");
    expect(await values(compiled, "f32"), `${seed}`).toEqual(own);
  }
});

test("bools, bytes and elements that moved are exact", async () => {
  // 20: a value of one element by a loop over no axes. 2114: what is made of a coordinate beyond its axis.
  for (const seed of [...seeds, 20, 2114]) {
    const flags = (device: Device, dtype: "f32" | "f64") =>
      valuesOf(randomFlagsAndBytes(seed, device, dtype));
    expect(await flags(compiled, "f32"), `${seed}`).toEqual(await flags(plain, "f64"));
    const moved = (device: Device) => valuesOf(movedElements(seed, device));
    expect(await moved(compiled), `${seed}`).toEqual(await moved(plain));
  }
});
