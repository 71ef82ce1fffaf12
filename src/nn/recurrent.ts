import {
  checkDecay,
  checkEach,
  checkOptions,
  checkSizes,
  checkWords,
  isInteger,
  type Known,
} from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { foldIn, givenKey } from "../core/random.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import type { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { scan } from "../loops/scan.ts";
import { less } from "../ops/compare.ts";
import { iota, zeros } from "../ops/creation.ts";
import { flip } from "../ops/flip.ts";
import { checkedLengths } from "../ops/lengths.ts";
import { inShape, withAxes } from "../ops/reshape.ts";
import { concat, slice, stack } from "../ops/slice.ts";
import { where } from "../ops/where.ts";
import { Dropout } from "./dropout.ts";
import { Module } from "./module.ts";
import { checkNamedTensors } from "./named-tensors.ts";
import {
  GATED,
  inputSums,
  LONG_SHORT,
  NONLINEARITIES,
  type Nonlinearity,
  PLAIN_RECURRENCES,
  RECURRENT_SETTINGS,
  type Recurrence,
  type RecurrentSettings,
  type RecurrentWeights,
  weightMaker,
} from "./recurrence.ts";
import { matrices, weightIn } from "./weight-in.ts";

/** Options of `GRU`, and those that `RNN` and `LSTM` have too. */
export interface RecurrentOptions extends RecurrentSettings {
  /** How many layers there are, each of which is given what the one before gives; 1 when left out. */
  numLayers?: number;
  /** Whether inputs and outputs are `[batch, time, …]`, else `[time, batch, …]`; true when left out. */
  batchFirst?: boolean;
  /**
   * The share of each layer's outputs, but for the last one's, that is set to 0 in training mode; 0
   * when left out.
   */
  dropout?: number;
  /** Whether each layer reads its input from both ends and joins what it gives; false when left out. */
  bidirectional?: boolean;
}

const RECURRENT: Known<RecurrentOptions> = {
  ...RECURRENT_SETTINGS,
  numLayers: true,
  batchFirst: "boolean",
  dropout: true,
  bidirectional: "boolean",
};

/** Options of `RNN`. */
export interface RNNOptions extends RecurrentOptions {
  /** What sums are put through, `tanh` or `relu`; `tanh` when left out. */
  nonlinearity?: Nonlinearity;
}

const RNN_OPTIONS: Known<RNNOptions> = { ...RECURRENT, nonlinearity: "string" };

/** Options of `LSTM`. */
export interface LSTMOptions extends RecurrentOptions {
  /** To how many values outputs are projected, from 1 and below the hidden size; 0, not, when left out. */
  projSize?: number;
}

const LSTM_OPTIONS: Known<LSTMOptions> = { ...RECURRENT, projSize: true };

/** The state of an `LSTM`: outputs h and cells c. */
export type LSTMState = [h: Tensor, c: Tensor];

/** What a recurrent layer is of which the options have been checked. */
interface RecurrentPlan {
  readonly name: string;
  readonly recurrence: Recurrence;
  readonly projected: number;
  readonly options: RecurrentOptions;
}

/** Runs layers of a recurrence along time. `State` is a tensor for one carry, else a list. */
abstract class RecurrentLayer<State> extends Module<
  [x: Tensor, state?: State, lengths?: Tensor],
  [y: Tensor, state: State]
