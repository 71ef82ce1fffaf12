import type { Device } from "../../src/index.ts";
import type { Call, OpCase } from "../../test/support/op-case.ts";
import { disagreements, largestCall } from "../../test/support/special-values.ts";
import { type Check, messageOf } from "../context.ts";
import type { Row } from "../report.ts";

const SEED = 1;

/** What is tried where there is little time: each has bit tests of its own. */
const FEW = [
  "maximum",
  "relu",
  "softmax",
  "max",
  "where",
  "sign",
  "div",
  "logSumExp",
  "sort",
  "isNaN",
];

const SIGN = "a zero of the other sign: ";

/** What an op makes of special values in another way than specified; nothing where there is nothing. */
async function faultOf(
  row: OpCase,
  call: Call,
  devices: readonly [Device, Device],
): Promise<string | undefined> {
  const options = { seed: SEED, isHugeFine: false };
  const [found] = await disagreements(row, call, devices, options);
  if (!found) return undefined;
  const [fault] = await disagreements(row, call, devices, { ...options, areSignsFree: true });
  return fault ? `wrong: ${fault}` : SIGN + found;
}

/** What ops make of NaN, ±∞ and zeros of both signs, against the CPU's specification. */
export const specialValues: Check = {
  name: "NaN and ∞",
  seconds: { quick: 2, full: 120 },
  run: async (context) => {
    const devices = [await context.bench.engine(), await context.bench.cpu()] as const;
    const all = context.subjects.ops.filter(
      ([name, row]) => largestCall(row) && (!context.isQuick || FEW.includes(name)),
    );
    const rows: Row[] = [];
    for (const [name, row] of all) {
      if (!context.hasTime) break;
      context.progress(name, rows.length / all.length);
      const call = largestCall(row);
      if (!call) continue;
      try {
        rows.push({ name, note: await faultOf(row, call, devices) });
      } catch (error) {
        rows.push({ name, note: `wrong: ${messageOf(error)}` });
      }
    }
    const bad = rows.filter(({ note }) => note?.startsWith("wrong"));
    const turned = rows.filter(({ note }) => note?.startsWith(SIGN));
    const left = all.length - rows.length;
    context.line({
      name: "NaN, ±∞ and zeros of both signs, as ops take and give them",
      verdict: bad.length > 0 ? "wrong" : rows.length === 0 ? "not there" : "ok",
      text: [
        `${rows.length - bad.length} of ${all.length} as specified`,
        turned.length > 0
          ? `${turned.length} of them but for signs of zeros, which WGSL leaves open`
          : "",
        left > 0 ? `${left} left out for want of time` : "",
      ]
        .filter(Boolean)
        .join(", "),
      rows: [...bad, ...turned],
    });
  },
};
