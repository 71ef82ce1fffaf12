import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import type { Device } from "../../src/index.ts";
import type { OpCase } from "../../test/support/op-case.ts";
import { deviation } from "../../test/support/parity.ts";
import { type Check, type Context, messageOf } from "../context.ts";
import type { Row } from "../report.ts";
import { tellRows } from "./candidates.ts";

/** The numbers are the same in each run, so that two can be compared. */
const SEED = 11;

/** Runs calls of an op forward and backward; gives its worst error. */
async function tryOp(
  [name, row]: readonly [string, OpCase],
  calls: OpCase["calls"],
  device: Device,
  cpu: Device,
): Promise<Row> {
  let worst = 0;
  try {
    let where = "";
    for (const call of calls) {
      const found = await deviation(row, call, device, cpu, SEED);
      if (found.share > worst) ({ share: worst, where } = found);
    }
    return worst > 1 ? { name, worst, note: where } : { name, worst };
  } catch (error) {
    return { name, worst, note: `wrong: ${messageOf(error)}` };
  }
}

/** So that what there is no time for is not always the end of the alphabet. */
const STRIDE = 7;

function spread<T>(items: readonly T[]): T[] {
  return Array.from({ length: STRIDE }, (_, k) => items.filter((_, i) => i % STRIDE === k)).flat();
}

async function tryAll(context: Context, kind: string, device: Device, share: number) {
  const { isQuick } = context;
  const cpu = await context.bench.cpu();
  const all = spread(context.subjects.ops.filter(([, { calls }]) => calls.length > 0));
  const rows: Row[] = [];
  for (const op of all) {
    if (!context.within(share)) break;
    context.progress(`${op[0]}, ${kind} kernels`, rows.length / all.length);
    const { calls } = op[1];
    rows.push(await tryOp(op, isQuick ? calls.slice(0, 1) : calls, device, cpu));
  }
  rows.sort((a, b) => a.name.localeCompare(b.name, "en"));
  tellRows(context, `${kind} kernels, forward and gradient`, rows, all.length);
}

/** The rows of the tests' tables, against the CPU's specification in float64. */
export const ops: Check = {
  name: "Ops",
  seconds: { quick: 6, full: 240 },
  isOpen: true,
  run: async (context) => {
    const own = await context.bench.engine();
    const isTree = context.facts?.traits.workgroupMemory;
    const [first, second] = isTree
      ? (["workgroup", "direct"] as const)
      : (["direct", "workgroup"] as const);
    await tryAll(context, first, own, context.isQuick ? 1 : 0.5);
    if (context.isQuick || !context.hasTime) return;
    const other = new GpuDevice(own.device, own.adapter, { kernels: second });
    await tryAll(context, second, other, 1);
  },
};
