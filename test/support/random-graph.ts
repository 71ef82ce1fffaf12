import {
  add,
  broadcastTo,
  concat,
  type Device,
  exp,
  matmul,
  max,
  mul,
  pad,
  reshape,
  sigmoid,
  slice,
  softmax,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  where,
} from "../../src/index.ts";
import { type Pick, picker, wave } from "./random-choice.ts";

/** Rows and columns of every value. */
export const SIDE = 6;

/** Ops from [6, 6] to [6, 6] that keep values of order 1. */
const STEPS: readonly ((x: Tensor, y: Tensor, pick: Pick) => Tensor)[] = [
  (x) => tanh(x),
  (x) => sigmoid(x),
  (x) => exp(tanh(x)),
  (x) => softmax(x, { axis: 0 }),
  (x) => transpose(x),
  (x, y) => tanh(add(x, y)),
  (x, y) => mul(x, sigmoid(y)),
  (x, y) => sub(x, transpose(y)),
  (x, y) => tanh(matmul(x, y)),
  (x, y) => matmul(softmax(x), transpose(y)),
  (x) => broadcastTo(tanh(sum(x, { axis: 1, keepDims: true })), [SIDE, SIDE]),
  (x) => broadcastTo(max(x, { axis: 0 }), [SIDE, SIDE]),
  (x, y) => where(oddRows(x), y, x),
  (x, y, pick) => {
    const k = pick(SIDE);
    return concat([slice(x, [{ start: k }]), slice(y, [{ end: k }])]);
  },
  (x, _, pick) => {
    const k = pick(SIDE);
    return pad(slice(x, [{}, { start: k }]), [
      [0, 0],
      [0, k],
    ]);
  },
  (x) => reshape(transpose(reshape(x, [4, 9])), [SIDE, SIDE]),
];

function oddRows(x: Tensor): Tensor {
  // By number and not by value, so that rounding does not decide.
  const rows = tensor([true, false, true, false, true, false], { device: x.device });
  return broadcastTo(reshape(rows, [SIDE, 1]), [SIDE, SIDE]);
}

/** Builds the same random graph for any device: three inputs, then 24 values computed from them. */
export function randomGraph(seed: number, device: Device, dtype: "f32" | "f64"): Tensor[] {
  const pick = picker(seed, 1);
  const leaf = (i: number) => wave([SIDE, SIDE], seed + 37 * i, device, dtype);
  const values: Tensor[] = Array.from({ length: 3 }, (_, i) => leaf(i));
  for (let i = 0; i < 24; i++) {
    const recent = () => values[Math.max(0, values.length - 1 - pick(6))];
    values.push(STEPS[pick(STEPS.length)](recent(), recent(), pick));
  }
  return values;
}
