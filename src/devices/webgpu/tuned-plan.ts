import { tools } from "../../core/tools.ts";
import type { Progress } from "../../engine/plan.ts";
import type { Kernel } from "../../forms/kernel.ts";
import type { Storage } from "../../graph/device.ts";
import type { BufferStorage } from "./buffers.ts";
import type { GpuDevice } from "./gpu-device.ts";
import type { ChooseInProgram } from "./jobs.ts";
import {
  type Asked,
  choosing,
  improvePlans,
  type MakePlan,
  ReplaceablePlan,
} from "./replaceable-plan.ts";
import { Retries } from "./retries.ts";
import type { GpuSession } from "./session.ts";
import type { Tuner } from "./tuner.ts";

/**
 * Has the kernels of a device's plans that run again and again timed against others which give the same
 * bits, and the fastest take their places.
 * @param isNow whether all is timed when a plan is prepared; else a little between its runs.
 */
export function beginTuning(device: GpuDevice, isNow: boolean): void {
  improvePlans(device, (session) => {
    const tuning = new Tuning(session, isNow, device.options.kernels);
    return (make) => new TunedPlan(tuning, make);
  });
}

/** What tunes the plans of a session, as soon as it is loaded. */
class Tuning {
  tuner: Tuner | null = null;
  #loading: Promise<Tuner | null> | null = null;
  readonly retries = () => new Retries();
  readonly #retries = this.retries();

  constructor(
    readonly session: GpuSession,
    readonly isNow: boolean,
    /** The kind of kernels that was asked for. */
    readonly kind: Kernel["kind"] | undefined,
  ) {
    this.load();
  }

  /** Loads it unless that is under way, or failed and is not to be tried now. */
  load(): Promise<Tuner | null> {
    if (!this.#loading && this.#retries.isDue) this.#loading = this.#load();
    return this.#loading ?? Promise.resolve(null);
  }

  async #load(): Promise<Tuner | null> {
    const begun = this.#retries.now();
    try {
      const { Tuner, tunings } = await tools.get();
      await tunings.read();
      this.tuner = new Tuner(this.session, tunings, choosing, this);
      return this.tuner;
    } catch (error) {
      if (this.#retries.failed(error, begun)) this.#loading = null;
      else this.say(error);
      return null;
    }
  }

  say(error: unknown): void {
    if (!this.session.lossOf("tune")) console.warn(`gradus: kernels stay untuned, for ${error}`);
  }
}

/** A plan whose kernels others take the place of that are measured to be faster. */
class TunedPlan extends ReplaceablePlan {
  /** What the present plan asked. */
  #asked: Asked[];
  /** How much was known when it was last compared. */
  #known = 0;
  /** Whether faster kernels are known than it has. */
  #isBehind = false;
  #hasRun = false;

  constructor(
    readonly tuning: Tuning,
    readonly make: MakePlan,
  ) {
    const { session } = tuning;
    const asked: Asked[] = [];
    super(session, make(choosing(session, noting(session.choose, asked))));
    this.#asked = asked;
  }

  override async prepare(onProgress?: Progress): Promise<void> {
    await super.prepare(onProgress);
    const tuner = this.tuning.isNow && (await this.tuning.load());
    if (!tuner) return;
    await tuner.tune(this.#asked);
    await this.#improve(tuner);
  }

  override run(sources: readonly Storage[]): BufferStorage[] {
    const outputs = super.run(sources);
    const { tuner } = this.tuning;
    if (!tuner) {
      this.tuning.load();
      return outputs;
    }
    tuner.ran();
    if (!this.#hasRun) tuner.tune(this.#asked);
    this.#hasRun = true;
    this.#improve(tuner);
    return outputs;
  }

  /** Takes faster kernels where some are known by now. */
  async #improve(tuner: Tuner): Promise<void> {
    if (tuner.known !== this.#known) this.#compare(tuner);
    if (!this.#isBehind) return;
    const asked: Asked[] = [];
    const make = () => this.make(choosing(this.session, noting(tuner.choose, asked)));
    const onReplaced = () => {
      this.#asked = asked;
      this.#isBehind = false;
    };
    await this.replace(make, onReplaced, (error) => {
      this.#isBehind = false;
      this.tuning.say(error);
    });
  }

  /** Finds whether faster kernels are known than it has. */
  #compare(tuner: Tuner): void {
    this.#known = tuner.known;
    const isOther = ({ family, problem, group, program, choice: { kernel, candidate } }: Asked) => {
      const other = tuner.choose(family, problem as never, group, program);
      return other.kernel !== kernel || other.candidate !== candidate;
    };
    if (!this.#asked.some(isOther)) return;
    this.#isBehind = true;
    this.allowReplacing();
  }
}

/** Notes what is asked, and what the answer is. */
function noting(choose: ChooseInProgram, asked: Asked[]): ChooseInProgram {
  return (family, problem, group, program) => {
    const choice = choose(family, problem, group, program);
    const { kernel, candidate } = choice;
    const own = { family, problem, group, program, choice: { kernel, candidate } };
    if (group) asked.push(own as unknown as Asked);
    return choice;
  };
}
