/** The page: shows what the worker reports and tells it what the user wants. */
import "./train.css";
import type { JobEvent } from "gradus/worker";
import { region, showCode } from "../shell/code.ts";
import { count, element } from "../shell/dom.ts";
import { Frames } from "../shell/frames.ts";
import { type Phase, Runner, type RunOf } from "../shell/run.ts";
import { type Chosen, isDigits, type JobSettings } from "./choices.ts";
import { Classifier, readBy } from "./classify.ts";
import { makeConfusionRoom, showConfusion } from "./confusion.ts";
import { Curves } from "./curves.ts";
import { Figures, shortened } from "./figures.ts";
import { differenceOf, makeSettings, showLosses } from "./form.ts";
import { Inside, mapsOf } from "./inside.ts";
import type job from "./job.ts";
import type { Note } from "./job.ts";
import jobSource from "./job.ts?raw";
import { keepWeights } from "./keep.ts";
import networkSource from "./network.ts?raw";
import { OwnFiles } from "./own.ts";
import { programOf, shapeOf, usualShape } from "./program.ts";
import { emptyLayersOf, type Outline, smallPicturesOf, usualOutline } from "./room.ts";
import { makeSheetRoom, showMistakes } from "./sheet.ts";
import { SIDE, Sight, SMALL } from "./sight.ts";
import type { TaskReport } from "./task.ts";

const SENTENCES: Record<Phase, string> = {
  loading: "Setting up",
  training: "Training",
  paused: "Paused",
  finished: "Finished",
  failed: "Stopped by an error",
};

const progress = element("progress", HTMLProgressElement);
const curves = new Curves();
const figures = new Figures();
const own = new OwnFiles(
  (data) => {
    if (settings.values.data === data) void runner.restart();
    else settings.set({ data });
    own.tell(data, false);
  },
  notify,
  fetchFashion,
);
const sight = new Sight((x, y) => {
  if (task?.kind !== "plane") return;
  inside.place = [x, y];
  frames.wake();
});
const inside = new Inside(() => frames.wake());
const classifier = new Classifier((pixels) => {
  const { data, reader } = settings.values;
  const ask = readBy(runner.run, reader, isDigits(data));
  return ask ? ask(pixels) : null;
});
const settings = makeSettings(
  (before) => {
    name = differenceOf(before, settings.values);
    if (own.has(settings.values.data)) void runner.restart();
    else {
      const files =
        settings.values.data === "fashion"
          ? "the four files of Fashion-MNIST"
          : "a folder that has a folder of pictures for each class";
      notify(`Choose ${files}.`);
    }
  },
  (values, names) => {
    apply(values);
    if (names.has("data")) own.tell(values.data, false);
    // What suits data that are still to be brought is not for the run that goes on.
    if (names.has("data") && !own.has(values.data)) return;
    // A run that has failed takes nothing on.
    if (names.has("rate") && runner.phase === "failed") void runner.restart();
    else if (names.has("rate")) {
      rate = ` The learning rate is ${values.rate} now.`;
      notice = "";
      void runner.run?.set({ rate: values.rate }).then(
        () => tell(),
        () => {},
      );
    }
    if (names.has("speed")) void runner.run?.set({ speed: values.speed }).catch(() => {});
    if (names.has("reader")) classifier.again();
  },
);

let task: TaskReport | null = null;
/** The data that the task is made of. */
let taskData: Chosen["data"] | null = null;
let stepsPerEpoch = 1;
let parameters = 0;
let step = 0;
/** How the present run differs from the next one, for its curve's name. */
let name = "Before";
let device: (Note & { kind: "device" }) | null = null;
/** What became of the GPU in this run, and of the learning rate, as sentences. */
let loss = "";
let rate = "";
/** What the reader was told to do, which a run that begins or ends by itself does not talk over. */
let notice = "";
/** When the test examples are to be looked at again. */
let nextTest = 0;

