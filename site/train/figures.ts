import { count, element, make, percent } from "../shell/dom.ts";

const NAMES = {
  epoch: "Epoch",
  step: "Step",
  speed: "Steps a second",
  left: "Time left",
  loss: "Loss",
  accuracy: "Accuracy",
  testLoss: "Test loss",
  testAccuracy: "Test accuracy",
} as const;

type Name = keyof typeof NAMES;

/** What a step event tells. */
interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
}

/** The numbers of a run. */
export class Figures {
  readonly #values = new Map<Name, HTMLElement>();
  readonly #terms = new Map<Name, HTMLElement>();
  /** Steps a second, smoothed, with the rests between them. */
  #speed = 0;
  /** Where the speed was looked at last. */
  #since = { step: 0, time: 0 };

  constructor() {
    for (const [name, label] of Object.entries(NAMES) as [Name, string][]) {
      const term = make("dt", {}, label);
      const value = make("dd", { id: `figure-${name}` });
      element("figures").append(make("div", {}, term, value));
      this.#values.set(name, value);
      this.#terms.set(name, term);
    }
    this.clear();
  }

  clear(): void {
    this.#speed = 0;
    this.#since = { step: 0, time: performance.now() };
    for (const name of this.#values.keys()) this.#set(name, "–");
  }

  /** Says what is measured: accuracy of classes, R² of values. */
  set word(word: string) {
    (this.#terms.get("accuracy") as HTMLElement).textContent = word;
    (this.#terms.get("testAccuracy") as HTMLElement).textContent = `Test ${word.toLowerCase()}`;
  }

  /** Takes note of every report, so that the speed is a mean over time. */
  note(step: number): void {
    const now = performance.now();
    const seconds = (now - this.#since.time) / 1000;
    if (seconds < 0.3) return;
    const speed = (step - this.#since.step) / seconds;
    this.#speed = this.#speed === 0 ? speed : 0.7 * this.#speed + 0.3 * speed;
    this.#since = { step, time: now };
  }

  /** Forgets the time in which nothing ran. */
  resume(step: number): void {
    this.#since = { step, time: performance.now() };
  }

  showTraining({ step, steps, loss }: Progress, accuracy: number, stepsPerEpoch: number): void {
    const epochs = steps / stepsPerEpoch;
    const epoch = Math.min(Math.floor(step / stepsPerEpoch) + 1, epochs);
    this.#set("epoch", `${count(epoch)} of ${count(epochs)}`);
    this.#set("step", count(step));
    this.#set("loss", shortened(loss));
    this.#set("accuracy", Number.isNaN(accuracy) ? "–" : percent(accuracy));
    if (this.#speed === 0) return;
    this.#set("speed", this.#speed < 10 ? this.#speed.toFixed(1) : count(Math.round(this.#speed)));
    this.#set("left", duration((steps - step) / this.#speed));
  }

  showTest(loss: number, accuracy: number): void {
    this.#set("testLoss", shortened(loss));
    this.#set("testAccuracy", percent(accuracy, 2));
  }

  /** No time is left when nothing runs. */
  end(): void {
    this.#set("left", "–");
  }

  #set(name: Name, text: string): void {
    (this.#values.get(name) as HTMLElement).textContent = text;
  }
}

/** A loss with three digits behind the point, or its power of ten where it is small. */
export function shortened(loss: number): string {
  return loss !== 0 && Math.abs(loss) < 5e-4 ? loss.toExponential(1) : loss.toFixed(3);
}

/** Writes seconds as 5 s, 2:05 min or 1:02 h. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)} min`;
  return `${Math.floor(whole / 3600)}:${two((whole % 3600) / 60)} h`;
}
