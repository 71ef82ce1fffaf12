import { warnOfNoState } from "../core/advice.ts";
import {
  checkEach,
  checkFunctions,
  checkKinds,
  describeValue,
  didYouMean,
  isInteger,
} from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { AnyModule } from "../nn/module.ts";

/** The options of `trainStep`, for `checkOptions`. */
export const STEP_OPTIONS = {
  model: true,
  optimizer: true,
  loss: true,
  metrics: true,
  after: true,
  batchAt: true,
  capture: true,
  history: true,
  stepsPerSubmit: true,
  mirrorEvery: true,
  onProgress: true,
} as const;

/** The options of `train`, for `checkOptions`. */
export const TRAIN_OPTIONS = {
  model: true,
  optimizer: true,
  loss: true,
  loader: true,
  epochs: true,
  metrics: true,
  capture: true,
  after: true,
  signal: true,
  control: true,
  metricsEvery: true,
  measureEvery: true,
  accumulate: true,
  startStep: true,
  onNonFinite: true,
  validationData: true,
  trainData: true,
  testData: true,
  evaluationBatchSize: true,
  stepsPerSubmit: true,
  mirrorEvery: true,
  onProgress: true,
} as const;

/** What every training step is made of. */
interface StepParts {
  readonly model?: unknown;
  readonly optimizer?: unknown;
  readonly loss?: unknown;
  readonly metrics?: unknown;
  readonly after?: unknown;
  readonly batchAt?: unknown;
}

/** Throws a `GradusError`, as `op`, for a part that is missing or is not what it must be. */
export function checkParts(op: string, parts: StepParts): void {
  const { model, optimizer, loss, metrics = {}, after, batchAt } = parts;
  checkMethods(op, { model }, ["call", "state", "parameters", "modules"], "a Module");
  checkMethods(op, { optimizer }, ["step", "apply", "state"], "an optimizer");
  const module = model as AnyModule;
  if (module.state().size === 0) warnOfNoState(op, module.constructor.name);
  checkFunctions(op, { loss });
  if (after !== undefined) checkFunctions(op, { after });
  if (batchAt !== undefined) checkFunctions(op, { batchAt });
  checkMetrics(op, metrics);
}

/** Throws a `GradusError`, as `op`, unless metrics are functions, none called loss or step. */
function checkMetrics(op: string, metrics: unknown): void {
  const isRecord = (x: unknown) => typeof x === "object" && x !== null && !Array.isArray(x);
  checkEach(op, { metrics }, isRecord, "functions by name");
  checkNamed(op, metrics as Record<string, unknown>);
  if (!("loss" in (metrics as object) || "step" in (metrics as object))) return;
  throw new GradusError(`${op}: a metric called loss or step; expected other names`);
}

/** Throws a `GradusError`, as `op`, unless each metric is a function. */
export function checkNamed(op: string, metrics: Readonly<Record<string, unknown>>): void {
  const named = Object.entries(metrics).map(([name, metric]) => [`metric ${name}`, metric]);
  checkFunctions(op, Object.fromEntries(named));
}

/** Throws a `GradusError`, as `op`, unless each of some options has these methods. */
export function checkMethods(
  op: string,
  options: Readonly<Record<string, unknown>>,
  methods: readonly string[],
  what: string,
): void {
  const has = (given: unknown) =>
    methods.every(
      (name) => typeof (given as Record<string, unknown> | null)?.[name] === "function",
    );
  checkKinds(op, options, has, what);
}

/** Throws a `GradusError`, as `op`, unless each of some options is a data set with examples. */
export function checkDatasets(op: string, datasets: Readonly<Record<string, unknown>>): void {
  for (const [name, given] of Object.entries(datasets)) {
    checkMethods(op, { [name]: given }, ["batch"], "a data set such as TensorDataset");
    const { size } = given as { size: unknown };
    if (isInteger(size, 1)) continue;
    throw new GradusError(`${op}: ${name} of size ${size}; expected at least one example`);
  }
}

const EVENTS = [
  "onStart",
  "onStep",
  "onMeasure",
  "onEpoch",
  "onDeviceLost",
  "onRecovered",
  "onDeviceChosen",
  "onEnd",
];

/** Throws a `GradusError`, as `op`, for callbacks that are none or have a method like an event's. */
export function checkCallbacks(op: string, callbacks: unknown): void {
  if (!Array.isArray(callbacks)) {
    throw new GradusError(
      `${op}: callbacks ${describeValue(callbacks)}; expected a list of callbacks`,
    );
  }
  for (const [i, callback] of callbacks.entries()) {
    if (typeof callback !== "object" || callback === null) {
      const given = `callback ${i + 1} ${describeValue(callback)}`;
      throw new GradusError(`${op}: ${given}; expected an object such as new EarlyStopping()`);
    }
    const wrong = Object.keys(callback).find((name) => /^on[A-Z]/.test(name) && !isEvent(name));
    if (wrong === undefined) continue;
    const given = `callback ${i + 1} with ${describeValue(wrong)}`;
    const advice = didYouMean(wrong, EVENTS);
    throw new GradusError(`${op}: ${given}; expected ${EVENTS.join(", ")}${advice}`);
  }
}

function isEvent(name: string): boolean {
  return EVENTS.includes(name);
}
