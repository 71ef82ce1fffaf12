import { GradusError, grad, type Tensor } from "../../src/index.ts";
import * as losses from "../../src/losses/index.ts";
import * as metrics from "../../src/metrics/index.ts";
import { eye, mul, sum, zeros } from "../../src/ops/index.ts";
import type { Input, Make, OpCase } from "../support/op-case.ts";

const x = (...shape: number[]): Input => ({ shape });
const whole = (high: number, n: number): Input => ({ shape: [n], dtype: "i32", low: 0, high });
const bools = (n: number): Input => ({ shape: [n], dtype: "bool", low: 0, high: 2 });

/** dx of a sum of losses, times what brings it to size. */
function slope(x: Tensor, loss: (x: Tensor) => Tensor, factor = 1): Tensor {
  return mul(grad(sum(loss(x)), [x])[0], factor);
}

/** Four points on a line, two of each class; distances 1, 3, 7, 2, 6, 4. */
const line = (t: Make) => t([[0], [1], [3], [7]]);
const plain = { normalize: false, distance: "euclidean", margin: 3 } as const;

function mined(t: Make, labels: number[], options: losses.TripletMinedOptions): Tensor {
  return losses.tripletMined(line(t), t(labels, "i32"), { ...plain, ...options });
}

export const embeddingLossCases = {
  contrastive: {
    calls: [
      { inputs: [x(65, 3), x(65, 3), bools(65)], run: (a, b, s) => losses.contrastive(a, b, s) },
      {
        inputs: [x(5, 70), x(5, 70), whole(2, 5)],
        run: (a, b, s) => losses.contrastive(a, b, s, { margin: 9, reduction: "none" }),
        scale: 16,
      },
    ],
    golden: [
      {
        run: (t) => {
          const [a, b] = [
            t([
              [0, 0],
              [3, 4],
              [1, 1],
              [0, 9],
            ]),
            t([
              [3, 4],
              [0, 0],
              [1, 1],
              [0, 0],
            ]),
          ];
          const same = t([true, false, false, false]);
          return losses.contrastive(a, b, same, { margin: 6, reduction: "none" });
        },
        is: [12.5, 0.5, 18, 0],
        by: "½ 5², ½ (6 − 5)², ½ 6², 0",
      },
      {
        run: (t) => {
          const b = t([
            [3, 4],
            [0, 0],
            [1, 1],
          ]);
          const same = t([true, false, false]);
          const loss = (a: Tensor) =>
            losses.contrastive(a, b, same, { margin: 6, reduction: "sum" });
          return slope(
            t([
              [0, 0],
              [3, 4],
              [1, 1],
            ]),
            loss,
          );
        },
        is: [
          [-3, -4],
          [-0.6, -0.8],
          [0, 0],
        ],
        by: "a − b, −(6 − 5) (a − b) / D, 0 at D = 0",
      },
      {
        run: (t) => {
          const loss = (a: Tensor) => losses.contrastive(a, t([[0, 0]]), t([false]));
          return slope(t([[3e-20, 4e-20]]), loss);
        },
        is: [[-0.6, -0.8]],
        by: "a distance whose square is 0 in f32",
      },
      {
        run: (t) => {
          const loss = (a: Tensor) => losses.contrastive(a, t([[0, 0]]), t([false]));
          return slope(t([[3e20, 4e20]]), loss);
        },
        is: [[0, 0]],
        by: "a distance whose square overflows in f32",
      },
    ],
    rejects: [
      {
        run: (t) => losses.contrastive(t([[1]]), t([[1, 2]]), t([true])),
        says: "contrastive: embeddings [1, 1], [1, 2]; expected equal shapes",
      },
      {
        run: (t) => losses.contrastive(t([1]), t([1]), t([true])),
        says: "contrastive: embeddings [1]; expected [n, features]",
      },
      {
        run: (t) => losses.contrastive(t([[1]]), t([[1]]), t([1])),
        says: "contrastive: same has dtype FLOAT; expected bool or integers",
      },
      {
        run: (t) => losses.contrastive(t([[1]]), t([[1]]), t([true, true])),
        says: "contrastive: same [2]; expected [1], one for each pair",
      },
      {
        run: (t) => losses.contrastive(t([[1]]), t([[1]]), t([true]), { margin: 0 }),
        says: "contrastive: margin 0; expected a finite number above 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  triplet: {
    calls: [
      {
        inputs: [x(65, 3), x(65, 3), x(65, 3)],
        run: (a, p, n) => losses.triplet(a, p, n, { margin: 0.5 }),
      },
      {
        inputs: [x(4, 70), x(4, 70), x(4, 70)],
        run: (a, p, n) =>
          losses.triplet(a, p, n, { ...plain, distance: "squared", reduction: "none" }),
        scale: 16,
      },
      {
        inputs: [x(5, 3), x(5, 3), x(5, 3)],
        run: (a, p, n) => losses.triplet(a, p, n, { ...plain, margin: "soft", reduction: "sum" }),
        scale: 4,
      },
    ],
    golden: [
      {
        run: (t) => {
          const [a, b, c] = [
            [1, 0],
            [0, 2],
            [-3, 0],
          ];
          return losses.triplet(t([a, a]), t([b, c]), t([c, b]), { reduction: "none" });
        },
        is: [0, 2.2],
        by: "unit vectors with d² = 2 and 4",
      },
      {
        run: (t) => losses.triplet(t([[0, 0]]), t([[3, 4]]), t([[6, 8]]), { ...plain, margin: 7 }),
        is: 2,
        by: "5 − 10 + 7",
      },
      {
        run: (t) => {
          const [p, n] = [t([[3, 4]]), t([[6, 8]])];
          return slope(t([[0, 0]]), (a) => losses.triplet(a, p, n, { ...plain, margin: 7 }));
        },
        is: [[0, 0]],
        by: "p and n lie in one direction",
      },
      {
        run: (t) => {
          const options = { ...plain, distance: "manhattan" } as const;
          return losses.triplet(t([[0, 0]]), t([[3, -4]]), t([[1, 2]]), options);
        },
        is: 7,
        by: "7 − 3 + 3",
      },
      {
        run: (t) => losses.triplet(t([[0]]), t([[2]]), t([[3]]), { ...plain, swap: true }),
        is: 4,
        by: "2 − min(3, 1) + 3",
      },
    ],
    rejects: [
      {
        run: (t) => losses.triplet(t([[1]]), t([[1]]), t([[1], [2]])),
        says: "triplet: embeddings [1, 1], [1, 1], [2, 1]; expected equal shapes",
      },
      {
        run: (t) => losses.triplet(t([[1]]), t([[1]]), t([[1]]), { margin: -1 }),
        says: "triplet: margin -1; expected a finite number from 0",
        error: GradusError,
      },
      {
        run: (t) => losses.triplet(t([[1]]), t([[1]]), t([[1]]), { distance: "cosine" as never }),
        says: "triplet: distance cosine; expected squared, euclidean, manhattan",
        error: GradusError,
      },
      {
        run: (t) => losses.triplet(t([[1]]), t([[1]]), t([[1]]), { normalize: "no" as never }),
        says: 'triplet: normalize "no"; expected true or false',
        error: GradusError,
      },
    ],
    gradient: true,
  },
  tripletMined: {
    calls: [
      ...(["all", "hard", "semi-hard"] as const).flatMap((mining) => [
        {
          inputs: [x(17, 3), whole(4, 17)],
          run: (e: Tensor, l: Tensor) => losses.tripletMined(e, l, { mining, margin: 0.5 }),
          scale: 4,
        },
        {
          inputs: [x(17, 3), whole(4, 17)],
          run: (e: Tensor, l: Tensor) =>
            losses.tripletMined(e, l, { ...plain, mining, reduction: "none" }),
          scale: 64, // the slope of a distance d that comes from squares of size 1 loses digits by 1/d²
        },
      ]),
    ],
    golden: [
      {
        run: (t) => {
          const options = { ...plain, distance: "manhattan", mining: "hard", margin: 1 } as const;
          return losses.tripletMined(
            t([
              [0, 0],
              [1, 1],
              [2, -1],
            ]),
            t([0, 0, 1], "i32"),
            options,
          );
        },
        is: 0,
        by: "2 − 3 + 1, both ways",
      },
      {
        run: (t) => mined(t, [0, 0, 1, 1], { mining: "all" }),
        is: 13 / 5,
        by: "1, 2, 4, 5 and 1 of eight triplets are above 0",
      },
      {
        run: (t) =>
          mined(t, [0, 0, 1, 1], { mining: "hard", reduction: "sum", weights: t([1, 0, 2, 0]) }),
        is: 11,
        by: "1 · 1 + 2 · 5",
      },
      {
        run: (t) => mined(t, [0, 0, 1, 1], { mining: "all", reduction: "sum" }),
        is: 13,
        by: "the same",
      },
      {
        run: (t) => mined(t, [0, 0, 1, 1], { mining: "hard", reduction: "none" }),
        is: [1, 2, 5, 1],
        by: "1 − 3, 1 − 2, 4 − 2, 4 − 6, and 3",
      },
      {
        run: (t) => mined(t, [0, 0, 1, 1], { mining: "hard", margin: "soft", reduction: "none" }),
        is: [-2, -1, 2, -2].map((d) => Math.log1p(Math.exp(d))),
        by: "the same with log(1 + exp(d_ap − d_an))",
      },
      {
        run: (t) => mined(t, [0, 0, 1, 2], { mining: "hard" }),
        is: 1.5,
        by: "two anchors have a positive",
      },
      {
        run: (t) => mined(t, [0, 0, 1, 1], {}),
        is: 2,
        by: "1 − 3, 1 − 2, 4 − 3 (the farthest, as none is beyond 4), 4 − 6, and 3",
      },
      {
        run: (t) =>
          mined(t, [0, 0, 1, 1], { mining: "hard", distance: "squared", reduction: "none" }),
        is: [0, 0, 15, 0],
        by: "1 − 9, 1 − 4, 16 − 4, 16 − 36, and 3",
      },
      ...(["all", "hard", "semi-hard"] as const).flatMap((mining) =>
        [
          [0, 0, 0, 0],
          [0, 1, 2, 3],
        ].map((labels) => ({
          run: (t: Make) => mined(t, labels, { mining }),
          is: 0,
          by: "there is no triplet",
        })),
      ),
      {
        run: (t) =>
          slope(line(t), (e) =>
            losses.tripletMined(e, t([0, 0, 1, 1], "i32"), {
              ...plain,
              mining: "hard",
              reduction: "sum",
            }),
          ),
        is: [[-1], [5], [-5], [1]],
        by: "the signs of the distances of 1 − 3, 1 − 2, 4 − 2, 4 − 6",
      },
      {
        run: (t) => {
          const twins = t([
            [1, 1],
            [1, 1],
            [1, 1],
          ]);
          return slope(twins, (e) => losses.tripletMined(e, t([0, 0, 1], "i32"), { ...plain }));
        },
        is: [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        by: "points in one place have no direction to part in",
      },
    ],
    rejects: [
      {
        run: (t) => losses.tripletMined(t([[1]]), t([0, 1], "i32")),
        says: "tripletMined: labels [2]; expected [1], one for each example",
      },
      {
        run: (t) => losses.tripletMined(t([[1]]), t([0])),
        says: "tripletMined: labels have dtype FLOAT; expected i32, u32, u8, i8, u16 or i16",
      },
      {
        run: (t) => {
          const { device } = t(0);
          const none = zeros([0], { device, dtype: "i32" });
          return losses.tripletMined(zeros([0, 2], { device }), none);
        },
        says: "tripletMined: embeddings [0, 2]; expected from 1 to 256 rows",
      },
      {
        run: (t) => {
          const many = Array.from({ length: 257 }, () => [0]);
          return losses.tripletMined(t(many), t(many.flat(), "i32"), { mining: "all" });
        },
        says:
          "tripletMined: embeddings [257, 1]; expected from 1 to 256 rows, whose triplets are " +
          'compared one by one. Mine "hard" ones',
      },
      {
        run: (t) => losses.tripletMined(t([[1]]), t([0], "i32"), { mining: "soft" as never }),
        says: "tripletMined: mining soft; expected all, hard, semi-hard",
        error: GradusError,
      },
      {
        run: (t) => losses.tripletMined(t([[1]]), t([0], "i32"), { reduction: "max" as never }),
        says: "tripletMined: reduction max; expected mean, sum, none",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  centerLoss: {
    calls: [
      {
        inputs: [x(65, 3), whole(4, 65)],
        run: (f, l) => losses.centerLoss(f, l, eye(4, 3, { device: f.device, dtype: f.dtype })),
      },
    ],
    golden: [
      {
        run: (t) => {
          const features = t([
            [1, 2],
            [3, 4],
            [5, 5],
            [6, 6],
          ]);
          const centers = t([
            [0, 0],
            [3, 3],
          ]);
          const labels = t([0, 1, 7, -1], "i32");
          return losses.centerLoss(features, labels, centers, { reduction: "none" });
        },
        is: [2.5, 0.5, 0, 0],
        by: "½ (1 + 4), ½ 1, no class, no class",
      },
      {
        run: (t) => {
          const [labels, centers] = [
            t([0, 1, 7], "i32"),
            t([
              [0, 0],
              [3, 3],
            ]),
          ];
          return slope(
            t([
              [1, 2],
              [3, 4],
              [5, 5],
            ]),
            (f) => losses.centerLoss(f, labels, centers),
            3,
          );
        },
        is: [
          [1, 2],
          [0, 1],
          [0, 0],
        ],
        by: "x − c, 0 without a class",
      },
    ],
    rejects: [
      {
        run: (t) => losses.centerLoss(t([[1, 2]]), t([0], "i32"), t([[1]])),
        says:
          "centerLoss: features [1, 2] with centers [1, 1]; " +
          "expected [n, features] and [classes, features]",
      },
      {
        run: (t) => losses.centerLoss(t([1, 2]), t([0], "i32"), t([[1, 2]])),
        says: "centerLoss: features [2]; expected [n, features]",
      },
      {
        run: (t) => losses.centerLoss(t([[1, 2]]), t([0], "i32"), t([1, 2])),
        says: "centerLoss: centers [2]; expected [n, features]",
      },
      {
        run: (t) => losses.centerLoss(t([[1, 2]], "i32"), t([0], "i32"), t([[1, 2]])),
        says: "centerLoss: features have dtype i32; expected f32 or f64",
      },
      {
        run: (t) => losses.centerLoss(t([[1, 2]]), t([0], "i32"), t([[1, 2]], "i32")),
        says: "centerLoss: centers have dtype i32; expected f32 or f64",
      },
    ],
    gradient: true,
  },
  cosFaceLogits: {
    calls: [
      {
        inputs: [x(9, 4), whole(5, 9)],
        run: (c, l) => losses.cosFaceLogits(c, l, { scale: 30, margin: 0.4 }),
        scale: 8,
      },
    ],
    golden: [
      {
        run: (t) =>
          losses.cosFaceLogits(
            t([
              [0.5, -0.25],
              [0.5, 0],
            ]),
            t([0, 2], "i32"),
            {
              scale: 4,
              margin: 0.25,
            },
          ),
        is: [
          [1, -1],
          [2, 0],
        ],
        by: "4 (0.5 − 0.25), 4 · −0.25; no class",
      },
      {
        run: (t) => losses.cosFaceLogits(t([[0.6]]), t([0], "i32")),
        is: [[16]],
        by: "64 (0.6 − 0.35)",
      },
    ],
    rejects: [
      {
        run: (t) => losses.cosFaceLogits(t([[1]]), t([1], "i32"), { margin: -1 }),
        says: "cosFaceLogits: margin -1; expected a finite number from 0",
        error: GradusError,
      },
      {
        run: (t) => losses.cosFaceLogits(t([[1]]), t([1], "i32"), { scale: 0 }),
        says: "cosFaceLogits: scale 0; expected a finite number above 0",
        error: GradusError,
      },
      {
        run: (t) => losses.cosFaceLogits(t([1]), t([1], "i32")),
        says: "cosFaceLogits: cosines [1]; expected [n, classes]",
      },
    ],
    gradient: true,
  },
  arcFaceLogits: {
    calls: [
      {
        inputs: [{ shape: [9, 4], low: -0.99, high: 0.99 }, whole(5, 9)],
        run: (c, l) => losses.arcFaceLogits(c, l, { scale: 30, margin: 0.4 }),
        scale: 30,
      },
    ],
    golden: [
      {
        run: (t) => {
          const options = { scale: 2, margin: Math.PI / 3, easyMargin: true };
          return losses.arcFaceLogits(t([[1], [0.5], [-0.5]]), t([0, 0, 0], "i32"), options);
        },
        is: [[1], [-1], [-1]],
        by: "2 cos of 60° and 120°, and of 120° without a margin",
      },
      {
        run: (t) =>
          losses.arcFaceLogits(
            t([
              [0.5, -0.25],
              [-1, 1],
              [0, 1],
            ]),
            t([0, 0, 1], "i32"),
            {
              scale: 2,
              margin: Math.PI / 6,
            },
          ),
        is: [
          [0, -0.5],
          [-2 - Math.PI / 6, 2],
          [0, Math.sqrt(3)],
        ],
        by: "cos(60° + 30°); −1 − m sin 30° beyond π − m; cos(0 + 30°)",
      },
      {
        run: (t) =>
          slope(t([[1], [-1]]), (c) =>
            losses.arcFaceLogits(c, t([0, 0], "i32"), { scale: 2, margin: Math.PI / 3 }),
          ),
        is: [[1], [2]],
        by: "2 cos 60°, as sin θ is flat there; 2",
      },
    ],
    rejects: [
      {
        run: (t) => losses.arcFaceLogits(t([[1]]), t([1], "i32"), { margin: -0.1 }),
        says: "arcFaceLogits: margin -0.1; expected a number from 0 and below π",
        error: GradusError,
      },
      {
        run: (t) => losses.arcFaceLogits(t([[1]]), t([1], "i32"), { margin: 3.2 }),
        says: "arcFaceLogits: margin 3.2; expected a number from 0 and below π",
        error: GradusError,
      },
      {
        run: (t) => losses.arcFaceLogits(t([[1]]), t([1], "i32"), { margin: Math.PI }),
        says: `arcFaceLogits: margin ${Math.PI}; expected a number from 0 and below π`,
        error: GradusError,
      },
    ],
    gradient: true,
  },
  largeMarginLogits: {
    calls: [1, 2, 3, 4].map((margin) => ({
      inputs: [x(9, 4), { shape: [9, 1], low: 0.2, high: 3 }, whole(5, 9)],
      run: (c: Tensor, r: Tensor, l: Tensor) =>
        losses.largeMarginLogits(c, r, l, { margin, lambda: 0.5 }),
      scale: 16,
    })),
    golden: [
      {
        run: (t) =>
          losses.largeMarginLogits(
            t([
              [0.5, 0.5],
              [0.5, -0.5],
            ]),
            t([[2], [1]]),
            t([0, 1], "i32"),
            {
              margin: 2,
            },
          ),
        is: [
          [-1, 1],
          [0.5, -1.5],
        ],
        by: "2 cos 120°; −cos 240° − 2",
      },
      ...[1, 2, 3, 4, 5].map((margin) => ({
        run: (t: Make) =>
          losses.largeMarginLogits(t([[1], [-1]]), t([1]), t([0, 0], "i32"), { margin }),
        is: [[1], [1 - 2 * margin]],
        by: "ψ(0) and ψ(π)",
      })),
      {
        run: (t) =>
          losses.largeMarginLogits(t([[0.5]]), t([1]), t([0], "i32"), {
            margin: 2,
            lambda: t(3),
          }),
        is: [[0.25]],
        by: "(3 · 0.5 + cos 120°) / 4",
      },
      {
        run: (t) => {
          const options = { margin: 2, lambda: 3 };
          return losses.largeMarginLogits(t([[0.5]]), t([1]), t([0], "i32"), options);
        },
        is: [[0.25]],
        by: "the same by a number",
      },
      {
        run: (t) =>
          slope(t([[1], [-1], [0]]), (c) =>
            losses.largeMarginLogits(c, t([1]), t([0, 0, 0], "i32"), { margin: 3 }),
          ),
        is: [[9], [9], [3]],
        by: "m sin(mθ) / sin θ up to its sign, m² at both ends; 12 c² − 3 turned at θ = 90°",
      },
    ],
    rejects: [
      {
        run: (t) => losses.largeMarginLogits(t([[1]]), t([1]), t([1], "i32"), { margin: 1.5 }),
        says: "largeMarginLogits: margin 1.5; expected an integer from 1",
        error: GradusError,
      },
      {
        run: (t) => losses.largeMarginLogits(t([[1]]), t([1]), t([1], "i32"), { lambda: -1 }),
        says: "largeMarginLogits: lambda -1; expected a finite number from 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
} satisfies Partial<Record<keyof typeof losses, OpCase>>;

const clusters = (t: Make) => t([[0], [2], [10], [12], [100]]);

export const embeddingMetricCases = {
  nearest: {
    calls: [{ inputs: [x(65, 3), x(9, 3)], run: (e, g) => metrics.nearest(e, g) }],
    golden: [
      {
        run: (t) =>
          metrics.nearest(
            t([
              [0.9, 0],
              [5, 5],
              [2, 2],
            ]),
            t([
              [0, 0],
              [2, 2],
              [2, 2],
            ]),
          ),
        is: [0, 1, 1],
        by: "the first of equally near ones",
      },
    ],
    rejects: [
      {
        run: (t) => metrics.nearest(t([[1]]), t([[1, 2]])),
        says:
          "nearest: embeddings [1, 1] with gallery [1, 2]; " +
          "expected [n, features] and [m, features], m from 1",
      },
      {
        run: (t) => metrics.nearest(t([[1]]), zeros([0, 1], { device: t(0).device })),
        says:
          "nearest: embeddings [1, 1] with gallery [0, 1]; " +
          "expected [n, features] and [m, features], m from 1",
      },
      {
        run: (t) => metrics.nearest(t([1]), t([[1]])),
        says:
          "nearest: embeddings [1] with gallery [1, 1]; " +
          "expected [n, features] and [m, features], m from 1",
      },
    ],
    gradient: "whole numbers",
  },
  rank1: {
    calls: [
      {
        inputs: [x(20, 3), whole(3, 20), x(9, 3), whole(3, 9)],
        run: (e, l, g, k) => metrics.rank1(e, l, g, k),
      },
    ],
    golden: [
      {
        run: (t) => {
          const gallery = t([[0], [10]]);
          const probes = t([[1], [2], [6], [11]]);
          return metrics.rank1(probes, t([7, 7, 7, 8], "i32"), gallery, t([7, 8], "u32"));
        },
        is: 0.75,
        by: "6 is nearer to 10",
      },
    ],
    rejects: [
      {
        run: (t) => metrics.rank1(t([[1]]), t([0], "i32"), t([[1]]), t([0])),
        says: "rank1: labels have dtype FLOAT; expected i32, u32, u8, i8, u16 or i16",
      },
      {
        run: (t) => metrics.rank1(t([[1]]), t([0, 1], "i32"), t([[1]]), t([0], "i32")),
        says: "rank1: labels [2]; expected [1], one for each embedding",
      },
      {
        run: (t) => metrics.rank1(t([[1]]), t([0], "i32"), t([[1, 2]]), t([0], "i32")),
        says:
          "rank1: embeddings [1, 1] with gallery [1, 2]; " +
          "expected [n, features] and [m, features], m from 1",
      },
    ],
    gradient: "a share of whole numbers",
  },
  spreadRatio: {
    calls: [
      {
        inputs: [x(65, 3), whole(4, 65)],
        run: (e, l) => metrics.spreadRatio(e, l, { classes: 3 }),
      },
    ],
    golden: [
      {
        run: (t) => metrics.spreadRatio(clusters(t), t([0, 0, 1, 1, 9], "i32"), { classes: 3 }),
        is: 25,
        by: "4 · 5² / 4; the example of no class does not count",
      },
      {
        run: (t) => {
          const spokes = t([
            [2, 0],
            [0, 3],
            [-9, 0],
            [0, -1],
          ]);
          const labels = t([0, 0, 1, 1], "i32");
          return metrics.spreadRatio(spokes, labels, { classes: 2, normalize: true });
        },
        is: 1,
        by: "4 · ½ / (4 · ½)",
      },
    ],
    rejects: [
      {
        run: (t) => metrics.spreadRatio(t([1]), t([0], "i32"), { classes: 1 }),
        says: "spreadRatio: embeddings [1]; expected [n, features]",
      },
      {
        run: (t) => metrics.spreadRatio(t([[1]]), t([0], "i32"), { classes: 0 }),
        says: "spreadRatio: classes 0; expected a positive integer",
      },
    ],
    gradient: true,
  },
} satisfies Partial<Record<keyof typeof metrics, OpCase>>;
