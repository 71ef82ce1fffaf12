import * as ops from "../../../src/ops/index.ts";
import { N, whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const embeddingCases = {
  embedding: {
    calls: [
      { inputs: [x(5, 3), whole(5, 4)], run: (a, i) => ops.embedding(a, i), scale: 3 },
      {
        inputs: [x(6, 4), whole(6, 2, 5)],
        run: (a, i) => ops.embedding(a, i, { sparse: false }),
        scale: 3,
      },
      {
        inputs: [x(3, 6), whole(6, 9)],
        run: (a, i) => ops.embedding(ops.transpose(a), i, { sparse: true }),
        scale: 3,
      },
      {
        inputs: [x(4, 1), whole(4, 3), whole(4, 2)],
        run: (a, i, j) => {
          const [first, second] = [i, j].map((k) => ops.embedding(a, k, { sparse: true }));
          return ops.add(ops.sum(ops.square(first)), second);
        },
        scale: 9,
      },
      { inputs: [x(4, 2), whole(4, 0)], run: (a, i) => ops.embedding(a, i, { sparse: true }) },
    ],
    golden: [
      {
        run: (t) =>
          ops.embedding(
            t([
              [1, 2],
              [3, 4],
            ]),
            t([[1], [0], [2], [-1]], "i32"),
            { paddingIndex: 0 },
          ),
        is: [[[3, 4]], [[1, 2]], [[N, N]], [[N, N]]],
        by: "torch.nn.functional.embedding by hand, but outside is NaN",
      },
    ],
    rejects: [
      {
        run: (t) => ops.embedding(t([1]), t([0], "i32")),
        says: "embedding: weight [1]; expected [rows, columns]",
      },
      {
        run: (t) => ops.embedding(t([[1]]), t([0])),
        says: "embedding: ids have dtype FLOAT; expected i32 or u32",
      },
      {
        run: (t) => ops.embedding(t([[1]]), t([0], "i32"), { paddingIndex: 1 }),
        says: "embedding: paddingIndex 1; expected an integer in [-1, 0]",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
