import { beforeAll, expect, test } from "vitest";
import {
  add,
  compile,
  div,
  init,
  mul,
  ones,
  scope,
  setDefaultDevice,
  type Tensor,
  zeros,
} from "../../src/index.ts";

beforeAll(async () => setDefaultDevice((await init({ device: "cpu", isolated: true })).device));

/** The node of the number that a tensor was combined with last. */
const constantOf = (y: Tensor) => y.node.inputs[1];

test("a formula's constants are one node for all tensors of a shape and dtype", () => {
  const [first, second] = [mul(ones([3]), 0.1), div(ones([3]), 0.1)];
  expect(constantOf(first)).toBe(constantOf(second));
  const others = [
    mul(ones([3]), 0.2),
    mul(ones([3, 1]), 0.1),
    mul(ones([3], { dtype: "f64" }), 0.1),
    mul(ones([3]), 0),
    mul(ones([3]), -0),
  ];
  expect(new Set([first, ...others].map(constantOf)).size).toBe(6);
});

test("constants are made anew where those before may be gone, or belong to what is outside", async () => {
  const before = mul(ones([4]), 0.3);
  const inner = scope(() => mul(ones([4]), 0.7));
  const behind = mul(ones([4]), 0.7);
  expect(behind.node.inputs[1].retired).toBeNull();
  expect(await behind.toArray()).toEqual(await inner.toArray());

  let own: Tensor | null = null;
  const triple = compile((x: Tensor) => {
    own = mul(x, 0.3);
    return add(own, 0);
  });
  await triple(ones([4]));
  expect(constantOf(own as unknown as Tensor)).not.toBe(constantOf(before));
  expect(triple.plans).toHaveLength(1);
});

test("a constant that many use is computed like any other", async () => {
  const x = zeros([2]);
  const sums = Array.from({ length: 40 }, (_, i) => add(x, i % 20));
  for (const [i, y] of sums.entries()) expect(await y.toArray()).toEqual([i % 20, i % 20]);
});
