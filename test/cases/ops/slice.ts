import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { signed, x } from "../../support/op-calls.ts";
import type { Golden, OpCases } from "../../support/op-case.ts";

/** NumPy's `numpy.arange(6)[start:end:step]`. */
const sliceGoldens: Golden[] = (
  [
    [{ start: 4, end: 99 }, [4, 5]],
    [{ start: -99, end: 2 }, [0, 1]],
    [{ start: 6 }, []],
    [{ start: 4, end: 2 }, []],
    [{ start: -2, end: -1 }, [4]],
    [{ step: -1 }, [5, 4, 3, 2, 1, 0]],
    [{ step: -2 }, [5, 3, 1]],
    [{ start: 3, step: -1 }, [3, 2, 1, 0]],
    [{ start: 99, end: 3, step: -1 }, [5, 4]],
    [{ end: -5, step: -2 }, [5, 3]],
    [{ start: 1, end: -99, step: -1 }, [1, 0]],
    [{ start: -99, step: -1 }, []],
    [{ start: 2, end: 2, step: -1 }, []],
    [{ step: 99 }, [0]],
  ] as const
).map(([range, is]) => ({
  run: (t) => ops.slice(t([0, 1, 2, 3, 4, 5]), [range]),
  is: [...is],
  by: `NumPy, ${JSON.stringify(range)}`,
}));

export const sliceCases = {
  slice: {
    calls: [
      { inputs: [x(5, 6)], run: (a) => ops.slice(a, [{ start: 1, end: -1 }, { step: 4 }]) },
      { inputs: [x(5, 6)], run: (a) => ops.slice(a, [{ start: 2, end: 2 }]) },
      { inputs: [x(6, 5)], run: (a) => ops.slice(ops.transpose(a), [{}, { start: -3, step: 2 }]) },
      {
        inputs: [x(5, 6)],
        run: (a) => ops.slice(a, [{ step: -1 }, { start: 9, end: 1, step: -2 }]),
      },
      { inputs: [x(6, 5)], run: (a) => ops.slice(ops.slice(a, [{ step: -2 }]), [{ step: -1 }]) },
      { inputs: [x(3, 4)], run: (a) => ops.slice(a, [{ start: 2, end: 9 }, { start: -9 }]) },
      { inputs: [x(0, 3)], run: (a) => ops.slice(a, [{ step: -1 }]) },
    ],
    golden: [
      {
        run: (t) => ops.slice(t([1, 2, 3, 4, 5]), [{ start: 1, step: 2 }]),
        is: [2, 4],
        by: "by hand",
      },
      ...sliceGoldens,
    ],
    rejects: [
      {
        run: (t) => ops.slice(t([1, 2]), [{ end: 2.5 }]),
        says:
          "slice: start undefined, end 2.5, step 1 on axis 0; expected integers, and a step that " +
          "is not 0",
      },
      {
        run: (t) => ops.slice(t([1, 2]), [{ start: 1, step: 0 }]),
        says:
          "slice: start 1, end undefined, step 0 on axis 0; expected integers, and a step that " +
          "is not 0",
      },
      {
        run: (t) => ops.slice(t([1, 2]), [1 as never]),
        says: "slice: options 1; expected an object of start, end, step. Did you mean { start: 1 }?",
        error: GradusError,
      },
      {
        run: (t) => ops.slice(t([1, 2]), 1 as never),
        says: "slice: ranges 1; expected an array of { start, end, step }",
      },
      {
        run: (t) => ops.slice(t([1]), [{}, {}]),
        says: "slice: 2 ranges for [1]; expected at most 1",
      },
    ],
    gradient: true,
  },
  concat: {
    calls: [
      { inputs: [x(2, 3), x(2, 1), x(2, 4)], run: (...a) => ops.concat(a, { axis: -1 }) },
      { inputs: [x(2, 3), x(0, 3), x(1, 3)], run: (...a) => ops.concat(a) },
      { inputs: [signed(3), signed(2)], run: (...a) => ops.concat(a) },
      {
        inputs: Array.from({ length: 20 }, (_, i) => x(1 + (i % 3))),
        run: (...a) => ops.concat(a),
      },
    ],
    golden: [
      {
        run: (t) => ops.concat([t([[1], [2]]), t([[3], [4]])], { axis: 1 }),
        is: [
          [1, 3],
          [2, 4],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: () => ops.concat([]),
        says: "concat: no tensors; expected an array of at least one tensor",
      },
      {
        run: (t) => ops.concat([t([[1, 2]]), t([[1]])]),
        says:
          "concat: FLOAT [1, 1] beside FLOAT [1, 2] along axis 0; " +
          "expected one dtype and equal other axes",
      },
    ],
    gradient: true,
  },
  stack: {
    calls: [{ inputs: [x(2, 3), x(2, 3)], run: (...a) => ops.stack(a, { axis: 1 }) }],
    golden: [
      {
        run: (t) => ops.stack([t([1, 2]), t([3, 4])]),
        is: [
          [1, 2],
          [3, 4],
        ],
        by: "by hand",
      },
      {
        run: (t) => ops.stack([t([1, 2]), t([3, 4])], { axis: -1 }),
        is: [
          [1, 3],
          [2, 4],
        ],
        by: "by hand",
      },
    ],
    rejects: [
      {
        run: () => ops.stack([]),
        says: "stack: no tensors; expected an array of at least one tensor",
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
