import { beforeAll, expect, test } from "vitest";
import { trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import {
  add,
  batchIndices,
  broadcastTo,
  concat,
  exp,
  gather,
  matmul,
  mul,
  neg,
  reshape,
  sigmoid,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

/** One line a group: its anchor, what it stores, and how many values it reads. */
function groups(outputs: Tensor[], bindingLimit = 8): string[] {
  const { program } = trace(
    outputs.map((x) => x.node),
    "test",
  );
  const schedule = scheduleOf(simplify(program), bindingLimit);
  return schedule.groups.map(({ anchors: [anchor], outputs }, i) => {
    const name = (step: number) => schedule.program.steps[step].op?.name;
    const stored = outputs.map(name).join(", ");
    return `${anchor === undefined ? "-" : name(anchor)} > ${stored} < ${schedule.reads[i].length}`;
  });
}

const matrix = (rows: number, columns: number) =>
  tensor(new Float32Array(rows * columns).fill(0.5), { shape: [rows, columns] });

test("an elementwise chain is one kernel", () => {
  const x = matrix(4, 4);
  expect(groups([sigmoid(add(mul(x, 2), exp(x)))])).toEqual(["- > sigmoid < 1"]);
});

test("bias and activation are the matmul's epilogue", () => {
  const y = sigmoid(add(matmul(matrix(4, 8), matrix(8, 3)), tensor([1, 2, 3])));
  expect(groups([y])).toEqual(["matmul > sigmoid < 3"]);
});

test("transposed operands cost no kernel", () => {
  expect(groups([matmul(transpose(matrix(8, 4)), matrix(8, 3))])).toHaveLength(1);
});

test("what takes many divisions to find is put in order once for a product, not for a sum", () => {
  const mixed = (x: Tensor, times: number, shape: readonly [number, number]) => {
    let y = x;
    for (let i = 0; i < times; i++) y = transpose(reshape(y, [shape, [21, 110]][i % 2]));
    return reshape(y, [35, 66]);
  };
  const x = matrix(35, 66);
  const w = matrix(66, 4);
  expect(groups([matmul(mixed(x, 1, [30, 77]), w)])).toEqual(["matmul > matmul < 2"]);
  expect(groups([matmul(mixed(x, 9, [30, 77]), w)])).toEqual([
    "- > reshape < 1",
    "matmul > matmul < 2",
  ]);
  expect(groups([sum(mixed(x, 9, [30, 77]), { axis: 1 })])).toEqual(["sum > sum < 1"]);
  // However many there are, in time that grows with their number.
  expect(groups([matmul(mixed(x, 51, [30, 77]), w)])).toHaveLength(2);
  // A few elements of it are found without, and nothing on the way is put in order for them.
  const few = slice(mixed(x, 9, [30, 77]), [{ end: 1 }, { end: 4 }]);
  expect(groups([matmul(few, matrix(4, 4))])).toEqual(["matmul > matmul < 2"]);
  // What comes back to where it was takes none; what grows is stored before it does.
  expect(groups([matmul(mixed(x, 4, [110, 21]), w)])).toEqual(["matmul > matmul < 2"]);
  const many = broadcastTo(mixed(x, 9, [30, 77]), [2, 35, 66]);
  expect(groups([matmul(many, broadcastTo(w, [2, 66, 4]))])).toEqual([
    "- > reshape < 1",
    "matmul > matmul < 2",
  ]);
});

test("a costly value with two kernels behind it is stored once", () => {
  const y = exp(matrix(4, 4));
  expect(groups([matmul(y, matrix(4, 4)), sum(y)])).toEqual([
    "- > exp < 1",
    "matmul > matmul < 2",
    "sum > reshape < 1",
  ]);
  // Each of these would take it alone.
  expect(groups([softmax(y), sum(y)])).toEqual([
    "- > exp < 1",
    "softmax > softmax < 1",
    "sum > reshape < 1",
  ]);
  // What is made of it costs only what comes behind it.
  expect(groups([matmul(y, matrix(4, 4)), matmul(neg(y), matrix(4, 4))])).toEqual([
    "- > exp < 1",
    "matmul > matmul < 2",
    "matmul > matmul < 2",
  ]);
});

test("a long chain is cut, also one that costs nothing", () => {
  const chain = (length: number, next: (x: Tensor) => Tensor) => {
    let y = matrix(4, 4);
    for (let i = 0; i < length; i++) y = next(y);
    return y;
  };
  expect(groups([chain(600, (x) => add(x, 1))])).toHaveLength(3);
  expect(groups([chain(300, transpose)])).toHaveLength(2);
});

test("a value that costs more than a kernel may is stored, and what reads it stays one kernel", () => {
  const step = tensor(Uint32Array.of(3), { shape: [] });
  const indices = batchIndices(step, { size: 4, batchSize: 2 });
  expect(groups([sum(exp(gather(matrix(4, 4), indices)))])).toEqual([
    "- > batchIndices < 1",
    "sum > reshape < 2",
  ]);
});

test("a cheap value is computed again rather than stored", () => {
  const y = mul(matrix(4, 4), 2);
  expect(groups([softmax(y), sum(y)])).toEqual(["softmax > softmax < 1", "sum > reshape < 1"]);
});

test("a group that reads too many values is split", () => {
  const xs = Array.from({ length: 12 }, () => matrix(2, 2));
  const total = xs.reduce((a, b) => add(a, b));
  const split = groups([total], 5);
  expect(split.length).toBeGreaterThan(1);
  for (const line of split) expect(Number(line.split("< ")[1])).toBeLessThanOrEqual(4);
});

test("of what makes a group read too many, that is stored which is made of most", () => {
  const [a, b, c, d, e, f] = Array.from({ length: 6 }, () => matrix(2, 2));
  const [few, many] = [add(a, b), add(add(c, d), add(e, f))];
  const expected = ["- > add < 4", "- > permute < 3"];
  expect(groups([transpose(mul(few, many))], 5)).toEqual(expected);
  expect(groups([transpose(mul(many, few))], 5)).toEqual(expected);
});

test("what one group stores is read by every group that needs it", () => {
  const [a, b, c, d, e, f, h] = Array.from({ length: 7 }, () => matrix(2, 2));
  const shared = add(add(a, b), add(c, d)); // cheap enough to be computed twice
  const first = add(add(add(shared, e), f), h); // reads too many unless `shared` is stored
  expect(groups([exp(shared), first], 5).map((line) => line.split("< ")[1])).toEqual([
    "4",
    "1",
    "4",
  ]);
});

test("a part of an epilogue with many inputs is stored before the rest is cut", () => {
  const [a, b, bias, c, d, e] = Array.from({ length: 6 }, () => matrix(4, 4));
  const y = mul(add(matmul(a, b), bias), add(add(c, d), e));
  expect(groups([y], 5)).toEqual(["- > add < 3", "matmul > mul < 4"]);
});

test("what a kernel reads before and behind its anchor is one reader's, and not stored for it", () => {
  const e = exp(matrix(4, 4));
  expect(groups([mul(softmax(e), e)])).toEqual(["softmax > mul < 1"]);
});

test("a kernel has room for what it reads and what it writes", () => {
  const [x, c] = [matrix(4, 4), matrix(4, 4)];
  const y = softmax(x);
  const both = [y, mul(mul(y, x), c)]; // x and c are read, y and the product written: 4
  expect(groups(both, 3)).toEqual(["softmax > softmax, mul < 1", "- > mul < 2"]);
  expect(groups(both, 4)).toEqual(["softmax > softmax, mul < 2"]);
});

test("many tensors are joined in a few kernels", async () => {
  const xs = Array.from({ length: 20 }, (_, i) => tensor([i, i + 0.5]));
  const expected = Array.from({ length: 40 }, (_, i) => i / 2);
  expect(await concat(xs).toArray()).toEqual(expected);
});