> {
  /** A layer's weights, by its number from 0: `weightIhL0`, and `weightIhL0Reverse` backwards. */
  readonly [weight: `weight${string}L${number}`]: Parameter;
  /** A layer's biases, unless there are none: `biasIhL0`, and `biasIhL0Reverse` backwards. */
  readonly [bias: `bias${string}L${number}`]: Parameter;
  readonly numLayers: number;
  readonly bidirectional: boolean;
  readonly batchFirst: boolean;
  /** What drops outputs between layers; null where nothing does. */
  readonly drop: Dropout | null;
  readonly #plan: RecurrentPlan;
  /** Weights' names, as `RecurrentWeights` has them and here, by layer and direction. */
  readonly #names: readonly (readonly (readonly (readonly [own: string, here: string])[])[])[];

  constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    plan: RecurrentPlan,
  ) {
    super();
    const { name, options, projected, recurrence } = plan;
    const { numLayers = 1, batchFirst = true, dropout = 0, bidirectional = false } = options;
    checkSizes(name, { inputSize, hiddenSize, numLayers });
    checkDecay(name, { dropout });
    this.numLayers = numLayers;
    this.bidirectional = bidirectional;
    this.batchFirst = batchFirst;
    this.#plan = plan;
    const given = projected || hiddenSize;
    const directions = bidirectional ? [false, true] : [false];
    const make = weightMaker(name, options);
    this.#names = Array.from({ length: numLayers }, (_, layer) => {
      const inputs = layer === 0 ? inputSize : given * directions.length;
      return directions.map((isReverse) => {
        const ending = [
          `L${layer}${isReverse ? "Reverse" : ""}`,
          `_l${layer}${isReverse ? "_reverse" : ""}`,
        ] as const;
        const weights = make({ inputs, hidden: hiddenSize, projected }, recurrence, ending);
        for (const [own, weight] of Object.entries(weights)) {
          const name = own + ending[0];
          Object.defineProperty(this, name, {
            value: weight,
            enumerable: true,
            configurable: true,
          });
        }
        return Object.keys(weights).map((own) => [own, own + ending[0]] as const);
      });
    });
    const { device } = options;
    const key = givenKey(name, options);
    const mask = key && foldIn(key, MASKS);
    this.drop = dropout > 0 && numLayers > 1 ? new Dropout(dropout, { key: mask, device }) : null;
  }

  /** The carries of a state. */
  protected abstract carriesOf(state: State): readonly Tensor[];

  /** A state of its carries. */
  protected abstract stateOf(carries: readonly Tensor[]): State;

  /**
   * Runs the layers along time.
   * @param x `[batch, time, inputs]`, or `[time, inputs]` for one series.
   * @param state what the first turn is given, `[layers · directions, batch, outputs]`, without the batch
   * for one series; zeros when left out. What another call gave goes on where that ended.
   * @param lengths how many turns each row of the batch has, integers `[batch]` from 0 to `time`: behind its
   * end a row gives zeros, and its state is as it was there. Backwards, a row begins at its own end. Other
   * lengths are errors on the CPU device; on WebGPU they count as the nearest of these.
   * @returns outputs of the last layer, `[batch, time, directions · outputs]`, and the state at the end.
   */
  override forward(x: Tensor, state?: State, lengths?: Tensor): [y: Tensor, state: State] {
    const isOne = x.rank === 2;
    const rows = this.#inputOf(x, lengths); // [time, batch, inputs]
    const [, n] = rows.shape;
    const given = state === undefined ? null : this.#startOf(this.carriesOf(state), n, isOne);
    const valid = lengths ? turnsOf(this.#plan.name, lengths, rows) : null;
    const counted = valid ? where(valid, rows, 0) : rows; // 0 · NaN is NaN
    const ends: Tensor[][] = [];
    const y = this.#names.reduce((y, names, layer) => {
      const weights = names.map((own) => this.#weightsOf(own));
      const dropped = layer > 0 && this.drop ? this.drop.call(y) : y;
      const from = layer * weights.length;
      const start = weights.map((one, i) => {
        return given ? given.map((all) => row(all, from + i)) : this.#zerosOf(one, dropped);
      });
      const { outputs, last } = runLayer(dropped, weights, start, valid, this.#plan.recurrence);
      ends.push(...last);
      return outputs;
    }, counted);
    const carries = ends[0].map((_, i) => {
      const all = stack(ends.map((carry) => carry[i]));
      return isOne ? inShape(all, [all.shape[0], all.shape[2]]) : all;
    });
    return [this.#outputOf(y, isOne), this.stateOf(carries)];
  }

  /** Checks an input and gives it as `[time, batch, inputs]`. */
  #inputOf(x: Tensor, lengths: Tensor | undefined): Tensor {
    const { inputSize, batchFirst } = this;
    const { name } = this.#plan;
    if ((x.rank !== 2 && x.rank !== 3) || x.shape[x.rank - 1] !== inputSize) {
      const order = batchFirst ? "batch, time" : "time, batch";
      const rule = `[${order}, ${inputSize}], or [time, ${inputSize}]`;
      throw new ShapeError(`${name}: input ${formatShape(x.shape)}; expected ${rule}`);
    }
    const [time] = x.shape;
    const rows = x.rank === 2 ? inShape(x, [time, 1, inputSize]) : batchFirst ? turned(x) : x;
    if (lengths === undefined) return rows;
    checkNamedTensors(name, { lengths });
    expectDType(`${name}: lengths have dtype`, lengths.dtype, "index");
    const expected = x.rank === 2 ? [] : [rows.shape[1]];
    if (sameShape(lengths.shape, expected)) return rows;
    throw new ShapeError(
      `${name}: lengths ${formatShape(lengths.shape)} for input ${formatShape(x.shape)}; expected ` +
        formatShape(expected),
    );
  }

  /** Outputs `[time, batch, …]` in the order of axes of the input. */
  #outputOf(y: Tensor, isOne: boolean): Tensor {
    if (isOne) return inShape(y, [y.shape[0], y.shape[2]]);
    return this.batchFirst ? turned(y) : y;
  }

  /** Checks a state that was given; for one series, with the axis of a batch. */
  #startOf(carries: readonly Tensor[], n: number, isOne: boolean): Tensor[] {
    const { name, projected } = this.#plan;
    checkStates(name, carries);
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    return carries.map((carry, i) => {
      const size = i === 0 ? projected || this.hiddenSize : this.hiddenSize;
      const expected = isOne ? [count, size] : [count, n, size];
      if (!sameShape(carry.shape, expected)) {
        const given = carries.length > 1 ? `state ${i}` : "state";
        throw new ShapeError(
          `${name}: ${given} ${formatShape(carry.shape)}; expected ${formatShape(expected)}`,
        );
      }
      return inShape(carry, [count, n, size]);
    });
  }

  /** Names the weights that adapters are added to, by layer and direction. */
  [matrices](): readonly string[] {
    const names = this.#names.flat(2).map(([, here]) => here);
    return names.filter((name) => name.startsWith("weight"));
  }

  /** The weights that lie under names of this layer, which others may compute. */
  #weightsOf(names: readonly (readonly [own: string, here: string])[]): RecurrentWeights {
    const found = names.map(([own, here]) => [own, weightIn(this, here)] as const);
    return Object.fromEntries(found) as unknown as RecurrentWeights;
  }

  #zerosOf({ weightHh }: RecurrentWeights, { shape: [, n], device, dtype }: Tensor): Tensor[] {
    const sizes = [weightHh.shape[0], this.hiddenSize].slice(0, this.#plan.recurrence.carries);
    return sizes.map((size) => zeros([n, size], { device, dtype }));
  }
}

