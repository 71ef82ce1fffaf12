import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { CLOSED_FORM, like, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const NO_INPUTS = "has no inputs";

export const gridsCases = {
  linspace: {
    calls: [{ inputs: [x(7)], run: (a) => ops.add(a, ops.linspace(-1, 2, 7, like(a))) }],
    golden: [
      {
        run: (t) => {
          const own = like(t([0]));
          return ops.concat([
            ops.linspace(0, 1, 5, own),
            ops.linspace(1, 0, 4, { ...own, endpoint: false }),
            ops.linspace(3, 9, 1, own),
            ops.linspace(3, 9, 0, own),
            ops.linspace(3, 9, 1, { ...own, endpoint: false }),
            ops.linspace(2, 2, 2, own),
          ]);
        },
        is: [0, 0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25, 3, 3, 2, 2],
        by: CLOSED_FORM,
      },
    ],
    rejects: [
      {
        run: () => ops.linspace(0, Number.NaN, 5),
        says: "linspace: end NaN; expected a finite number",
        error: GradusError,
      },
      {
        run: () => ops.linspace(0, 1, -1),
        says: "linspace: count -1; expected an integer from 0",
      },
      {
        run: () => ops.linspace(0, 1, 3, { dtype: "i32" }),
        says: "linspace: dtype i32; expected f32, f64",
      },
    ],
    gradient: NO_INPUTS,
  },
  logspace: {
    calls: [
      { inputs: [x(7)], run: (a) => ops.mul(a, ops.logspace(-1, 2, 7, like(a))), scale: 100 },
    ],
    golden: [
      {
        run: (t) => {
          const own = like(t([0]));
          return ops.concat([
            ops.logspace(-1, 1, 3, own),
            ops.logspace(0, 4, 4, { ...own, base: 2, endpoint: false }),
          ]);
        },
        is: [0.1, 1, 10, 1, 2, 4, 8],
        by: CLOSED_FORM,
      },
    ],
    rejects: [
      {
        run: () => ops.logspace(0, 1, 2, { base: 0 }),
        says: "logspace: base 0; expected a finite number above 0",
        error: GradusError,
      },
    ],
    gradient: NO_INPUTS,
  },
  meshgrid: {
    calls: [
      {
        inputs: [x(3), x(2), x(4)],
        run: (...a) => ops.meshgrid(a).reduce((p, q) => ops.add(ops.mul(p, 2), q)),
      },
      {
        inputs: [x(3), x(), x(2)],
        run: (...a) => ops.stack(ops.meshgrid(a, { indexing: "ij" })),
      },
      { inputs: [x(3), x(0)], run: (...a) => ops.stack(ops.meshgrid(a)) },
      { inputs: [x(3)], run: (...a) => ops.meshgrid(a)[0] },
    ],
    golden: [
      {
        run: (t) => ops.stack(ops.meshgrid([t([1, 2, 3]), t([4, 5])])),
        is: [
          [
            [1, 2, 3],
            [1, 2, 3],
          ],
          [
            [4, 4, 4],
            [5, 5, 5],
          ],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: (t) => ops.meshgrid([t([1]), t([[1]])]),
        says: "meshgrid: shape [1, 1]; expected vectors",
      },
      {
        run: (t) => ops.meshgrid([t([1])], { indexing: "yx" as never }),
        says: 'meshgrid: indexing yx; expected xy, ij. Did you mean "xy"?',
        error: GradusError,
      },
      {
        run: () => ops.meshgrid([]),
        says: "meshgrid: no tensors; expected an array of at least one tensor",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
