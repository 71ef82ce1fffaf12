import { beforeAll, describe, expect, test } from "vitest";
import { type Device, gather, grad, mul, sum, tensor } from "../../src/index.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";
import { uniform } from "../support/reference.ts";

let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  gpus = await kernelKinds();
});

/** Of what shape rows are gathered, how many of them, and how many different ones. */
type Sizes = readonly [rows: number, columns: number, count: number, different: number];

function drawn([rows, columns, count, different]: Sizes) {
  const indices = Int32Array.from(uniform(count, 5, -1, different + 1)).map(Math.floor);
  for (let j = 0; j < count; j += 50) indices[j] = rows + j; // none of the rows
  return { indices, g: uniform(count * columns, 6) };
}

/** The gradient of gathered rows for their cotangents. */
function added(device: Device, sizes: Sizes, { indices, g }: ReturnType<typeof drawn>) {
  const [rows, columns, count] = sizes;
  const x = tensor(new Float32Array(rows * columns), { shape: [rows, columns], device });
  const y = gather(x, tensor(indices, { device }));
  return grad(sum(mul(y, tensor(g, { shape: [count, columns], device }))), [x])[0].data();
}

/** The same, each sum in float32, in the order in which the rows were gathered. */
function inOrder([rows, columns]: Sizes, { indices, g }: ReturnType<typeof drawn>): Float32Array {
  const sums = new Float32Array(rows * columns);
  indices.forEach((row, j) => {
    if (row < 0 || row >= rows) return;
    for (let c = 0; c < columns; c++) sums[row * columns + c] += g[j * columns + c];
  });
  return sums;
}

describe.each(KERNEL_KINDS)("%s kernels", (kind) => {
  test.each<Sizes>([
    [100, 16, 200, 100], // each element looks for its own
    [2000, 8, 1200, 2000], // sorted
    [2000, 8, 1200, 1],
    [1, 1100, 1000, 1],
  ])("add to %d rows of %d elements in order, %d of them", async (...sizes) => {
    const given = drawn(sizes);
    const first = await added(gpus[kind], sizes, given);
    expect(first).toEqual(inOrder(sizes, given));
    expect(await added(gpus[kind], sizes, given)).toEqual(first);
  });
});
