import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { N, unaryRejects, viewCall } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const DIGITS = "40 digits in decimal arithmetic";

const trigamma = (x: Parameters<typeof ops.polygamma>[0]) => ops.polygamma(x, 1);

export const gammaCases = {
  lgamma: {
    calls: [viewCall(ops.lgamma, 0.2, 9), viewCall(ops.lgamma, -2.9, -2.1)],
    golden: [
      {
        run: (t) => ops.lgamma(t([0.25, 1, 1.5, 2, 2.5, 10, -0.5, -2.25])),
        is: [
          1.2880225246980774, 0, -0.12078223763524522, 0, 0.2846828704729192, 12.801827480081469,
          1.2655121234846454, 0.5555015450206475,
        ],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("lgamma"),
    gradient: true,
  },
  digamma: {
    calls: [viewCall(ops.digamma, 0.2, 9), viewCall(ops.digamma, -2.9, -2.1)],
    golden: [
      {
        run: (t) => ops.digamma(t([0.25, 1, 1.5, 2.5, 10, -0.5, -2.25, -3])),
        is: [
          -4.2274535333762655,
          -0.5772156649015329,
          0.03648997397857652,
          0.7031566406452432,
          2.251752589066721,
          0.03648997397857652,
          4.158583564657972,
          N,
        ],
        by: DIGITS,
      },
    ],
    rejects: unaryRejects("digamma"),
    gradient: true,
  },
  polygamma: {
    calls: [viewCall(trigamma, 0.5, 9), viewCall((x) => ops.polygamma(x, 2), -2.8, -2.2)],
    golden: [
      {
        run: (t) => trigamma(t([0.25, 1, 1.5, 2.5, 10, -0.5, -2.25])),
        is: [
          17.19732915450711, 1.6449340668482264, 0.9348022005446793, 0.49035775610023485,
          0.10516633568168575, 8.934802200544679, 19.37941051186914,
        ],
        by: DIGITS,
      },
      {
        run: (t) => ops.polygamma(t([0.25, 1, 1.5, 2.5, 10, -0.5, -2.25, -3]), 2),
        is: [
          -129.32773993753693,
          -2.4041138063191885,
          -0.82879664423432,
          -0.2362040516417274,
          -0.011049834970802067,
          -0.82879664423432,
          123.89694977406016,
          N,
        ],
        by: DIGITS,
      },
      {
        run: (t) => ops.polygamma(t([1, 1.5, 2.5, 10, -0.5, -2.25]), 5),
        is: [
          122.0811674381339, 11.113548602435497, 0.5785691785671835, 0.0003059451621172682,
          15371.113548602436, 492231.1355044701,
        ],
        by: DIGITS,
      },
      { run: (t) => ops.polygamma(t([1]), 0), is: [-0.5772156649015329], by: "digamma" },
    ],
    rejects: [
      {
        run: (t) => ops.polygamma(t([true]), 1),
        says: "polygamma: dtype bool; expected f32, f64. cast it first",
      },
      {
        run: (t) => ops.polygamma(t([1]), -1),
        says: "polygamma: order -1; expected an integer from 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
