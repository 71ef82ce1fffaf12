import * as tf from "@tensorflow/tfjs-core";
import type { Steps } from "./peer.ts";

/** What is trained, by what, and on which batches in turn. */
interface Training<B> {
  readonly parameters: tf.Variable[];
  readonly optimizer: tf.Optimizer;
  readonly batches: readonly B[];
  readonly lossOf: (batch: B) => tf.Scalar;
}

/** Steps of training; they end with all that they were given. */
export function stepsOf<B extends Readonly<Record<string, tf.Tensor>>>({
  parameters,
  optimizer,
  batches,
  lossOf,
}: Training<B>): Steps<tf.Scalar> {
  return {
    step: (number) =>
      tf.tidy(() => {
        const batch = batches[number % batches.length];
        const { value, grads } = tf.variableGrads(() => lossOf(batch), parameters);
        optimizer.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
        return value;
      }),
    read: async (loss) => {
      const [value] = await loss.data();
      loss.dispose();
      return value;
    },
    drop: (loss) => loss.dispose(),
    dispose: () => {
      optimizer.dispose();
      tf.dispose([...parameters, ...batches.flatMap((batch) => Object.values(batch))]);
    },
  };
}

/** The mean cross-entropy of rows of logits and rows of zeros with a one. */
export function meanLoss(targets: tf.Tensor, logits: tf.Tensor): tf.Scalar {
  return tf.losses.softmaxCrossEntropy(targets, logits) as tf.Scalar;
}
