import { beforeAll, describe, expect, test } from "vitest";
import { randomBits } from "../../../src/core/random.ts";
import { type Shape, sizeOf } from "../../../src/core/shape.ts";
import {
  compile,
  type Device,
  grad,
  matmul,
  mul,
  pad,
  permute,
  reshape,
  slice,
  sum,
  type Tensor,
  tensor,
  transpose,
  windows,
} from "../../../src/index.ts";
import { cpuEngines } from "../../support/cpu-engines.ts";

let compiled: Device;
let plain: Device;
beforeAll(async () => {
  ({ compiled, plain } = await cpuEngines());
});

const seed = Math.floor(Math.random() * 2 ** 31);

/** Numbers between −1 and 1, or some that are none. */
function drawn(shape: Shape, salt: number, isSpecial = false): Float32Array {
  const specials = [Number.NaN, Infinity, -Infinity, -0];
  return Float32Array.from(randomBits([seed, salt], sizeOf(shape)), (word) =>
    isSpecial && word % 29 === 0 ? specials[(word >>> 8) % 4] : (word >>> 8) / 2 ** 23 - 1,
  );
}

/**
 * Compares what `of` makes of random inputs in float32 with the specification in float64, where sums
 * have `terms` products; gives the ops of each group.
 */
async function compare(
  shapes: readonly Shape[],
  of: (...inputs: Tensor[]) => Tensor[],
  terms: number,
  isSpecial = false,
): Promise<{ groups: string[]; bytes: number }> {
  const values = shapes.map((shape, i) => drawn(shape, i, isSpecial));
  const place = (device: Device, dtype: "f32" | "f64") =>
    values.map((data, i) => tensor(data, { shape: shapes[i], device, dtype }));
  const run = compile(of);
  const found: ArrayLike<number>[][] = [];
  for (const inputs of [place(plain, "f64"), ...[0, 1].map(() => place(compiled, "f32"))]) {
    found.push(await Promise.all((await run(...inputs)).map((y) => y.data())));
  }
  const [wanted, own, again] = found;
  expect(again).toEqual(own);
  for (const [i, want] of wanted.entries()) {
    const wrong = [...Array(want.length).keys()].filter((j) => {
      const [a, b] = [own[i][j], want[j]];
      return !(Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-6 * terms);
    });
    expect(wrong.map((j) => [i, j, own[i][j], want[j]]).slice(0, 3), `seed ${seed}`).toEqual([]);
  }
  const stats = await run.plans.at(-1)?.stats();
  const groups = stats?.kernels.flatMap(({ groups }) => groups.map((ops) => ops.join("+")));
  return { groups: groups ?? [], bytes: stats?.peakBytes ?? 0 };
}

interface Settings {
  stride?: readonly [number, number];
  dilation?: readonly [number, number];
  margin?: number;
}

/** x * w for x [n, h, w, c] and w [kh, kw, c, o]. */
function convolution(x: Tensor, w: Tensor, { margin = 0, ...options }: Settings): Tensor {
  const [kh, kw, channels, outputs] = w.shape;
  const edges = [0, margin, margin, 0].map((n): [number, number] => [n, n]);
  const view = windows(margin > 0 ? pad(x, edges) : x, [kh, kw], { axis: [1, 2], ...options });
  const [n, oh, ow] = view.shape;
  const columns = reshape(permute(view, 0, 1, 2, 4, 5, 3), [n * oh * ow, kh * kw * channels]);
  const y = matmul(columns, reshape(w, [kh * kw * channels, outputs]));
  return reshape(y, [n, oh, ow, outputs]);
}

const CONVOLUTIONS: [Shape, Shape, Settings][] = [
  [[3, 14, 14, 16], [3, 3, 16, 32], {}],
  [[2, 9, 7, 3], [3, 2, 3, 5], { margin: 1 }],
  [[2, 11, 12, 1], [5, 3, 1, 9], { stride: [2, 3] }],
  [[5, 8, 9, 6], [2, 2, 6, 7], { dilation: [3, 2], margin: 2, stride: [1, 2] }],
  [[1, 40, 41, 2], [3, 3, 2, 4], {}],
];

