import { checkEach, checkMade } from "../core/check.ts";
import { FormatError, GradusError } from "../core/errors.ts";
import { quote, shorten } from "../core/quote.ts";
import { allOrNone, type State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { decodeValues, encodeValues } from "./checkpoint-values.ts";
import { checkNames } from "./load-state.ts";
import { parseSafetensors } from "./safetensors.ts";
import { prepareTensors, saveTensors } from "./weights.ts";

/** Something that lists its states by name, such as a module. */
export interface HasState {
  /** The states by name, as they are saved. */
  state(): ReadonlyMap<string, State>;
}

/** An optimizer's learning rate: a number that can be set, or a schedule. */
export interface HasRate {
  /** The number, which is saved, or the schedule, which the program has. */
  learningRate: number | ((step: Tensor) => Tensor);
}

/** A step that goes on from any number, with so many batches pending if it accumulates gradients. */
export interface SeekableStep {
  readonly next: number;
  /** The same as the device has it; a difference is an error, never a file. */
  readonly cursor?: State;
  readonly pending?: number;
  /** Goes on from this step. */
  seek(step: number, pending?: number): void;
}

/** What a run consists of, as a checkpoint keeps it. */
export interface CheckpointParts {
  model: HasState;
  /** Slots and counters, and the learning rates that are numbers, of an optimizer or of a group. */
  optimizer: HasState & Partial<HasRate> & { readonly members?: readonly object[] };
  /** The step, as `trainStep` makes it: its number, and sums of gradients where it has them. */
  step?: SeekableStep & Partial<HasState>;
  /** What else changes with the run, by name, such as an average of the weights. */
  extra?: Readonly<Record<string, HasState>>;
}

/** What a checkpoint holds beside the states. */
export interface CheckpointInfo {
  /** Steps done; 0 when it was saved without a step. */
  readonly step: number;
  /** What was given to `saveCheckpoint`. */
  readonly values: unknown;
}

const FORMAT = "gradus checkpoint 1";

/**
 * Writes everything that a run needs to go on as if it had not been interrupted as one safetensors
 * file: weights as `model.…`, slots and counters as `optimizer.…`, others as `step.…` and
 * `extra.NAME.…`; step number, learning rate and `values` as its free text. Random states are
 * counters among the states.
 * @param values anything that JSON can hold, and NaN and infinities.
 * @throws DeviceError when the device has not made the steps that it was asked for, and for values
 * that a failure spoiled.
 * @example
 * const bytes = await saveCheckpoint({ model, optimizer, step });
 */
export async function saveCheckpoint(
  parts: CheckpointParts,
  values: unknown = null,
): Promise<Uint8Array<ArrayBuffer>> {
  checkPartsOf("saveCheckpoint", parts);
  const rates = ratesOf(parts.optimizer).map(({ learningRate: x }) => (isNumber(x) ? x : null));
  parts.step?.cursor?.use(); // steps that wait for their plan are made
  const { next = 0, pending, cursor } = parts.step ?? {};
  const metadata = {
    format: FORMAT,
    step: String(next),
    ...(pending !== undefined && { pending: String(pending) }),
    learningRates: JSON.stringify(rates),
    values: encodeValues("saveCheckpoint: values", values),
  };
  const states = statesOf("saveCheckpoint", parts);
  return saveTensors("saveCheckpoint", states, metadata, cursor, ([made]) => {
    checkMade("saveCheckpoint", made, next);
  });
}

/**
 * Brings the parts of a run to where a checkpoint was saved, all or nothing.
 * @throws FormatError for another file, other names than those of the parts' states, or a learning
 * rate where the optimizer has a schedule; ShapeError or DTypeError when a tensor does not fit;
 * DeviceError when the device fails, which every use of the states throws then until they are assigned.
 * @example
 * const { step: done } = loadCheckpoint({ model, optimizer, step }, bytes);
 */
export function loadCheckpoint(
  parts: CheckpointParts,
  bytes: Uint8Array | ArrayBuffer,
): CheckpointInfo {
  return restoreCheckpoint("loadCheckpoint", parts, bytes);
}

/**
 * Does what `loadCheckpoint` does, with errors that speak as `op`.
 * @param check told of what the file holds before its tensors are looked at; gives what is to be done
 * when all of it fits and nothing has been assigned yet. If one of the two throws, nothing is.
 */
export function restoreCheckpoint(
  op: string,
  parts: CheckpointParts,
  bytes: Uint8Array | ArrayBuffer,
  check: (info: CheckpointInfo) => () => void = () => () => {},
): CheckpointInfo {
  checkPartsOf(op, parts);
  const { tensors, metadata } = parseSafetensors(op, bytes);
  if (metadata.format !== FORMAT) {
    throw invalid(op, `file of format ${quote(metadata.format ?? null)}`, `"${FORMAT}"`);
  }
  const info = {
    step: countIn(op, metadata, "step"),
    values: decodeValues(`${op}: values`, metadata.values),
  };
  const accept = check(info);
  const pending = Object.hasOwn(metadata, "pending") ? countIn(op, metadata, "pending") : undefined;
  const own = ratesOf(parts.optimizer);
  const rates = ratesIn(op, metadata, own);
  const states = statesOf(op, parts);
  checkNames(op, states, tensors, FormatError);
  const assign = prepareTensors(op, states, tensors);
  accept();
  const { step } = parts;
  allOrNone([...(step?.cursor ? [step.cursor] : []), ...states.values()], () => {
    step?.seek(info.step, pending);
    assign();
  });
  for (const [i, rate] of rates.entries()) if (rate !== null) own[i].learningRate = rate;
  return info;
}

/** Throws a `GradusError`, as `op`, for parts that are missing or have no states. */
function checkPartsOf(op: string, parts: CheckpointParts): void {
  const isObject = typeof parts === "object" && parts !== null;
  checkEach(op, { parts }, () => isObject, "an object of model, optimizer, step and extra");
  const { model, optimizer, extra } = parts;
  const hasState = (x: unknown) => typeof (x as HasState | null | undefined)?.state === "function";
  const rule = "something with state(), such as a module or an optimizer";
  checkEach(op, { model, optimizer, ...extra }, hasState, rule);
}

/** All states of a run under the names that they have in the file. */
function statesOf(op: string, { model, optimizer, step, extra }: CheckpointParts) {
  const groups: [string, ReadonlyMap<string, State>][] = [
    ["model", model.state()],
    ["optimizer", optimizer.state()],
    ["step", step?.state?.() ?? new Map<string, State>()],
    ...Object.entries(extra ?? {}).map(([name, part]) => {
      return [`extra.${name}`, part.state()] as [string, ReadonlyMap<string, State>];
    }),
  ];
  const all = new Map<string, State>();
  for (const [group, states] of groups) {
    for (const [name, state] of states) {
      const path = `${group}.${name}`;
      if (all.has(path))
        throw new GradusError(`${op}: ${quote(path)} twice; expected each name once`);
      all.set(path, state);
    }
  }
  return all;
}

function countIn(op: string, metadata: Readonly<Record<string, string>>, name: string): number {
  const text = metadata[name] ?? "none";
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value < 2 ** 32) return value;
  throw invalid(op, `${name} ${shorten(text)}`, "an integer from 0 to 2^32 - 1");
}

