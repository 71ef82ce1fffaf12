import * as ops from "../../../src/ops/index.ts";
import { type Binary, binaryCalls, binaryRejects, bools, signed } from "../../support/op-calls.ts";
import type { OpCase, OpCases } from "../../support/op-case.ts";

const compare = (name: keyof typeof ops, is: number[]): OpCase => ({
  calls: [
    ...binaryCalls(ops[name] as Binary).filter(({ inputs }) => inputs.length === 2),
    { inputs: [signed(5, 4), signed(4)], run: (a, b) => (ops[name] as Binary)(a, b) },
  ],
  golden: [
    { run: (t) => (ops[name] as Binary)(t([1, 2, 3]), 2), is, by: "definition" },
    {
      run: (t) => (ops[name] as Binary)(t([1, 2, 3], "i32"), t([2], "i32")),
      is,
      by: "definition",
    },
  ],
  rejects: binaryRejects(name),
  gradient: "a bool",
});

const logical = (name: "logicalAnd" | "logicalOr" | "logicalXor", is: number[]): OpCase => ({
  calls: [{ inputs: [bools(3, 4), bools(4)], run: (a, b) => ops[name](a, b) }],
  golden: [
    {
      run: (t) => ops[name](t([false, false, true, true]), t([false, true, false, true])),
      is,
      by: "truth table",
    },
  ],
  rejects: [{ run: (t) => ops[name](t([1]), t([1])), says: `${name}: dtype FLOAT; expected bool` }],
  gradient: "a bool",
});

export const compareCases = {
  equal: compare("equal", [0, 1, 0]),
  notEqual: compare("notEqual", [1, 0, 1]),
  less: compare("less", [1, 0, 0]),
  lessEqual: compare("lessEqual", [1, 1, 0]),
  greater: compare("greater", [0, 0, 1]),
  greaterEqual: compare("greaterEqual", [0, 1, 1]),
  logicalAnd: logical("logicalAnd", [0, 0, 0, 1]),
  logicalOr: logical("logicalOr", [0, 1, 1, 1]),
  logicalXor: logical("logicalXor", [0, 1, 1, 0]),
  logicalNot: {
    calls: [{ inputs: [bools(3, 4)], run: ops.logicalNot }],
    golden: [{ run: (t) => ops.logicalNot(t([true, false])), is: [0, 1], by: "truth table" }],
    rejects: [
      { run: (t) => ops.logicalNot(t([1])), says: "logicalNot: dtype FLOAT; expected bool" },
    ],
    gradient: "a bool",
  },
} satisfies OpCases;
