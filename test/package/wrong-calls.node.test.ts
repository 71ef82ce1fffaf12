import { beforeAll, describe, expect, test } from "vitest";
import { BatchSampler, DataLoader, TensorDataset, writeIdx } from "../../src/data/index.ts";
import {
  broadcastTo,
  cast,
  chromeTrace,
  compile,
  concat,
  explain,
  GradusError,
  gradCheck,
  Parameter,
  permute,
  relu,
  squeeze,
  stack,
  sum,
  sumTo,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "../../src/index.ts";
import { fileStore } from "../../src/io/browser.ts";
import {
  download,
  loadCheckpoint,
  saveCheckpoint,
  saveSafetensors,
  writeSafetensors,
} from "../../src/io/index.ts";
import * as losses from "../../src/losses/index.ts";
import * as metrics from "../../src/metrics/index.ts";
import * as nn from "../../src/nn/index.ts";
import {
  clipByGlobalNorm,
  clipByValue,
  exponentialMovingAverage,
  OptimizerGroup,
  ReduceOnPlateau,
  SGD,
} from "../../src/optim/index.ts";
import {
  accumulatedStep,
  BestWeights,
  Checkpoint,
  fit,
  lossPerIndividual,
  numericalGradient,
  trainStep,
} from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";

// Calls that people try who come from another library, in JavaScript.

beforeAll(async () => {
  await testDevice();
});

const any = (value: unknown) => value as never;
const x = () =>
  tensor([
    [1, 2],
    [3, 4],
  ]);
const labels = () => tensor(Int32Array.of(0, 1));

interface Parts {
  readonly model: nn.Linear;
  readonly optimizer: SGD;
  readonly loss: (model: nn.Linear, batch: Tensor) => Tensor;
}

/** What a step is made of, or that with the optimizer of another model. */
function parts(other = false): Parts {
  const model = new nn.Linear(2, 3);
  const owner = other ? new nn.Linear(2, 3) : model;
  const optimizer = new SGD(owner.parameters(), { learningRate: 1 });
  return { model, optimizer, loss: (m, batch) => sum(m.call(batch)) };
}

const dataset = () => new TensorDataset({ x: x(), labels: labels() });
const gradients = () => tensor([1, 2]);
const oneBatch = (op: string) => `${op}: a Tensor too much; expected ${op}(…)({ x, labels })`;
const axes = "expected an array of integers";

const calls: Record<string, readonly [() => unknown, string]> = {
  "tensors one by one in concat": [
    () => concat(any(x()), any(x())),
    "concat: a Tensor; expected an array of at least one tensor. Did you mean concat([a, b])?",
  ],
  "tensors one by one in stack": [
    () => stack(any(x()), any(x())),
    "stack: a Tensor; expected an array of at least one tensor. Did you mean stack([a, b])?",
  ],
  "arrays in concat": [
    () => concat(any([[1], [2]])),
    "concat: input 0 is an array; expected a tensor. Use tensor(value)",
  ],
  "no shape": [
    () => broadcastTo(x(), any(undefined)),
    "broadcastTo: shape undefined; expected an array of non-negative integers",
  ],
  "no shape to sum to": [
    () => sumTo(x(), any(undefined)),
    "sumTo: shape undefined; expected an array of non-negative integers",
  ],
  "axes by name": [() => transpose(x(), any({ a: 1 })), `transpose: axes an object; ${axes}`],
  "no axes": [() => permute(x(), any(null)), `permute: axes null; ${axes}`],
  "a tensor in place of a function": [
    () => compile(any(x())),
    "compile: fn is a Tensor; expected a function",
  ],
  "no options of compile": [
    () => compile(relu, any(null)),
    "compile: options null; expected an object of onProgress, stepsPerSubmit, name, parameters, mirrorEvery, onDropped, count",
  ],
  "one tensor to check": [
    () => gradCheck((a) => sum(a), any(x())),
    "gradCheck: inputs a Tensor; expected an array of tensors. Did you mean [x]?",
  ],
  "no function to check": [
    () => gradCheck(any(3), [x()]),
    "gradCheck: fn is 3; expected a function",
  ],
  "nothing to differentiate": [
    () => numericalGradient(sum, any(undefined)),
    "numericalGradient: x undefined; expected a tensor or an array of them",
  ],
  "one gradient to clip": [
    () => clipByGlobalNorm(any(gradients()), 1),
    "clipByGlobalNorm: gradients a Tensor; expected an array of tensors",
  ],
  "gradients that are arrays": [
    () => clipByValue(any([[1]]), 1),
    "clipByValue: input 0 is an array; expected a tensor. Use tensor(value)",
  ],
  "what clipByGlobalNorm gives as a whole": [
    () => {
      const clip = (g: readonly Tensor[]) => clipByGlobalNorm(g, 1) as never;
      const p = new Parameter(gradients());
      new SGD([p], { learningRate: 1, clip }).step(sum(p));
    },
    "SGD: gradients an object; expected an array of tensors",
  ],
  "no targets of a population": [
    () => lossPerIndividual(losses.meanSquaredError, x(), any(undefined)),
    "lossPerIndividual: input 1 is undefined; expected a tensor. Use tensor(value)",
  ],
  "an object of layers in a file": [
    () => saveSafetensors(any({ w: x() })),
    "saveSafetensors: tensors an object; expected a module or a Map of tensors by name",
  ],
  "nothing to load into": [
    () => nn.loadState(any(undefined), new Uint8Array()),
    "loadState: states undefined; expected a module or a Map of tensors by name",
  ],
  "the states of nothing": [
    () => nn.loadState(any(null), new Map()),
    "loadState: states null; expected a module or a Map of tensors by name",
  ],
  "states as an object": [
    () => nn.loadState(new nn.Linear(1, 1), any({})),
    "loadState: values an object; expected a module or a Map of tensors by name, " +
      "or the bytes of a safetensors file",
  ],
  "options in place of a rate": [
    () => new nn.Dropout(any({ rate: 0.5 })),
    "Dropout: rate an object; expected a number from 0 and below 1",
  ],
  "a data set of two tensors": [
    () => new TensorDataset(any(x()), any(labels())),
    "TensorDataset: a Tensor; expected tensors by name. Did you mean { x, labels }?",
  ],
  "a data set as loader": [
    () => fit({ ...parts(), epochs: 1, loader: any(dataset()) } as never),
    "fit: loader a TensorDataset; expected a DataLoader, a list or another iterable of batches, or " +
      "an object with stepsPerEpoch and epoch. Did you mean new DataLoader({ dataset, batchSize })?",
  ],
  "a path as store": [
    () => new Checkpoint({ to: any("run.bin") }),
    'Checkpoint: store is "run.bin"; expected a store, such as fileStore(path) of gradus/io',
  ],
  "a step on two tensors": [
    () => (trainStep(parts()) as (...all: Tensor[]) => unknown)(x(), labels()),
    oneBatch("trainStep"),
  ],
  "a step that accumulates, on two tensors": [
    () => {
      const step = accumulatedStep({ ...parts(), accumulate: 2 });
      return (step as (...all: Tensor[]) => unknown)(x(), labels());
    },
    oneBatch("accumulatedStep"),
  ],
  "the optimizer of another model": [
    () => trainStep(parts(true))(x()),
    'SGD: loss does not depend on "weight"; expected targets that it was computed from. Is it ' +
      "of the model that was called?",
  ],
  "batches whose names the loss does not know": [
    () => {
      const loss = (m: nn.Linear, batch: { inputs?: Tensor }) => sum(m.call(any(batch.inputs)));
      const loader = new DataLoader({ dataset: dataset(), batchSize: 2 });
      return fit({ ...parts(), loss, epochs: 1, loader: any(loader) } as never);
    },
    "Linear: input 0 is undefined; expected a tensor. Use tensor(value)",
  ],
  "an axis as text": [
    () => sum(x(), any({ axis: "0" })),
    'sum: axis "0"; expected an integer in [-2, 1] for rank 2',
  ],
  "no axis": [
    () => squeeze(x(), any(null)),
    "squeeze: axis null; expected an integer in [-2, 1] for rank 2",
  ],
  "a shape as text": [
    () => zeros(any("2")),
    'zeros: shape "2"; expected an array of non-negative integers',
  ],
  "epochs as text": [
    () => fit({ ...parts(), epochs: any("3"), loader: [x()] }),
    'fit: epochs "3"; expected an integer from 0',
  ],
  "an epoch as text": [
    () => new DataLoader({ dataset: dataset(), batchSize: 1 }).epoch(any("1")),
    'DataLoader: epoch "1"; expected an integer from 0 to 2^32 - 1',
  ],
  "a step as text": [
    () => new BatchSampler({ size: 4, batchSize: 2 }).at(any("1")),
    'BatchSampler: step "1"; expected an integer from 0 to 2^32 - 1',
  ],
  "no sampler": [
    () => dataset().batchAt(tensor(0, { dtype: "u32" }), any(undefined)),
    "TensorDataset: sampler undefined; expected a BatchSampler",
  ],
  "no optimizer to slow down": [
    () => new ReduceOnPlateau(any(undefined)),
    "ReduceOnPlateau: input 0 undefined; expected an optimizer",
  ],
  "no numbers to smooth": [
    () => exponentialMovingAverage(any(undefined)),
    "exponentialMovingAverage: series undefined; expected numbers, as in an array",
  ],
  "the best weights of nothing": [
    () => new BestWeights(any(undefined)),
    "BestWeights: model is undefined; expected a Module",
  ],
  "a checkpoint of nothing": [
    () => saveCheckpoint(any(undefined)),
    "saveCheckpoint: parts undefined; expected an object of model, optimizer, step and extra",
  ],
  "a checkpoint without an optimizer": [
    () => saveCheckpoint(any({ model: new nn.Linear(1, 1) })),
    "saveCheckpoint: optimizer undefined; expected something with state(), such as a module or an " +
      "optimizer",
  ],
  "a checkpoint read into a model alone": [
    () => loadCheckpoint(any(new nn.Linear(1, 1)), new Uint8Array()),
    "loadCheckpoint: model undefined; expected something with state(), such as a module or an " +
      "optimizer",
  ],
  "a file of nothing": [
    () => writeSafetensors(any(null)),
    "writeSafetensors: tensors null; expected tensors by name, in an object or a Map",
  ],
  "an array of nothing": [
    () => writeIdx(any(undefined)),
    "writeIdx: array undefined; expected an object of shape, dtype and data",
  ],
  "a number in place of a file": [
    () => writeSafetensors(any(3)),
    "writeSafetensors: tensors 3; expected tensors by name, in an object or a Map",
  ],
  "a file with nothing by a name": [
    () => writeSafetensors(any({ weight: null })),
    'writeSafetensors: tensor "weight" null; expected an object of dtype, shape and data',
  ],
  "no tensors to save": [
    () => saveSafetensors(any(null)),
    "saveSafetensors: tensors null; expected a module or a Map of tensors by name",
  ],
  "what is called state and is none": [
    () => saveSafetensors(any({ state: 1 })),
    "saveSafetensors: tensors an object; expected a module or a Map of tensors by name",
  ],
  "numbers by name to save": [
    () => saveSafetensors(any(new Map([["a", 1]]))),
    "saveSafetensors: input 0 is 1; expected a tensor. Use tensor(value)",
  ],
  "classes as truth values": [
    () => metrics.accuracy(x(), tensor([true, false])),
    "accuracy: labels have dtype bool; expected integers or float targets",
  ],
  "scores of one example": [
    () => metrics.accuracy(tensor([1, 2]), tensor([1, 2])),
    "accuracy: logits [2] with f32 labels [2]; expected [n, c] with integers [n] or floats [n, c]",
  ],
  "the best classes of one example": [
    () => metrics.topKAccuracy(tensor([1, 2]), labels(), 1),
    "topKAccuracy: logits [2] with labels [2]; expected [n, c] with [n]",
  ],
  "as many labels as classes": [
    () => metrics.topKAccuracy(x(), tensor(Int32Array.of(0, 1, 1)), 1),
    "topKAccuracy: logits [2, 2] with labels [3]; expected [n, c] with [n]",
  ],
  "no pairs to verify": [
    () => metrics.verificationAccuracy(tensor(new Float32Array(0)), tensor(new Int32Array(0))),
    "verificationAccuracy: scores [0] with same [0]; expected [n] and [n], n from 1",
  ],
  "pairs in rows": [
    () => metrics.verificationAccuracy(x(), cast(x(), "i32")),
    "verificationAccuracy: scores [2, 2] with same [2, 2]; expected [n] and [n], n from 1",
  ],
  ...Object.fromEntries(
    [
      ["i32", [3], [2]],
      ["f32", [2, 2], [3]],
      ["f32", [2, 3], [2]],
      ["f32", [2, 2, 1], [2]],
      ["f32", [2], [2]],
      ["i32", [2], [2, 1]],
    ].map(([dtype, shape, other]) => [
      `predictions ${dtype} [${shape}] of labels [${other}]`,
      [
        () => {
          const predictions = zeros(shape as number[], { dtype: dtype as "f32" | "i32" });
          const truth = zeros(other as number[], { dtype: "i32" });
          return metrics.confusionMatrix(predictions, truth, 2);
        },
        `confusionMatrix: predictions [${(shape as number[]).join(", ")}] with labels ` +
          `[${(other as number[]).join(", ")}]; expected integers [n] or scores [n, 2], labels [n]`,
      ] as [() => unknown, string],
    ]),
  ),
  "labels that are true or false": [
    () => metrics.confusionMatrix(labels(), tensor([true, false]), 2),
    "confusionMatrix: predictions have dtype i32, labels bool; expected i32, u32, u8, i8, u16 or i16 labels",
  ],
  "an initialiser without spread": [
    () => nn.normal(0),
    "normal: std 0; expected a finite number above 0",
  ],
  "an initialiser without gain": [
    () => nn.xavierUniform(0),
    "xavierUniform: gain 0; expected a finite number above 0",
  ],
  "a number for a layer of rows": [
    () => new nn.Linear(1, 1).call(tensor(1)),
    "Linear: input []; expected […, 1]",
  ],
  "states of nothing": [
    () => nn.loadState(new nn.Linear(1, 1), any(null)),
    "loadState: values null; expected a module or a Map of tensors by name, " +
      "or the bytes of a safetensors file",
  ],
  "states in what has no names": [
    () => nn.loadState(new nn.Linear(1, 1), any({ has: () => true })),
    "loadState: values an object; expected a module or a Map of tensors by name, " +
      "or the bytes of a safetensors file",
  ],
  "states of other names": [
    () =>
      nn.loadState(
        new nn.Linear(1, 1),
        new Map([
          ["a", x()],
          ["b", x()],
        ]),
      ),
    "loadState: missing [weight, bias], unknown [a, b]; expected exactly the names of the states",
  ],
  "fewer states": [
    () => nn.loadState(new nn.Linear(1, 1), new Map([["weight", tensor([[1]])]])),
    "loadState: missing [bias], unknown []; expected exactly the names of the states",
  ],
  "no parts of a checkpoint": [
    () => saveCheckpoint(any(null)),
    "saveCheckpoint: parts null; expected an object of model, optimizer, step and extra",
  ],
  "a file in a build for browsers": [
    () => fileStore("a.safetensors"),
    'fileStore: "a.safetensors" in a build for browsers; expected Node. ' +
      "Use opfsStore or indexedDbStore",
  ],
  "a path after a model": [
    () => saveSafetensors(new nn.Linear(1, 1), any("model.safetensors")),
    'saveSafetensors: metadata "model.safetensors"; expected texts by name',
  ],
  "a download in Node": [
    () => download(new Uint8Array(), "model.safetensors"),
    "download: no document; expected a page. Use fileStore in Node",
  ],
  "a switch in place of a printer": [
    () => new nn.Linear(1, 1).summary({ print: any(true) }),
    "summary: print is true; expected a function",
  ],
  "a step in place of its plan": [
    () => explain(any(trainStep(parts()))),
    "explain: plan a function; expected a plan, such as step.plans[0]",
  ],
  "a plan that is not there": [
    () => explain(any(trainStep(parts()).plans[0])),
    "explain: plan undefined; expected a plan, such as step.plans[0]",
  ],
  "null for a plan": [
    () => explain(any(null)),
    "explain: plan null; expected a plan, such as step.plans[0]",
  ],
  "no profile": [
    () => chromeTrace(any(undefined)),
    "chromeTrace: profile undefined; expected what profile(batch) gives",
  ],
  "groups of parameters": [
    () => new OptimizerGroup(any([{ params: [], lr: 1 }])),
    "OptimizerGroup: member 0 an object; expected an optimizer, such as new SGD(parameters, { … })",
  ],
  "files in place of models": [
    () => nn.loadState(any(new Uint8Array()), any(new nn.Linear(1, 1))),
    "loadState: states a Uint8Array; expected a module or a Map of tensors by name",
  ],
  "a module without forward": [
    () => new (class Net extends (nn.Module as new () => nn.Linear) {})().call(x()),
    "Net: forward is undefined; expected a function",
  ],
};

test.each(Object.entries(calls))("%s", async (_, [call, message]) => {
  const error = await Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(GradusError);
  expect((error as Error).message).toBe(message);
});

describe("every layer asks for a tensor", () => {
  const encoderLayer = () => new nn.TransformerEncoderLayer(2, 1, { dimFeedforward: 2 });
  const decoderLayer = () => new nn.TransformerDecoderLayer(2, 1, { dimFeedforward: 2 });
  const layers: Record<string, (() => nn.Module) | undefined> = {
    ...Object.fromEntries(
      Object.entries(nn)
        .filter(([, Layer]) => (Layer as { prototype?: unknown }).prototype instanceof nn.Module)
        .map(([name, Layer]) => [name, () => new (Layer as new () => nn.Module)()]),
    ),
    ...Object.fromEntries(
      (["Conv1d", "Conv2d", "Conv3d"] as const).flatMap((name) => {
        const transposed = name.replace("Conv", "ConvTranspose") as "ConvTranspose1d";
        return [name, transposed].map((own) => [own, () => new nn[own](2, 2, 1)]);
      }),
    ),
    BatchNorm1d: () => new nn.BatchNorm1d(2),
    BatchNorm2d: () => new nn.BatchNorm2d(2),
    BatchNorm3d: () => new nn.BatchNorm3d(2),
    InstanceNorm1d: () => new nn.InstanceNorm1d(2),
    InstanceNorm2d: () => new nn.InstanceNorm2d(2),
    InstanceNorm3d: () => new nn.InstanceNorm3d(2),
    GroupNorm: () => new nn.GroupNorm(1, 2),
    LayerNorm: () => new nn.LayerNorm(2),
    RMSNorm: () => new nn.RMSNorm(2),
    Embedding: () => new nn.Embedding(2, 2),
    Linear: () => new nn.Linear(2, 2),
    ...Object.fromEntries(
      (["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"] as const).map((name) => {
        return [name, () => new nn[name](2, 2) as unknown as nn.Module];
      }),
    ),
    MultiheadAttention: () => new nn.MultiheadAttention(2, 1) as unknown as nn.Module,
    TransformerEncoderLayer: () => encoderLayer() as unknown as nn.Module,
    TransformerDecoderLayer: () => decoderLayer() as unknown as nn.Module,
    TransformerEncoder: () => new nn.TransformerEncoder(encoderLayer, 1) as unknown as nn.Module,
    TransformerDecoder: () => new nn.TransformerDecoder(decoderLayer, 1) as unknown as nn.Module,
    Transformer: () => {
      const sizes = { dModel: 2, numHeads: 1, numEncoderLayers: 1, numDecoderLayers: 1 };
      return new nn.Transformer({ ...sizes, dimFeedforward: 2 }) as unknown as nn.Module;
    },
    PositionalEncoding: () => new nn.PositionalEncoding(2) as unknown as nn.Module,
    Dropout: () => new nn.Dropout(0.5).train(),
    DropPath: () => new nn.DropPath(0.5).train(),
    AlphaDropout: () => new nn.AlphaDropout(0.5).train(),
    FeatureAlphaDropout: () => new nn.FeatureAlphaDropout(0.5).train(),
    RReLU: () => new nn.RReLU().train(),
    Unfold: () => new nn.Unfold(1),
    Fold: () => new nn.Fold(1, 1),
    Threshold: () => new nn.Threshold(0, 0),
    Unflatten: () => new nn.Unflatten(1, [1, -1]),
    Upsample: () => new nn.Upsample({ size: 2 }),
    PixelShuffle: () => new nn.PixelShuffle(1),
    PixelUnshuffle: () => new nn.PixelUnshuffle(1),
    Bilinear: () => new nn.Bilinear(2, 2, 2) as unknown as nn.Module,
    ...Object.fromEntries(
      (["1d", "2d", "3d"] as const).flatMap((end) => [
        [`LPPool${end}`, () => new nn[`LPPool${end}`](2, 2)],
        ...(["MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool"] as const).map((kind) => [
          kind + end,
          () => new nn[`${kind}${end}`](2),
        ]),
        [`MaxUnpool${end}`, () => new nn[`MaxUnpool${end}`](2) as unknown as nn.Module],
        [`ConstantPad${end}`, () => new nn[`ConstantPad${end}`](1, 0)],
        [`ZeroPad${end}`, () => new nn[`ZeroPad${end}`](1)],
        [`ReflectionPad${end}`, () => new nn[`ReflectionPad${end}`](1)],
        [`ReplicationPad${end}`, () => new nn[`ReplicationPad${end}`](1)],
        [`CircularPad${end}`, () => new nn[`CircularPad${end}`](1)],
      ]),
    ),
    ArcFace: () => new losses.ArcFace(2, 2) as unknown as nn.Module,
  };
  test.each(Object.entries(layers))("%s", (name, make) => {
    const layer = make?.() as nn.Module;
    for (const given of [undefined, null, 3, "x", [[1, 2]], {}, new Float32Array(2)]) {
      const call = () => layer.call(any(given));
      expect(call).toThrow(GradusError);
      expect(call).toThrow(new RegExp(`^${name}: input 0 is .*; expected a tensor`));
    }
  });
});
