/** The page: shows the forms that a step of training takes, and what is chosen in one marked in all. */
import "./style.css";
import { region, showCode } from "../shell/code.ts";
import { count, element, make } from "../shell/dom.ts";
import { Runner, type RunOf } from "../shell/run.ts";
import { choice, Settings } from "../shell/settings.ts";
import type { Forms, GroupForm } from "./forms.ts";
import type job from "./job.ts";
import type { PartTime } from "./job.ts";
import jobSource from "./job.ts?raw";
import { ListBox } from "./list-box.ts";
import { MODEL_NAMES } from "./model-names.ts";
import source from "./models.ts?raw";
import { GraphPicture, LONGEST, MemoryPicture, TimesPicture } from "./pictures.ts";
import { amountText, bytesText, groupColor } from "./words.ts";

const settings = new Settings(element("settings", HTMLFormElement), {
  model: choice("dense", MODEL_NAMES),
});
const program = new ListBox(element("program"), (step) => choose(groupOfStep(step), step));
const schedule = new ListBox(element("groups"), (group) => choose(group, null));
const graph = new GraphPicture(element("graph"));
const memory = new MemoryPicture(element("memory"));
const times = new TimesPicture(element("times"));
const part = element("part", HTMLSelectElement);

let forms: Forms | null = null;
/** How often times are measured. */
const MEASURED_MS = 1500;
let measured = 0;

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: () => new Worker(new URL("./job.ts", import.meta.url), { type: "module" }),
  settings: () => ({ model: settings.values.model }),
  onEvent(event) {
    if (event.event !== "step") return;
    element("step").textContent = count(event.step);
    element("loss").textContent = event.loss.toFixed(3);
    if (performance.now() > measured + MEASURED_MS) void measure();
  },
  onReady: (run) => lookAt(run),
  onRestart() {
    measured = 0;
    forms = null;
    element("step").textContent = "0";
    element("loss").textContent = "–";
    element("times-caption").textContent = "Not measured yet.";
    for (const id of ["memory-caption", "kernel-text"]) element(id).textContent = "";
    for (const id of ["kernel", "kernel-figures", "own-code"]) element(id).replaceChildren();
    for (const list of [program, schedule]) list.show([]);
    for (const picture of [graph, memory, times]) picture.clear();
    part.replaceChildren();
    for (const value of element("figures").querySelectorAll("dd")) value.textContent = "–";
  },
});

type Run = RunOf<typeof job>;

/** Shows what a run's step is made of. */
async function lookAt(run: Run): Promise<void> {
  const [found, device] = await Promise.all([run.call("forms"), run.call("device")]);
  if (runner.run !== run) return;
  forms = found;
  element("device").textContent = device;
  showFigures(forms);
  showProgram(forms);
  showSchedule(forms);
  const most = forms.groups.reduce((best, { dispatch }, g, all) => {
    const flops = (i: number) => found.dispatches[i].flops;
    return flops(dispatch) > flops(all[best].dispatch) ? g : best;
  }, 0);
  await choose(most, null);
  graph.show(found, null);
  memory.show(found, null);
  await measure();
}

async function measure(): Promise<void> {
  const { run } = runner;
  if (!run) return;
  measured = performance.now();
  const parts = await run.call("times").catch(() => null);
  if (!parts || runner.run !== run) return;
  times.show(parts);
  const sum = parts.reduce((all, { micros }) => all + micros, 0);
  const flops = parts.reduce((all, each) => all + each.flops, 0);
  element("times-caption").textContent =
    `${parts.length} parts, ${(sum / 1000).toPrecision(3)} ms in all: ${(flops / sum / 1000).toFixed(2)} GFLOP/s. ` +
    (parts.length > LONGEST ? `The ${LONGEST} longest are shown.` : "");
  showParts(parts);
}

function showParts(parts: readonly PartTime[]): void {
  const own = element("own", HTMLDetailsElement);
  own.style.visibility = parts.every(({ name }) => name === "") ? "hidden" : "";
  if (part.options.length === parts.length) return;
  part.replaceChildren(
    ...parts.map(({ ops }, i) => {
      return make("option", { value: String(i) }, `${i + 1}: ${ops.join("+").slice(0, 60)}`);
    }),
  );
  element("own-code").replaceChildren();
  void showOwn();
}

