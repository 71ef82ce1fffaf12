import * as ops from "../../../src/ops/index.ts";
import { whole, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

export const flipCases = {
  flip: {
    calls: [
      { inputs: [x(2, 3, 4)], run: (a) => ops.flip(a, { axis: [0, -1] }) },
      { inputs: [x(5, 3)], run: (a) => ops.flip(ops.transpose(a)) },
      { inputs: [x()], run: (a) => ops.flip(a) },
      { inputs: [x(0, 3)], run: (a) => ops.flip(a) },
      { inputs: [whole(9, 5)], run: (a) => ops.flip(a, { axis: [] }) },
    ],
    golden: [
      {
        run: (t) =>
          ops.flip(
            t([
              [1, 2, 3],
              [4, 5, 6],
            ]),
            { axis: 1 },
          ),
        is: [
          [3, 2, 1],
          [6, 5, 4],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.flip(t([[1]]), { axis: [1, -1] }),
        says: "flip: axes [1, 1] repeat; expected each axis once",
      },
    ],
    gradient: true,
  },
  roll: {
    calls: [
      { inputs: [x(3, 4)], run: (a) => ops.roll(a, [1, -6], { axis: [0, -1] }) },
      { inputs: [x(3, 4)], run: (a) => ops.roll(ops.transpose(a), 5) },
      { inputs: [x(3, 4)], run: (a) => ops.roll(a, 4, { axis: 1 }) },
      { inputs: [x(0, 2)], run: (a) => ops.roll(a, 3, { axis: 0 }) },
      { inputs: [x()], run: (a) => ops.roll(a, 2) },
    ],
    golden: [
      {
        run: (t) =>
          ops.roll(
            t([
              [0, 1, 2, 3, 4],
              [5, 6, 7, 8, 9],
            ]),
            1,
          ),
        is: [
          [9, 0, 1, 2, 3],
          [4, 5, 6, 7, 8],
        ],
        by: "numpy.roll, as its documentation shows it",
      },
      {
        run: (t) =>
          ops.roll(
            t([
              [0, 1, 2, 3, 4],
              [5, 6, 7, 8, 9],
            ]),
            [2, 1],
            { axis: [1, 0] },
          ),
        is: [
          [8, 9, 5, 6, 7],
          [3, 4, 0, 1, 2],
        ],
        by: "numpy.roll, as its documentation shows it",
      },
    ],
    rejects: [
      {
        run: (t) => ops.roll(t([1, 2]), 0.5),
        says: "roll: shift 0.5 for all elements; expected an integer, or one for each axis",
      },
      {
        run: (t) => ops.roll(t([[1, 2]]), [1, 0.5], { axis: [0, 1] }),
        says: "roll: shift [1,0.5] for axes [0, 1]; expected an integer, or one for each axis",
      },
      {
        run: (t) => ops.roll(t([[1, 2]]), [1, 2], { axis: 1 }),
        says: "roll: shift [1,2] for axes [1]; expected an integer, or one for each axis",
      },
      {
        run: (t) => ops.roll(t([[1, 2]]), [1, 2], { axis: [1, -1] }),
        says: "roll: axes [1, 1] repeat; expected each axis once",
      },
    ],
    gradient: true,
  },
  rot90: {
    calls: [
      { inputs: [x(2, 3)], run: (a) => ops.rot90(a) },
      { inputs: [x(2, 3, 4)], run: (a) => ops.rot90(a, 3, { axis: [-1, 1] }) },
      { inputs: [x(2, 3)], run: (a) => ops.rot90(a, -2) },
      { inputs: [x(2, 0)], run: (a) => ops.rot90(a, 8) },
    ],
    golden: [
      {
        run: (t) => {
          const m = t([
            [1, 2],
            [3, 4],
          ]);
          return ops.stack([0, 1, 2, 3, -1].map((times) => ops.rot90(m, times)));
        },
        is: [
          [
            [1, 2],
            [3, 4],
          ],
          [
            [2, 4],
            [1, 3],
          ],
          [
            [4, 3],
            [2, 1],
          ],
          [
            [3, 1],
            [4, 2],
          ],
          [
            [3, 1],
            [4, 2],
          ],
        ],
        by: "numpy.rot90, as its documentation shows it",
      },
    ],
    rejects: [
      {
        run: (t) => ops.rot90(t([[1]]), 0.5),
        says: "rot90: times 0.5; expected an integer",
      },
      {
        run: (t) => ops.rot90(t([[1]]), 1, { axis: [0] as never }),
        says: "rot90: axis [0]; expected two axes",
      },
      {
        run: (t) => ops.rot90(t([1])),
        says: "rot90: axis 1; expected an integer in [-1, 0] for rank 1",
      },
      {
        run: (t) => ops.rot90(t([[1]]), 1, { axis: [0, -2] }),
        says: "rot90: axes [0, 0] repeat; expected each axis once",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
