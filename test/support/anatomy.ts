import { stagesOf } from "../../site/step/stages.ts";
import { Counters } from "../../src/core/counters.ts";
import { Heap } from "../../src/devices/cpu/compiled/heap.ts";
import { CompiledPlan } from "../../src/devices/cpu/compiled/plan.ts";
import type { KernelCode } from "../../src/devices/webgpu/codegen.ts";
import type { Job } from "../../src/devices/webgpu/jobs.ts";
import { statsTable } from "../../src/engine/explain.ts";
import { opsOf, stepsOf } from "../../src/engine/group-ops.ts";
import { type Lifetime, planMemory } from "../../src/engine/memory-plan.ts";
import type { Program, Step } from "../../src/engine/program.ts";
import type { KernelSchedule } from "../../src/engine/schedule.ts";
import { bytesAtOnce } from "../../src/engine/stats.ts";

/** The forms that a traced program takes on its way to WebGPU and to WebAssembly, as texts by name. */
export async function formsOf(traced: Program, names: Readonly<Record<string, string>>) {
  const { simplified, schedule, dispatches, codes, lives, stats } = stagesOf(traced);
  const nameOf = namer(schedule.program, names);
  // Without multiply-add, whatever the engine has.
  const compiled = await new CompiledPlan(simplified, new Heap(new Counters()), false).stats();
  return {
    graph: programText(traced, namer(traced, names)),
    program: programText(simplified, namer(simplified, names)),
    schedule: schedule.groups.map((_, g) => groupText(schedule, g, nameOf)).join("\n"),
    dispatches: dispatches.map((jobs, i) => dispatchText(schedule, jobs, i)).join("\n"),
    code: inPart(codes[0]),
    memory: memoryText(lives, nameOf),
    runs: codes.map((code, i) => runText(code, i, nameOf)).join("\n"),
    plan: statsTable(stats),
    functions: statsTable(compiled),
    wat: tileOf((await compiled.kernels[0].code?.()) ?? ""),
  };
}

type Namer = (step: number) => string;

/** Sources are called as the program calls them, by their shapes, other steps by their numbers. */
function namer({ steps, sources }: Program, names: Readonly<Record<string, string>>): Namer {
  return (i) => (sources.includes(i) ? (names[`${steps[i].shape}`] ?? `%${i}`) : `%${i}`);
}

function programText({ steps, outputs, updates }: Program, nameOf: Namer): string {
  const lines = steps.map(({ op, inputs, attributes, shape, dtype }: Step, i) => {
    const what = op ? `${op.name}(${inputs.map(nameOf).join(", ")})` : `source ${nameOf(i)}`;
    const { shape: _, dtype: __, ...rest } = attributes;
    const settings = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : "";
    return `${`%${i}`.padEnd(4)} ${dtype}[${shape}]`.padEnd(18) + what + settings;
  });
  const ends = [
    `results: ${outputs.map(nameOf).join(", ")}`,
    ...updates.map(({ source, value }) => `${nameOf(source)} ← ${nameOf(value)}`),
  ];
  return [...lines, ends.join("; ")].join("\n");
}

function groupText(schedule: KernelSchedule, g: number, nameOf: Namer): string {
  const group = schedule.groups[g];
  const { program, homes, reads, after } = schedule;
  const anchor = group.anchors.length > 0 ? `${program.steps[group.anchors[0]].op?.name} at ` : "";
  const stores = group.outputs.map((step) => {
    const home = homes.get(step);
    return home === undefined ? nameOf(step) : `${nameOf(step)} in the place of ${nameOf(home)}`;
  });
  return [
    `group ${g}: ${anchor}${group.anchors.map(nameOf).join(", ") || "pointwise"}`,
    `  computes ${stepsOf(schedule, group).map(nameOf).join(" ")}: ${opsOf(schedule, group).join(", ")}`,
    `  reads ${reads[g].map(nameOf).join(", ")}; stores ${stores.join(", ")}; ` +
      `after ${after[g].map((other) => `group ${other}`).join(", ") || "nothing"}`,
  ].join("\n");
}

function dispatchText(schedule: KernelSchedule, jobs: readonly Job[], i: number): string {
  const parts = jobs.map(({ group, stage }) => {
    const g = schedule.groups.indexOf(group);
    const { kernel, workgroups, threads, constants } = stage;
    const numbers = Object.entries(constants).map(([name, n]) => `${name} ${n}`);
    return (
      `  group ${g} by ${kernel.files.map(({ name }) => name).join(" and ")}, ${counted(workgroups)} of ${threads}\n` +
      `    ${numbers.join(", ")}`
    );
  });
  return [`dispatch ${i}`, ...parts].join("\n");
}

/** The functions in front of a kernel's file that are shown. */
const SHOWN = /^fn (?:load_a4|load_b|store_y)\(/;

/** A dispatch's code: what it binds, its numbers, some accessors, and where its file begins. */
function inPart({ code, regions }: KernelCode): string {
  const [{ first }] = regions;
  const lines = code.split("\n");
  const head = lines.slice(0, first - 1);
  const own = head.slice(head.findIndex((line) => line.startsWith("alias Acc"))).join("\n");
  const entry = lines.findIndex((line, i) => i >= first - 1 && line.startsWith("@compute"));
  return [
    ...head.filter((line) => line.startsWith("@group")),
    ...own.split("\n").filter((line) => /^(?:alias|const) /.test(line)),
    ...own.split(/\n(?=fn )/).filter((text) => SHOWN.test(text)),
    `// … and behind them ${regions.map(({ file }) => file).join(", ")}:`,
    ...lines.slice(entry, entry + 2),
  ]
    .map((text) => text.trimEnd())
    .join("\n");
}

/** Of a product's text: what its pointers are, and a tile's loop with that which stores its first row. */
function tileOf(text: string): string {
  const lines = text.split("\n");
  const load = lines.findIndex((line) => line.includes("load32_splat"));
  const loop = lines.slice(0, load).findLastIndex((line) => line.trim() === "(loop");
  const store = (line: string) => line.includes("v128.store");
  const rows = load + lines.slice(load).findIndex((line) => line.trim() === "(loop");
  const first = rows + lines.slice(rows).findIndex(store);
  const depth = lines[first].search(/\S/);
  const isWithin = (line: string) => store(line) || line.search(/\S/) > depth;
  const end = first + lines.slice(first).findIndex((line) => !isWithin(line));
  return [
    ...lines.filter((line) => /^;;|\(func/.test(line)),
    "  ;; …",
    ...lines.slice(loop, end),
    "    ;; …",
  ].join("\n");
}

function counted(workgroups: number): string {
  return `${workgroups} workgroup${workgroups === 1 ? "" : "s"}`;
}

function memoryText(lives: readonly Lifetime[], nameOf: Namer): string {
  const { slots, sizes } = planMemory(lives);
  const lines = lives.map(({ key, bytes, first, last }) => {
    return `${nameOf(key)}: ${bytes} B in slot ${slots.get(key)}, from dispatch ${first} to ${last}`;
  });
  const all = sizes.map((bytes, slot) => `slot ${slot} of ${bytes} B`).join(", ");
  return [...lines, `${all || "no slots"}; at once ${bytesAtOnce(lives)} B`].join("\n");
}

function runText({ label, bindings, workgroups }: KernelCode, i: number, nameOf: Namer): string {
  const bound = bindings.map(({ key, written }) => `${nameOf(key)}${written ? " (written)" : ""}`);
  return `dispatch ${i}: ${counted(workgroups)} of ${label}\n  binds ${bound.join(", ")}`;
}
