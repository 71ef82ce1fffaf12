import type { Callback } from "../train/callback.ts";
import { checkMethods } from "../train/check-options.ts";
import { checkMonitor, type Monitor, monitored } from "./monitor.ts";

/** Something that learns of a number after each epoch, such as `ReduceOnPlateau`. */
export interface MetricListener {
  /** Called after each epoch with its number. */
  update(metric: number): unknown;
  /** Gives what a checkpoint keeps of it. */
  state?(): unknown;
  /** Takes what `state` gave. */
  load?(saved: never): void;
}

/**
 * Hands a number of each epoch to something that acts on it, such as one that lowers the learning
 * rate where the number stays.
 * @param monitor the loss on held-out examples when left out.
 * @throws GradusError for an unknown monitor, and in training when an epoch lacks the number.
 * @example
 * const plateau = new ReduceOnPlateau(optimizer, { patience: 2 });
 * await fit({ ...settings, validationData, callbacks: [onMetric(plateau)] });
 */
export function onMetric(listener: MetricListener, monitor: Monitor = "validationLoss"): Callback {
  checkMethods("onMetric", { listener }, ["update"], "something with update(metric)");
  checkMonitor("onMetric", monitor);
  return {
    name: "metric",
    onEpoch(event) {
      listener.update(monitored("onMetric", monitor, event));
    },
    save: () => listener.state?.() ?? null,
    restore: (saved) => listener.load?.(saved as never),
  };
}
