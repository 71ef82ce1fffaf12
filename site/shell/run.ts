/** A run of training in a worker, with its one control: start, pause, step, restart. */
import {
  type JobEnd,
  type JobEvent,
  type TrainJob,
  trainInWorker,
  type WorkerRun,
} from "gradus/worker";
import { make } from "./dom.ts";
import { isCalm } from "./theme.ts";

/** Where a run stands. */
export type Phase = "loading" | "training" | "paused" | "finished" | "failed";

// biome-ignore lint/suspicious/noExplicitAny: of any job
type AnyJob = TrainJob<any>;
type Types<Job extends AnyJob> = NonNullable<Job["types"]>;
/** A run of a job, as its page has it. */
export type RunOf<Job extends AnyJob> = WorkerRun<
  Types<Job>["note"],
  Types<Job>["calls"],
  Types<Job>["live"]
>;

/** What a runner is made of. */
export interface RunnerOptions<Job extends AnyJob> {
  /** Where the buttons go: an element of class `run`. */
  readonly controls: HTMLElement;
  /** Starts the worker: `() => new Worker(new URL("./job.ts", import.meta.url), { type: "module" })`. */
  readonly worker: () => Worker;
  /** What the next run's job is given. */
  readonly settings: () => Types<Job>["settings"];
  /** Called on each event of the run. */
  readonly onEvent: (event: JobEvent<Types<Job>["note"]>) => void;
  /**
   * Called when a run is set up, before its first step; what it asks of the run is answered then. A promise
   * that it gives may fail where the run is closed meanwhile.
   */
  readonly onReady?: (run: RunOf<Job>) => unknown;
  /** Called when where it stands has changed. */
  readonly onPhase?: (phase: Phase) => void;
  /** Called before each run, to clear what the last one has shown. */
  readonly onRestart?: () => void;
  /** What the reader can do about an error, put before its message. */
  readonly advise?: (error: Error) => string;
  /** Whether there is a button for single steps (yes). */
  readonly steps?: boolean;
}

const LABELS: Record<Phase, string> = {
  loading: "Pause",
  training: "Pause",
  paused: "Continue",
  finished: "Start again",
  failed: "Start again",
};

/**
 * Trains a job in a worker. It starts by itself, except for readers who asked for little movement: for
 * them it is set up and waits. It rests while the page is out of sight.
 */
export class Runner<Job extends AnyJob> {
  readonly #main = make("button", { type: "button", className: "primary" }, "Pause");
  readonly #step = make("button", { type: "button" }, "Step");
  readonly #again = make("button", { type: "button" }, "Restart");
  /** A short line beside the buttons. */
  readonly #line = make("output");
  readonly #failure = make("div", { className: "failure", hidden: true });
  #worker: Worker | null = null;
  #run: RunOf<Job> | null = null;
  #phase: Phase = "loading";
  /** Whether it rests because the page is out of sight. */
  #isHidden = false;
  /** Whether the next run begins paused. */
  #waits = isCalm();
  #starting: Promise<void> | null = null;
  #isStale = false;

  constructor(readonly options: RunnerOptions<Job>) {
    const { controls, steps = true } = options;
    controls.setAttribute("role", "group");
    controls.setAttribute("aria-label", "Training");
    this.#failure.setAttribute("role", "alert");
    this.#step.hidden = !steps;
    controls.append(this.#main, this.#step, this.#again, this.#line);
    controls.after(this.#failure);
    this.#main.addEventListener("click", () => this.#toggle());
    this.#step.addEventListener("click", () => this.step());
    this.#again.addEventListener("click", () => this.restart());
    document.addEventListener("visibilitychange", () => this.#look());
  }

  /** The present run, or null while there is none. */
  get run(): RunOf<Job> | null {
    return this.#run;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Says something short beside the buttons. */
  say(line: string): void {
    if (this.#line.value !== line) this.#line.value = line;
  }

  /**
   * Begins anew with the present settings. Calls while a run is being ended come to one. A run that was
   * paused, or was to wait, is set up and waits.
   */
  restart(): Promise<void> {
    this.#isStale = true;
    this.#starting ??= this.#startAll().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  async #startAll(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      this.#waits = this.#phase === "paused" || (this.#waits && this.#phase === "loading");
      await this.#run?.close();
      this.#begin();
    }
  }

  #begin(): void {
    const { onRestart, settings, worker } = this.options;
    this.#fail(null);
    onRestart?.();
    this.#setPhase("loading");
    this.#worker ??= worker();
    const run = trainInWorker<Job>(this.#worker, settings()) as RunOf<Job>;
    this.#run = run;
    if (this.#waits || document.hidden) void run.pause().catch(() => {});
    this.#isHidden = document.hidden && !this.#waits;
    run.ready.then(
      () => {
        if (this.#run !== run) return;
        if (this.#phase === "loading") this.#setPhase(this.#waits ? "paused" : "training");
        void this.#greet(run);
      },
      () => {},
    );
    void this.#follow(run);
  }

  async #greet(run: RunOf<Job>): Promise<void> {
    try {
      await this.options.onReady?.(run);
    } catch (error) {
      if (this.#run === run && !this.#starting) throw error;
    }
  }

  async #follow(run: RunOf<Job>): Promise<void> {
    try {
      for await (const event of run) if (this.#run === run) this.options.onEvent(event);
      const end: JobEnd = await run.done;
      if (this.#run === run && !end.stopped) this.#setPhase("finished");
    } catch (error) {
      if (this.#run !== run) return;
      const failure = error as Error;
      this.#fail(failure.message, this.options.advise?.(failure));
      this.#setPhase("failed");
    }
  }

  pause(): void {
    if (this.#phase !== "training" && this.#phase !== "loading") return;
    this.#waits = true;
    this.#setPhase("paused");
    void this.#run?.pause().catch(() => {});
  }

  resume(): void {
    if (this.#phase !== "paused") return;
    this.#waits = false;
    this.#setPhase("training");
    void this.#run?.resume().catch(() => {});
  }

  /** Makes one step; a run that goes on is paused. */
  step(): void {
    if (this.#phase !== "training" && this.#phase !== "paused") return;
    this.pause();
    void this.#run?.step().catch(() => {});
  }

  #toggle(): void {
    if (this.#phase === "paused") this.resume();
    else if (this.#phase === "training" || this.#phase === "loading") this.pause();
    else {
      this.#waits = false;
      void this.restart();
    }
  }

  /** Rests while the page is out of sight. */
  #look(): void {
    if (document.hidden && this.#phase === "training") {
      this.#isHidden = true;
      void this.#run?.pause().catch(() => {});
    } else if (!document.hidden && this.#isHidden) {
      this.#isHidden = false;
      if (this.#phase !== "paused") void this.#run?.resume().catch(() => {});
    }
  }

  #setPhase(phase: Phase): void {
    this.#phase = phase;
    document.body.dataset.phase = phase;
    this.#main.textContent = LABELS[phase];
    this.#step.disabled = phase !== "training" && phase !== "paused";
    this.options.onPhase?.(phase);
  }

  #fail(message: string | null, advice?: string): void {
    this.#failure.hidden = message === null;
    this.#failure.textContent = [advice, message].filter(Boolean).join(" ");
  }
}
