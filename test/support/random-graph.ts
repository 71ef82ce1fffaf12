import {
  add,
  broadcastTo,
  concat,
  type Device,
  div,
  exp,
  gather,
  greater,
  isNaN,
  less,
  logicalNot,
  matmul,
  max,
  maximum,
  moments,
  mul,
  pad,
  reshape,
  sigmoid,
  slice,
  softmax,
  sort,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  where,
} from "../../src/index.ts";
import { type Pick, picker, wave } from "./random-choice.ts";

/** Rows and columns of every value: two vectors of four. */
const SIDE = 8;
/** Rows and columns of `edge` that are numbers; what lies beyond them is NaN. */
const EDGE = 5;

/** What every graph has in memory: smooth values, and some with NaN next door. */
interface Stored {
  readonly smooth: Tensor;
  readonly edge: Tensor;
}

type Step = (x: Tensor, y: Tensor, pick: Pick, stored: Stored) => Tensor;

/** Ops from [8, 8] to [8, 8] that keep values of order 1. */
const STEPS: readonly Step[] = [
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
  (x) => reshape(transpose(reshape(x, [4, 16])), [SIDE, SIDE]),
  // Columns of what is in memory, at multiples of four and not, as vectors where that goes.
  (_, y, pick, { smooth }) => {
    const [from, to] = [pick(SIDE - 3), pick(SIDE - 3)];
    const columns = slice(smooth, [{}, { start: from, end: from + 4 }]);
    return tanh(matmul(columns, slice(y, [{ start: to, end: to + 4 }])));
  },
  (x, _, pick, { smooth }) => {
    const from = pick(SIDE - 3);
    const rows = slice(transpose(smooth), [{ start: from, end: from + 4 }]);
    return tanh(matmul(slice(x, [{}, { end: 4 }]), rows));
  },
  // What lies beyond the inner size is NaN, and must not be read.
  (x, _, pick, { edge }) => {
    const start = pick(EDGE);
    const inner = slice(edge, [{ end: EDGE }, { start, end: EDGE }]);
    const y = tanh(matmul(inner, slice(x, [{ start, end: EDGE }])));
    return pad(y, [
      [0, SIDE - EDGE],
      [0, 0],
    ]);
  },
  (x, _, pick, { edge }) => {
    const start = pick(EDGE);
    const inner = slice(edge, [{ start, end: EDGE }, { end: EDGE }]);
    const y = tanh(matmul(slice(x, [{}, { start, end: EDGE }]), inner));
    return pad(y, [
      [0, 0],
      [0, SIDE - EDGE],
    ]);
  },
  // NaN and zeros of both signs are made, and found again.
  (x) => {
    const holes = where(oddRows(x), x, mul(x, Number.NaN));
    return where(isNaN(holes), 0.5, maximum(holes, -1));
  },
  (x) => {
    const zeros = where(oddRows(x), mul(square(x), 0), -0);
    return add(mul(x, 0.5), where(less(div(1, zeros), 0), x, 0));
  },
];

function oddRows(x: Tensor): Tensor {
  // By number and not by value, so that rounding does not decide.
  const rows = tensor([true, false, true, false, true, false, false, true], { device: x.device });
  return broadcastTo(reshape(rows, [SIDE, 1]), [SIDE, SIDE]);
}

function edgeOf(seed: number, device: Device, dtype: "f32" | "f64"): Tensor {
  const inside = (i: number) => i % SIDE < EDGE && i < EDGE * SIDE;
  const values = Float32Array.from({ length: SIDE * SIDE }, (_, i) =>
    inside(i) ? Math.cos(seed + i) : Number.NaN,
  );
  return tensor(values, { shape: [SIDE, SIDE], device, dtype });
}

/**
 * Builds the same random results of other dtypes than float for any device: bools computed by a
 * product's kernel, in sizes that are multiples of four and not, and bytes that only move.
 */
export function randomFlagsAndBytes(seed: number, device: Device, dtype: "f32" | "f64"): Tensor[] {
  const pick = picker(seed, 2);
  const [rows, inner, columns] = [1 + pick(9), 1 + pick(9), [4, 8, 3, 5, 12][pick(5)]];
  const a = wave([rows, inner], seed, device, dtype);
  const b = wave([inner, columns], seed + 1, device, dtype);
  // A threshold that no rounding decides about.
  const flags = greater(matmul(a, b), 0.1234567);
  const table = Uint8Array.from({ length: rows * columns }, (_, i) => (i * 37 + seed) % 251);
  const bytes = tensor(table, { shape: [rows, columns], device });
  const picked = Int32Array.from({ length: 1 + pick(6) }, () => pick(rows));
  const moved = gather(bytes, tensor(picked, { device }));
  const part = slice(transpose(moved), [{ start: pick(columns) }]);
  const both = concat([reshape(part, [part.size]), reshape(bytes, [bytes.size])]);
  return [
    flags,
    where(flags, logicalNot(flags), flags),
    part,
    both,
    pad(
      bytes,
      [
        [1, 0],
        [0, 2],
      ],
      { value: 9 },
    ),
  ];
}

/** Ops with several results: both, one of them, and what needs both beside what needs one. */
const SEVERAL: readonly Step[] = [
  (x, y) => {
    const { mean, variance } = moments(x, { axis: 1, keepDims: true });
    return tanh(div(sub(y, mean), add(variance, 1)));
  },
  (x, y) => mul(y, sub(1, moments(tanh(x), { axis: 0 }).variance)),
  (x) => {
    const { mean, variance } = moments(tanh(x), { axis: 0 });
    return add(mul(mean, 2), mul(transpose(x), add(sigmoid(variance), mean)));
  },
  (x) => sort(x, { descending: true }).values,
];

/** Builds the same random graph for any device: three inputs, then 24 values computed from them. */
export function randomGraph(
  seed: number,
  device: Device,
  dtype: "f32" | "f64",
  hasSeveral = false,
): Tensor[] {
  const steps = hasSeveral ? [...STEPS, ...SEVERAL, ...SEVERAL] : STEPS;
  const pick = picker(seed, 1);
  const leaf = (i: number) => wave([SIDE, SIDE], seed + 37 * i, device, dtype);
  const values: Tensor[] = Array.from({ length: 3 }, (_, i) => leaf(i));
  const stored = { smooth: leaf(3), edge: edgeOf(seed, device, dtype) };
  for (let i = 0; i < 24; i++) {
    const recent = () => values[Math.max(0, values.length - 1 - pick(6))];
    values.push(steps[pick(steps.length)](recent(), recent(), pick, stored));
  }
  return values;
}
