import { opsOf } from "../../engine/group-ops.ts";
import type { KernelSchedule } from "../../engine/schedule.ts";
import type { ShaderFile } from "../../forms/wgsl.ts";
import { PRELUDE } from "../../kernels/shaders.ts";
import { type Assembled, assemble, type PartText, type Region } from "./assemble.ts";
import { type Binding, Bindings } from "./bindings.ts";
import { PartExpressions } from "./expressions.ts";
import type { Job } from "./jobs.ts";
import { markVectors, writeLoad } from "./loads.ts";
import type { BufferPlaces } from "./places.ts";
import { markStores, writeElements, writeStores } from "./stores.ts";

/** One dispatch, written out. */
export interface KernelCode {
  readonly label: string;
  /** Its numbers are still in brackets: see src/forms/number.ts. */
  readonly code: string;
  /** Where its files lie in the code, for messages. */
  readonly regions: readonly Region[];
  readonly bindings: readonly Binding[];
  /** Workgroups of a linear grid. */
  readonly workgroups: number;
  /** Words by which parts that are done several times differ. */
  readonly table?: readonly string[];
}

/** How values share buffers, and equal parts of a kernel their code. */
export interface Sharer {
  readonly places: BufferPlaces;
  readonly assemble: (shared: string, parts: readonly PartText[]) => Assembled;
}

/** Writes the kernel of jobs that share a dispatch. */
export function generate(
  schedule: KernelSchedule,
  jobs: readonly Job[],
  sharer?: Sharer,
): KernelCode {
  const bindings = new Bindings(sharer?.places);
  const libraries = new Map<string, ShaderFile>();
  const all = jobs.map((job) => new PartExpressions(schedule, job, bindings, libraries));
  for (const part of all) {
    markVectors(part);
    markStores(part);
  }
  const parts = all.map(writePart);
  const shared = [
    ...new Set(
      jobs.map(({ stage: { kernel } }) => kernel.subgroups && `enable ${kernel.subgroups};`),
    ),
    ...bindings.declarations(),
    PRELUDE.source,
    ...[...libraries.values()].map((library) => library.source),
  ];
  return {
    label: [...new Set(all.map(labelOf))].join(" | "),
    workgroups: jobs.reduce((sum, { stage }) => sum + stage.workgroups, 0),
    ...(sharer?.assemble ?? assemble)(`${shared.join("\n")}\n`, parts),
    bindings: bindings.all,
  };
}

function writePart(part: PartExpressions): PartText {
  const { kernel, libraries, loads, constants, functions, accumulated } = part.job.stage;
  const { workgroups, threads } = part.job.stage;
  part.include(libraries);
  if (part.job.group.anchors.length === 0) writeElements(part);
  else {
    loads.forEach((load, input) => {
      writeLoad(part, load, input);
    });
    writeStores(part);
  }
  const lines = [
    `alias Acc = ${accumulated};`,
    ...Object.entries(constants).map(([name, n]) => `const ${name} = ${n}u;`),
    ...functions,
    ...part.functions,
  ];
  return { head: `${lines.join("\n")}\n`, files: kernel.files, workgroups, threads };
}

/** The ops of a part; where there are many, the one with a kernel file and the last ones. */
function labelOf(part: PartExpressions): string {
  const last = opsOf(part.schedule, part.job.group).slice(-6);
  const name = part.steps[part.job.group.anchors[0]]?.op?.name;
  return (name && !last.includes(name) ? [name, "…", ...last.slice(-5)] : last).join("+");
}