async function showOwn(): Promise<void> {
  if (!element("own", HTMLDetailsElement).open || !runner.run) return;
  const { run } = runner;
  const text = await run.call("own", Number(part.value)).catch(() => null);
  if (text === null || run !== runner.run) return;
  showCode(
    element("own-code"),
    text || "No code: it runs in plain TypeScript.",
    "Code of the part",
  );
}

part.addEventListener("change", () => void showOwn());
element("own").addEventListener("toggle", () => void showOwn());

function figures(host: HTMLElement, pairs: Readonly<Record<string, string>>): void {
  const rows = Object.entries(pairs).map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value)),
  );
  host.replaceChildren(...rows);
}

function showFigures({ traced, simplified, groups, dispatches, slots, least }: Forms): void {
  const sum = (of: "flops" | "bytes") => dispatches.reduce((all, each) => all + each[of], 0);
  const held = slots.reduce((a, b) => a + b, 0);
  figures(element("figures"), {
    "Traced steps": count(traced),
    "Program steps": count(simplified),
    Groups: count(groups.length),
    Dispatches: count(dispatches.length),
    FLOP: amountText(sum("flops")),
    "Read and written": bytesText(sum("bytes")),
  });
  const ratio = least > 0 ? (held / least).toFixed(2) : "1.00";
  element("memory-caption").textContent =
    `${bytesText(held)} in ${count(slots.length)} places: ${ratio} times what is needed at once.`;
}

function nameOf({ steps }: Forms, i: number): string {
  return steps[i].op ? `%${i}` : `given ${i}`;
}

function showProgram(all: Forms): void {
  const entries = all.steps.map(({ op, type, inputs, attributes, group, becomes }, key) => {
    const call = op ? `${op}(${inputs.map((i) => nameOf(all, i)).join(", ")})` : "given";
    const told = attributes ? `${call} ${attributes}` : call;
    const text = becomes === null ? told : `${told} → becomes ${nameOf(all, becomes)}`;
    const color = op ? groupColor(group) : null;
    return { key, columns: [String(key), text, type] as const, color };
  });
  program.show([{ entries }]);
}

function groupText({ ops }: GroupForm): string {
  return ops.join(" + ");
}

function showSchedule({ dispatches, groups }: Forms): void {
  schedule.show(
    dispatches.map(({ groups: own, flops }, i) => ({
      heading: `dispatch ${i + 1}, ${amountText(flops)}FLOP`,
      entries: own.map((key) => ({
        key,
        columns: [
          String(key + 1),
          groupText(groups[key]),
          groups[key].file.split("/").at(-1) ?? "",
        ],
        color: groupColor(key),
      })),
    })),
  );
}

function groupOfStep(step: number): number | null {
  const group = forms?.steps[step].group ?? -1;
  if (group >= 0) return group;
  const found = forms?.groups.findIndex(({ steps }) => steps.includes(step)) ?? -1;
  return found < 0 ? null : found;
}

/** Marks a group, and the step that led to it, in all pictures and lists; shows its kernel. */
async function choose(group: number | null, step: number | null): Promise<void> {
  if (!forms) return;
  const all = forms;
  program.choose(step, new Set(group === null ? [] : all.groups[group].steps));
  schedule.choose(group, new Set());
  graph.show(all, group);
  memory.show(all, group);
  if (group === null) return;
  const { dispatch, file, constants, workgroups, threads, ops } = all.groups[group];
  const { groups, buffers, bytes } = all.dispatches[dispatch];
  const others = groups.length - 1;
  element("kernel-text").textContent =
    `Group ${group + 1}, ${ops.join(", ")}, is computed by ${file} in dispatch ${dispatch + 1}` +
    (others > 0 ? `, which has ${others} other ${others === 1 ? "group" : "groups"}. ` : ". ") +
    "In front of the file stand its numbers and its accessors, into which the other operations of the group are written.";
  figures(element("kernel-figures"), {
    Workgroups: `${count(workgroups)} of ${threads}`,
    Buffers: count(buffers),
    "Read and written": bytesText(bytes),
    ...Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, String(value)])),
  });
  const text = await runner.run?.call("code", dispatch).catch(() => null); // closed meanwhile
  if (text && forms === all) showCode(element("kernel"), text.trim(), "WGSL of the dispatch");
}

function showModel(): void {
  showCode(element("code"), region(source, settings.values.model), "The model");
}

settings.onChange(() => {
  showModel();
  void runner.restart();
});
showModel();
showCode(element("look"), region(jobSource, "look"), "How to look at a step");
void runner.restart();