/** The number of the masks' key, above those of weights. */
const MASKS = 2 ** 32 - 1;

/** The first two axes swapped. */
function turned(x: Tensor): Tensor {
  return withAxes(x, [1, 0, 2]);
}

/** Row i along the first axis. */
function row(x: Tensor, i: number): Tensor {
  return inShape(slice(x, [{ start: i, end: i + 1 }]), x.shape.slice(1));
}

/** Whether a row of the batch has that turn, `[time, batch, 1]`. */
function turnsOf(op: string, lengths: Tensor, { shape: [time, n], device }: Tensor): Tensor {
  const turns = inShape(iota(time, "i32", device), [time, 1, 1]);
  const counts = checkedLengths(`${op}: lengths`, lengths, time);
  return less(turns, inShape(counts, [1, n, 1]));
}

/** Runs one layer, in one loop for both directions: what it gives, and each direction's last carry. */
function runLayer(
  x: Tensor,
  weights: readonly RecurrentWeights[],
  start: readonly (readonly Tensor[])[],
  valid: Tensor | null,
  recurrence: Recurrence,
): { outputs: Tensor; last: readonly Tensor[][] } {
  const inOrder = (y: Tensor, i: number) => (i === 0 ? y : flip(y, { axis: 0 }));
  const sums = weights.map((one, i) => inOrder(inputSums(x, one, recurrence), i));
  const masks = valid && weights.map((_, i) => inOrder(valid, i));
  const [last, ys] = scan(
    (carries, { sums, masks }) => {
      const next = carries.map((carry, i) => {
        const own = recurrence.turn(sums[i], carry, weights[i]);
        return masks ? own.map((h, k) => where(masks[i], h, carry[k])) : own;
      });
      return [next, next.map(([h], i) => (masks ? where(masks[i], h, 0) : h))] as const;
    },
    start as readonly Tensor[][],
    { sums, masks },
  );
  const outputs = ys.map(inOrder);
  return { outputs: outputs.length > 1 ? concat(outputs, { axis: 2 }) : outputs[0], last };
}

/**
 * Runs layers of h' = f(W_ih x + b_ih + W_hh h + b_hh) along time.
 * Weights lie as those of `Linear`, the transposes of PyTorch's, from whose files they load; they begin in
 * U[−a, a), a = 1 / √hidden.
 * Source: Elman 1990, "Finding structure in time", in PyTorch's form.
 * @throws ShapeError for sizes that are no positive integers and inputs, states and lengths that do not
 * fit, GradusError for other options.
 * @example
 * const rnn = new RNN(3, 8, { nonlinearity: "relu", seed: 1 });
 * const [y, h] = rnn.call(zeros([2, 5, 3])); // [2, 5, 8] and [1, 2, 8]
 */
