import * as ops from "../../../src/ops/index.ts";
import { signed, x } from "../../support/op-calls.ts";
import type { Make, OpCases } from "../../support/op-case.ts";

/** 0, 1, … in a shape. */
const range = (t: Make, ...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return ops.reshape(t(Array.from({ length: size }, (_, i) => i)), shape);
};

export const einsumCases = {
  einsum: {
    calls: [
      {
        inputs: [x(2, 3, 4), x(2, 5, 4)],
        run: (a, b) => ops.einsum("bik,bjk->jbi", a, b),
        scale: 2,
      },
      // Diagonals, sums of one term alone, a broadcast axis and an ellipsis.
      {
        inputs: [x(3, 4, 3, 2), x(2, 1, 5, 2)],
        run: (a, b) => ops.einsum("ikid,...md->...i", a, b),
        scale: 8,
      },
      {
        inputs: [x(2, 3), x(3, 4), x(4, 2), x(2)],
        run: (...all) => ops.einsum("ij,jk,kl,l->il", ...all),
        scale: 4,
      },
      { inputs: [x(3, 3, 3)], run: (a) => ops.einsum("iij->ji", a) },
      { inputs: [x(2, 3), x(2, 3)], run: (a, b) => ops.einsum("ij,ij->j", a, b), scale: 2 },
      { inputs: [signed(2, 3), signed(3, 4)], run: (a, b) => ops.einsum("ij,jk", a, b) },
      { inputs: [x(2, 0), x(0, 3)], run: (a, b) => ops.einsum("ij,jk", a, b) },
      { inputs: [x(), x()], run: (a, b) => ops.einsum(",->", a, b) },
    ],
    golden: [
      {
        run: (t) => {
          const [a, b, c] = [range(t, 5, 5), range(t, 5), range(t, 2, 3)];
          const [p, q] = [range(t, 3, 4, 5), range(t, 4, 3, 2)];
          return ops.concat(
            [
              ops.einsum("ii", a),
              ops.einsum("ii->i", a),
              ops.einsum("ij->i", a),
              ops.einsum("ij,j", a, b),
              ops.einsum("ji", c),
              ops.einsum("..., ...", t(3), c),
              ops.einsum("i,j", t([1, 2]), b),
              ops.einsum("ijk,jil->kl", p, q),
              ops.einsum("k...,jk", range(t, 2, 3), range(t, 2, 2)),
              ops.einsum("...i->i", c),
              ops.einsum("iii->i", range(t, 2, 2, 2)),
            ].map((y) => ops.flatten(y)),
          );
        },
        is: [
          [60],
          [0, 6, 12, 18, 24],
          [10, 35, 60, 85, 110],
          [30, 80, 130, 180, 230],
          [0, 3, 1, 4, 2, 5],
          [0, 3, 6, 9, 12, 15],
          [0, 1, 2, 3, 4, 0, 2, 4, 6, 8],
          [4400, 4730, 4532, 4874, 4664, 5018, 4796, 5162, 4928, 5306],
          [3, 9, 4, 14, 5, 19],
          [3, 5, 7],
          [0, 7],
        ].flat(),
        by: "numpy.einsum, as its documentation shows it",
      },
    ],
    rejects: [
      {
        run: (t) => ops.einsum("ij,jk", t([[1]])),
        says: 'einsum: "ij,jk" for 1 tensors; expected one term for each',
      },
      {
        run: () => ops.einsum("->"),
        says: 'einsum: "->" for 0 tensors; expected one term for each',
      },
      {
        run: (t) => ops.einsum("ij->j->i", t([[1]])),
        says: 'einsum: several -> in "ij->j->i"; expected one at most',
      },
      {
        run: (t) => ops.einsum("i1", t([[1]])),
        says: 'einsum: "i1"; expected letters, and "..." once at most',
      },
      {
        run: (t) => ops.einsum("...i...", t([[1]])),
        says: 'einsum: "...i..."; expected letters, and "..." once at most',
      },
      {
        run: (t) => ops.einsum("i->i.", t([1])),
        says: 'einsum: "i."; expected letters, and "..." once at most',
      },
      {
        run: (t) => ops.einsum("i", t([[1]])),
        says: 'einsum: "i" for [1, 1]; expected 2 letters',
      },
      {
        run: (t) => ops.einsum("...ij", t([1])),
        says: 'einsum: "...ij" for [1]; expected at most 1 letters',
      },
      {
        run: (t) => ops.einsum("i->ii", t([1])),
        says: 'einsum: "i" twice in the output "ii"; expected once',
      },
      {
        run: (t) => ops.einsum("i->ik", t([1])),
        says: 'einsum: "k" of the output "ik" in no term; expected letters of the terms',
      },
      {
        run: (t) => ops.einsum("ij,jk", t([[1, 2]]), t([[1], [2], [3]])),
        says: 'einsum: "j" has sizes 2 and 3; expected one size, or 1',
      },
      {
        run: (t) => ops.einsum("...,...", t([1, 2]), t([1, 2, 3])),
        says: 'einsum: axis -1 of "..." has sizes 2 and 3; expected one size, or 1',
      },
      {
        run: (t) => ops.einsum("ii", t([[1, 2]])),
        says: 'einsum: "i" has sizes 1 and 2 in one term; expected a square',
      },
      {
        run: (t) => ops.einsum("i,i", t([1]), t([1], "i32")),
        says: "einsum: dtypes FLOAT and i32 differ; expected one dtype. cast one of them",
      },
      {
        run: (t) => ops.einsum("i", t([true])),
        says: "einsum: dtype bool; expected f32, f64, i32, u32. cast it first",
      },
      {
        run: (t) => ops.einsum(t([1]) as never),
        says: 'einsum: subscripts a Tensor; expected a text such as "ij,jk->ik"',
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
