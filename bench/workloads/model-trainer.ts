import * as layers from "./layers.ts";
import {
  type ConvolutionalNet,
  type Gpt,
  initialParameters,
  type Model,
  pictureBatches,
  tokenBatches,
} from "./models.ts";
import { adam } from "./trainer.ts";

/** Trains a model from its initial parameters and gives the loss before each step, in float64. */
export function modelLosses(model: Model, steps: number): Float64Array {
  const parameters = initialParameters(model).map(({ data }) => layers.variable(data));
  const update = adam(
    parameters.map(({ data }) => data),
    model,
  );
  const compute = model.kind === "gpt" ? gptLoss(model, steps) : convolutionalLoss(model);
  return Float64Array.from({ length: steps }, (_, step) => {
    const tape = new layers.Tape();
    const loss = compute(tape, parameters, step);
    tape.back();
    parameters.forEach(({ data, gradient }, i) => {
      update(data, gradient, i, step + 1);
      gradient.fill(0);
    });
    return loss;
  });
}

type Compute = (tape: layers.Tape, parameters: readonly layers.Variable[], step: number) => number;

function convolutionalLoss(model: ConvolutionalNet): Compute {
  const { size, channels, batchSize } = model;
  const batches = pictureBatches(model);
  return (tape, parameters, step) => {
    const { images, labels } = batches[step % batches.length];
    let x = layers.variable(images);
    channels.forEach((outputs, i) => {
      const side = size / 2 ** i;
      const sizes = { batch: batchSize, size: side, inputs: channels[i - 1] ?? 1, outputs };
      const y = tape.convolve(x, parameters[2 * i], parameters[2 * i + 1], sizes);
      x = tape.pool(tape.relu(y), { batch: batchSize, size: side, channels: outputs });
    });
    const [weight, bias] = parameters.slice(-2);
    return tape.crossEntropy(tape.dense(x, weight, bias), labels);
  };
}

function gptLoss(model: Gpt, steps: number): Compute {
  const { width, blocks } = model;
  const batches = tokenBatches(model, steps);
  return (tape, parameters, step) => {
    const { tokens, next } = batches[step];
    const rest = [...parameters];
    const take = (count: number) => rest.splice(0, count);
    const [table, positions] = take(2);
    const [norm, dense] = [
      (x: layers.Variable) => tape.normalize(x, take(2), width),
      (x: layers.Variable) => tape.dense(x, ...(take(2) as [layers.Variable, layers.Variable])),
    ];
    let x = tape.embed(table, positions, tokens, width);
    for (let i = 0; i < blocks; i++) {
      const attended = tape.attend(dense(norm(x)), model);
      x = tape.add(x, dense(attended));
      x = tape.add(x, dense(tape.gelu(dense(norm(x)))));
    }
    return tape.crossEntropy(tape.byTransposed(norm(x), table, width), next);
  };
}
