import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  compile,
  concat,
  debug,
  explain,
  grad,
  matmul,
  mul,
  Parameter,
  pad,
  reshape,
  State,
  scope,
  slice,
  stopGradient,
  sum,
  type Tensor,
  tensor,
  transpose,
  valueAndGrad,
} from "../../src/index.ts";
import { inBrowser, ownDevice } from "../support/device.ts";

/** How many values follow each other: more than any stack holds calls. */
const DEPTH = 10_000;

beforeAll(() => ownDevice());

/** A value of many, each made of the one before. */
function chain(x: Tensor, next = (y: Tensor, _: number) => add(y, 1), depth = DEPTH): Tensor {
  let y = x;
  for (let i = 0; i < depth; i++) y = next(y, i);
  return y;
}

const list = async (x: Tensor) => Array.from(await x.data());
const ones = () => tensor([1, 1]);
const square = () => tensor([1, 2, 3, 4], { shape: [2, 2] });
const total = (x: Tensor) => sum(chain(x));

/** Ways to give values that lie behind many others. */
const WAYS: Record<string, () => Promise<number[]>> = {
  "data()": () => list(chain(ones())),
  "scope, which evaluates": () => list(scope(() => chain(ones()))),
  compile: async () => list(await compile((x: Tensor) => chain(x))(ones())),
  "a state's first value": () => list(new State(chain(ones()))),
  assign: () => {
    const state = new State(ones());
    state.assign(chain(state));
    return list(state);
  },
  "on a parameter, evaluated on the way": async () => {
    const y = chain(new Parameter(ones()), undefined, DEPTH / 2);
    await y.data();
    return list(chain(y, undefined, DEPTH / 2));
  },
  "behind a product": () =>
    list(
      chain(
        matmul(
          ones().reshape([1, 2]),
          tensor([
            [1, 0],
            [0, 1],
          ]),
        ),
      ),
    ),
  "with two ways to each value": () => list(chain(ones(), (y) => add(mul(add(y, y), 0.5), 1))),
  "between movements": () => {
    return list(chain(tensor([[1], [1]]), (y) => add(transpose(y), 1)));
  },
};

test.each(Object.entries(WAYS))("%s", async (_, way) => {
  expect(await way()).toEqual([DEPTH + 1, DEPTH + 1]);
});

/** Movements, of which every second one undoes the first. */
const MOVEMENTS: Record<string, (x: Tensor, i: number) => Tensor> = {
  transpose: (x) => transpose(x),
  reshape: (x) => reshape(x, x.rank === 2 ? [4] : [2, 2]),
  "slice and pad": (x, i) =>
    i % 2 === 0
      ? pad(x, [
          [1, 0],
          [0, 0],
        ])
      : slice(x, [{ start: 1 }]),
  "join and part": (x, i) => (i % 2 === 0 ? concat([x, x]) : slice(x, [{ end: 2 }])),
};

test.each(Object.entries(MOVEMENTS))("%s, again and again", async (_, next) => {
  expect(await list(chain(square(), next))).toEqual([1, 2, 3, 4]);
});

describe("gradients", () => {
  test("of sums", async () => {
    const x = ones();
    expect(await list(grad(total(x), [x])[0])).toEqual([1, 1]);
  });

  test("of products, and with the value", async () => {
    const half = tensor([1, -1]);
    const f = valueAndGrad((x: Tensor) => sum(chain(x, (y) => mul(y, half))));
    const { value, grads } = f(ones());
    expect(await value.item()).toBe(2);
    expect(await list(grads[0])).toEqual([1, 1]);
  });

  test("in a compiled step", async () => {
    const w = new Parameter(ones());
    const step = compile(() => {
      const loss = total(mul(w, w));
      w.assign(add(w, grad(loss, [w])[0]));
      return loss;
    });
    expect(await (await step()).item()).toBe(2 * (DEPTH + 1));
    expect(await list(w)).toEqual([3, 3]);
    expect((await explain(step.plans[0])).split("\n").length).toBeGreaterThan(3);
  });

  test("through what is constant", async () => {
    const x = ones();
    const y = add(x, stopGradient(chain(x)));
    expect(await list(grad(sum(y), [x])[0])).toEqual([1, 1]);
  });
});

test("what is freed unread costs nothing, and what hangs on it says so", async () => {
  const x = ones();
  const y = chain(x);
  y.dispose();
  const z = chain(x);
  x.dispose();
  await expect(z.data()).rejects.toThrow("data: depends on a tensor that was disposed");
});

// Every value is looked at there, which takes pages a while.
test.skipIf(inBrowser)("under debug", async () => {
  const depth = DEPTH / 5;
  const values = await debug(() => list(chain(ones(), undefined, depth)));
  expect(values).toEqual([depth + 1, depth + 1]);
});
