import type { Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

/** All parts in one tensor, each with another factor. */
const joined = (parts: readonly Tensor[]) =>
  ops.concat(parts.map((part, i) => ops.flatten(ops.mul(part, i + 1))));

export const splitCases = {
  split: {
    calls: [
      { inputs: [x(4, 6)], run: (a) => joined(ops.split(a, [1, -1, 0, 2], { axis: -1 })) },
      { inputs: [x(4, 6)], run: (a) => joined(ops.split(ops.transpose(a), 3)) },
      { inputs: [x(0, 2)], run: (a) => joined(ops.split(a, 1)) },
    ],
    golden: [
      {
        run: (t) => joined(ops.split(t([1, 2, 3, 4]), [1, -1])),
        is: [1, 4, 6, 8],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.split(t([1, 2, 3]), 2),
        says:
          "split: 2 for axis 0 of [3]; expected a divisor of 3, or sizes that add up to it, at most " +
          "one of them -1",
      },
      {
        run: (t) => ops.split(t([1, 2, 3]), [1, 1]),
        says:
          "split: [1,1] for axis 0 of [3]; expected a divisor of 3, or sizes that add up to it, at " +
          "most one of them -1",
      },
      {
        run: (t) => ops.split(t([1, 2, 3]), [-1, -1, 1]),
        says:
          "split: [-1,-1,1] for axis 0 of [3]; expected a divisor of 3, or sizes that add up to it, " +
          "at most one of them -1",
      },
      {
        run: (t) => ops.split(t([1, 2, 3]), 0),
        says:
          "split: 0 for axis 0 of [3]; expected a divisor of 3, or sizes that add up to it, at most " +
          "one of them -1",
      },
    ],
    gradient: true,
  },
  chunk: {
    calls: [
      { inputs: [x(2, 7)], run: (a) => joined(ops.chunk(a, 3, { axis: 1 })) },
      { inputs: [x(2)], run: (a) => joined(ops.chunk(a, 9)) },
      { inputs: [x(0)], run: (a) => joined(ops.chunk(a, 2)) },
    ],
    golden: [
      { run: (t) => joined(ops.chunk(t([1, 2, 3]), 2)), is: [1, 2, 6], by: "by hand" },
      {
        run: (t) => t(ops.chunk(t([1, 2, 3, 4, 5, 6, 7, 8, 9]), 4).map(({ size }) => size)),
        is: [3, 3, 3],
        by: "torch.chunk: three parts of three",
      },
    ],
    rejects: [
      {
        run: (t) => ops.chunk(t([1]), 0),
        says: "chunk: count 0; expected an integer from 1",
      },
    ],
    gradient: true,
  },
  unbind: {
    calls: [
      { inputs: [x(2, 3, 2)], run: (a) => joined(ops.unbind(a, { axis: 1 })) },
      { inputs: [whole(9, 2)], run: (a) => joined(ops.unbind(a)) },
    ],
    golden: [
      {
        run: (t) =>
          ops.unbind(
            t([
              [1, 2],
              [3, 4],
            ]),
            { axis: -1 },
          )[1],
        is: [2, 4],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.unbind(t(1)),
        says: "unbind: axis 0; expected an integer in [0, -1] for rank 0",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
