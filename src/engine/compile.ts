import { GradusError } from "../core/errors.ts";
import { Breather } from "../core/event-loop.ts";
import { isTracing } from "../graph/tracing.ts";
import type { Plan } from "./plan.ts";
import type { Profile } from "./profile.ts";
import { type CompileOptions, Replay } from "./replay.ts";
import { type Signature, signatureOf } from "./signature.ts";

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
  /** The plans made so far, one for each signature. */
  readonly plans: readonly Plan[];
  /** Frees the memory of the plans; a later call makes them again. */
  dispose(): void;
}

/**
 * Turns a function of tensors into one that is traced once for each signature (shapes and dtypes of
 * the tensors in its arguments, and the other arguments' values) and replayed afterwards.
 *
 * States that the function reads are read anew in each run; those that it assigns change in place.
 * Numbers and other tensors that it uses are those of the trace. Nothing can be read inside.
 * @returns a function that gives promises of the same results: tensors for the caller to dispose.
 * @throws GradusError, when it is called, for a read or a compiled function inside and for a result
 * that is no tensor.
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
  checkSteps(options.stepsPerSubmit);
  const runs = new Map<string, Replay<Args, R>>();
  const replayOf = (args: Args): { signature: Signature; replay: Replay<Args, R> } => {
    checkNotTracing();
    const signature = signatureOf(args);
    let replay = runs.get(signature.key);
    if (!replay) {
      const made = new Replay(fn, args, signature.tensors, options);
      made.ready?.catch(() => runs.delete(signature.key));
      runs.set(signature.key, made);
      replay = made;
    }
    return { signature, replay };
  };
  const breather = new Breather();
  // A call waits for those before it whose plans are still being built.
  let pending: Promise<unknown> | null = null;
  const inTurn = async <T>(replay: Replay<Args, R>, work: () => T | Promise<T>): Promise<T> => {
    const turn = Promise.all([replay.ready, pending]).then(work);
    const settled = turn.catch(() => {});
    pending = settled;
    try {
      return await turn;
    } finally {
      if (pending === settled) pending = null;
    }
  };
  /** Frees what a plan holds that was disposed before its run. */
  const tidy = ({ key }: Signature, replay: Replay<Args, R>) => {
    if (runs.get(key) !== replay) replay.plan.dispose();
  };
  const call = async (...args: Args): Promise<R> => {
    const { signature, replay } = replayOf(args);
    const run = () => {
      const result = replay.run(signature.tensors);
      tidy(signature, replay);
      return result;
    };
    const result = replay.ready || pending ? await inTurn(replay, run) : run();
    const room = replay.device.room();
    if (room) {
      await room;
      replay.device.check("compile");
    }
    await breather.rest(); // a loop of calls must not hold up the page
    return result;
  };
  const compiled = Object.assign(call, {
    prepare: async (...args: Args) => {
      const { replay } = replayOf(args);
      await replay.ready;
      return replay.plan;
    },
    profile: async (...args: Args) => {
      const { signature, replay } = replayOf(args);
      const profile = await inTurn(replay, () => replay.profile(signature.tensors));
      tidy(signature, replay);
      return profile;
    },
    plans: [] as readonly Plan[],
    dispose() {
      for (const replay of runs.values()) replay.plan.dispose();
      runs.clear();
    },
  });
  const plans = () => [...runs.values()].map((replay) => replay.plan);
  return Object.defineProperty(compiled, "plans", { get: plans });
}

function checkSteps(steps: number | undefined): void {
  if (steps === undefined || (Number.isSafeInteger(steps) && steps >= 1)) return;
  throw new GradusError(`compile: stepsPerSubmit ${steps}; expected an integer from 1`);
}

/** A call inside would run while the outer function is traced, or after it. */
function checkNotTracing(): void {
  if (!isTracing()) return;
  throw new GradusError(
    "compile: called in a function that is being compiled; expected plain functions there. " +
      "Call the function that was compiled",
  );
}
