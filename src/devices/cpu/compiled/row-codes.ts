import type { KernelForm } from "../../../forms/kernel.ts";
import { applyFormula } from "../../../forms/scalars.ts";
import type { Attributes, Op } from "../../../graph/op.ts";
import { foldRows } from "./fold-rows.ts";
import type { GroupCode } from "./group-code.ts";
import type { GroupWriter } from "./group-writer.ts";
import type { LaneWriter } from "./lane-scalars.ts";
import { fixed, foldOf, LARGEST, SUM } from "./row-folds.ts";
import { rowsCode } from "./rows.ts";
import type { Vector } from "./vector-body.ts";

const HUGE = 3.4028234663852886e38;

/** The code of reductions. */
export function reductionCode(group: GroupWriter): GroupCode {
  return rowsCode(group, (rows, block) => {
    const { combine, identity } = rows.functions;
    const fold = foldOf(rows.dtype, combine, identity);
    rows.storeRow(block, [foldRows(rows, block, fold)]);
  });
}

/** The code of softmax, its logarithm, and the logarithm of its sum. */
export function softmaxCode(group: GroupWriter): GroupCode {
  const { op } = group.program[group.group.anchors[0]];
  const { result } = (op as Op).form as KernelForm<Attributes>;
  if (result) return logSumExpCode(group);
  return rowsCode(group, (rows, block) => {
    const maximum = foldRows(rows, block, LARGEST);
    const m = (writer: LaneWriter) => writer.scalars(rows.dtype);
    const power = (writer: LaneWriter, x: Vector, largest: Vector) =>
      m(writer).call("g_exp", m(writer).call("-", x, largest));
    const isKept = rows.keeps(block, power);
    const sum = foldRows(
      rows,
      block,
      SUM,
      (writer, x, part) => power(writer, x, fixed(writer, maximum[part])),
      isKept,
    );
    rows.storeAll(block, (writer, x, part) => {
      const own = [maximum, sum].map((locals) => fixed(writer, locals[part]));
      if (isKept) writer.body.replace(power(writer, x, own[0]), rows.kept(block, writer, part));
      return applyFormula(rows.functions.finish, m(writer), [x, ...own]);
    });
  });
}

/** The code of log Σ exp(x). */
function logSumExpCode(group: GroupWriter): GroupCode {
  return rowsCode(group, (rows, block) => {
    const maximum = foldRows(rows, block, LARGEST);
    const sum = foldRows(rows, block, SUM, (writer, x, part) => {
      const m = writer.scalars(rows.dtype);
      // Infinities are no maximum to take from others: ∞ − ∞ would make a NaN of a row without one.
      const [low, high] = [-HUGE, HUGE].map((limit) => m.literal(limit));
      const largest = m.call("max", m.call("min", fixed(writer, maximum[part]), high), low);
      return m.call("g_exp", m.call("-", x, largest));
    });
    rows.storeRow(block, [sum], (writer, total, part) => {
      const m = writer.scalars(rows.dtype);
      return m.call("+", writer.body.local(maximum[part]), m.call("g_log", total));
    });
  });
}
