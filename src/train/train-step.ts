import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Module } from "../nn/module.ts";
import type { Optimizer } from "../optim/optimizer.ts";

/** Computes the scalar loss of a model on a batch. */
export type LossFunction<M extends Module, B> = (model: M, batch: B) => Tensor;

/** What a training step consists of. */
export interface TrainStepOptions<M extends Module, B> {
  model: M;
  optimizer: Optimizer;
  loss: LossFunction<M, B>;
}

/**
 * Makes a function that trains a model on one batch and gives the loss from before the change.
 *
 * Forward, backward and update run as one plan; the call waits for nothing. Read the loss with
 * `item()` and dispose it; the batch may be disposed right after the call.
 * @throws ShapeError, when the step is called, if the loss is no scalar.
 * @example
 * const step = trainStep({
 *   model,
 *   optimizer,
 *   loss: (model, { images, labels }) => crossEntropy(model.call(images), labels),
 * });
 * using loss = step(batch);
 */
export function trainStep<M extends Module, B>(
  options: TrainStepOptions<M, B>,
): (batch: B) => Tensor {
  const { model, optimizer, loss } = options;
  return (batch) => {
    const value = loss(model, batch);
    if (value.size !== 1) {
      throw new ShapeError(
        `trainStep: loss has shape ${formatShape(value.shape)}; expected a scalar. ` +
          "Reduce it, say with mean",
      );
    }
    optimizer.step(value);
    return value;
  };
}
