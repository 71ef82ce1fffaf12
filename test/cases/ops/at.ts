import * as ops from "../../../src/ops/index.ts";
import { whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const atCases = {
  at: {
    calls: [
      { inputs: [x(4, 5, 6)], run: (a) => ops.at(a, "1:, ::-2, -1") },
      { inputs: [x(4, 5, 6)], run: (a) => ops.at(ops.transpose(a), "..., None, 1:-1:2") },
      { inputs: [x(3)], run: (a) => ops.at(a, -2) },
      { inputs: [x()], run: (a) => ops.at(a, "None") },
      { inputs: [x(3, 2)], run: (a) => ops.at(a, "5:") },
      { inputs: [whole(9, 3)], run: (a) => ops.at(a, "") },
    ],
    golden: [
      {
        run: (t) => {
          const rows = t([
            [0, 1, 2, 3],
            [4, 5, 6, 7],
            [8, 9, 10, 11],
          ]);
          const texts = [
            "1",
            "-1, :",
            "::2, 3",
            ":, 1",
            "..., -4:2",
            "1:2,::-1,",
            "+1:9:1 , -2 : : -1",
          ];
          return ops.concat(texts.map((text) => ops.flatten(ops.at(rows, text))));
        },
        is: [
          4, 5, 6, 7, 8, 9, 10, 11, 3, 11, 1, 5, 9, 0, 1, 4, 5, 8, 9, 7, 6, 5, 4, 6, 5, 4, 10, 9, 8,
        ],
        by: "NumPy's numpy.arange(12).reshape(3, 4)[…]",
      },
    ],
    rejects: [
      {
        run: (t) => ops.at(t([1]), "a"),
        says: 'at: "a" in "a"; expected an integer, start:end:step, ... or None',
      },
      {
        run: (t) => ops.at(t([[1]]), "0,,"),
        says: 'at: "" in "0,,"; expected an integer, start:end:step, ... or None',
      },
      {
        run: (t) => ops.at(t([1]), "0:1:1:1"),
        says: 'at: "0:1:1:1" in "0:1:1:1"; expected an integer, start:end:step, ... or None',
      },
      {
        run: (t) => ops.at(t([1]), "1.5"),
        says: 'at: "1.5" in "1.5"; expected an integer, start:end:step, ... or None',
      },
      {
        run: (t) => ops.at(t([[1, 2]]), "0, 2"),
        says: "at: index 2 on axis 1 of [1, 2]; expected an integer in [-2, 1]",
      },
      {
        run: (t) => ops.at(t([1, 2]), -3),
        says: "at: index -3 on axis 0 of [2]; expected an integer in [-2, 1]",
      },
      {
        run: (t) => ops.at(t([1, 2]), "0, None, 1"),
        says: 'at: 2 axes in "0, None, 1" for [2]; expected at most 1',
      },
      {
        run: (t) => ops.at(t([1, 2]), "..., ..."),
        says: 'at: "..., ..." has several "..."; expected one at most',
      },
      {
        run: (t) => ops.at(t([1, 2]), "::0"),
        says: 'at: "::0" in "::0"; expected a step that is not 0',
      },
      {
        run: (t) => ops.at(t([1, 2]), 0.5),
        says: 'at: index 0.5; expected a text such as "1:, ::2, -1", or an integer',
      },
      {
        run: (t) => ops.at(t([1, 2]), [0] as never),
        says: 'at: index an array; expected a text such as "1:, ::2, -1", or an integer',
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
