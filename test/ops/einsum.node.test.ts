import { beforeAll, describe, expect, test } from "vitest";
import { trace } from "../../src/engine/program.ts";
import { einsum, matmul, randomNormal, type Tensor, transpose, zeros } from "../../src/index.ts";
import { contractionOrder, type Pairing } from "../../src/ops/contraction-order.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

/** The labels of a text's letters. */
const labels = (text: string) => [...text].map((letter) => letter.charCodeAt(0));

/** The order of a text's factors, such as "ab,bc->ac", with sizes for its letters; and what it costs. */
function ordered(text: string, sizes: Readonly<Record<string, number>>) {
  const [terms, output] = text.split("->");
  const factors = terms.split(",").map(labels);
  const size = (label: number) => sizes[String.fromCharCode(label)];
  const pairing = contractionOrder(factors, labels(output), size);
  let cost = 0;
  const write = (part: Pairing): { text: string; labels: readonly number[] } => {
    if (typeof part === "number") return { text: `${part}`, labels: factors[part] };
    const [left, right] = [write(part.left), write(part.right)];
    const all = new Set([...left.labels, ...right.labels]);
    cost += [...all].reduce((n, label) => n * size(label), 1);
    return { text: `(${[left.text, right.text].sort().join("")})`, labels: part.labels };
  };
  return { order: write(pairing).text, cost };
}

describe("the order of products", () => {
  test("is the cheapest of six", () => {
    // Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, 15.2: matrices of these sizes.
    const sizes = { a: 30, b: 35, c: 15, d: 5, e: 10, f: 20, g: 25 };
    const { order, cost } = ordered("ab,bc,cd,de,ef,fg->ag", sizes);
    expect(cost).toBe(15_125);
    expect(order).toBe("(((12)0)((34)5))");
  });

  test("leaves little of more than six", () => {
    const sizes = { a: 9, b: 2, c: 9, d: 2, e: 9, f: 2, g: 9, h: 2 };
    // From the left each product but the first costs 9 · 9 · 2 or 9 · 2 · 9.
    expect(ordered("ab,bc,cd,de,ef,fg,gh->ah", sizes).cost).toBeLessThan(6 * 162);
  });

  test("does not multiply what nothing joins before it must", () => {
    expect(ordered("ab,cd,bc->ad", { a: 8, b: 8, c: 8, d: 8 }).cost).toBe(2 * 8 ** 3);
  });
});

/** How many products of matrices a tensor is made of, and the names of all ops. */
function opsOf(y: Tensor): string[] {
  return trace([y.node], "test").program.steps.flatMap(({ op }) => (op ? [op.name] : []));
}

test("a pair is one product, and what has nothing to join none", () => {
  const [a, b, c] = [zeros([2, 3, 4]), zeros([2, 4, 5]), zeros([5, 6])];
  const count = (y: Tensor) => opsOf(y).filter((name) => name === "matmul").length;
  expect(count(einsum("bij,bjk->kib", a, b))).toBe(1);
  expect(count(einsum("bij,bjk,kl->bil", a, b, c))).toBe(2);
  expect(count(einsum("bij,bij->b", a, a))).toBe(0);
  expect(count(einsum("ij,kl->ijkl", c, c))).toBe(0);
  expect(count(einsum("bij->jb", a))).toBe(0);
});

test("many factors give what products one after the other do", async () => {
  const factors = Array.from({ length: 8 }, (_, i) =>
    randomNormal([3 + (i % 3), 3 + ((i + 1) % 3)], { seed: i }),
  );
  const y = await einsum("ab,bc,cd,de,ef,fg,gh,hi->ia", ...factors).data();
  const chained = await transpose(factors.reduce((x, w) => matmul(x, w))).data();
  for (const [i, want] of chained.entries()) expect(y[i]).toBeCloseTo(want, 3);
});
