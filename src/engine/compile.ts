import { checkFunctions, checkOptions, checkSteps } from "../core/check.ts";
import type { DeviceError } from "../core/errors.ts";
import { Breather } from "../core/event-loop.ts";
import { isTracing } from "../graph/tracing.ts";
import type { EngineDevice } from "./device.ts";
import type { Plan } from "./plan.ts";
import type { Profile } from "./profile.ts";
import { Refusal, written } from "./refusal.ts";
import type { CompileOptions } from "./replay.ts";
import { type Call, Replays } from "./replays.ts";

/** A function that runs as one plan. */
export interface Compiled<Args extends readonly unknown[], R> {
  /**
   * Enqueues one run; waits only for a plan to be built, while the device is far behind, and now and
   * then for other tasks of the page.
   */
  (...args: Args): Promise<R>;
  /** Makes the plan for arguments like these, without running it. */
  prepare(...args: Args): Promise<Plan>;
  /** Runs once, as a call does, and tells how long each kernel took. */
  profile(...args: Args): Promise<Profile>;
  /** The plans that are kept, one for each signature, those used last at the end. */
  readonly plans: readonly Plan[];
  /** Frees the memory and the pipelines of the plans; a later call makes them again. */
  dispose(): void;
}

/**
 * Turns a function of tensors into one that is traced once for each signature of its arguments and
 * replayed afterwards. What a call may depend on:
 *
 * - tensors are inputs, by shape, dtype and device; states are read anew in each run, and those that
 *   the function assigns change in place;
 * - typed arrays are inputs, by length and dtype: what they hold at the call is uploaded, so one
 *   buffer may be filled again and again. Inside, only `tensor(array)` takes their elements;
 * - numbers, strings, booleans, null, undefined, and arrays and plain objects of any of these, are
 *   compared by value: other values make another plan. The 64 used last are kept;
 * - modules, optimizers, data sets and samplers are known by identity, since all that changes in
 *   them are states, and of modules the parts, modes and frozen parameters, by which plans are told
 *   apart;
 * - other objects with tensors or typed arrays in their properties, such as batches, are inputs by
 *   their properties: the function is given a copy without private fields;
 * - functions are known by identity, and so is `fn`: a number or tensor that they use from outside is
 *   that of the trace, for good. Random numbers from a seed are the same in each run.
 *
 * Anything else is refused, and nothing can be read inside.
 * @returns a function that gives promises of the same results, tensors in arrays and plain objects,
 * for the caller to dispose.
 * @throws GradusError, when it is called, for other arguments, for a read, a random number without
 * seed or a compiled function inside, and for a result that is no tensor.
 * @example
 * const step = compile((x: Tensor) => {
 *   const loss = mean(square(matmul(x, w)));
 *   w.assign(sub(w, mul(grad(loss, [w])[0], 0.1)));
 *   return loss;
 * });
 * using loss = await step(batch);
 */
export function compile<Args extends readonly unknown[], R>(
  fn: (...args: Args) => R,
  options: CompileOptions = {},
): Compiled<Args, R> {
  checkOptions<CompileOptions>("compile", options, OPTIONS);
  checkFunctions(options.name ?? "compile", { fn });
  return compileChecked(fn, options);
}

