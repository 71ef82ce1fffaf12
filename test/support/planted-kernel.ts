/** A kernel of which one candidate is wrong, and an op whose gradient is. */
import type { Family } from "../../src/forms/kernel.ts";
import { defineOp } from "../../src/graph/op.ts";
import { apply } from "../../src/graph/tensor.ts";
import { customGrad, mul, type Tensor } from "../../src/index.ts";
import type { RowsProblem } from "../../src/kernels/problems.ts";
import { rowFamily } from "../../src/kernels/rows.ts";
import type { FamilyCall } from "./family-calls.ts";
import type { OpCase } from "./op-case.ts";

const source = `
@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = linear_workgroup(id, count) * WORKGROUP + local;
  if (row >= ROWS) { return; }
  store_y(row, load_x(row, FIRST));
}`;

/** Takes the first element of each row; the candidate of 64 invocations takes the second. */
const family: Family<RowsProblem> = rowFamily<RowsProblem>({
  prologueCost: 1,
  rule: () => [["direct", { WORKGROUP: 16 }]],
  direct: [{ name: "shaders/planted.wgsl", source }],
  directs: [
    { WORKGROUP: 16, FIRST: 0 },
    { WORKGROUP: 32, FIRST: 0 },
    { WORKGROUP: 64, FIRST: 1 },
  ],
  own: ({ ROWS }) => ({ results: [{ extents: [ROWS] }] }),
});

const first = defineOp<Record<string, never>>({
  name: "first",
  infer: ([{ shape, dtype }]) => ({ shape: [shape[0]], dtype }),
  cpu: (y, [x]) => {
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[x.offset + i * x.strides[0]];
  },
  form: {
    kind: "kernel",
    batching: null,
    family: family as unknown as Family,
    problem: ({ inputs: [{ shape, dtype }] }) => {
      return { dtype, ROWS: shape[0], LENGTH: shape[1] } as RowsProblem;
    },
  },
  vjp: null,
});

export const plantedFamily: FamilyCall = {
  family: family as unknown as Family,
  run: (x) => apply(first, [x], {}),
};

/** y = 2x, with a gradient that is wrong on WebGPU only. */
const twice = customGrad(
  (x: Tensor) => mul(x, 2),
  (g, _y, x) => [mul(g, x.device.kind === "webgpu" ? 2.001 : 2)],
);

export const plantedOp: OpCase = {
  calls: [{ inputs: [{ shape: [3, 4] }], run: (x) => twice(x) }],
  golden: [],
  rejects: [],
  gradient: true,
};
