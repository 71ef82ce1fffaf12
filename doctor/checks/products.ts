import { compile, matmul, slice, type Tensor, tensor } from "../../src/index.ts";
import { uniform } from "../../test/support/reference.ts";
import type { Check, Context } from "../context.ts";
import type { Row } from "../report.ts";

/** Sizes of squares, where a CPU emulates the GPU and elsewhere. */
const SIZES = {
  quick: { software: [64, 128, 256], gpu: [256, 512, 1024, 2048] },
  full: { software: [64, 128, 256, 512], gpu: [128, 256, 512, 1024, 2048, 4096, 8192] },
};

/** A share of the multiply-adds' ceiling below which the largest product counts as slow. */
const SLOW_SHARE = 0.2;

/** How far an element may be off: 6e-7 · ‖row‖ · ‖column‖, whose squares are K / 3 on average. */
const tolerance = (k: number) => 2e-7 * k + 1e-6;

/** The largest error in some rows of a · b, as a multiple of what is allowed. */
async function worstOf(y: Tensor, a: Float32Array, b: Float32Array, n: number): Promise<number> {
  let worst = 0;
  for (const row of [0, Math.floor(n / 2) + 1, n - 1]) {
    using part = slice(y, [{ start: row, end: row + 1 }]);
    const values = await part.data();
    for (const column of [0, 1, Math.floor(n / 3), n - 1]) {
      let want = 0;
      for (let k = 0; k < n; k++) want += a[row * n + k] * b[k * n + column];
      const share = Math.abs(values[column] - want) / tolerance(n);
      worst = Math.max(worst, Number.isNaN(share) ? Number.POSITIVE_INFINITY : share);
    }
  }
  return worst;
}

/** Multiplies squares of a size again and again, as a compiled function does; gives GFLOP/s. */
async function measure(context: Context, n: number): Promise<Row> {
  const device = await context.bench.engine();
  const [a, b] = [uniform(n * n, 1), uniform(n * n, 2)];
  const operands = [a, b].map((values) => tensor(values, { shape: [n, n], device }));
  const multiply = compile(() => matmul(operands[0], operands[1]));
  const run = async (times: number) => {
    const start = performance.now();
    for (let i = 1; i < times; i++) (await multiply()).dispose();
    using y = await multiply();
    using one = slice(y, [{ end: 1 }, { end: 1 }]);
    await one.data();
    return performance.now() - start;
  };
  using first = await multiply();
  const worst = await worstOf(first, a, b, n);
  let [times, elapsed] = [1, await run(1)];
  const enough = context.isQuick ? 60 : 200;
  while (elapsed < enough && times < 10_000) {
    times = Math.ceil(times * Math.min(8, Math.max(1.5, (1.2 * enough) / Math.max(elapsed, 0.1))));
    elapsed = await run(times);
  }
  for (const made of [multiply, ...operands]) made.dispose();
  return { name: `${n} × ${n}`, worst, figure: (2 * n ** 3 * times) / elapsed / 1e6 };
}

/** How fast matrices are multiplied, from small ones to large ones, by the kernels that are chosen. */
export const productCurve: Check = {
  name: "Products",
  seconds: { quick: 1.5, full: 12 },
  run: async (context) => {
    const { maxStorageBufferBindingSize } = context.facts?.limits ?? {};
    const sizes = SIZES[context.preset][context.isSoftware ? "software" : "gpu"].filter(
      (n) => 4 * n ** 2 <= maxStorageBufferBindingSize && 12 * n ** 2 <= context.spare,
    );
    const rows: Row[] = [];
    for (const n of sizes) {
      if (context.isStopped || (rows.length > 0 && !context.hasTime)) break;
      context.progress(`${n} × ${n}`, rows.length / sizes.length);
      rows.push(await measure(context, n));
    }
    const bad = rows.filter(({ worst = 0 }) => worst > 1);
    const figure = Math.max(...rows.map((row) => row.figure ?? 0));
    const { flops } = context.bench;
    const share = flops === null ? null : figure / flops;
    const isSlow = share !== null && share < SLOW_SHARE && !context.isSoftware;
    const told =
      share === null ? "" : `, ${Math.round(100 * share)} % of the multiply-adds' ceiling`;
    context.line({
      name: "squares",
      verdict: bad.length > 0 ? "wrong" : isSlow ? "slow" : "ok",
      text: `the fastest of ${rows.map(({ name }) => name).join(", ")}${told}`,
      figure,
      unit: "GFLOP/s",
      rows,
    });
  },
};