/** Does what `compile` does, of what is known to be a function and options. */
export function compileChecked<Args extends readonly unknown[], R>(
  fn: (...args: Args) => R,
  options: CompileOptions,
): Compiled<Args, R> {
  const { name = "compile", stepsPerSubmit = 1, mirrorEvery } = options;
  checkSteps(name, { stepsPerSubmit });
  if (mirrorEvery !== Number.POSITIVE_INFINITY) checkSteps(name, { mirrorEvery: mirrorEvery ?? 1 });
  const replays = new Replays(fn, options);
  const turns = new Turns();
  const breather = new Breather();
  let guarded: EngineDevice | null = null;
  let opening: Promise<void> | null = null;
  const begin = (args: Args): Call<Args, R> => {
    if (isTracing()) throw new Refusal((by) => by.nested(name));
    const call = replays.begin(args);
    if (mirrorEvery !== undefined && !guarded) {
      guarded = call.replay.device;
      opening = guarded.guard(mirrorEvery);
    }
    return call;
  };
  /**
   * Does something with the plan for arguments, which stays as long as that takes; again where the
   * device is lost meanwhile.
   */
  const during = async <T>(
    given: Args,
    work: (call: Call<Args, R>) => T | Promise<T>,
  ): Promise<T> => {
    let args = given;
    let call: Call<Args, R> | undefined;
    while (!call) {
      try {
        call = begin(args);
      } catch (error) {
        const { recovering } = error as DeviceError;
        if (!recovering) throw await written(error);
        args = replays.hold(args);
        await recovering;
      }
    }
    const { device } = call.replay;
    try {
      for (;;) {
        if (opening) await opening;
        opening = null;
        if (device.recovering) await device.recovering;
        const { losses } = device;
        try {
          const made = work(call);
          return isPromise(made) ? await made : made;
        } catch (error) {
          if (!(await device.journal?.wasLost(losses, error))) throw await written(error);
        }
      }
    } finally {
      replays.end(call);
    }
  };
  /** Waits for what comes after a call's run, before its result is given. */
  const rest = async (
    device: EngineDevice,
    room: Promise<void> | undefined,
    result: R,
  ): Promise<R> => {
    if (room) await room;
    const mirror = device.journal?.rest();
    if (mirror) await mirror;
    if (device.recovering) await device.recovering;
    if (room || mirror) device.check(name);
    await breather.rest(); // a loop of calls must not hold up the page
    return result;
  };
  const run = (...args: Args): Promise<R> => {
    const results: R[] = [];
    return during(args, ({ replay, brought }) => {
      const { device } = replay;
      const work = () => replay.run(brought);
      const keep = (result = results[0]) => {
        results[0] = result;
        const room = device.room();
        return room || device.journal || breather.isDue ? rest(device, room, result) : result;
      };
      if (results.length > 0) return keep();
      const { ready } = replay;
      const mustWait = ready || replay.watched || turns.isTaken;
      return mustWait ? turns.take(ready, work).then(keep) : keep(work() as R);
    });
  };
  const compiled = Object.assign(run, {
    prepare: (...args: Args) =>
      during(args, async ({ replay }) => {
        await replay.ready;
        return replay.plan;
      }),
    profile: (...args: Args) =>
      during(args, ({ replay, brought }) =>
        turns.take(replay.ready, () => replay.profile(brought)),
      ),
    plans: [] as readonly Plan[],
    dispose: () => {
      if (mirrorEvery !== undefined) guarded?.journal?.close(mirrorEvery);
      guarded = null;
      replays.dispose();
    },
  });
  return Object.defineProperty(compiled, "plans", { get: () => replays.all.map((x) => x.plan) });
}

const OPTIONS = {
  onProgress: true,
  stepsPerSubmit: true,
  name: true,
  parameters: true,
  mirrorEvery: true,
  onDropped: true,
  count: true,
} as const;

/** Lets a call wait for those before it whose plans are still being built. */
class Turns {
  #pending: Promise<unknown> | null = null;

  /** Whether calls wait. */
  get isTaken(): boolean {
    return this.#pending !== null;
  }

  async take<T>(ready: Promise<void> | null, work: () => T | Promise<T>): Promise<T> {
    const turn = Promise.all([ready, this.#pending]).then(work);
    const settled = turn.catch(() => {});
    this.#pending = settled;
    try {
      return await turn;
    } finally {
      if (this.#pending === settled) this.#pending = null;
    }
  }
}

/** Whether something is to be waited for. */
function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T> | null | undefined)?.then === "function";
}
