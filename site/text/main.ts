/** The page Text: a small GPT that learns to write. */
import { region, showCode } from "../shell/code.ts";
import { count, element, make, percent } from "../shell/dom.ts";
import { Lines } from "../shell/plot.ts";
import { Runner } from "../shell/run.ts";
import { choice, number, Settings, text } from "../shell/settings.ts";
import { isCalm } from "../shell/theme.ts";
import type job from "./job.ts";
import type { Candidate, Sample, Writing } from "./job.ts";
import source from "./job.ts?raw";
import { complaint, TEXTS } from "./texts.ts";
import "./style.css";

/** What the net goes on with at first, by text. */
const PROMPTS: Readonly<Record<string, string>> = { weather: "On Sunday ", rhymes: "Little " };
/** Where a text of one's own is kept, so that it is there after a reload. */
const KEPT = "text";
/** Letters that are shown at each frame, and of a sample among the earlier ones. */
const [PACE, SHORT] = [6, 110];

const settings = new Settings(element("settings", HTMLFormElement), {
  text: choice("weather", ["weather", "rhymes", "own"]),
  prompt: text("", /^.{0,60}$/su, "at most 60 characters"),
  temperature: number(0.7, { min: 0, max: 2 }),
  context: number(32, { min: 8, max: 64, integer: true }),
  layers: number(2, { min: 1, max: 4, integer: true }),
  width: number(48, { min: 16, max: 96, integer: true }),
  rate: number(0.004, { min: 0, max: 1 }),
  seed: number(1, { min: 0, max: 9999, integer: true }),
});

const own = element("own", HTMLTextAreaElement);
own.value = kept() ?? TEXTS.rhymes;
function kept(): string | null {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null; // storage may be forbidden
  }
}

/** The text that is learned: the last own one that could be. */
let read = complaint(own.value) ? TEXTS.rhymes : own.value;
const textOf = () => (settings.values.text === "own" ? read : TEXTS[settings.values.text]);
const writingOf = (): Writing => {
  const { prompt, temperature } = settings.values;
  return { prompt: prompt || usual(), temperature };
};
/** What a sample begins with when nothing else was said. */
const usual = () => PROMPTS[settings.values.text] ?? Array.from(read.trim())[0];

const chart = new Lines(element("loss"), {
  title: "Nats per character over the steps",
  x: "Step",
  height: 236,
  range: [0, null],
  lines: [
    { label: "Read", color: "--accent", width: 2 },
    { label: "Unseen", color: "--second", width: 2 },
    { label: "Pairs", color: "--edge", dashed: true },
    { label: "Triples", color: "--third", dashed: true },
  ],
});
/** By step: the loss on what is read, on what is unseen. */
const losses = new Map<number, [read: number | null, unseen: number | null]>();
let counted: readonly [pairs: number, triples: number] | null = null;

function plot(): void {
  const steps = [...losses.keys()];
  const rows = [...losses.values()];
  const level = (k: 0 | 1) => steps.map(() => counted?.[k] ?? null);
  chart.set(steps, [rows.map(([a]) => a), rows.map(([, b]) => b), level(0), level(1)]);
}

function note(step: number, place: 0 | 1, value: number): void {
  const row = losses.get(step) ?? [null, null];
  row[place] = value;
  losses.set(step, row);
  plot();
}

// What it writes appears letter by letter.
const [head, tail] = [make("b"), document.createTextNode("")];
const page = make("pre", { className: "sample", tabIndex: 0 }, head, tail);
page.setAttribute("role", "region");
page.setAttribute("aria-label", "What the net writes");
element("sample").append(page);
let letters: string[] = [];
let shown = 0;
let isTyping = false;

function type(): void {
  shown = isCalm() ? letters.length : Math.min(letters.length, shown + PACE);
  tail.data = letters.slice(0, shown).join("");
  isTyping = shown < letters.length;
  if (isTyping) requestAnimationFrame(type);
}

function show({ step, prompt, written, next, validation }: Sample): void {
  head.textContent = prompt;
  letters = Array.from(written);
  shown = 0;
  if (!isTyping) type();
  element("step").textContent = count(step);
  showCandidates(next);
  climb(step, prompt + written);
  note(step, 1, validation);
}

const NAMES: Readonly<Record<string, string>> = { " ": "space", "\n": "new line", "\t": "tab" };
function showCandidates(next: readonly Candidate[]): void {
  const rows = next.map(({ character, chance }) => {
    const bar = make("span");
    bar.style.inlineSize = percent(chance).replace("\u202f", "");
    const track = make("span", { className: "track" }, bar);
    const name = make("code", {}, NAMES[character] ?? character);
    return make("li", {}, name, track, make("span", {}, percent(chance)));
  });
  element("candidates").replaceChildren(...rows);
}

/** The steps of which it is kept what it wrote; of a longer run, the last rung has the last of 5,120, 10,240, … */
const RUNGS = [0, 20, 40, 80, 160, 320, 640, 1280, 2560];
let rung = 0;
function climb(step: number, whole: string): void {
  const next = RUNGS[rung] ?? (RUNGS.at(-1) as number) * 2 ** (rung - RUNGS.length + 1);
  if (step < next) return;
  const [place, line] = element("ladder").children[Math.min(rung++, RUNGS.length - 1)].children;
  place.textContent = count(step);
  line.textContent = `${whole.replaceAll("\n", " ⏎ ").slice(0, SHORT)}…`;
}

/** Sets up the ladder with nothing written yet: as high as it will be. */
function clearLadder(): void {
  rung = 0;
  const rows = RUNGS.map((step) => make("li", {}, make("span", {}, count(step)), make("code")));
  element("ladder").replaceChildren(...rows);
}

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: () => new Worker(new URL("./job.ts", import.meta.url), { type: "module" }),
  settings: () => ({ ...settings.values, ...writingOf(), text: textOf() }),
  onRestart() {
    element("prompt", HTMLInputElement).placeholder = usual().trim();
    losses.clear();
    counted = null;
    clearLadder();
    plot();
  },
  onEvent(event) {
    if (event.event === "step") {
      note(event.step, 0, event.loss);
      runner.say(`Step ${count(event.step)}`);
    } else if (event.event === "note" && event.note.kind === "text") {
      const { bigram, trigram, parameters } = event.note;
      counted = [bigram, trigram];
      element("parameters").textContent = count(parameters);
      element("characters").textContent = count(textOf().length);
    } else if (event.event === "note" && event.note.kind === "sample") show(event.note);
  },
});

async function writeAnew(): Promise<void> {
  const { run } = runner;
  await run?.set({ writing: writingOf() });
  await run?.call("write");
}

settings.onChange((values, changed) => {
  element("own-part").hidden = values.text !== "own";
  if (changed.has("rate")) void runner.run?.set({ learningRate: values.rate }).catch(() => {});
  const fresh = ["text", "context", "layers", "width", "seed"] as const;
  if (fresh.some((name) => changed.has(name))) void runner.restart();
  else if (changed.has("prompt") || changed.has("temperature")) void writeAnew().catch(() => {});
});
own.addEventListener("change", () => {
  const problem = complaint(own.value);
  element("own-problem").textContent = problem;
  own.setAttribute("aria-invalid", String(problem !== ""));
  if (problem || own.value === read) return;
  read = own.value;
  try {
    sessionStorage.setItem(KEPT, read);
  } catch {
    // Storage may be forbidden; the text then lasts as long as the page.
  }
  void runner.restart();
});

element("own-part").hidden = settings.values.text !== "own";
void runner.restart();
showCode(element("code"), region(source, "job"), "The program that reads and writes");
