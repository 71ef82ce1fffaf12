import {
  add,
  cast,
  checkpoint,
  concat,
  customGrad,
  exp,
  grad,
  greater,
  keyFromSeed,
  matmul,
  max,
  mean,
  mul,
  type Shape,
  type scan,
  sigmoid,
  slice,
  softmax,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  uniformAt,
  where,
} from "../../src/index.ts";

/** A use of `scan`. */
export interface LoopCase {
  readonly name: string;
  /** Of inputs, which are floats. */
  readonly inputs: readonly Shape[];
  /** Calls `scan`, or what does the same, and gives all that it makes of it. */
  run(loop: typeof scan, ...inputs: Tensor[]): readonly Tensor[];
  /** How often its floats can be differentiated; twice when left out. */
  readonly orders?: 0 | 1 | 2;
}

/** A part of columns. */
function columns(x: Tensor, from: number, to: number): Tensor {
  return slice(x, [{}, { start: from, end: to }]);
}

const rnn = (w: Tensor, u: Tensor, b: Tensor) => (h: Tensor, x: Tensor) => {
  const next = tanh(add(add(matmul(x, w), matmul(h, u)), b));
  return [next, next] as const;
};

export const loopCases: readonly LoopCase[] = [
  {
    name: "running sums",
    inputs: [[], [5]],
    run: (loop, init, x) => loop((s, v) => [add(s, v), mul(add(s, v), v)], init, x).flat(),
  },
  {
    name: "a recurrent layer whose weights it closes over",
    inputs: [[4, 2, 3], [3, 4], [4, 4], [4], [2, 4]],
    run: (loop, xs, w, u, b, h) => loop(rnn(w, u, b), h, xs).flat(),
  },
  {
    name: "the same in the other direction, of one row and of two",
    inputs: [[5, 2, 3], [3, 4], [4, 4], [4], [2, 4]],
    run: (loop, xs, w, u, b, h) =>
      [5, 1, 2].flatMap((n) =>
        loop(rnn(w, u, b), h, slice(xs, [{ end: n }]), { reverse: true }).flat(),
      ),
  },
  {
    name: "a layer of gates, with two carries in an object",
    inputs: [
      [6, 2, 3],
      [3, 16],
      [4, 16],
      [2, 4],
      [2, 4],
    ],
    run: (loop, xs, w, u, h0, c0) => {
      const [{ h, c }, ys] = loop(
        ({ h, c }, x) => {
          const z = add(matmul(x, w), matmul(h, u));
          const [i, f, o] = [0, 4, 8].map((k) => sigmoid(columns(z, k, k + 4)));
          const next = add(mul(f, c), mul(i, tanh(columns(z, 12, 16))));
          const out = mul(o, tanh(next));
          return [{ h: out, c: next }, out];
        },
        { h: h0, c: c0 },
        xs,
      );
      return [h, c, ys];
    },
  },
  {
    name: "carries and results of whole numbers, truth values and bytes",
    inputs: [[4, 3]],
    run: (loop, xs) => {
      const { device } = xs;
      const zero = tensor(0, { dtype: "i32", device });
      const no = tensor([false, false, false], { device });
      const bytes = tensor([250, 1, 2, 3], { dtype: "u8", device });
      const [[count, seen], [counts, flags, large]] = loop(
        ([n, any], [x, byte]) => {
          const is = greater(x, 0);
          return [
            [add(n, 1), where(is, is, any)],
            [mul(n, 2), is, cast(byte, "u32")],
          ];
        },
        [zero, no],
        [xs, bytes],
      );
      return [count, seen, counts, flags, large];
    },
    orders: 0,
  },
  {
    name: "no rows, by length",
    inputs: [[3], [3, 3]],
    run: (loop, x, w) => loop((v) => [matmul(w, v), sum(square(v))], x, null, { length: 4 }).flat(),
  },
  {
    name: "no carry",
    inputs: [[4, 2, 3], [3]],
    run: (loop, xs, w) => [loop((_, x) => [null, mul(softmax(x), w)], null, xs)[1]],
  },
  {
    name: "no results",
    inputs: [[4, 3], [3]],
    run: (loop, xs, init) => [loop((s, x) => [mul(add(s, x), s), null], init, xs)[0]],
  },
  {
    name: "carries that change places, and rows that are passed through",
    inputs: [[3, 2], [2], [2], [2]],
    run: (loop, xs, a0, b0, c0) => {
      const [[a, b, c], ys] = loop(
        ([a, b, c], x) => [
          [b, a, x],
          [x, a, c],
        ],
        [a0, b0, c0],
        xs,
      );
      return [a, b, c, ...ys];
    },
    orders: 1,
  },
  {
    name: "values of outside, as they are and moved, and what is the same in all turns",
    inputs: [[3, 2, 2], [2, 2], [2, 2], [2]],
    run: (loop, xs, w, h0, b) => {
      const wide = exp(mul(w, 0.3));
      const turned = transpose(w);
      const [h, ys] = loop(
        (h, x) => {
          const own = add(matmul(transpose(w), wide), 1);
          const next = tanh(add(matmul(matmul(h, turned), own), mul(add(b, 2), x)));
          return [next, matmul(next, transpose(x))];
        },
        h0,
        xs,
      );
      return [h, ys, wide];
    },
  },
  {
    name: "loops in a loop",
    inputs: [[3, 4, 2], [2], [2, 2]],
    run: (loop, xs, h0, w) => {
      const [h, ys] = loop(
        (h, rows) => {
          const [inner, all] = loop(
            (v, x) => {
              const next = tanh(add(matmul(v, w), mul(x, h)));
              return [next, sum(next)];
            },
            mul(h, 0.5),
            rows,
          );
          const [back] = loop((v, x) => [add(mul(v, 0.5), x), null], sum(h), all, {
            reverse: true,
          });
          return [mul(inner, back), all];
        },
        h0,
        xs,
      );
      return [h, ys];
    },
  },
  {
    name: "gradients of its own, stops, choices and largest values",
    inputs: [[4, 3], [3]],
    run: (loop, xs, s0) => {
      const doubled = customGrad(
        (x: Tensor) => mul(x, 2),
        (g) => [mul(g, 3)],
      );
      return loop(
        (s, x) => {
          const next = add(doubled(mul(s, 0.3)), where(greater(x, 0), x, stopGradient(mul(s, x))));
          return [next, mul(max(next), s)];
        },
        s0,
        xs,
      ).flat();
    },
    orders: 1, // the slope of `doubled` is none
  },
  {
    name: "numbers drawn by a step that it carries",
    inputs: [[3, 2], [2]],
    run: (loop, xs, s0) => {
      const { device, dtype } = xs;
      const key = keyFromSeed(3);
      const step = tensor(0, { dtype: "u32", device });
      const [[s], ys] = loop(
        ([s, t], x) => {
          const drawn = uniformAt(t, [2], { key, dtype });
          return [[add(mul(s, drawn), x), add(t, 1)], drawn];
        },
        [s0, step] as [Tensor, Tensor],
        xs,
      );
      return [s, ys];
    },
    orders: 1,
  },
  {
    name: "a gradient within a turn",
    inputs: [[3], [3, 3]],
    run: (loop, x0, a) =>
      loop(
        (x) => {
          const loss = sum(square(sub(matmul(a, x), 1)));
          return [sub(x, mul(grad(loss, [x])[0], 0.1)), loss];
        },
        x0,
        null,
        { length: 5 },
      ).flat(),
  },
  {
    name: "one tensor as rows, first carry and constant",
    inputs: [[3, 3]],
    run: (loop, x) => loop((s, row) => [tanh(matmul(s, x)), mul(row, mean(s))], x, x).flat(),
  },
  {
    name: "turns, and loops, of which gradients keep nothing",
    inputs: [
      [3, 2, 2],
      [2, 2],
      [2, 2],
    ],
    run: (loop, xs, w, h0) => {
      const turn = checkpoint((h: Tensor, x: Tensor) => {
        const next = tanh(add(matmul(h, w), mul(softmax(x), h)));
        return [next, sum(square(next))] as const;
      });
      const whole = checkpoint((h: Tensor, rows: Tensor) => loop(turn, matmul(h, w), rows));
      return [...loop(turn, h0, xs), ...whole(h0, xs)];
    },
  },
  {
    name: "nothing in rows and carries",
    inputs: [[3, 0], [0], [2]],
    run: (loop, xs, s0, b) => loop((s, x) => [add(s, x), add(sum(x), b)], s0, xs).flat(),
    orders: 1,
  },
  {
    name: "a loop behind a loop, with work between, and one that nobody asks",
    inputs: [[4, 3], [3], [3, 3]],
    run: (loop, xs, s0, w) => {
      const [s, ys] = loop((s, x) => [tanh(add(s, x)), mul(s, x)], s0, xs);
      loop((s, x) => [add(s, x), null], s0, xs);
      const mixed = matmul(ys, w);
      const [t, zs] = loop((t, [x, y]) => [add(mul(t, x), y), sub(t, y)], s, [mixed, ys]);
      return [t, concat([zs, mixed]), sum(square(mixed))];
    },
  },
];
