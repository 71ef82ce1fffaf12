/** The curves of a run and of those before it. */
import { exponentialMovingAverage } from "gradus/optim";
import { element, percent } from "../shell/dom.ts";
import { type Line, Lines } from "../shell/plot.ts";

/** Points of a curve that are kept; of more, every second one goes. */
const MOST = 1200;
/** Earlier runs that are kept. */
const KEPT = 3;

/** Losses and accuracies at some steps. */
class Curve {
  readonly steps: number[] = [];
  readonly loss: number[] = [];
  readonly accuracy: number[] = [];

  add(step: number, loss: number, accuracy: number): void {
    if (this.steps.at(-1) === step) return;
    this.steps.push(step);
    this.loss.push(loss);
    this.accuracy.push(accuracy);
    if (this.steps.length <= MOST) return;
    for (const row of [this.steps, this.loss, this.accuracy]) {
      const half = row.filter((_, i) => i % 2 === 1);
      row.splice(0, row.length, ...half);
    }
  }
}

interface KeptRun {
  readonly name: string;
  readonly curve: Curve;
}

const KEPT_COLORS = ["--third", "--fourth", "--edge"] as const;

/** Both charts, of the present run and of those kept. */
export class Curves {
  #training = new Curve();
  #test = new Curve();
  #kept: KeptRun[] = [];
  #smooth = 0;
  #isLog = false;
  #word = "Accuracy";
  readonly #loss = new Lines(element("loss-chart"), {
    title: "Loss over steps",
    x: "Step",
    lines: this.#lines(),
    height: 190,
  });
  readonly #accuracy = new Lines(element("accuracy-chart"), {
    title: "Accuracy over steps",
    x: "Step",
    lines: this.#lines(),
    height: 150,
    range: [0, 1],
    format: (value) => percent(value, 0),
  });

  constructor() {
    element("forget").addEventListener("click", () => {
      this.#kept = [];
      this.#arrange();
    });
  }

  addTraining(step: number, loss: number, accuracy: number): void {
    this.#training.add(step, loss, accuracy);
  }

  addTest(step: number, loss: number, accuracy: number): void {
    this.#test.add(step, loss, accuracy);
  }

  /** Keeps the curve of the run that ends here, if it has come far enough, under a name. */
  begin(name: string): void {
    if (this.#training.steps.length >= 10) {
      this.#kept = [{ name, curve: this.#training }, ...this.#kept].slice(0, KEPT);
    }
    this.#training = new Curve();
    this.#test = new Curve();
    this.#arrange();
  }

  set smooth(value: number) {
    this.#smooth = value;
    this.draw();
  }

  set isLog(value: boolean) {
    this.#isLog = value;
    this.#arrange();
  }

  /** What stands on the second chart: accuracy of classes, R² of values. */
  set word(word: string) {
    if (word === this.#word) return;
    this.#word = word;
    element("accuracy-caption").textContent = word;
    this.#arrange();
  }

  draw(): void {
    const smoothed = (values: readonly number[]) =>
      this.#smooth > 0 && values.length > 0
        ? exponentialMovingAverage([...values], { decay: this.#smooth, biasCorrection: true })
        : values;
    const tables = (of: (curve: Curve) => readonly number[]) =>
      [
        [this.#training.steps, smoothed(of(this.#training))],
        [this.#test.steps, of(this.#test)],
        ...this.#kept.map(({ curve }) => [curve.steps, smoothed(of(curve))]),
      ] as [number[], number[]][];
    this.#loss.join(tables(({ loss }) => loss));
    this.#accuracy.join(tables(({ accuracy }) => accuracy));
  }

  #lines(): Line[] {
    return [
      { label: "Training", color: "--accent" },
      { label: "Test", color: "--second", dashed: true },
      ...this.#kept.map(({ name }, i): Line => ({ label: name, color: KEPT_COLORS[i], width: 1 })),
    ];
  }

  #arrange(): void {
    element("forget", HTMLButtonElement).disabled = this.#kept.length === 0;
    this.#loss.change({ lines: this.#lines(), log: this.#isLog });
    this.#accuracy.change({ lines: this.#lines(), title: `${this.#word} over steps` });
    this.draw();
  }
}
