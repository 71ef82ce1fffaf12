import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { rotated } from "../../support/attention.ts";
import { whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const rows = [
  [1, -2, 0.5, 3],
  [-1, 0.25, 2, -0.5],
  [0.75, 1.5, -3, 1],
];
const halves = (pair: number, pairs: number) => [pair, pair + pairs] as const;
const neighbours = (pair: number) => [2 * pair, 2 * pair + 1] as const;
const INDEPENDENT = "an independent program in float64";

export const rotaryEmbeddingCases = {
  rotaryEmbedding: {
    calls: [
      { inputs: [x(2, 3, 5, 8)], run: (a) => ops.rotaryEmbedding(a) },
      {
        inputs: [x(3, 33, 6)],
        run: (a) => ops.rotaryEmbedding(a, { interleaved: true, offset: 2000, base: 500 }),
        scale: 2,
      },
      {
        inputs: [x(2, 4, 4), whole(4096, 2, 4)],
        run: (a, positions) => ops.rotaryEmbedding(a, { positions }),
        scale: 2,
      },
      {
        inputs: [x(4, 2, 4)],
        run: (a) => ops.rotaryEmbedding(ops.permute(a, [1, 0, 2]), { interleaved: true }),
      },
      { inputs: [x(0, 4)], run: (a) => ops.rotaryEmbedding(a) },
      { inputs: [x(3, 0)], run: (a) => ops.rotaryEmbedding(a) },
    ],
    golden: [
      {
        run: (t) => ops.rotaryEmbedding(t(rows)),
        is: rotated(rows, [0, 1, 2], 10_000, halves),
        by: INDEPENDENT,
      },
      {
        run: (t) => ops.rotaryEmbedding(t(rows), { interleaved: true, offset: 7, base: 100 }),
        is: rotated(rows, [7, 8, 9], 100, neighbours),
        by: INDEPENDENT,
      },
      {
        run: (t) => ops.rotaryEmbedding(t(rows), { positions: t([29, 0, 12], "i32") }),
        is: rotated(rows, [29, 0, 12], 10_000, halves),
        by: INDEPENDENT,
      },
    ],
    rejects: [
      {
        run: (t) => ops.rotaryEmbedding(t([1, 2])),
        says: "rotaryEmbedding: input [2]; expected […, length, e], e even",
      },
      {
        run: (t) => ops.rotaryEmbedding(t([[1]])),
        says: "rotaryEmbedding: input [1, 1]; expected […, length, e], e even",
      },
      {
        run: (t) => ops.rotaryEmbedding(t([[1, 2]], "i32")),
        says: "rotaryEmbedding: dtype i32; expected f32, f64",
      },
      {
        run: (t) => ops.rotaryEmbedding(t([[1, 2]]), { base: 0 }),
        says: "rotaryEmbedding: base 0; expected a finite number above 0",
        error: GradusError,
      },
      {
        run: (t) => ops.rotaryEmbedding(t([[1, 2]]), { offset: -1 }),
        says: "rotaryEmbedding: offset -1; expected an integer from 0 to 2^24",
        error: GradusError,
      },
      {
        run: (t) => ops.rotaryEmbedding(t([[1, 2]]), { offset: 0, positions: t([0], "i32") }),
        says: "rotaryEmbedding: offset and positions; expected one of them",
        error: GradusError,
      },
      {
        run: (t) => ops.rotaryEmbedding(t([[1, 2]]), { positions: t([0]) }),
        says: "rotaryEmbedding: positions have dtype FLOAT; expected i32 or u32",
      },
      {
        run: (t) => ops.rotaryEmbedding(t([[1, 2]]), { positions: t([0, 1], "i32") }),
        says: "rotaryEmbedding: positions [2]; expected what broadcasts to [1]",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
