import { DTYPES } from "../../src/core/dtype.ts";
import {
  broadcastTo,
  concat,
  type Device,
  diagonal,
  expandDims,
  matmul,
  pad,
  permute,
  reshape,
  roll,
  slice,
  type Tensor,
  tensor,
  tile,
  windows,
  zeros,
} from "../../src/index.ts";
import { type Pick, picker } from "./random-choice.ts";

type Move = (x: Tensor, pick: Pick) => Tensor;

/** The most elements that a value may have. */
const LARGEST = 3000;

/** One of each movement op, on axes of any size and number. */
const MOVES: readonly Move[] = [
  (x, pick) => permute(x, shuffled(x.rank, pick)),
  (x, pick) => {
    const ranges = x.shape.map((n) => {
      const step = [1, 1, 1, 2, -1, -3][pick(6)];
      const [a, b] = [pick(n + 1), pick(n + 1)].sort((p, q) => p - q);
      const [low, high] = pick(3) === 0 ? [0, n] : [a, Math.max(b, Math.min(n, a + 1))];
      return step > 0 ? { start: low, end: high, step } : { start: high, step };
    });
    return slice(x, ranges);
  },
  (x, pick) =>
    pad(
      x,
      x.shape.map(() => [pick(3), pick(3)] as const),
      { value: pick(2) * 77 },
    ),
  // Channels at multiples of four.
  (x, pick) =>
    pad(
      x,
      x.shape.map((_, i) => (i < x.rank - 1 ? [pick(2), 1] : [4 * pick(2), 4])),
      { value: 5 },
    ),
  (x, pick) => {
    const mode = (["reflect", "symmetric", "replicate", "circular"] as const)[pick(4)];
    const most = (n: number) => (mode === "reflect" ? Math.min(2, n - 1) : Math.min(2, n));
    const sides = x.shape.map((n) => [pick(most(n) + 1), pick(most(n) + 1)] as const);
    return pad(x, sides, { mode });
  },
  (x, pick) => {
    const axis = [...x.shape.keys()];
    return roll(
      x,
      axis.map(() => pick(5) - 2),
      { axis },
    );
  },
  (x, pick) =>
    tile(
      x,
      x.shape.map(() => 1 + pick(2)),
    ),
  (x, pick) => (x.rank < 2 ? x : diagonal(x, { offset: pick(3) - 1 })),
  (x, pick) => reshape(x, factored(x.size, pick)),
  (x, pick) => reshape(x, regrouped(x.shape, pick)),
  (x, pick) => {
    const y = expandDims(x, pick(x.rank + 1));
    return broadcastTo(y, [1 + pick(2), ...y.shape.map((n) => (n === 1 ? 1 + pick(3) : n))]);
  },
  (x, pick) => concat([x, x, slice(x, [{ step: -1 }])].slice(pick(2)), { axis: pick(x.rank) }),
  (x, pick) => {
    const axis = shuffled(x.rank, pick).slice(0, 1 + pick(2));
    const size = axis.map((i) => Math.min(1 + pick(3), x.shape[i]));
    const fits = (i: number, k: number) => (size[k] - 1) * 2 < x.shape[i];
    const dilation = axis.map((i, k) => (fits(i, k) ? 1 + pick(2) : 1));
    return windows(x, size, { axis, dilation, stride: axis.map(() => 1 + pick(3)) });
  },
  (x, pick) => {
    const [step, more] = [1 + pick(3), pick(3)];
    const longer = x.shape.map((n) => (n - 1) * step + 1 + more);
    const start = pick(2) * more;
    return adjoint(
      (z) =>
        slice(
          z,
          x.shape.map((n) => ({ start, end: start + n * step, step })),
        ),
      longer,
      x,
    );
  },
  (x, pick) => {
    if (x.rank < 2) return x;
    const axis = pick(x.rank - 1);
    const [size, stride, dilation] = [x.shape[x.rank - 1], 1 + pick(4), 1 + pick(2)];
    const n = (x.shape[axis] - 1) * stride + (size - 1) * dilation + 1;
    const from = x.shape.slice(0, -1).with(axis, n + pick(stride));
    return adjoint((z) => windows(z, size, { axis, stride, dilation }), from, x);
  },
];

/** The gradient of a movement op, of zeros of a shape, for a cotangent. */
function adjoint(move: (z: Tensor) => Tensor, shape: readonly number[], g: Tensor): Tensor {
  const y = move(zeros(shape, { dtype: g.dtype, device: g.device }));
  const { op, attributes, inputs } = y.node;
  const [dx] = op?.vjp?.(g, { inputs: inputs as never, y, attributes }) ?? [];
  return dx as Tensor;
}

function shuffled(n: number, pick: Pick): number[] {
  const rest = Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: n }, () => rest.splice(pick(rest.length), 1)[0]);
}

/** A shape of so many elements. */
function factored(size: number, pick: Pick): number[] {
  const shape: number[] = [];
  let rest = size;
  for (const n of [4, 3, 2, 5, 7, 8, 3]) {
    if (rest % n === 0 && pick(3) > 0) {
      shape.push(n);
      rest /= n;
    }
  }
  shape.splice(pick(shape.length + 1), 0, rest);
  return shape;
}

/** A shape with two axes joined, or one split. */
function regrouped(shape: readonly number[], pick: Pick): number[] {
  const at = pick(shape.length);
  const [n, next] = [shape[at], shape[at + 1]];
  if (next !== undefined && pick(2) === 0) return shape.toSpliced(at, 2, n * next);
  const parts = [2, 3, 4, 5].filter((part) => n % part === 0);
  const part = parts[pick(Math.max(1, parts.length))] ?? 1;
  return shape.toSpliced(at, 1, ...(pick(2) === 0 ? [part, n / part] : [n / part, part]));
}

/** Moves the elements of a tensor of any rank from 1 several times, at random. */
export function randomMoves(x: Tensor, pick: Pick): Tensor {
  let y = x;
  for (let left = 1 + pick(4); left > 0; ) {
    const next = MOVES[pick(MOVES.length)](y, pick);
    if (next.size === 0 || next.size > LARGEST || next.rank > 6) continue;
    y = next;
    left--;
  }
  return y;
}

/** Elements that moved several times, of each dtype, and products that read such as they go. */
export function movedElements(seed: number, device: Device): Tensor[] {
  const pick = picker(seed, 7);
  const [shape, dtype] = (
    [
      [[24], "f32"],
      [[5, 8], "i32"],
      [[2, 3, 4], "u8"],
      [[3, 4, 2, 4], "f32"],
      [[2, 2, 3, 2, 4], "bool"],
      [[3, 4, 5], "i8"],
      [[2, 6, 4], "u16"],
      [[30], "i16"],
    ] as const
  )[seed % 8];
  const count = shape.reduce((size, n) => size * n, 1);
  const x = tensor(
    Array.from({ length: count }, (_, i) => {
      if (dtype === "bool") return (i % 7) % 2;
      const { min, max } = DTYPES[dtype]; // both ends of what has few bits, and small numbers
      return max < 2 ** 20 ? [min, max, (i % 7) + min + 1, i % 7][i % 4] : i % 7;
    }),
    { dtype, device },
  );
  const y = randomMoves(reshape(x, shape), pick);
  if (dtype !== "f32") return [y];
  // Whole numbers, whose sums are exact.
  const k = y.shape[y.rank - 1];
  const w = tensor(
    Float32Array.from({ length: k * 4 }, (_, i) => (i % 5) - 2),
    { shape: [k, 4], device },
  );
  return [y, matmul(y, w)];
}
