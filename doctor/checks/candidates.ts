import { labelOf } from "../../bench/kernels/sweep.ts";
import { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import type { GpuSession } from "../../src/devices/webgpu/session.ts";
import type { Choose, Family, KernelChoice } from "../../src/forms/kernel.ts";
import { type Device, tensor } from "../../src/index.ts";
import { stageOf } from "../../src/kernels/stage.ts";
import { matricesOf } from "../../src/kernels/subgroup-matrices.ts";
import type { SubgroupSizes } from "../../src/kernels/subgroup-products.ts";
import { lanesOf } from "../../src/kernels/subgroup-trees.ts";
import { type FamilyCall, waysOf } from "../../test/support/family-calls.ts";
import { shareOf } from "../../test/support/parity.ts";
import { uniform } from "../../test/support/reference.ts";
import { type Check, type Context, messageOf } from "../context.ts";
import type { Row } from "../report.ts";

/** Shapes of x: beside the tiles' sizes, and at and above those of the largest. */
const SHAPES = {
  quick: [[37, 300]],
  full: [
    [37, 300],
    [64, 128],
    [129, 65],
  ],
};

/** What is tried: a call, and a candidate of its family. */
interface Trial {
  readonly name: string;
  readonly call: FamilyCall;
  readonly choice: KernelChoice;
}

/** All candidates, the first of each call, then the second of each, and so on. */
function trialsOf(families: Readonly<Record<string, FamilyCall>>, lanes: SubgroupSizes): Trial[] {
  const lists = Object.entries(families).map(([name, call]) =>
    waysOf(call, lanes).map((choice) => ({ name: `${name}, ${labelOf(choice)}`, call, choice })),
  );
  const most = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: most }, (_, i) => lists.flatMap((list) => list[i] ?? [])).flat();
}

/** Why a device cannot run a choice; null where it can. */
function obstacle(
  { features, limits }: GPUDevice,
  { kernel, candidate }: KernelChoice,
): string | null {
  if (kernel.subgroups && !features.has("subgroups")) return "there are no subgroups";
  const most = limits.maxComputeInvocationsPerWorkgroup;
  return candidate.WORKGROUP > most ? `a workgroup has ${most} invocations at the most` : null;
}

/** A device that takes a choice for a family, and goes by the rules for the others. */
function taking(
  own: GpuDevice,
  family: Family,
  choice: KernelChoice,
  taken: () => void,
): GpuDevice {
  const device = new GpuDevice(own.device, own.adapter);
  const session = device.session as GpuSession;
  const byRule = session.choose;
  const most = own.device.limits.maxComputeWorkgroupStorageSize;
  const choose: Choose = (asked, problem) => {
    if ((asked as unknown) !== family) return byRule(asked, problem);
    const { memory = 0 } = stageOf(choice, problem as never);
    if (memory > most) return byRule(asked, problem);
    taken();
    return choice as never;
  };
  session.choose = choose;
  return device;
}

/** Values of a call on a device, of the same numbers each time. */
async function valuesOf(
  { run }: FamilyCall,
  device: Device,
  shape: readonly number[],
  dtype: "f32" | "f64",
): Promise<ArrayLike<number>> {
  const [rows, columns] = shape;
  const x = tensor(uniform(rows * columns, 3, -2, 2), { shape: [...shape], device, dtype });
  const indices = tensor(Int32Array.of(3, rows - 1, 3, 0), { device });
  const y = run(x, indices);
  try {
    return await y.data();
  } finally {
    for (const made of [x, indices, y]) made.dispose();
  }
}

/** Runs what is to be tried on one shape; gives the worst error as a multiple of what is allowed. */
async function worstOf(
  { call, choice }: Trial,
  own: GpuDevice,
  shape: readonly number[],
  wanted: ArrayLike<number>,
): Promise<{ worst: number; isTaken: boolean }> {
  let isTaken = false;
  const device = taking(own, call.family, choice, () => {
    isTaken = true;
  });
  const y = await valuesOf(call, device, shape, "f32");
  (device.session as GpuSession).trim();
  let worst = y.length === wanted.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < wanted.length; i++) {
    worst = Math.max(worst, shareOf(y[i], wanted[i], call.scale ?? 1));
  }
  return { worst, isTaken };
}

async function tryOne(
  context: Context,
  trial: Trial,
  expected: Map<string, ArrayLike<number>>,
): Promise<Row> {
  const { name, call, choice } = trial;
  const own = await context.bench.engine();
  const why = obstacle(own.device, choice);
  if (why) return { name, note: `not there: ${why}` };
  try {
    let [worst, times] = [0, 0];
    for (const shape of SHAPES[context.preset]) {
      const key = `${name.split(",")[0]} ${shape}`;
      const wanted =
        expected.get(key) ?? (await valuesOf(call, await context.bench.cpu(), shape, "f64"));
      expected.set(key, wanted);
      const found = await worstOf(trial, own, shape, wanted);
      worst = Math.max(worst, found.worst);
      times += Number(found.isTaken);
    }
    return times > 0 ? { name, worst } : { name, worst, note: "not there: no size here wants it" };
  } catch (error) {
    if (own.losses > 0) context.bench.renew();
    return { name, note: `wrong: ${messageOf(error)}` };
  }
}

/** Each way to run each kernel, against the CPU's specification in float64. */
export const candidates: Check = {
  name: "Kernels",
  seconds: { quick: 4, full: 110 },
  isOpen: true,
  run: async (context) => {
    const { device } = await context.bench.engine(); // some kernels are loaded with it
    const lanes = { ...lanesOf(device), matrices: await matricesOf(device) };
    const trials = trialsOf(context.subjects.families, lanes);
    const rows: Row[] = [];
    const expected = new Map<string, ArrayLike<number>>();
    for (const trial of trials) {
      if (!context.hasTime) break;
      context.progress(trial.name, rows.length / trials.length);
      rows.push(await tryOne(context, trial, expected));
    }
    tellRows(context, "every candidate", rows, trials.length);
  },
};

/** Tells what came of rows that were compared with float64. */
export function tellRows(context: Context, name: string, rows: readonly Row[], all: number): void {
  const isBad = ({ worst = 0, note = "" }: Row) => worst > 1 || note.startsWith("wrong");
  const bad = rows.filter(isBad);
  const absent = rows.filter(({ note = "" }) => note.startsWith("not there"));
  const compared = rows.filter(({ worst }) => worst !== undefined);
  const worst = [...compared].sort((a, b) => (b.worst ?? 0) - (a.worst ?? 0))[0];
  const told = [
    `${rows.length - bad.length - absent.length} of ${all} right`,
    absent.length > 0 ? `${absent.length} not there` : "",
    rows.length < all ? `${all - rows.length} left out for want of time` : "",
    worst
      ? `worst error ${(worst.worst ?? 0).toPrecision(2)} of what is allowed (${worst.name})`
      : "",
  ];
  const verdict = bad.length > 0 ? "wrong" : rows.length === 0 ? "not there" : "ok";
  context.line({ name, verdict, text: told.filter(Boolean).join(", "), rows });
}