/** What has a learning rate: the optimizer, or the members of a group and of groups in it. */
function ratesOf(optimizer: object): HasRate[] {
  if ("members" in optimizer) return (optimizer.members as readonly object[]).flatMap(ratesOf);
  if ("optimizer" in optimizer) return ratesOf(optimizer.optimizer as object); // SAM
  return "learningRate" in optimizer ? [optimizer as HasRate] : [];
}

/** The learning rates of a file, null where it had a schedule as the optimizer has. */
function ratesIn(
  op: string,
  metadata: Readonly<Record<string, string>>,
  own: readonly HasRate[],
): (number | null)[] {
  const text = metadata.learningRates ?? "";
  const rates = decodeValues(`${op}: learning rates`, text);
  const fits = (rate: unknown, i: number) => {
    const isRate = Number.isFinite(rate) && (rate as number) >= 0;
    return isNumber(own[i].learningRate) ? isRate : rate === null;
  };
  if (Array.isArray(rates) && rates.length === own.length && rates.every(fits)) return rates;
  const kinds = own.map(({ learningRate }) => (isNumber(learningRate) ? "number" : "null"));
  const rule = `[${kinds.join()}], as the optimizer has them`;
  throw invalid(op, `learning rates ${shorten(text)}`, rule);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function invalid(op: string, given: string, rule: string): FormatError {
  return new FormatError(`${op}: ${given}; expected ${rule}`);
}
