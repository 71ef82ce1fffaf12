import { Presets, SingleBar } from "cli-progress";
import type { EpochEvent, StepEvent } from "../../src/train/index.ts";
import type { Options } from "./options.ts";

/** What the run came to. */
export interface Summary {
  device: string;
  steps: number;
  seconds: number;
  testAccuracy: number;
  weights: string;
}

/** Shows how training goes. */
export interface Report {
  start(options: Options, device: string, reason: string): void;
  step(event: StepEvent): void;
  epoch(event: EpochEvent): void;
  done(summary: Summary, stopped: boolean): void;
}

/** One JSON object a line on stdout, after each epoch and at the end. */
export function jsonReport(): Report {
  const write = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
  return {
    start: () => {},
    step: () => {},
    epoch: ({ event, epoch, step, loss, trainAccuracy, testAccuracy, stepsPerSecond }) =>
      write({ event, epoch: epoch + 1, step, loss, trainAccuracy, testAccuracy, stepsPerSecond }),
    done: (summary) => write({ event: "done", ...summary }),
  };
}

const percent = (x: number | undefined) => `${((x ?? 0) * 100).toFixed(2)} %`;

/** A progress bar and a line for each epoch. */
export function terminalReport(): Report {
  const bar = new SingleBar(
    {
      format:
        "epoch {epoch} {bar} step {value}/{total} · loss {loss} · {speed} steps/s · {left} s left",
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      linewrap: false,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  let begun = false;
  let epochs = 0;
  return {
    start(options, device, reason) {
      epochs = options.epochs;
      console.log(`Device: ${device} (${reason})`);
      console.log(
        `Network: 784-${options.hidden}-10, batch ${options.batchSize}, ` +
          `learning rate ${options.learningRate}, seed ${options.seed}`,
      );
    },
    step({ epoch, step, steps, loss, stepsPerSecond, secondsLeft }) {
      const payload = {
        epoch: `${epoch + 1}/${epochs}`,
        loss: loss.toFixed(4),
        speed: stepsPerSecond.toFixed(0),
        left: secondsLeft.toFixed(0),
      };
      if (begun) bar.update(step, payload);
      else bar.start(steps, step, payload);
      begun = true;
    },
    epoch({ epoch, loss, trainAccuracy, testAccuracy, stepsPerSecond }) {
      if (begun) bar.stop();
      begun = false;
      console.log(
        `epoch ${epoch + 1}/${epochs}: loss ${loss.toFixed(4)}, accuracy ` +
          `${percent(trainAccuracy)} train, ${percent(testAccuracy)} test, ` +
          `${stepsPerSecond.toFixed(0)} steps/s`,
      );
    },
    done({ device, steps, seconds, testAccuracy, weights }, stopped) {
      if (begun) bar.stop();
      console.log(
        `${stopped ? "Stopped" : "Done"}: ${steps} steps in ${seconds.toFixed(1)} s on ${device}, ` +
          `test accuracy ${percent(testAccuracy)}`,
      );
      console.log(`Weights: ${weights}`);
    },
  };
}
