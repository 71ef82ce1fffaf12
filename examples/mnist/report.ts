import { type Callback, progressBar, terminalBar } from "gradus/train";
import { say, screen, write } from "../command/output.ts";

/** What the run came to. */
export interface Summary {
  device: string;
  steps: number;
  seconds: number;
  testAccuracy: number;
  /** The file; null where no step was made, and none was written. */
  weights: string | null;
}

/** Shows how training goes. */
export interface Report {
  start(network: string, device: string, reason: string): void;
  readonly callback: Callback;
  done(summary: Summary, stopped: boolean): void;
}

/** One JSON object a line on stdout, after each epoch and at the end. */
export function jsonReport(): Report {
  const line = (value: object) => write(`${JSON.stringify(value)}\n`);
  return {
    start: () => {},
    callback: {
      onEpoch: ({ event, epoch, step, loss, trainAccuracy, testAccuracy, stepsPerSecond }) =>
        line({ event, epoch: epoch + 1, step, loss, trainAccuracy, testAccuracy, stepsPerSecond }),
      onDeviceLost: (event) => line({ ...event, epoch: event.epoch + 1 }),
      onRecovered: (event) => line({ ...event, epoch: event.epoch + 1 }),
      onDeviceChosen: (event) => line({ ...event, epoch: event.epoch + 1 }),
    },
    done: (summary) => line({ event: "done", ...summary }),
  };
}

/** A progress bar and a line for each epoch. */
export function terminalReport(): Report {
  return {
    start(network, device, reason) {
      say(`Device: ${device} (${reason})`);
      say(`Network: ${network}`);
    },
    callback: progressBar(terminalBar(screen)),
    done({ device, steps, seconds, testAccuracy, weights }, stopped) {
      const percent = (100 * testAccuracy).toFixed(2);
      say(
        `${stopped ? "Stopped" : "Done"}: ${steps} steps in ${seconds.toFixed(1)} s on ${device}, ` +
          `test accuracy ${percent} %`,
      );
      say(weights === null ? "Weights: none, since no step was made" : `Weights: ${weights}`);
    },
  };
}
