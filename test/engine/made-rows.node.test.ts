/** When a kernel of rows makes these itself, of a product, as schedules of GPUs tell. */
import { beforeAll, describe, expect, test } from "vitest";
import { findProducts, ofProducts } from "../../src/devices/webgpu/product-rows.ts";
import { opsOf } from "../../src/engine/group-ops.ts";
import { lower } from "../../src/engine/lower.ts";
import { trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import type { Traits } from "../../src/forms/traits.ts";
import {
  add,
  argmax,
  exp,
  full,
  grad,
  init,
  logSoftmax,
  logSumExp,
  matmul,
  mul,
  relu,
  reshape,
  softmax,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../../src/index.ts";
import { choicesFor } from "../../src/kernels/candidates.ts";
import { byRule } from "../../src/kernels/choose.ts";
import { softmaxRows } from "../../src/kernels/softmax.ts";
import { entryFile } from "../../src/kernels/stage.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { TRAITS } from "../support/plan-kernels.ts";

beforeAll(async () => {
  await init({ device: "cpu" });
});

const ones = (...shape: number[]) => full(shape, 1);

/** The ops of each group, by their names in order. */
function groups(wanted: readonly Tensor[], traits: Traits = TRAITS.workgroup, limit = 10) {
  const { program } = trace(
    wanted.map(({ node }) => node),
    "test",
  );
  const options = { findProduct: findProducts(traits) };
  const schedule = scheduleOf(lower(simplify(program), traits), limit, options);
  return schedule.groups.map((group) => opsOf(schedule, group).join("+"));
}

/** Logits of so many rows and classes, each a sum of so many terms. */
const logits = (rows: number, classes: number, depth: number) =>
  add(matmul(ones(rows, depth), ones(depth, classes)), ones(classes));

test("kernels that make rows have no rivals that own them otherwise", () => {
  const family = ofProducts(softmaxRows);
  const problem = { dtype: "f32", ROWS: 100, LENGTH: 10, BATCH: 1, M: 100, N: 10, K: 50 } as const;
  for (const traits of [TRAITS.workgroup, TRAITS.direct]) {
    const options = { choose: byRule(traits), reproducible: false, lanes: { least: 32, most: 32 } };
    const choices = choicesFor(family, problem, traits, options);
    expect(choices).toHaveLength(6); // two kernels, three sizes of workgroup
    for (const { kernel } of choices) expect(entryFile(kernel)).toBe("shaders/softmax-direct.wgsl");
    expect(choices[0].kernel.kind).toBe(traits.workgroupMemory ? "workgroup" : "direct");
  }
});

describe("logits and their softmax", () => {
  const phased = { ...TRAITS.mobile, phases: true };
  const sizes: [string, Traits, [rows: number, classes: number, depth: number], count: number][] = [
    ["one class", TRAITS.workgroup, [7, 1, 50], 1],
    ["ten classes", TRAITS.workgroup, [100, 10, 50], 1],
    ["32 classes", TRAITS.workgroup, [100, 32, 512], 1],
    ["33 classes", TRAITS.workgroup, [100, 33, 50], 2],
    ["long sums of many rows", TRAITS.workgroup, [8200, 1, 1025], 2],
    ["very many rows", TRAITS.workgroup, [2 ** 14, 32, 32], 1],
    ["too many rows", TRAITS.workgroup, [2 ** 14 + 1, 32, 32], 2],
    ["direct loads", TRAITS.direct, [128, 10, 128], 1],
    ["direct loads of 2,048 products", TRAITS.mobile, [100, 32, 64], 1],
    ["direct loads of more", TRAITS.mobile, [100, 32, 65], 2],
    ["direct loads of too many rows", TRAITS.direct, [257, 16, 64], 2],
    ["a phase", phased, [16, 3, 8], 1],
    ["a phase with more to do than others", phased, [16, 16, 33], 2],
  ];
  test.each(sizes)("are as many kernels as pay: %s", (_, traits, [rows, classes, depth], count) => {
    expect(groups([softmax(logits(rows, classes, depth))], traits)).toHaveLength(count);
  });

  test("are one kernel with what follows, and with logits that are wanted too", () => {
    const z = logits(100, 10, 50);
    expect(groups([mul(logSoftmax(z), 2)])).toEqual(["matmul+add+logSoftmax+mul"]);
    expect(groups([z, logSoftmax(z)])).toHaveLength(1);
    expect(groups([softmax(z), logSumExp(z, { axis: 1 }), z])).toHaveLength(1);
    expect(groups([logSumExp(z, { axis: 1 })])).toHaveLength(1);
    expect(groups([mul(softmax(z), z)])).toHaveLength(1);
    const stack = matmul(ones(3, 20, 5), ones(3, 5, 6));
    expect(groups([softmax(stack)])).toHaveLength(1);
  });

  test("are one kernel with the gradient of the loss", () => {
    const w = ones(50, 10);
    const labels = tensor(new Int32Array(100));
    const loss = crossEntropy(matmul(ones(100, 50), w), labels);
    const [dw] = grad(loss, [w]);
    const [first, ...rest] = groups([loss, dw]);
    expect(first).toMatch(/^matmul\+logSoftmax\+exp/);
    expect(rest).toHaveLength(2); // the loss, and its gradient by w
  });

  test("wait for what other kernels make", () => {
    const late = sum(exp(matmul(ones(100, 50), ones(50, 64))), { axis: 1, keepDims: true });
    const z = logits(100, 10, 50);
    expect(groups([mul(softmax(z), late)])).toHaveLength(3);
    // Who reads the logits too would wait for that.
    expect(groups([mul(softmax(z), late), argmax(z, { axis: 1 })])).toHaveLength(5);
  });

  test("stay apart where rows are others, or made of others", () => {
    const [x, w] = [ones(10, 50), ones(50, 10)];
    const z = matmul(x, w);
    expect(groups([softmax(z, { axis: 0 })])).toEqual(["matmul", "softmax", "permute"]);
    expect(groups([softmax(transpose(z))])).toHaveLength(2);
    expect(groups([mul(softmax(z), transpose(z))])).toHaveLength(2);
    expect(groups([softmax(reshape(z, [20, 5]))])).toHaveLength(2);
    expect(groups([softmax(add(z, transpose(z)))])).toHaveLength(2);
  });

  test("stay apart where a kernel would do too much, again and again, or bind too much", () => {
    const z = logits(100, 10, 50);
    expect(groups([softmax(exp(exp(z)))])).toHaveLength(2);
    expect(groups([softmax(relu(z))])).toHaveLength(1);
    expect(groups([logSumExp(z, { axis: 1 }), z])).toHaveLength(2);
    const of = (size: number, ...shape: number[]) => tensor(new Float32Array(size), { shape });
    const given = (...shape: number[]) => of(50, ...shape);
    const y = softmax(add(matmul(given(5, 10), given(10, 5)), of(25, 5, 5)));
    expect(groups([y], TRAITS.workgroup, 4)).toHaveLength(1);
    expect(groups([y], TRAITS.workgroup, 3)).toEqual(["matmul", "add", "softmax"]);
  });
});