const runner = new Runner<typeof job>({
  controls: element("run"),
  worker: () => new Worker(new URL("./job.ts", import.meta.url), { type: "module" }),
  settings: jobSettings,
  onEvent: hear,
  onReady: () => frames.wake(),
  onRestart() {
    curves.begin(name);
    name = "Before";
    figures.clear();
    [loss, rate, step, nextTest] = ["", "", 0, 0];
    task = null;
    progress.value = 0;
    element("detail").style.visibility = "hidden"; // and keeps its place
    const { data } = settings.values;
    const outline = data === "csv" && own.hasTable ? null : usualOutline(data);
    if (outline) makeRoom(outline);
  },
  onPhase(phase) {
    nextTest = 0;
    if (phase === "loading" || phase === "paused") notice = "";
    if (phase === "training") figures.resume(step);
    if (phase === "finished" || phase === "failed") figures.end();
    if (phase === "failed") {
      showProgram();
      element("detail").textContent = "";
    }
    tell();
    frames.wake();
  },
  advise(error) {
    if (error.name === "NonFiniteLossError")
      return "Choose a lower learning rate: a new run begins.";
    if (error.name !== "DeviceError") return "";
    if (step > 0) return "The GPU was lost for good. Start again to train anew.";
    return "WebGPU is not to be had here. Choose Automatic or CPU as the device.";
  },
});

/** Draws what is seen inside, as often as the worker can say it. */
const frames = new Frames(async () => {
  const { phase, run } = runner;
  const began = performance.now();
  if (!run || !task || phase === "loading" || phase === "failed") return false;
  await look(run, task);
  if (performance.now() >= nextTest) await test(run, task);
  const took = performance.now() - began;
  // The worker has most of its time for steps.
  await new Promise((resolve) => setTimeout(resolve, Math.min(1500, 2 * took)));
  return runner.phase === "training";
});

/** Lays out what is going to be shown, so that nothing moves when it comes. */
function makeRoom(outline: Outline): void {
  const { kind, classes, testSize } = outline;
  sight.makeRoom(kind, smallPicturesOf(settings.values, outline));
  inside.makeRoom(kind, emptyLayersOf(settings.values, outline));
  element("errors").hidden = classes === null;
  element("mistakes").hidden = kind !== "pictures";
  if (classes) makeConfusionRoom(classes);
  if (kind === "pictures" && classes) makeSheetRoom(testSize, classes);
}

function jobSettings(): JobSettings {
  return { ...settings.values, ...own.of(settings.values.data) };
}

async function look(run: RunOf<typeof job>, { kind }: TaskReport): Promise<void> {
  if (kind === "plane") sight.showPlane(await run.call("plane", SIDE, SMALL));
  else if (kind === "curve") sight.showCurve(await run.call("curve", 160));
  const weights = kind === "pictures" || kind === "table" ? await run.call("weights") : null;
  const { place } = inside;
  const example = place ? { input: place, target: null } : await run.call("example", inside.index);
  const layers = await run.call("activations", example.input);
  if (run !== runner.run) return;
  if (weights) sight.showWeights(weights, mapsOf(layers[0]));
  inside.show(example.input, example.target, layers);
}

async function test(run: RunOf<typeof job>, { classes, kind }: TaskReport): Promise<void> {
  const began = performance.now();
  const judged = await run.call("test");
  if (run !== runner.run) return;
  // The worker goes on with its steps between the batches of the test.
  const at = step;
  nextTest = performance.now() + Math.max(250, 3 * (performance.now() - began));
  figures.showTest(judged.loss, judged.accuracy);
  curves.addTest(at, judged.loss, Math.max(0, judged.accuracy));
  curves.draw();
  if (judged.confusion && classes) showConfusion(judged.confusion, classes);
  if (kind === "pictures" && classes) showMistakes(at, judged, classes);
}

function hear(event: JobEvent<Note>): void {
  switch (event.event) {
    case "note":
      note(event.note);
      break;
    case "deviceLost":
      loss = ` The GPU was lost at step ${count(event.step)}; waiting for another.`;
      tell();
      break;
    case "recovered": {
      const { description, kind, repeated } = event;
      const from = count(event.step - repeated);
      loss = ` The GPU was lost at step ${count(event.step)}; going on from step ${from} on ${description}.`;
      if (device) device = { ...device, device: kind, description };
      tell();
      break;
    }
    case "deviceChosen":
      device = { ...event, kind: "device", device: event.kind };
      tell();
      break;
    case "step":
      showStep(event);
  }
}

