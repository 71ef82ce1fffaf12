import { beforeAll, describe, expect, test } from "vitest";
import { sizeOf } from "../../../src/core/shape.ts";
import { trace } from "../../../src/engine/program.ts";
import { simplify } from "../../../src/engine/simplify.ts";
import {
  add,
  arange,
  argmax,
  broadcastTo,
  cast,
  type Device,
  full,
  gather,
  grad,
  init,
  logSumExp,
  matmul,
  mul,
  reshape,
  softmax,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../../../src/index.ts";
import { kernelsOf } from "../../support/plan-kernels.ts";
import {
  compileKernel,
  encodeKernel,
  openDevice,
  readBack,
  upload,
} from "../../support/raw-kernel.ts";

// Kernels with workgroup memory take a minute for this where a CPU emulates them; their files are run
// alone on folded grids (kernels-*.browser.test.ts).
let device: Device;
beforeAll(async () => {
  device = (await init({ device: "webgpu", kernels: "direct" })).device;
});

/** Workgroups that a dimension of a grid does not hold. */
const MANY = 65_536;
/** The fewest invocations in a workgroup of a direct kernel, as a software adapter has them. */
const THREADS = 16;

/** A kernel over many workgroups: what it computes, and the value at a place. */
interface Case {
  run(): Tensor;
  is(i: number): number;
}

/** Rows [i, i + 1, …] mod 8, so that each row is told from its neighbours. */
function rows(count: number, length: number): Tensor {
  const first = reshape(remainders(count), [count, 1]);
  return add(first, arange(0, length, 1, { device }));
}

function remainders(count: number): Tensor {
  const eights = reshape(arange(0, 8, 1, { device }), [1, 8]);
  const all = gather(eights, full([count / 8], 0, { dtype: "i32", device }));
  return reshape(all, [count]);
}

/** Rows that an invocation each owns: as many as two rows of a folded grid hold. */
const OWNED = 2 * (MANY - 1) * THREADS;
const logOf = (length: number) => {
  let total = 0;
  for (let i = 0; i < length; i++) total += Math.exp(i + 1 - length);
  return length - 1 + Math.log(total);
};

const cases: Record<string, Case> = {
  elementwise: {
    run: () => add(arange(0, MANY * 256 + 70, 1, { dtype: "i32", device }), 3),
    is: (i) => i + 3,
  },
  "sum of rows": {
    run: () => sum(rows(OWNED, 2), { axis: 1 }),
    is: (i) => 2 * (i % 8) + 1,
  },
  argmax: {
    run: () => argmax(rows(OWNED, 3), { axis: 1 }),
    is: () => 2,
  },
  softmax: {
    run: () => softmax(rows(OWNED, 2), { axis: 1 }),
    is: (i) => 1 / (1 + Math.exp(1 - 2 * (i % 2))),
  },
  logSumExp: {
    run: () => logSumExp(rows(OWNED, 2), { axis: 1 }),
    is: (i) => (i % 8) + logOf(2),
  },
  products: {
    run: () => products(MANY * THREADS + 8),
    is: (i) => 3 * (i % 8),
  },
  "the adjoint of gather": {
    run: () => {
      const table = full([OWNED], 0, { device });
      const picked = gather(table, tensor([3, OWNED - 2, 3], { dtype: "i32", device }));
      const weights = tensor([1, 2, 4], { device });
      return grad(sum(mul(picked, weights)), [table])[0];
    },
    is: (i) => (i === 3 ? 5 : i === OWNED - 2 ? 2 : 0),
  },
};

function products(batch: number): Tensor {
  const a = reshape(remainders(batch), [batch, 1, 1]);
  return matmul(a, add(mul(a, 0), 3));
}

describe("more than 65,535 workgroups", () => {
  for (const [name, { run, is }] of Object.entries(cases)) {
    test(name, async () => {
      const y = run();
      const values = await cast(y, "f32").data();
      y.dispose();
      const wrong = values.findIndex(
        (v, i) => !(Math.abs(v - Math.fround(is(i))) <= 1e-5 * Math.max(1, is(i))),
      );
      expect([wrong, values[wrong]]).toEqual([-1, undefined]);
    });
  }
});

test("workgroups that folding adds store nothing", async () => {
  // Every workgroup has as many outputs as its invocations own: no store asks whether it is outside.
  const shape = [(MANY + 8) * THREADS, 4, 4];
  const given = [0, 1].map((k) => tensor(Float32Array.of(1, 2, 3, 4 + k), { shape: [1, 4, 1] }));
  const [a, b] = given.map((x, k) => broadcastTo(k ? transpose(x) : x, shape));
  const { program } = trace([matmul(a, b).node], "test");
  const [kernel, ...others] = await kernelsOf(simplify(program), "direct");
  expect([others.length, kernel.workgroups]).toEqual([0, MANY + 8]);
  const gpu = await openDevice();
  const values = new Float32Array(sizeOf(shape) + 4096).fill(-1);
  const buffers = kernel.bindings.map(({ written }) => {
    return upload(gpu, written ? values : Float32Array.of(1, 2, 3, 4));
  });
  const y = buffers[kernel.bindings.findIndex(({ written }) => written)];
  const encoder = gpu.createCommandEncoder();
  const pipeline = await compileKernel(gpu, "", kernel.code);
  encodeKernel(gpu, encoder, pipeline, buffers, [MANY - 1, 2, 1]);
  const found = await readBack(gpu, encoder, y, values);
  expect(found.findIndex((value, i) => value < 0 !== i >= sizeOf(shape))).toBe(-1);
  gpu.destroy();
});
