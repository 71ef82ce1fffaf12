import { element, percent } from "../shell/dom.ts";
import type { TestReport, TrainReport } from "./protocol.ts";

const NAMES = {
  epoch: "Epoch",
  step: "Step",
  speed: "Steps per second",
  left: "Time left",
  loss: "Loss",
  accuracy: "Accuracy",
  testLoss: "Test loss",
  testAccuracy: "Test accuracy",
} as const;

/** The numbers of a run. */
export class Figures {
  readonly #values = new Map<keyof typeof NAMES, HTMLElement>();
  /** Steps per second, smoothed. */
  #speed = 0;

  constructor() {
    for (const [name, label] of Object.entries(NAMES)) {
      const box = document.createElement("div");
      const term = document.createElement("dt");
      term.textContent = label;
      const value = document.createElement("dd");
      value.id = `figure-${name}`;
      box.append(term, value);
      element("figures").append(box);
      this.#values.set(name as keyof typeof NAMES, value);
    }
    this.clear();
  }

  clear(): void {
    this.#speed = 0;
    for (const name of this.#values.keys()) this.#set(name, "–");
  }

  /** Takes note of every report, so that the speed is a mean over time. */
  note({ stepsPerSecond }: TrainReport): void {
    this.#speed = this.#speed === 0 ? stepsPerSecond : 0.8 * this.#speed + 0.2 * stepsPerSecond;
  }

  showTraining({ step, steps, stepsPerEpoch, loss, accuracy }: TrainReport): void {
    const epoch = Math.min(Math.floor(step / stepsPerEpoch) + 1, steps / stepsPerEpoch);
    this.#set("epoch", `${epoch} of ${steps / stepsPerEpoch}`);
    this.#set("step", `${step.toLocaleString("en")} of ${steps.toLocaleString("en")}`);
    this.#set("loss", loss.toFixed(3));
    this.#set("accuracy", percent(accuracy));
    this.#set("speed", this.#speed.toFixed(this.#speed < 10 ? 1 : 0));
    this.#set("left", duration((steps - step) / this.#speed));
  }

  showTest({ loss, accuracy }: TestReport): void {
    this.#set("testLoss", loss.toFixed(3));
    this.#set("testAccuracy", percent(accuracy, 2));
  }

  /** No time is left when nothing runs. */
  end(): void {
    this.#set("left", "–");
  }

  #set(name: keyof typeof NAMES, text: string): void {
    (this.#values.get(name) as HTMLElement).textContent = text;
  }
}

/** Writes seconds as 5 s, 2:05 min or 1:02 h. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)} min`;
  return `${Math.floor(whole / 3600)}:${two((whole % 3600) / 60)} h`;
}
