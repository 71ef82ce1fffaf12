/** A net of one hidden layer fits a function that changes while it learns. */
import {
  init,
  mul,
  randomUniform,
  relu,
  State,
  sigmoid,
  sin,
  type Tensor,
  tanh,
  tensor,
} from "gradus";
import { meanSquaredError } from "gradus/losses";
import { type Initializer, Linear, type Module, Sequential } from "gradus/nn";
import { Adam, RMSprop, SGD } from "gradus/optim";
import { trainJob } from "gradus/worker";
import { PLACE_X } from "./target.ts";

export const ACTIVATIONS = { relu, tanh, sigmoid, sin } as const;
export type Activation = keyof typeof ACTIVATIONS;
export const OPTIMIZER_NAMES = ["Adam", "RMSprop", "SGD"] as const;

export interface Fit {
  readonly target: number[];
  readonly units: number;
  readonly activation: Activation;
  readonly optimizer: (typeof OPTIMIZER_NAMES)[number];
  readonly rate: number;
  readonly seed: number;
}

/** What each unit adds at each place, `[places, units]`, the whole `[places]`, and the bias. */
export interface Pieces {
  readonly pieces: Float32Array;
  readonly bias: number;
  /** Where each unit's weighted input is 0: −b / w. */
  readonly turns: number[];
}

/** A layer's weights from −reach to reach, so that units turn at places all along x. */
const within =
  (reach: number): Initializer =>
  (shape, { key, device, dtype }) =>
    randomUniform(shape, { low: -reach, high: reach, key, device, dtype });

// #region job
export default trainJob(async (fit: Fit) => {
  await init();
  const { target, units, activation, optimizer: kind, rate: learningRate, seed } = fit;
  const hidden = new Linear(1, units, { seed, weightInit: within(5), biasInit: within(4) });
  const output = new Linear(units, 1, { seed: seed + 1 });
  const act = ACTIVATIONS[activation];
  const model = new Sequential(hidden, act, output);
  const parameters = model.parameters();
  const optimizer =
    kind === "Adam"
      ? new Adam(parameters, { learningRate })
      : kind === "RMSprop"
        ? new RMSprop(parameters, { learningRate })
        : new SGD(parameters, { learningRate, momentum: 0.9 });
  const x = tensor(PLACE_X.map((place) => [place]));
  const t = new State(tensor(target.map((height) => [height])), { name: "target" });
  const loss = (net: Module) => meanSquaredError(net.call(x), t);
  // y = c + Σ vₖ φ(wₖ x + bₖ): each unit's part of it, [places, units].
  const pieces = () => mul(act(hidden.call(x)), output.weight.transpose().reshape([1, units]));
  // #endregion
  return {
    ...{ model, optimizer, loss, loader: [{}], epochs: 40_000, metricsEvery: 20 },
    onEvent: () => new Promise<void>((go) => setTimeout(go, 12)), // slow enough to watch
    live: {
      target: (heights: number[]) => t.assign(tensor(heights.map((height) => [height]))),
    },
    calls: { pieces: () => readPieces(pieces(), hidden, output) },
    dispose: () => t.dispose(),
  };
});

async function readPieces(found: Tensor, hidden: Linear, output: Linear): Promise<Pieces> {
  const [pieces, bias, w, b] = await Promise.all([
    found.data(),
    (output.bias as Tensor).item(),
    hidden.weight.data(),
    (hidden.bias as Tensor).data(),
  ]);
  found.dispose();
  const turns = Array.from(w, (weight, k) => -b[k] / weight);
  return { pieces: pieces as Float32Array, bias, turns };
}
