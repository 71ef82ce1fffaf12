import {
  concat,
  cos,
  foldIn,
  type Key,
  keyFromSeed,
  matmul,
  mul,
  randomNormal,
  relu,
  State,
  sigmoid,
  sin,
  type Tensor,
} from "gradus";
import { heNormal, Linear, Module, Sequential } from "gradus/nn";

/** The sizes of a field. */
export interface FieldOptions {
  /** Frequencies drawn: twice as many features. */
  readonly frequencies: number;
  /** Standard deviation of the frequencies, in waves across the picture. */
  readonly scale: number;
  /** Units of each of the two hidden layers. */
  readonly hidden: number;
  readonly seed: number;
}

/**
 * Maps points v `[n, 2]` to [cos 2πBv, sin 2πBv], `[n, 2·frequencies]`, with B from N(0, scale²), which is
 * not trained. Source: Tancik et al. 2020, "Fourier features let networks learn high frequency functions in
 * low dimensional domains", section 5.
 */
export class FourierFeatures extends Module {
  readonly frequencies: State;

  constructor(frequencies: number, scale: number, key: Key) {
    super();
    const b = randomNormal([2, frequencies], { std: scale, key });
    this.frequencies = new State(b, { name: "frequencies" });
  }

  override forward(points: Tensor): Tensor {
    const angles = mul(matmul(points, this.frequencies), 2 * Math.PI);
    return concat([cos(angles), sin(angles)], { axis: -1 });
  }
}

/** A network from points `[n, 2]` to colours `[n, 3]`: Fourier features and two hidden layers. */
export function field({ frequencies, scale, hidden, seed }: FieldOptions): Sequential {
  const key = keyFromSeed(seed);
  const dense = (inputs: number, outputs: number, number: number) =>
    new Linear(inputs, outputs, { weightInit: heNormal(), key: foldIn(key, number) });
  return new Sequential({
    features: new FourierFeatures(frequencies, scale, foldIn(key, 0)),
    first: dense(2 * frequencies, hidden, 1),
    relu1: relu,
    second: dense(hidden, hidden, 2),
    relu2: relu,
    colour: dense(hidden, 3, 3),
    sigmoid,
  });
}
