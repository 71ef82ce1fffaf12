import { checkOptions, checkSizes, checkWords, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import type { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { zeros } from "../ops/creation.ts";
import { inShape } from "../ops/reshape.ts";
import { Module } from "./module.ts";
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
  weightMaker,
} from "./recurrence.ts";
import { checkedState, checkStates, type LSTMState } from "./recurrent.ts";
import { matrices, weightIn } from "./weight-in.ts";

const CELL: Known<RecurrentSettings> = RECURRENT_SETTINGS;

/** Options of `RNNCell`. */
export interface RNNCellOptions extends RecurrentSettings {
  /** What sums are put through, `tanh` or `relu`; `tanh` when left out. */
  nonlinearity?: Nonlinearity;
}

const RNN_CELL: Known<RNNCellOptions> = { ...CELL, nonlinearity: "string" };

/** One turn of a recurrence. */
abstract class RecurrentCell<State> extends Module<[x: Tensor, state?: State], State> {
  /** `[inputSize, gates · hiddenSize]`. */
  readonly weightIh: Parameter;
  /** `[hiddenSize, gates · hiddenSize]`. */
  readonly weightHh: Parameter;
  /** `[gates · hiddenSize]`; null without biases. */
  readonly biasIh: Parameter | null;
  /** `[gates · hiddenSize]`; null without biases. */
  readonly biasHh: Parameter | null;
  readonly #name: string;
  readonly #recurrence: Recurrence;

  constructor(
    name: string,
    readonly inputSize: number,
    readonly hiddenSize: number,
    recurrence: Recurrence,
    options: RecurrentSettings,
  ) {
    super();
    checkSizes(name, { inputSize, hiddenSize });
    const sizes = { inputs: inputSize, hidden: hiddenSize, projected: 0 };
    const made = weightMaker(name, options)(sizes, recurrence);
    this.weightIh = made.weightIh;
    this.weightHh = made.weightHh;
    this.biasIh = made.biasIh ?? null;
    this.biasHh = made.biasHh ?? null;
    this.#name = name;
    this.#recurrence = recurrence;
  }

  /** Names the weights that adapters are added to. */
  [matrices](): readonly string[] {
    return ["weightIh", "weightHh"];
  }

  /** The next carries of an input `[batch, inputs]` or `[inputs]`, of the same rank. */
  protected turn(x: Tensor, state: readonly Tensor[] | undefined): Tensor[] {
    const { inputSize, hiddenSize } = this;
    const [name, { carries, turn }] = [this.#name, this.#recurrence];
    if ((x.rank !== 1 && x.rank !== 2) || x.shape[x.rank - 1] !== inputSize) {
      const rule = `[batch, ${inputSize}], or [${inputSize}]`;
      throw new ShapeError(`${name}: input ${formatShape(x.shape)}; expected ${rule}`);
    }
    const rows = x.rank === 2 ? x : inShape(x, [1, inputSize]);
    const shape = [...x.shape.slice(0, -1), hiddenSize];
    const wide = [rows.shape[0], hiddenSize];
    if (state) checkStates(name, state);
    const start = Array.from({ length: carries }, (_, i) => {
      if (!state) return zeros(wide, { device: x.device, dtype: x.dtype });
      if (sameShape(state[i].shape, shape)) return inShape(state[i], wide);
      const given = carries > 1 ? `state ${i}` : "state";
      throw new ShapeError(
        `${name}: ${given} ${formatShape(state[i].shape)}; expected ${formatShape(shape)}`,
      );
    });
    const [weightIh, weightHh] = this[matrices]().map((own) => weightIn(this, own));
    const biases = this.biasIh && this.biasHh && { biasIh: this.biasIh, biasHh: this.biasHh };
    const weights = { weightIh, weightHh, ...biases };
    const next = turn(inputSums(rows, weights, this.#recurrence), start, weights);
    return next.map((h) => inShape(h, shape));
  }
}

/**
 * Computes one turn of `RNN`: h' = f(W_ih x + b_ih + W_hh h + b_hh) of `x` `[batch, inputs]` and `h`
 * `[batch, hidden]`, zeros when left out, or of one row without the batch.
 * @throws ShapeError for sizes that are no positive integers and what does not fit, GradusError for other
 * options.
 * @example
 * const cell = new RNNCell(3, 8, { seed: 1 });
 * const h = cell.call(zeros([2, 3])); // [2, 8]
 * cell.call(zeros([2, 3]), h); // [2, 8]
 */
export class RNNCell extends RecurrentCell<Tensor> {
  constructor(
    inputSize: number,
    hiddenSize: number,
    options: RNNCellOptions = {},
    ...surplus: never[]
  ) {
    checkOptions("RNNCell", options, RNN_CELL, surplus);
    const { nonlinearity = "tanh" } = options;
    checkWords("RNNCell", { nonlinearity }, NONLINEARITIES);
    super("RNNCell", inputSize, hiddenSize, PLAIN_RECURRENCES[nonlinearity], options);
  }

  override forward(x: Tensor, h?: Tensor): Tensor {
    return this.turn(x, h && [h])[0];
  }
}

/**
 * Computes one turn of `LSTM`: `[h, c]` of `x` `[batch, inputs]` and the state before, `[h, c]`, each
 * `[batch, hidden]`, zeros when left out, or of one row without the batch.
 * @throws ShapeError for sizes that are no positive integers and what does not fit, GradusError for other
 * options.
 * @example
 * const cell = new LSTMCell(3, 8, { seed: 1 });
 * const [h, c] = cell.call(zeros([2, 3])); // [2, 8] each
 * cell.call(zeros([2, 3]), [h, c]);
 */
export class LSTMCell extends RecurrentCell<LSTMState> {
  constructor(
    inputSize: number,
    hiddenSize: number,
    options: RecurrentSettings = {},
    ...surplus: never[]
  ) {
    checkOptions("LSTMCell", options, CELL, surplus);
    super("LSTMCell", inputSize, hiddenSize, LONG_SHORT, options);
  }

  override forward(x: Tensor, state?: LSTMState): LSTMState {
    const [h, c] = this.turn(x, state && checkedState("LSTMCell", state));
    return [h, c];
  }
}

/**
 * Computes one turn of `GRU`: h' of `x` `[batch, inputs]` and `h` `[batch, hidden]`, zeros when left out,
 * or of one row without the batch.
 * @throws ShapeError for sizes that are no positive integers and what does not fit, GradusError for other
 * options.
 * @example
 * const cell = new GRUCell(3, 8, { seed: 1 });
 * cell.call(zeros([2, 3]), zeros([2, 8])); // [2, 8]
 */
export class GRUCell extends RecurrentCell<Tensor> {
  constructor(
    inputSize: number,
    hiddenSize: number,
    options: RecurrentSettings = {},
    ...surplus: never[]
  ) {
    checkOptions("GRUCell", options, CELL, surplus);
    super("GRUCell", inputSize, hiddenSize, GATED, options);
  }

  override forward(x: Tensor, h?: Tensor): Tensor {
    return this.turn(x, h && [h])[0];
  }
}
