import { beforeAll, describe, expect, test } from "vitest";
import { argsort, type Device, init, sort, type Tensor, tensor, topK } from "../../src/index.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";
import { generator } from "../support/reference.ts";
import { SPECIAL } from "../support/special-values.ts";

let cpu: Device;
let gpus: Awaited<ReturnType<typeof kernelKinds>>;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", engine: "plain" })).device;
  gpus = await kernelKinds();
});

/** Few different numbers, so that many are equal, and special ones among them. */
function numbers(size: number): Float32Array {
  const next = generator(size);
  return Float32Array.from({ length: size }, () => {
    const i = Math.floor(next() * 40);
    return SPECIAL[i] ?? i - 25;
  });
}

/** What each device gives, bit by bit. */
async function bitsOf(device: Device, rows: number, n: number): Promise<Uint32Array[]> {
  const x = tensor(numbers(rows * n), { shape: [rows, n], device });
  const down = { descending: true };
  const all: Tensor[] = [
    ...Object.values(sort(x)),
    ...Object.values(sort(x, down)),
    argsort(x),
    ...Object.values(topK(x, Math.min(n, 7))),
    topK(x, Math.min(n, 70), { largest: false }).indices,
  ];
  const read = await Promise.all(all.map((y) => y.data()));
  return read.map((values) => new Uint32Array(values.buffer, values.byteOffset, values.length));
}

const sizes = [[3, 64], [3, 200], [2, 700], ...(isAcceptance ? [[1, 2 ** 20]] : [])];

describe.each(KERNEL_KINDS)("%s kernels", (kind) => {
  test.each(sizes)("order %d rows of %d as the CPU does, NaN and −0 too", async (rows, n) => {
    const expected = await bitsOf(cpu, rows, n);
    const actual = await bitsOf(gpus[kind], rows, n);
    expect(actual.map((bits, i) => bits.findIndex((bit, j) => bit !== expected[i][j]))).toEqual(
      expected.map(() => -1),
    );
  });
});
