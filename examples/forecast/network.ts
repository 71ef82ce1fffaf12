import {
  add,
  foldIn,
  type Key,
  keyFromSeed,
  pad,
  permute,
  relu,
  slice,
  squeeze,
  type Tensor,
} from "gradus";
import { Conv1d, heNormal, Linear, LSTM, Module } from "gradus/nn";

/** The sizes of a network. */
export interface NetworkOptions {
  /** Values of an LSTM's state, or channels of convolutions. */
  readonly hidden: number;
  readonly horizon: number;
  readonly seed: number;
}

/** Forecasts from series `[n, window, 1]` the values that follow, `[n, horizon]`. */
export type Forecaster = Module;

/** An LSTM, of whose last output a dense layer makes the forecast. */
export class RecurrentForecaster extends Module {
  readonly lstm: LSTM;
  readonly output: Linear;

  constructor({ hidden, horizon, seed }: NetworkOptions) {
    super();
    const key = foldIn(keyFromSeed(seed), 10);
    this.lstm = new LSTM(1, hidden, { key: foldIn(key, 0) });
    this.output = new Linear(hidden, horizon, { key: foldIn(key, 1) });
  }

  override forward(series: Tensor): Tensor {
    const [, [h]] = this.lstm.call(series);
    return this.output.call(squeeze(h, 0));
  }
}

/** How many values a kernel of a convolution spans. */
const SPAN = 3;

/** A convolution `[n, channels, time]` that sees nothing of what is to come. */
class CausalConvolution extends Module {
  readonly conv: Conv1d;
  readonly #before: number;

  constructor(inputs: number, outputs: number, dilation: number, key: Key) {
    super();
    this.conv = new Conv1d(inputs, outputs, SPAN, { dilation, weightInit: heNormal(), key });
    this.#before = (SPAN - 1) * dilation;
  }

  override forward(x: Tensor): Tensor {
    return this.conv.call(pad(x, [[0, 0], [0, 0], [this.#before, 0]])); // biome-ignore format: axes
  }
}

/** Two causal convolutions, to whose result the input is added. */
class Block extends Module {
  readonly first: CausalConvolution;
  readonly second: CausalConvolution;
  /** What gives the input as many channels; null where it has them. */
  readonly across: Conv1d | null;

  constructor(inputs: number, outputs: number, dilation: number, key: Key) {
    super();
    this.first = new CausalConvolution(inputs, outputs, dilation, foldIn(key, 0));
    this.second = new CausalConvolution(outputs, outputs, dilation, foldIn(key, 1));
    this.across =
      inputs === outputs ? null : new Conv1d(inputs, outputs, 1, { key: foldIn(key, 2) });
  }

  override forward(x: Tensor): Tensor {
    const y = relu(this.second.call(relu(this.first.call(x))));
    return relu(add(y, this.across ? this.across.call(x) : x));
  }
}

/** How far apart the values are that the kernels of blocks see: with them the last output sees 61. */
const DILATIONS = [1, 2, 4, 8];

/**
 * A temporal convolution: blocks of causal convolutions over values ever farther apart, of whose last
 * outputs a dense layer makes the forecast.
 * Source: Bai, Kolter & Koltun 2018, "An empirical evaluation of generic convolutional and recurrent
 * networks for sequence modeling", section 3, without weight norm and dropout.
 */
export class ConvolutionalForecaster extends Module {
  readonly blocks: readonly Block[];
  readonly output: Linear;

  constructor({ hidden, horizon, seed }: NetworkOptions) {
    super();
    const key = foldIn(keyFromSeed(seed), 20);
    this.blocks = DILATIONS.map((dilation, i) => {
      return new Block(i === 0 ? 1 : hidden, hidden, dilation, foldIn(key, i));
    });
    this.output = new Linear(hidden, horizon, { key: foldIn(key, DILATIONS.length) });
  }

  override forward(series: Tensor): Tensor {
    const x = permute(series, [0, 2, 1]);
    const y = this.blocks.reduce((y, block) => block.call(y), x);
    return this.output.call(squeeze(slice(y, [{}, {}, { start: -1 }]), 2));
  }
}

/** The networks by the names that the command has for them. */
export const NETWORKS = { lstm: RecurrentForecaster, tcn: ConvolutionalForecaster } as const;
