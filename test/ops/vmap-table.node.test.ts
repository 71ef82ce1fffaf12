import { beforeAll, describe, expect, test } from "vitest";
import { foldIn, keyFromSeed, randomBits } from "../../src/core/random.ts";
import {
  type Device,
  grad,
  init,
  mul,
  randomNormal,
  stack,
  sum,
  type Tensor,
  unbind,
  vmap,
} from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { expectWithin } from "../support/close.ts";
import { type Call, draw, floats, place, tolerance } from "../support/op-case.ts";

let plain: Device;
let compiled: Device;
beforeAll(async () => {
  plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
  compiled = (await init({ device: "cpu", isolated: true })).device;
});

/** How many calls of a row are mapped. */
const MOST = 4;

/** Some of each row's calls that are given tensors, evenly spaced. */
const rows = tables
  .filter(([name]) => name !== "setSeed") // draws without a seed are refused
  .map(([name, { calls, gradient }]) => {
    const given = calls.filter(({ inputs }) => inputs.length > 0);
    const step = Math.max(1, given.length / MOST);
    const some = given.filter((_, i) => Math.floor(i % step) === 0);
    return { name, calls: some, isSmooth: gradient === true };
  });

/** Which inputs of a call differ from call to call: all of them, or one. */
function waysOf({ inputs }: Call): boolean[][] {
  const one = inputs.map((_, i) => inputs.map((_, k) => k === i));
  return inputs.length > 1 ? [inputs.map(() => true), ...one] : one;
}

/** A call three times, of which some inputs differ, and the same tensors as one mapped call. */
function threefold(call: Call, seed: number, differs: readonly boolean[], device: Device) {
  const float = device === plain ? "f64" : "f32";
  const drawn = [0, 1, 2].map((i) => place(call, draw(call, seed + 1000 * i), device, float));
  const each = drawn.map((x) => x.map((own, k) => (differs[k] ? own : drawn[0][k])));
  const bits = randomBits(foldIn(keyFromSeed(77), seed), differs.length);
  const inAxes = differs.map((own, k) => (own ? bits[k] % (each[0][k].rank + 1) : null));
  const stacked = inAxes.map((axis, k) => {
    return axis === null
      ? each[0][k]
      : stack(
          each.map((own) => own[k]),
          { axis },
        );
  });
  return { each, inAxes, stacked };
}

/** Gives what a call does, and the slopes of a weighted sum of it. */
function withSlopes(call: Call): (...x: Tensor[]) => Tensor[] {
  return (...x) => {
    const y = call.run(...x);
    const targets = floats(call, x);
    return targets.length === 0 ? [y] : [y, ...grad(weighted(y), targets)];
  };
}

const weighted = (y: Tensor) =>
  sum(mul(y, randomNormal(y.shape, { seed: 9, dtype: "f64", device: plain })));

for (const { name, calls, isSmooth } of rows) {
  if (calls.length === 0) continue;
  describe(name, () => {
    for (const [i, call] of calls.entries()) {
      const ways = waysOf(call);
      // Of the first call all ways, of the others one.
      for (const differs of i === 0 ? ways : [ways[i % ways.length]]) {
        const what = differs.map((own) => (own ? "differs" : "stays")).join(", ");
        test(`call ${i + 1} is that of a loop, where its input ${what}`, async () => {
          const fn = isSmooth ? withSlopes(call) : (...x: Tensor[]) => [call.run(...x)];
          const { each, inAxes, stacked } = threefold(call, i, differs, plain);
          const expected = each.map((x) => fn(...x));
          const found = vmap(fn, { inAxes, outAxes: -1 })(...stacked);
          expect(found.length).toBe(expected[0].length);
          for (const [k, y] of found.entries()) {
            const loop = stack(
              expected.map((own) => own[k]),
              { axis: -1 },
            );
            expect([y.shape, y.dtype]).toEqual([loop.shape, loop.dtype]);
            expectWithin(await y.data(), await loop.data(), () => 0);
          }
        });
      }
    }
  });
}

describe("gradients through all calls, and compiled code", () => {
  for (const { name, calls, isSmooth } of rows) {
    const [call] = calls;
    if (!call) continue;
    test(name, async () => {
      const ways = waysOf(call);
      const differs = ways[ways.length - 1];
      const { inAxes, stacked } = threefold(call, 5, differs, plain);
      const parts = stacked.map((x, k) => {
        const axis = inAxes[k];
        return axis === null ? [x, x, x] : unbind(x, { axis });
      });
      const loop = stack([0, 1, 2].map((i) => call.run(...parts.map((own) => own[i]))));
      if (isSmooth && floats(call, stacked).length > 0) {
        const mapped = vmap(call.run, { inAxes })(...stacked);
        const [slopes, expected] = [mapped, loop].map((y) =>
          grad(weighted(y), floats(call, stacked)),
        );
        for (const [k, g] of slopes.entries()) {
          expectWithin(await g.data(), await expected[k].data(), (y) => 1e-12 * (1 + Math.abs(y)));
        }
      }
      const own = threefold(call, 5, differs, compiled);
      const y = vmap(call.run, { inAxes })(...own.stacked);
      expectWithin(await y.data(), await loop.data(), (one) => tolerance(one, call.scale));
    });
  }
});