describe.each(CONVOLUTIONS)("a convolution of %j with %j %j", (image, kernel, settings) => {
  const parts = (x: Tensor, w: Tensor, g: Tensor) => {
    const y = convolution(x, w, settings);
    return [
      y,
      ...grad(
        sum(
          mul(
            y,
            slice(
              g,
              y.shape.map((end) => ({ end })),
            ),
          ),
        ),
        [x, w],
      ),
    ];
  };
  const cotangent = [...image.slice(0, 1), 64, 64, kernel[3]];
  const terms = Math.max(image[0] * image[1] * image[2], kernel[0] * kernel[1] * kernel[2]);

  test("and its gradients, of ordinary numbers", async () => {
    const { groups } = await compare([image, kernel, cotangent], parts, terms);
    // No windows are stored but where their gradients are added.
    expect(groups.filter((ops) => ops.includes("windows"))).toEqual([]);
  });

  test("of NaN, infinities and zeros of both signs", async () => {
    await compare([image, kernel], (x, w) => [convolution(x, w, settings)], terms, true);
  });
});

test("a convolution takes much less memory than its windows", async () => {
  const image = [30, 16, 16, 16];
  const of = (x: Tensor, w: Tensor) => [convolution(x, w, {})];
  const { groups, bytes } = await compare([image, [3, 3, 16, 8]], of, 144);
  expect(groups).toEqual(["matmul"]);
  expect(bytes).toBeLessThan((4 * 30 * 14 * 14 * 144) / 8);
});

test("windows on the right of a product, and on both sides", async () => {
  const rows = (x: Tensor) => {
    const view = windows(x, 4, { axis: 1 }); // [channels, places, 4]
    return reshape(permute(view, 0, 2, 1), [x.shape[0] * 4, view.shape[1]]);
  };
  const of = (w: Tensor, x: Tensor) => {
    const y = matmul(w, rows(x));
    return [y, matmul(transpose(rows(x)), rows(x))];
  };
  const { groups } = await compare(
    [
      [7, 12],
      [3, 150],
    ],
    of,
    12,
  );
  expect(groups).toEqual(["matmul", "matmul"]);
});

test.each([
  [37, 1030, 19],
  [5, 2053, 4],
  [8, 513, 33],
])(
  "sums of products [%i, %i] · [%i] that are cut, as they lie, transposed and turned",
  async (m, k, n) => {
    const shapes = [
      [m, k],
      [k, m],
      [k, n],
      [n, k],
    ];
    const turned = (x: Tensor) => slice(x, [{ step: -1 }, { step: -1 }]);
    const of = (a: Tensor, at: Tensor, b: Tensor, bt: Tensor) => [
      matmul(a, b),
      matmul(transpose(at), transpose(bt)),
      matmul(turned(a), turned(b)),
      matmul(a.add(1), transpose(bt).mul(2)),
    ];
    await compare(shapes, of, 4 * k);
  },
);

test("rows that fall on each other in a cache are put in order first", async () => {
  const some = (x: Tensor) => slice(x, [{}, { start: 3, end: 40 }]); // 1024 apart
  const of = (a: Tensor, b: Tensor) => [matmul(transpose(some(a)), b)];
  await compare(
    [
      [300, 1024],
      [300, 61],
    ],
    of,
    300,
  );
  await compare(
    [
      [1030, 1024],
      [1030, 18],
    ],
    of,
    1030,
  );
  const batch = (a: Tensor, b: Tensor) => [
    matmul(permute(slice(a, [{}, {}, { end: 30 }]), 0, 2, 1), b).mul(2),
  ];
  await compare(
    [
      [2, 70, 1024],
      [2, 70, 250],
    ],
    batch,
    70,
  );
});
