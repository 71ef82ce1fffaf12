import { beforeAll, expect, test } from "vitest";
import { trace } from "../../src/engine/program.ts";
import { simplify } from "../../src/engine/simplify.ts";
import { grad, matmul, reshape, square, sum, type Tensor, vmap, zeros } from "../../src/index.ts";
import { Linear, LSTM } from "../../src/nn/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

/** The shapes of what is multiplied for some results, and how often is summed. */
function productsOf(outputs: readonly Tensor[]): { products: string[]; sums: number } {
  const nodes = outputs.map(({ node }) => node);
  const { steps } = simplify(trace(nodes, "test").program);
  const named = (name: string) => steps.filter(({ op }) => op?.name === name);
  const products = named("matmul").map(({ inputs }) =>
    inputs.map((input) => steps[input].shape.join("×")).join(" · "),
  );
  return { products: products.sort(), sums: named("sum").length };
}

test.each([
  { of: "a stack", a: [16, 32, 64], b: [64, 128], m: 512 },
  { of: "a stack of stacks", a: [2, 8, 32, 64], b: [64, 128], m: 512 },
  { of: "a stack by a stack of one", a: [16, 32, 64], b: [1, 64, 128], m: 512 },
  { of: "a matrix", a: [512, 64], b: [64, 128], m: 512 },
  { of: "a vector", a: [64], b: [64, 128], m: 1 },
])("$of by one matrix is one product, and so is each gradient", ({ a, b, m }) => {
  const [x, w] = [zeros(a), zeros(b)];
  const y = matmul(x, w);
  expect(y.shape).toEqual([...a.slice(0, -1), 128]);
  const gradients = grad(sum(square(y)), [x, w]);
  expect(gradients.map(({ shape }) => shape)).toEqual([a, b]);
  expect(productsOf(gradients)).toEqual({
    products: [`${m}×64 · 64×128`, `64×${m} · ${m}×128`, `${m}×128 · 128×64`].sort(),
    sums: 0,
  });
});

test("a stack by a vector is one product", () => {
  const y = matmul(zeros([16, 32, 64]), zeros([64]));
  expect(y.shape).toEqual([16, 32]);
  expect(productsOf([y]).products).toEqual(["512×64 · 64×1"]);
});

test("stacks by stacks stay pairs of matrices", () => {
  const y = matmul(zeros([16, 32, 64]), zeros([16, 64, 8]));
  expect(productsOf([y]).products).toEqual(["16×32×64 · 16×64×8"]);
  const spread = matmul(zeros([32, 64]), zeros([16, 64, 8]));
  expect(productsOf([spread]).products).toEqual(["16×32×64 · 16×64×8"]);
});

test("layers multiply sequences by their weights at once, mapped ones too", () => {
  const x = zeros([16, 32, 64]);
  const layer = new Linear(64, 8);
  expect(productsOf([layer.call(x)]).products).toEqual(["512×64 · 64×8"]);
  const mapped = vmap((one: Tensor) => layer.call(reshape(one, [4, 8, 64])));
  expect(productsOf([mapped(x)]).products).toEqual(["512×64 · 64×8"]);
  const [y] = new LSTM(64, 8).call(x);
  expect(productsOf([y]).products).toContain("512×64 · 64×32");
});
