import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  checkpoint,
  customGrad,
  type Device,
  grad,
  init,
  matmul,
  moveAxis,
  mul,
  randomUniform,
  reshape,
  scan,
  square,
  stack,
  sum,
  type Tensor,
  tanh,
  unbind,
  vmap,
} from "../../src/index.ts";
import { expectWithin } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { tolerance } from "../support/op-case.ts";

let device: Device;
/** Where the loops of calls run. */
let reference: Device;
beforeAll(async () => {
  device = await testDevice();
  reference = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
});

/** a · b, whose gradient for a is twice what it should be. */
const scaled = customGrad(
  (a: Tensor, b: Tensor) => mul(a, b),
  (g, _, a, b) => [mul(g, mul(b, 2)), mul(g, a)],
);

/** A recurrent net's states, and what they have been in all turns, of which each is a product and a sum. */
function net(w: Tensor, h: Tensor, xs: Tensor): [last: Tensor, all: Tensor] {
  const [last, all] = scan(
    (state: Tensor, x: Tensor) => {
      const next = tanh(add(reshape(matmul(reshape(state, [1, 3]), w), [3]), mul(x, h)));
      return [next, scaled(next, x)];
    },
    h,
    xs,
  );
  return [last, all];
}

const energy = (w: Tensor, h: Tensor, xs: Tensor) => {
  const [last, all] = net(w, h, xs);
  return add(sum(square(last)), sum(all));
};

/** Gives the states, and slopes of all inputs. */
const withSlopes = (...given: [Tensor, Tensor, Tensor]) => [
  ...net(...given),
  ...grad(energy(...given), given),
];

/** Weights, a first state and rows, of two calls. */
const inputs = (on: Device) =>
  [
    [2, 3, 3],
    [2, 3],
    [2, 4, 3],
  ].map((shape, i) => randomUniform(shape, { low: -1, high: 1, seed: i + 1, device: on }));

/** Which of the inputs differ from call to call. */
const ways: readonly (readonly [boolean, boolean, boolean])[] = [
  [true, true, true],
  [true, false, false],
  [false, true, false],
  [false, false, true],
];

const axesOf = (way: readonly boolean[]) => way.map((differs) => (differs ? 0 : null));

function partsOf(way: readonly boolean[], on: Device) {
  const given = inputs(on).map((x) => unbind(x));
  const call = (i: number) => given.map((x, k) => x[way[k] ? i : 0]) as [Tensor, Tensor, Tensor];
  const whole = inputs(on).map((x, k) => (way[k] ? x : given[k][0]));
  return { calls: [call(0), call(1)], whole: whole as [Tensor, Tensor, Tensor] };
}

describe("a loop in a function that is mapped is a loop of all calls", () => {
  for (const way of ways) {
    const what = ["weights", "first states", "rows"].filter((_, k) => way[k]).join(", ");
    test(`with its gradient, where ${what} differ`, async () => {
      const { whole } = partsOf(way, device);
      const { calls } = partsOf(way, reference);
      const found = vmap(withSlopes, { inAxes: axesOf(way) })(...whole);
      const each = calls.map((call) => withSlopes(...call));
      for (const [k, y] of found.entries()) {
        const loop = stack(each.map((own) => own[k]));
        expect(y.shape).toEqual(loop.shape);
        expectWithin(await y.data(), await loop.data(), tolerance);
      }
    });
  }

  test("with gradients around it, in another one, and computed again", async () => {
    const way = [false, true, true];
    const [{ whole }, { whole: own, calls }] = [device, reference].map((on) => partsOf(way, on));
    const given = { inAxes: axesOf(way) };
    const slopes = grad(sum(vmap(energy, given)(...whole)), whole);
    const again = grad(sum(vmap(checkpoint(energy), given)(...whole)), whole);
    const expected = grad(
      add(
        energy(own[0], ...([1, 2].map((k) => unbind(own[k])[0]) as [Tensor, Tensor])),
        energy(own[0], ...([1, 2].map((k) => unbind(own[k])[1]) as [Tensor, Tensor])),
      ),
      own,
    );
    for (const [k, g] of slopes.entries()) {
      expectWithin(await g.data(), await expected[k].data(), (y) => tolerance(y, 4));
      expect(await again[k].data()).toEqual(await g.data());
    }
    const twice = whole.map((x, k) => (way[k] ? stack([x, x], { axis: 1 }) : x));
    const nested = vmap(vmap(energy, given), given)(...(twice as typeof whole));
    const one = await stack(calls.map((call) => energy(...call))).data();
    expectWithin(await moveAxis(nested, 1, 0).data(), [...one, ...one], (y) => tolerance(y, 4));
  });
});
