import { checkOptions } from "../core/check.ts";
import type { AnyModule } from "../nn/module.ts";
import { TRAIN_OPTIONS } from "./check-options.ts";
import type { TrainEvent } from "./events.ts";
import { checkRun, type TrainOptions } from "./train-options.ts";
import { Training } from "./training.ts";

/**
 * Trains a model and reports how it goes.
 *
 * Losses are read some steps behind the step being enqueued, so the device never waits for a
 * report, and other tasks get their turn between steps. Leaving the loop stops the training. A GPU
 * that is lost is replaced, and a few steps are made again, to the same bits; events tell of both.
 * @throws GradusError for unknown options and bad numbers, `NonFiniteLossError` for a loss that is
 * not finite, GradusError for a loader that gives other than `stepsPerEpoch` batches, and what the
 * loss, the loader and the device throw.
 * @example
 * for await (const report of train({ model, optimizer, loss, loader, epochs: 10 })) {
 *   if (report.event === "step") console.log(report.step, report.loss);
 * }
 */
export function train<M extends AnyModule, B>(
  options: TrainOptions<M, B>,
): AsyncGenerator<TrainEvent, void, undefined> {
  checkOptions<TrainOptions<M, B>>("train", options, TRAIN_OPTIONS);
  checkRun("train", options);
  return run(new Training("train", options));
}

async function* run<M extends AnyModule, B>(
  training: Training<M, B>,
): AsyncGenerator<TrainEvent, void, undefined> {
  try {
    yield* training.run();
  } finally {
    await training.close();
  }
}