function showStep(event: JobEvent<Note> & { event: "step" }): void {
  step = event.step;
  const accuracy = event.metrics?.accuracy ?? Number.NaN;
  curves.addTraining(step, event.loss, accuracy);
  figures.note(step);
  figures.showTraining(event, accuracy, stepsPerEpoch);
  progress.value = step / event.steps;
  runner.say(`Step ${count(step)}, loss ${shortened(event.loss)}`);
  chart();
}

let isCharted = false;
/** Draws the curves in the next frame. */
function chart(): void {
  if (isCharted) return;
  isCharted = true;
  setTimeout(() => {
    isCharted = false;
    curves.draw();
  }, 100);
}

function note(given: Note): void {
  if (given.kind === "download") {
    const millions = (bytes: number) => (bytes / 1e6).toFixed(0);
    if (runner.phase === "loading") progress.value = given.received / given.total;
    const what = settings.values.data === "fashion" ? "Fashion-MNIST" : "MNIST";
    say(`Loading ${what}: ${millions(given.received)} of ${millions(given.total)} MB.`);
    return;
  }
  if (given.kind === "device") device = given;
  else {
    ({ task, stepsPerEpoch, parameters, data: taskData } = given);
    makeRoom(task);
    sight.task = task;
    inside.task = task;
    const word = task.classes ? "Accuracy" : "R²";
    figures.word = word;
    curves.word = word;
    showLosses(task.classes !== null);
    settings.adopt({ loss: given.loss });
    showProgram();
  }
  tell();
}

/**
 * Has Fashion-MNIST fetched by the run that goes on, or by the one that takes its place; tells whether
 * it is still wanted then.
 */
async function fetchFashion(): Promise<boolean> {
  const hasFailed = () => runner.phase === "failed";
  const isWanted = () => settings.values.data === "fashion";
  for (;;) {
    const { run } = runner;
    // A run that could not be set up is not asked: the next one fetches for itself.
    if (!run || hasFailed()) return isWanted();
    try {
      await run.ready;
      await run.call("fetchFashion");
      return isWanted();
    } catch (error) {
      if (run === runner.run && !hasFailed()) throw error;
    }
  }
}

/** Says where the run stands. */
function tell(): void {
  const where = device?.device === "cpu" ? "the CPU" : "WebGPU";
  const sentence = SENTENCES[runner.phase];
  const isOn = device && runner.phase !== "failed";
  say(notice || (isOn ? `${sentence} on ${where}.${loss}${rate}` : `${sentence}.`));
  if (!device || !task) return;
  const name = device.device === "cpu" ? "the CPU" : "WebGPU";
  element("detail").style.visibility = "";
  element("detail").textContent =
    `${count(parameters)} parameters, ${count(task.trainSize)} examples and ${count(task.testSize)} for the test. ` +
    `${device.description}. Why ${name}: ${device.reason}.`;
}

/** Tells the reader what to do, until something else is done. */
function notify(sentence: string): void {
  notice = sentence;
  say(sentence);
}

function say(sentence: string): void {
  const status = element("status");
  if (status.textContent !== sentence) status.textContent = sentence;
}

function apply({ log, smooth }: Chosen): void {
  curves.smooth = smooth;
  curves.isLog = log;
  showProgram();
}

/** Shows the program, once it is known what own files hold. */
function showProgram(): void {
  const { values } = settings;
  const known = taskData === values.data ? task : null;
  const shape = known ? shapeOf(known) : usualShape(values.data);
  if (shape) {
    showCode(element("program"), programOf(values, shape), "The program of these settings");
  } else element("program").replaceChildren();
}

element("share").addEventListener("click", async ({ target }) => {
  await navigator.clipboard.writeText(location.href).catch(() => {});
  (target as HTMLElement).textContent = "Copied";
  setTimeout(() => {
    (target as HTMLElement).textContent = "Copy link";
  }, 1500);
});
keepWeights(
  () => runner.run,
  () => {
    nextTest = 0;
    frames.wake();
  },
);
apply(settings.values);
showCode(element("code-network"), region(networkSource, "network"), "The network");
showCode(element("code-job"), region(jobSource, "job"), "What is trained");
const isLost = !own.has(settings.values.data);
if (isLost) settings.set({ data: "spirals" }, "replace");
else void runner.restart();
own.tell(settings.values.data, isLost);
