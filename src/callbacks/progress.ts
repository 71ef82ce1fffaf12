import { checkEach } from "../core/check.ts";
import type { Callback, Run } from "../train/callback.ts";
import { checkMethods } from "../train/check-options.ts";
import type { EpochEvent, MetricMeans, RecoveredEvent, StepEvent } from "../train/events.ts";

/** How far a run is. */
export interface ProgressReport {
  /** From 0. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Mean of the losses of the last steps. */
  readonly loss: number;
  readonly metrics?: MetricMeans;
  readonly stepsPerSecond: number;
  readonly secondsLeft: number;
}

/** Shows how far a run is. */
export interface ProgressSink {
  /** Called as the run goes on, some times a second. */
  update(report: ProgressReport): void;
  /** Called after each epoch. */
  epoch?(event: EpochEvent, epochs: number): void;
  /** Called with what a run has to tell beside, such as a GPU that was lost. */
  note?(text: string): void;
  /** Called at the end, also after an error. */
  end?(): void;
}

/**
 * Shows the progress of a run by a sink: `terminalBar`, `pageBar`, or one of one's own.
 * @example await fit({ ...settings, callbacks: [progressBar(terminalBar())] });
 */
export function progressBar(sink: ProgressSink): Callback {
  return {
    onStep: (event: StepEvent, { epochs }: Run) => sink.update({ ...event, epochs }),
    onEpoch: (event: EpochEvent, { epochs }: Run) => sink.epoch?.(event, epochs),
    onDeviceLost: ({ step, message }) =>
      sink.note?.(`The GPU was lost at step ${step}: ${message}`),
    onRecovered: (event) => sink.note?.(recoveryLine(event)),
    onDeviceChosen: ({ step, reason }) => sink.note?.(`From step ${step} on ${reason}`),
    dispose: () => sink.end?.(),
  };
}

/** What a terminal is written through, such as `process.stdout`. */
export interface TerminalStream {
  /** Writes text at the cursor. */
  write(text: string): unknown;
  /** Whether it is a terminal, in which a line can be written over. */
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Cells of the bar itself. */
const WIDTH = 24;
const CLEAR_LINE = "\r\x1b[2K";

/**
 * Shows progress as a line of a terminal that is written over, cut to its width, and a line for each
 * epoch. Only the latter where the stream is no terminal, or the environment asks for plain text by
 * `TERM=dumb` or `NO_COLOR`.
 * @param stream `process.stdout` when left out.
 */
export function terminalBar(stream: TerminalStream = process.stdout): ProgressSink {
  checkMethods("terminalBar", { stream }, ["write"], "a stream such as process.stdout");
  const isTerminal = (stream.isTTY ?? false) && !wantsPlainText();
  let isOpen = false;
  const close = () => {
    if (isOpen) stream.write(CLEAR_LINE);
    isOpen = false;
  };
  return {
    update(report) {
      if (!isTerminal) return;
      isOpen = true;
      stream.write(CLEAR_LINE + cut(barLine(report), (stream.columns || 80) - 1));
    },
    epoch(event, epochs) {
      close();
      stream.write(`${epochLine(event, epochs)}\n`);
    },
    note(text) {
      close();
      stream.write(`${text}\n`);
    },
    end: close,
  };
}

/** Whether the environment asks for text without control characters. Source: no-color.org. */
function wantsPlainText(): boolean {
  const { TERM, NO_COLOR } = globalThis.process?.env ?? {};
  return TERM === "dumb" || Boolean(NO_COLOR);
}

/** Characters that take two cells of a terminal. Source: Unicode Standard Annex 11, W and F. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

/** The beginning of a text that so many cells hold. */
function cut(text: string, cells: number): string {
  let room = cells;
  let kept = "";
  for (const character of text) {
    room -= WIDE.test(character) ? 2 : 1;
    if (room < 0) break;
    kept += character;
  }
  return kept;
}

/**
 * Shows progress in a page's `<progress>` element, whose `value` goes from 0 to `max` = 1.
 * @param describe told of each report, say to write it beside the element.
 */
export function pageBar(
  element: Pick<HTMLProgressElement, "value" | "max">,
  describe?: (report: ProgressReport) => void,
): ProgressSink {
  const isElement = (x: unknown) => typeof x === "object" && x !== null;
  checkEach("pageBar", { element }, isElement, "a <progress> element");
  element.max = 1;
  return {
    update(report) {
      element.value = report.step / report.steps;
      describe?.(report);
    },
  };
}

function barLine(report: ProgressReport): string {
  const { epoch, epochs, step, steps, loss, stepsPerSecond, secondsLeft } = report;
  const done = Math.round((WIDTH * step) / steps);
  const bar = "█".repeat(done) + "░".repeat(WIDTH - done);
  const numbers = [`loss ${loss.toFixed(4)}`, ...namedNumbers(report.metrics)];
  numbers.push(`${stepsPerSecond.toFixed(0)} steps/s`, `${Math.ceil(secondsLeft)} s left`);
  return `epoch ${epoch + 1}/${epochs} ${bar} ${step}/${steps} · ${numbers.join(" · ")}`;
}

function epochLine(event: EpochEvent, epochs: number): string {
  const { validationLoss, trainAccuracy, testAccuracy } = event;
  const percent = (x: number) => `${(100 * x).toFixed(2)} %`;
  const parts = [
    `loss ${event.loss.toFixed(4)}`,
    ...namedNumbers(event.metrics),
    ...(validationLoss === undefined ? [] : [`validation loss ${validationLoss.toFixed(4)}`]),
    ...namedNumbers(event.validationMetrics, "validation "),
    ...(trainAccuracy === undefined ? [] : [`train accuracy ${percent(trainAccuracy)}`]),
    ...(testAccuracy === undefined ? [] : [`test accuracy ${percent(testAccuracy)}`]),
    `${event.stepsPerSecond.toFixed(0)} steps/s`,
  ];
  return `epoch ${event.epoch + 1}/${epochs}: ${parts.join(", ")}`;
}

function recoveryLine(event: RecoveredEvent): string {
  const { step, repeated, dropped, kind, description, milliseconds } = event;
  const place = kind === "cpu" ? "the CPU" : description;
  const gone = dropped > 0 ? `, ${dropped} steps are gone` : "";
  const seconds = (milliseconds / 1000).toFixed(1);
  return `Going on from step ${step - repeated} on ${place} after ${seconds} s${gone}`;
}

function namedNumbers(values: MetricMeans = {}, prefix = ""): string[] {
  return Object.entries(values).map(([name, x]) => `${prefix}${name} ${x.toFixed(4)}`);
}
