import * as ops from "../../../src/ops/index.ts";
import { binaryRejects, N, unaryRejects, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const INF = Number.POSITIVE_INFINITY;

export const floatBitsCases = {
  signBit: {
    calls: [{ inputs: [x(13, 5)], run: (a) => ops.signBit(ops.transpose(a)) }],
    golden: [
      {
        run: (t) => ops.signBit(t([-2, 2, -0, 0, -INF, N])),
        is: [1, 0, 1, 0, 1, 0],
        by: "definition",
      },
    ],
    rejects: unaryRejects("signBit"),
    gradient: "a bool",
  },
  copysign: {
    calls: [{ inputs: [x(13, 5), x(5)], run: ops.copysign }],
    golden: [
      {
        run: (t) => ops.copysign(t([2, -2, 2, -2, N, 2]), t([1, 1, -0, -INF, 1, N])),
        is: [2, 2, -2, -2, N, 2],
        by: "IEEE 754; NaN counts as +",
      },
    ],
    rejects: binaryRejects("copysign"),
    gradient: true,
  },
  nextafter: {
    calls: [{ inputs: [x(13, 5), x(5)], run: ops.nextafter }],
    golden: [
      {
        // In numbers of the last place of the dtype.
        run: (t) => {
          const [from, to] = [t([1, 1, 1, 1, -1, -1, 2]), t([2, -INF, 1, N, 0, -7, 0])];
          const epsilon = ops.sub(ops.nextafter(t([1]), 2), 1);
          return ops.div(ops.sub(ops.nextafter(from, to), from), epsilon);
        },
        is: [1, -0.5, 0, N, 0.5, -1, -1],
        by: "IEEE 754",
      },
      {
        run: (t) => ops.sign(ops.sub(1e38, ops.nextafter(t([INF, -INF]), 0))),
        is: [-1, 1],
        by: "the largest numbers",
      },
    ],
    rejects: binaryRejects("nextafter"),
    gradient: true,
  },
} satisfies OpCases;