export class RNN extends RecurrentLayer<Tensor> {
  constructor(
    inputSize: number,
    hiddenSize: number,
    options: RNNOptions = {},
    ...surplus: never[]
  ) {
    checkOptions("RNN", options, RNN_OPTIONS, surplus);
    const { nonlinearity = "tanh" } = options;
    checkWords("RNN", { nonlinearity }, NONLINEARITIES);
    const recurrence = PLAIN_RECURRENCES[nonlinearity];
    super(inputSize, hiddenSize, { name: "RNN", recurrence, projected: 0, options });
  }

  protected override carriesOf(state: Tensor): Tensor[] {
    return [state];
  }

  protected override stateOf([h]: readonly Tensor[]): Tensor {
    return h;
  }
}

/**
 * Runs layers of long short-term memory along time: with gates i, f, o and candidates g, each of them
 * W_ih x + b_ih + W_hh h + b_hh, the cell is c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g) and the output
 * h' = σ(o) ⊙ tanh(c'), with `projSize` W_hr times that.
 * Weights hold i, f, g, o, in this order, and lie as those of `Linear`, the transposes of PyTorch's, from
 * whose files they load; they begin in U[−a, a), a = 1 / √hidden.
 * Source: Hochreiter & Schmidhuber 1997, "Long short-term memory", with the forget gates of Gers et al.
 * 2000; Sak et al. 2014 for projections.
 * @throws ShapeError for sizes that are no positive integers and inputs, states and lengths that do not
 * fit, GradusError for other options.
 * @example
 * const lstm = new LSTM(3, 8, { numLayers: 2, bidirectional: true, seed: 1 });
 * const [y, [h, c]] = lstm.call(zeros([2, 5, 3])); // [2, 5, 16], and [4, 2, 8] each
 */
export class LSTM extends RecurrentLayer<LSTMState> {
  readonly projSize: number;

  constructor(
    inputSize: number,
    hiddenSize: number,
    options: LSTMOptions = {},
    ...surplus: never[]
  ) {
    checkOptions("LSTM", options, LSTM_OPTIONS, surplus);
    checkSizes("LSTM", { inputSize, hiddenSize });
    const { projSize = 0 } = options;
    const holds = (x: unknown) => isInteger(x, 0, hiddenSize - 1);
    checkEach("LSTM", { projSize }, holds, `an integer from 0 to ${hiddenSize - 1}`, ShapeError);
    const plan = { name: "LSTM", recurrence: LONG_SHORT, projected: projSize, options };
    super(inputSize, hiddenSize, plan);
    this.projSize = projSize;
  }

  protected override carriesOf(state: LSTMState): readonly Tensor[] {
    return checkedState("LSTM", state);
  }

  protected override stateOf([h, c]: readonly Tensor[]): LSTMState {
    return [h, c];
  }
}

/** Throws a `GradusError` unless all of a state are tensors. */
export function checkStates(op: string, states: readonly Tensor[]): void {
  for (const [i, given] of states.entries()) {
    checkNamedTensors(op, { [states.length > 1 ? `state ${i}` : "state"]: given ?? null });
  }
}

/** A state of two tensors. */
export function checkedState(op: string, state: LSTMState): LSTMState {
  checkEach(op, { state }, (x) => Array.isArray(x) && x.length === 2, "[h, c]");
  return state;
}

/**
 * Runs layers of gated recurrent units along time: with r = σ(W_ir x + b_ir + W_hr h + b_hr), z alike and
 * n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)), the output is h' = (1 − z) ⊙ n + z ⊙ h.
 * Weights hold r, z, n, in this order, and lie as those of `Linear`, the transposes of PyTorch's, from
 * whose files they load; they begin in U[−a, a), a = 1 / √hidden.
 * Source: Cho et al. 2014, "Learning phrase representations using RNN encoder–decoder", in PyTorch's
 * form, which resets the product and not h.
 * @throws ShapeError for sizes that are no positive integers and inputs, states and lengths that do not
 * fit, GradusError for other options.
 * @example
 * const gru = new GRU(3, 8, { seed: 1 });
 * const lengths = tensor([5, 2], { dtype: "i32" });
 * const [y, h] = gru.call(zeros([2, 5, 3]), undefined, lengths); // [2, 5, 8] and [1, 2, 8]
 */
export class GRU extends RecurrentLayer<Tensor> {
  constructor(
    inputSize: number,
    hiddenSize: number,
    options: RecurrentOptions = {},
    ...surplus: never[]
  ) {
    checkOptions("GRU", options, RECURRENT, surplus);
    super(inputSize, hiddenSize, { name: "GRU", recurrence: GATED, projected: 0, options });
  }

  protected override carriesOf(state: Tensor): Tensor[] {
    return [state];
  }

  protected override stateOf([h]: readonly Tensor[]): Tensor {
    return h;
  }
}
