import { FormatError, GradusError } from "../core/errors.ts";
import type { State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { decodeValues, encodeValues } from "./checkpoint-values.ts";
import { readSafetensors } from "./safetensors.ts";
import { assignTensors, saveSafetensors } from "./weights.ts";

/** Something that lists its states by name, such as a module. */
export interface HasState {
  state(): ReadonlyMap<string, State>;
}

/** What a run consists of, as a checkpoint keeps it. */
export interface CheckpointParts {
  model: HasState;
  /** Slots and counter; the learning rate too where it is a number. */
  optimizer: HasState & { learningRate?: number | ((step: Tensor) => Tensor) };
  /** The step, as `trainStep` makes it: its number, and sums of gradients where it has them. */
  step?: { readonly next: number; seek(step: number): void } & Partial<HasState>;
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
 * @example
 * const bytes = await saveCheckpoint({ model, optimizer, step });
 */
export async function saveCheckpoint(
  parts: CheckpointParts,
  values: unknown = null,
): Promise<Uint8Array<ArrayBuffer>> {
  const { step, optimizer } = parts;
  const rate = optimizer.learningRate;
  return saveSafetensors(statesOf("saveCheckpoint", parts), {
    format: FORMAT,
    step: String(step?.next ?? 0),
    ...(typeof rate === "number" && { learningRate: String(rate) }),
    values: encodeValues(values),
  });
}

/**
 * Brings the parts of a run to where a checkpoint was saved, all or nothing.
 * @throws FormatError for another file, other names than those of the parts' states, or a learning
 * rate where the optimizer has a schedule; ShapeError or DTypeError when a tensor does not fit.
 * @example
 * const { step: done } = loadCheckpoint({ model, optimizer, step }, bytes);
 */
export function loadCheckpoint(
  parts: CheckpointParts,
  bytes: Uint8Array | ArrayBuffer,
): CheckpointInfo {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== FORMAT) {
    throw invalid(`file of format ${JSON.stringify(metadata.format ?? null)}`, `"${FORMAT}"`);
  }
  const info = { step: stepIn(metadata), values: decodeValues("loadCheckpoint", metadata.values) };
  const rate = rateIn(metadata, parts.optimizer.learningRate);
  assignTensors("loadCheckpoint", statesOf("loadCheckpoint", parts), tensors);
  if (rate !== undefined) parts.optimizer.learningRate = rate;
  parts.step?.seek(info.step);
  return info;
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
      if (all.has(path)) throw new GradusError(`${op}: "${path}" twice; expected each name once`);
      all.set(path, state);
    }
  }
  return all;
}

function stepIn({ step }: Readonly<Record<string, string>>): number {
  const value = /^\d+$/.test(step) ? Number(step) : Number.NaN;
  if (value < 2 ** 32) return value;
  throw invalid(`step ${step}`, "an integer from 0 to 2^32 - 1");
}

/** The learning rate to set, where the optimizer has one that can be set. */
function rateIn(
  { learningRate: text }: Readonly<Record<string, string>>,
  own: CheckpointParts["optimizer"]["learningRate"],
): number | undefined {
  if ((text === undefined) !== (typeof own !== "number")) {
    const told = (given: boolean) => (given ? "a learning rate" : "no learning rate");
    throw invalid(
      `file with ${told(text !== undefined)}`,
      `${told(typeof own === "number")}, as the optimizer has it`,
    );
  }
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw invalid(`learning rate ${text}`, "a finite number from 0");
}

function invalid(given: string, rule: string): FormatError {
  return new FormatError(`loadCheckpoint: ${given}; expected ${rule}`);
}
