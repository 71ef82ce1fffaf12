import { loadDigits } from "./digits.ts";
import { modelLosses } from "./model-trainer.ts";
import { MODELS, type Model } from "./models.ts";
import { firstBatches, initialLayers, NETWORKS, type Network, TINY_NETWORKS } from "./networks.ts";
import { labelArray, oneHotRows, uniformArray } from "./random.ts";
import {
  type ConvolutionSizes,
  chain,
  convolutionGradients,
  convolve,
  crossEntropy,
  joinConvolution,
  joinLoss,
  multiply,
  softmaxRows,
  sums,
} from "./references.ts";
import { referenceLogits, referenceLosses } from "./trainer.ts";
import type { Workload } from "./workload.ts";

export { figureOf, type Task, type Unit, type Workload } from "./workload.ts";

/** Numbers that are multiplied and added to side by side, four to a register, and how often a round. */
export const PEAK_LANES = 48;
export const PEAK_UNROLLED = 4;

/** How many losses of a training run are compared with the reference's. */
export const CHECKED_STEPS = 10;

/** How many losses of a model's training, whose steps take some libraries seconds. */
export const CHECKED_MODEL_STEPS = 3;

/** Everything that can be measured, in the order in which it is shown. */
export const WORKLOADS: readonly Workload[] = [
  peak(1_000_000),
  matmul(64, 64, 64),
  matmul(128, 128, 128),
  matmul(256, 256, 256),
  matmul(512, 512, 512),
  matmul(1024, 1024, 1024, "none", "a run takes seconds"),
  matmul(100, 784, 50),
  matmul(784, 100, 50, "a"),
  matmul(64, 784, 128),
  matmul(128, 784, 256),
  elementwise(1_000),
  elementwise(10_000),
  elementwise(100_000),
  elementwise(1_000_000),
  softmax(1000, 1000),
  softmax(1024, 1024),
  softmax(100, 10),
  sum(1000, 1000, "all"),
  sum(1000, 1000, "rows"),
  lossAndGradient(128, 10),
  lossAndGradient(1000, 1000),
  convolution({ batch: 100, size: 14, inputs: 16, outputs: 32, kernel: 3 }, false),
  convolution({ batch: 100, size: 14, inputs: 16, outputs: 32, kernel: 3 }, true),
  ...NETWORKS.map(training),
  ...TINY_NETWORKS.map((network) => ({ ...training(network), unit: "µs" as const })),
  ...MODELS.map(modelTraining),
  learning(NETWORKS[3]),
  ...NETWORKS.map(firstStep),
  ...NETWORKS.map(inference),
];

/** Finds a workload by its name; throws an `Error` when there is none. */
export function findWorkload(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name);
  if (found) return found;
  throw new Error(`bench: workload ${JSON.stringify(name)}; expected one of WORKLOADS`);
}

function matmul(
  m: number,
  k: number,
  n: number,
  transposed: "a" | "b" | "none" = "none",
  skipOnSoftware?: string,
): Workload {
  const mark = (operand: "a" | "b") => (transposed === operand ? "ᵀ" : "");
  const inputs = () => ({
    a: uniformArray(1, m * k, -1, 1),
    b: uniformArray(2, k * n, -1, 1),
  });
  return {
    name: `matmul [${m},${k}]${mark("a")}·[${k},${n}]${mark("b")}`,
    task: { kind: "matmul", m, k, n, transposed },
    unit: "GFLOP/s",
    work: 2 * m * k * n,
    tolerance: 1e-5,
    skipOnSoftware,
    inputs,
    reference: () => {
      const { a, b } = inputs();
      return multiply(
        { data: a, rows: m, columns: k, transposed: transposed === "a" },
        { data: b, rows: k, columns: n, transposed: transposed === "b" },
      );
    },
  };
}

function elementwise(size: number): Workload {
  const inputs = () => ({ x: uniformArray(3, size, -2, 2) });
  return {
    name: `elementwise chain of 8, ${size.toLocaleString("en")} elements`,
    task: { kind: "chain", size },
    unit: "GB/s",
    work: 8 * size, // one read and one write of f32
    tolerance: 1e-5,
    inputs,
    reference: () => chain(inputs().x),
  };
}

function softmax(rows: number, columns: number): Workload {
  const inputs = () => ({ x: uniformArray(4, rows * columns, -5, 5) });
  return {
    name: `softmax of rows [${rows},${columns}]`,
    task: { kind: "softmax", rows, columns },
    unit: bandwidthUnit(rows * columns),
    work: 8 * rows * columns,
    tolerance: 1e-5,
    inputs,
    reference: () => softmaxRows(inputs().x, columns),
  };
}

function sum(rows: number, columns: number, of: "all" | "rows"): Workload {
  const inputs = () => ({ x: uniformArray(5, rows * columns, 0, 1) });
  return {
    name: `sum of ${of} [${rows},${columns}]`,
    task: { kind: "sum", rows, columns, of },
    unit: "GB/s",
    work: 4 * rows * columns,
    tolerance: 1e-4, // a million numbers added up one by one in float32
    inputs,
    reference: () => sums(inputs().x, of === "all" ? rows * columns : columns),
  };
}

