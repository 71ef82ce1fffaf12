import type { DType } from "../core/dtype.ts";
import { foldIn, givenKey, type Key } from "../core/random.ts";
import type { Device } from "../graph/device.ts";
import { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { matmul } from "../ops/matmul.ts";
import { randomUniform } from "../ops/random.ts";
import { split } from "../ops/split.ts";
import { relu, sigmoid, tanh } from "../ops/unary.ts";

/** What recurrent layers and cells have in common. */
export interface RecurrentSettings {
  /** Whether biases are added, those of inputs and those of states; true when left out. */
  bias?: boolean;
  /** Fixes the initial weights, and masks, on every device; give each layer of a model its own. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them. */
  key?: Key;
  /** The device of `init` when left out. */
  device?: Device;
  /** `f32` when left out. */
  dtype?: DType;
}

/** The names of `RecurrentSettings`. */
export const RECURRENT_SETTINGS = {
  bias: "boolean",
  seed: true,
  key: true,
  device: true,
  dtype: "string",
} as const;

/** What an `RNN` puts its sums through. */
export type Nonlinearity = "tanh" | "relu";

/** The words of `Nonlinearity`. */
export const NONLINEARITIES: readonly Nonlinearity[] = ["tanh", "relu"];

/** The weights of a layer in one direction; G is the number of gates. */
export interface RecurrentWeights<T extends Tensor = Tensor> {
  /** `[inputs, G · hidden]`. */
  readonly weightIh: T;
  /** `[outputs, G · hidden]`. */
  readonly weightHh: T;
  /** `[G · hidden]`. */
  readonly biasIh?: T;
  /** `[G · hidden]`. */
  readonly biasHh?: T;
  /** `[hidden, outputs]` where outputs are projected. */
  readonly weightHr?: T;
}

/** A kind of recurrence: what a turn does. */
export interface Recurrence {
  /** How many gates there are, the candidate among them. */
  readonly gates: number;
  /** How many tensors are carried; the first one is the output. */
  readonly carries: number;
  /** Whether the two biases are only added up, so that this can be done for all turns at once. */
  readonly addsBiases: boolean;
  /**
   * Gives the next carry, each `[n, …]`.
   * @param z what `inputSums` gives of a turn's input, `[n, G · hidden]`.
   */
  turn(z: Tensor, carry: readonly Tensor[], weights: RecurrentWeights): Tensor[];
}

/** h' = f(z + h·W_hh) */
function plainRecurrence(f: (x: Tensor) => Tensor): Recurrence {
  return {
    gates: 1,
    carries: 1,
    addsBiases: true,
    turn: (z, [h], { weightHh }) => [f(add(z, matmul(h, weightHh)))],
  };
}

/** The recurrences of `RNN`. */
export const PLAIN_RECURRENCES: Readonly<Record<Nonlinearity, Recurrence>> = {
  tanh: /* @__PURE__ */ plainRecurrence(tanh),
  relu: /* @__PURE__ */ plainRecurrence(relu),
};

/** (i, f, g, o) = z + h·W_hh; c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g), h' = σ(o) ⊙ tanh(c'), or that · W_hr. */
export const LONG_SHORT: Recurrence = {
  gates: 4,
  carries: 2,
  addsBiases: true,
  turn: (z, [h, c], { weightHh, weightHr }) => {
    const [i, f, g, o] = split(add(z, matmul(h, weightHh)), 4, { axis: 1 });
    const long = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
    const short = mul(sigmoid(o), tanh(long));
    return [weightHr ? matmul(short, weightHr) : short, long];
  },
};

/**
 * (r, u, n) = z, (r̂, û, n̂) = h·W_hh + b_hh; ñ = tanh(n + σ(r + r̂) ⊙ n̂),
 * h' = (1 − s) ⊙ ñ + s ⊙ h with s = σ(u + û).
 */
export const GATED: Recurrence = {
  gates: 3,
  carries: 1,
  addsBiases: false,
  turn: (z, [h], { weightHh, biasHh }) => {
    const product = matmul(h, weightHh);
    const [r, u, n] = split(z, 3, { axis: 1 });
    const own = split(biasHh ? add(product, biasHh) : product, 3, { axis: 1 });
    const fresh = tanh(add(n, mul(sigmoid(add(r, own[0])), own[2])));
    return [add(fresh, mul(sigmoid(add(u, own[1])), sub(h, fresh)))];
  },
};

/** What inputs `[…, inputs]` add to the gates, `[…, G · hidden]`: of all turns in one product. */
export function inputSums(
  x: Tensor,
  { weightIh, biasIh, biasHh }: RecurrentWeights,
  { addsBiases }: Recurrence,
): Tensor {
  const product = matmul(x, weightIh);
  if (!biasIh || !biasHh) return product;
  return add(product, addsBiases ? add(biasIh, biasHh) : biasIh);
}

/** The sizes of a layer in one direction. */
export interface RecurrentSizes {
  readonly inputs: number;
  readonly hidden: number;
  /** What is given on where it is projected; 0 where it is not. */
  readonly projected: number;
}

/** PyTorch keeps the transpose of a weight. */
const TRANSPOSED = { axes: [1, 0] };

/** Makes weights, drawn from U[−a, a), a = 1 / √hidden, as a function of their sizes. */
export function weightMaker(op: string, options: RecurrentSettings) {
  const { bias = true, device, dtype } = options;
  const key = givenKey(op, options);
  let number = 0;
  /** @param ending what follows their names here, and there. */
  return (
    { inputs, hidden, projected }: RecurrentSizes,
    { gates }: Recurrence,
    ending: readonly [here: string, there: string] = ["", ""],
  ): RecurrentWeights<Parameter> => {
    const high = 1 / Math.sqrt(hidden);
    const make = (here: string, there: string, ...shape: number[]) => {
      const own = key && foldIn(key, number++);
      const drawn = randomUniform(shape, { low: -high, high, key: own, device, dtype });
      const axes = shape.length > 1 ? TRANSPOSED : undefined;
      const pytorch = { name: there + ending[1], ...axes };
      return new Parameter(drawn, { name: here + ending[0], pytorch });
    };
    const wide = gates * hidden;
    return {
      weightIh: make("weightIh", "weight_ih", inputs, wide),
      weightHh: make("weightHh", "weight_hh", projected || hidden, wide),
      ...(bias && {
        biasIh: make("biasIh", "bias_ih", wide),
        biasHh: make("biasHh", "bias_hh", wide),
      }),
      ...(projected > 0 && { weightHr: make("weightHr", "weight_hr", hidden, projected) }),
    };
  };
}
