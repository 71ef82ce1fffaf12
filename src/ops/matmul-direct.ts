import source from "../../shaders/matmul-direct.wgsl?raw";
import type { KernelContext, Stage } from "../forms/kernel.ts";

const shader = { name: "shaders/matmul-direct.wgsl", source };

/** Products from which on shared loads are worth the longer compilation. */
const SHARED = 2 ** 19;

/** Each of four neighbours loads one row, and gives it to the others. */
const SHARED_ROWS = `let own = load_a4(b, m + lane, k);
  return mat4x4(${[0, 1, 2, 3].map((i) => `quadBroadcast(own, ${i}u)`).join(", ")});`;

/** A product whose invocations load what they multiply themselves. */
export function directStages({
  inputs: [a, b],
  y,
  traits,
}: KernelContext<unknown>): readonly Stage[] {
  const [batch, m, n] = y.shape;
  const k = a.shape[2];
  const off = (size: number, step: number) => size % step !== 0;
  const { threads } = traits;
  const lanes = traits.quads && n > 16 && m * n * k >= SHARED ? 4 : 1;
  // Loading b weighs as much as six rows more; guards are worse.
  const high = m % 16 > 0 && Math.ceil(m / 20) * 26 < Math.ceil(m / 16) * 22 ? 20 : 16;
  const rows = lanes > 1 ? high : 8;
  const columns = Math.ceil(n / (8 * lanes)) * lanes;
  const owners = batch * Math.ceil(m / rows) * columns;
  const four = { wide: 2, block: 1 };
  return [
    {
      shader,
      type: y.dtype,
      constants: { BATCH: batch, M: m, N: n, K: k, ROWS: rows, LANES: lanes },
      functions: `fn rows_a(b: u32, m: u32, k: u32, lane: u32) -> mat4x4<Acc> {
  ${lanes > 1 ? SHARED_ROWS : "return load_a4x4(b, m, k);"}
}`,
      subgroups: lanes > 1,
      loads: [
        { name: "a", input: 0, extents: a.shape, ragged: [false, false, off(k, 4)], ...four },
        { name: "b", input: 1, extents: b.shape, ragged: [false, off(k, 4), false], ...four },
      ],
      store: {
        extents: y.shape,
        ragged: [false, off(m, rows) || off(owners, threads), off(n, 8 * lanes)],
        wide: 2,
      },
      workgroups: Math.ceil(owners / threads),
      threads,
    },
  ];
}
