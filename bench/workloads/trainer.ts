import { ADAM, type Batch, firstBatches, initialLayers, type Network } from "./networks.ts";
import { crossEntropy, multiply, sigmoid } from "./references.ts";

interface Dense {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

/** Trains a network from its initial weights and gives the loss before each step, in float64. */
export function referenceLosses(network: Network, steps: number): Float64Array {
  const layers = float64Layers(network);
  const parameters = layers.flatMap(({ weight, bias }) => [weight, bias]);
  const update = network.optimizer === "adam" ? adam(parameters, network) : sgd(network);
  const batches = firstBatches(network);
  return Float64Array.from({ length: steps }, (_, step) => {
    const { loss, gradients } = lossAndGradients(network, layers, batches[step % batches.length]);
    parameters.forEach((p, i) => {
      update(p, gradients[i], i, step + 1);
    });
    return loss;
  });
}

/** The logits of the first batch under the initial weights, in float64. */
export function referenceLogits(network: Network): Float64Array {
  const [{ images }] = firstBatches(network, 1);
  return forward(network, float64Layers(network), images).logits;
}

function float64Layers(network: Network): Dense[] {
  return initialLayers(network).map(({ inputs, outputs, weight, bias }) => ({
    inputs,
    outputs,
    weight: Float64Array.from(weight),
    bias: Float64Array.from(bias),
  }));
}

/** The input of each layer, and the logits. */
function forward(network: Network, layers: readonly Dense[], images: ArrayLike<number>) {
  const rows = network.batchSize;
  const activate = network.activation === "relu" ? (x: number) => Math.max(x, 0) : sigmoid;
  const inputs: ArrayLike<number>[] = [];
  let x = images;
  layers.forEach(({ inputs: from, outputs: to, weight, bias }, i) => {
    inputs.push(x);
    const product = multiply(
      { data: x, rows, columns: from },
      { data: weight, rows: from, columns: to },
    );
    const z = product.map((value, place) => value + bias[place % to]);
    x = i < layers.length - 1 ? z.map(activate) : z;
  });
  return { inputs, logits: x as Float64Array };
}

/** Loss and gradients, weight and bias of each layer in order. */
function lossAndGradients(network: Network, layers: readonly Dense[], batch: Batch) {
  const rows = network.batchSize;
  const { inputs, logits } = forward(network, layers, batch.images);
  const { loss, gradient } = crossEntropy(logits, batch.labels);
  const gradients: Float64Array[] = [];
  let dz = gradient;
  for (let i = layers.length - 1; i >= 0; i--) {
    const { inputs: from, outputs: to, weight } = layers[i];
    const x = inputs[i];
    const upstream = { data: dz, rows, columns: to };
    gradients.unshift(
      multiply({ data: x, rows: from, columns: rows, transposed: true }, upstream), // dW = xᵀ·dz
      columnSums(dz, to),
    );
    if (i === 0) break;
    const dx = multiply(upstream, { data: weight, rows: to, columns: from, transposed: true });
    dz = dx.map((g, place) => g * slope(network, x[place]));
  }
  return { loss, gradients };
}

/** The activation's derivative, from its value. */
function slope({ activation }: Network, y: number): number {
  return activation === "relu" ? Number(y > 0) : y * (1 - y);
}

function columnSums(x: Float64Array, columns: number): Float64Array {
  const y = new Float64Array(columns);
  x.forEach((value, i) => {
    y[i % columns] += value;
  });
  return y;
}

type Update = (p: Float64Array, g: Float64Array, parameter: number, step: number) => void;

function sgd({ learningRate }: Network): Update {
  return (p, g) => {
    for (let i = 0; i < p.length; i++) p[i] -= learningRate * g[i];
  };
}

/** Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1. */
export function adam(
  parameters: readonly Float64Array[],
  { learningRate }: Pick<Network, "learningRate">,
): Update {
  const { beta1, beta2, epsilon } = ADAM;
  const first = parameters.map((p) => new Float64Array(p.length));
  const second = parameters.map((p) => new Float64Array(p.length));
  return (p, g, parameter, step) => {
    const [m, v] = [first[parameter], second[parameter]];
    for (let i = 0; i < p.length; i++) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2;
      const root = Math.sqrt(v[i] / (1 - beta2 ** step)) + epsilon;
      p[i] -= (learningRate * (m[i] / (1 - beta1 ** step))) / root;
    }
  };
}
