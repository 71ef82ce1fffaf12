import { type Check, messageOf } from "../context.ts";
import { INPUT, INVOCATIONS, LOOPS, type LoopCase, loopCode } from "../loops.ts";
import { runOnce } from "../raw.ts";
import type { Row } from "../report.ts";

/** Runs a kernel of a known result; null where it is right. */
export async function tryLoop(device: GPUDevice, loop: LoopCase): Promise<Row | null> {
  const { name, result } = loop;
  try {
    const y = await runOnce(device, loopCode(loop), INPUT, new Uint32Array(INVOCATIONS));
    const i = y.findIndex((value, i) => value !== result(i, INPUT[i]));
    if (i < 0) return null;
    return { name, note: `wrong: invocation ${i} gave ${y[i]}; expected ${result(i, INPUT[i])}` };
  } catch (error) {
    return { name, note: `wrong: ${messageOf(error)}` };
  }
}

/** Control flow that some compiler or other has got wrong. */
export const loops: Check = {
  name: "Loops",
  seconds: { quick: 1.5, full: 5 },
  run: async (context) => {
    const device = await context.bench.gpu();
    const rows: Row[] = [];
    let tried = 0;
    for (const loop of LOOPS) {
      if (context.isStopped) break;
      context.progress(loop.name, tried / LOOPS.length);
      const row = await tryLoop(device, loop);
      tried++;
      if (row) rows.push(row);
    }
    context.line({
      name: "control flow of known results",
      verdict: rows.length > 0 ? "wrong" : "ok",
      text: `${tried - rows.length} of ${LOOPS.length} right`,
      rows,
    });
  },
};