function lossAndGradient(rows: number, columns: number): Workload {
  const inputs = () => {
    const labels = labelArray(8, rows, columns);
    const oneHot = oneHotRows(labels, columns);
    return { logits: uniformArray(6, rows * columns, -5, 5), labels, oneHot };
  };
  return {
    name: `cross-entropy and gradient [${rows},${columns}]`,
    task: { kind: "crossEntropy", rows, columns },
    unit: bandwidthUnit(rows * columns),
    work: 8 * rows * columns,
    tolerance: 1e-5,
    inputs,
    reference: () => {
      const { logits, labels } = inputs();
      const { loss, gradient } = crossEntropy(logits, labels);
      return joinLoss(loss, gradient, rows);
    },
  };
}

/** Small tables are all latency: their figure is the time. */
function bandwidthUnit(size: number): "GB/s" | "µs" {
  return size >= 100_000 ? "GB/s" : "µs";
}

/** Makes the numbers of a network, which are kept, ahead of what is timed. */
function numbersOf(network: Network): () => Record<string, never> {
  return () => {
    initialLayers(network);
    firstBatches(network);
    return {};
  };
}

function training(network: Network): Workload {
  return {
    name: `training ${network.name}`,
    task: { kind: "train", network },
    unit: "steps/s",
    work: 1,
    tolerance: network.optimizer === "adam" ? 1e-3 : 1e-4,
    inputs: numbersOf(network),
    reference: () => referenceLosses(network, CHECKED_STEPS),
  };
}

/** Steps of training of a model of other layers. */
export function modelTraining(model: Model): Workload {
  return {
    name: `training ${model.name}`,
    task: { kind: "trainModel", model },
    unit: "steps/s",
    work: 1,
    tolerance: 1e-3,
    inputs: () => ({}),
    reference: () => modelLosses(model, CHECKED_MODEL_STEPS),
  };
}

function firstStep(network: Network): Workload {
  return {
    name: `first step ${network.name}`,
    task: { kind: "firstStep", network },
    unit: "ms",
    work: 1,
    tolerance: 1e-4,
    inputs: numbersOf(network),
    reference: () => referenceLosses(network, 1),
  };
}

function inference(network: Network): Workload {
  return {
    name: `inference ${network.name.replace(/, (SGD|Adam)/, "")}`,
    task: { kind: "infer", network },
    unit: "batches/s",
    work: 1,
    tolerance: 1e-4,
    inputs: numbersOf(network),
    reference: () => referenceLogits(network),
  };
}

/** The most that one core does on four numbers at once. */
function peak(rounds: number): Workload {
  return {
    name: "multiply-adds in registers, 4 × f32",
    task: { kind: "peak", rounds },
    unit: "GFLOP/s",
    work: rounds * PEAK_LANES * 2 * PEAK_UNROLLED,
    tolerance: 1e-6,
    peers: ["gradus-cpu"],
    inputs: () => ({}),
    reference: () => new Float64Array(PEAK_LANES).fill(2), // y ← y/2 + 1, again and again
  };
}

/** Images by kernels at each place where one fits; also both gradients. */
export function convolution(sizes: ConvolutionSizes, gradients: boolean): Workload {
  const { batch, size, inputs: from, outputs: to, kernel } = sizes;
  const pixels = batch * (size - kernel + 1) ** 2;
  const inputs = () => ({
    x: uniformArray(10, batch * size ** 2 * from, -1, 1),
    w: uniformArray(11, kernel ** 2 * from * to, -1, 1),
    g: uniformArray(12, pixels * to, -1, 1),
  });
  const images = `[${batch},${size},${size},${from}]`;
  const name = `convolution ${images} with [${kernel},${kernel},${from},${to}]`;
  return {
    name: gradients ? `${name} and both gradients` : name,
    task: { kind: "convolution", ...sizes, gradients },
    unit: "GFLOP/s",
    work: (gradients ? 3 : 1) * 2 * pixels * to * from * kernel ** 2,
    tolerance: 1e-5,
    skipOnSoftware: "a run takes seconds",
    inputs,
    reference: () => {
      const given = inputs();
      if (!gradients) return convolve(given.x, given.w, sizes);
      const { loss, dx, dw } = convolutionGradients(given, sizes);
      return joinConvolution([[loss], dx, dw], sizes);
    },
  };
}

/** Training on MNIST until 97 % of the images that are held out are recognised. */
function learning(like: Network): Workload {
  const network = { ...like };
  return {
    name: `97 % on MNIST, ${network.name}`,
    task: { kind: "learn", network },
    unit: "s",
    work: 1,
    tolerance: 1e-3,
    peers: ["gradus-webgpu", "gradus-cpu", "gradus-cpu-threads", "jax-js-webgpu", "jax-js-wasm"],
    skipOnSoftware: "a run takes minutes",
    load: () => loadDigits(network, CHECKED_STEPS),
    inputs: () => {
      initialLayers(network);
      return {};
    },
    reference: () => referenceLosses(network, CHECKED_STEPS),
  };
}
