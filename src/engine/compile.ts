import { checkFunctions, checkOptions, checkSteps } from "../core/check.ts";
import type { DeviceError } from "../core/errors.ts";
import { Breather } from "../core/event-loop.ts";
import { postorder } from "../core/postorder.ts";
import { inputsOf, type Node } from "../graph/node.ts";
import { isTracing } from "../graph/tracing.ts";
import type { EngineDevice } from "./device.ts";
import type { Plan } from "./plan.ts";
import type { Profile } from "./profile.ts";
import { Refusal, written } from "./refusal.ts";
import type { CompileOptions } from "./replay.ts";
import { type Call, Replays } from "./replays.ts";
import { CallTurn, isPromise, turnKey } from "./turns.ts";

/** A function that runs as one plan. */
export interface Compiled<Args extends readonly unknown[], R> {
  /**
   * Enqueues one run; waits only for a plan to be built, while the device is far behind, and now and
   * then for other tasks of the page. It takes effect where it stands, awaited or not: it sees states
   * and tensors as they are at the call, and what comes after sees what it leaves. What cannot wait for
   * its plan, as a read of a state that it changes, has that built at once.
   */
  (...args: Args): Promise<R>;
  /** Makes the plan for arguments like these, without running it. */
  prepare(...args: Args): Promise<Plan>;
  /** Runs once, as a call does, and tells how long each kernel took: wait for it before other work. */
  profile(...args: Args): Promise<Profile>;
  /** The plans that are kept, one for each signature, those used last at the end. */
  readonly plans: readonly Plan[];
  /** Frees the memory and the pipelines of the plans; a later call makes them again. */
  dispose(): void;
}

/** Does something with a call. */
type Act<Args extends readonly unknown[], R, T> = (call: Call<Args, R>) => T | Promise<T>;

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
  /** The place of a call among others; null where it may run now. */
  const turnOf = <T>(
    call: Call<Args, R>,
    run: Act<Args, R, T>,
    isLong: boolean,
  ): CallTurn<T> | null => {
    const { replay, brought } = call;
    const { device, sources, changed } = replay;
    const isReady = !isLong && !opening && !device.recovering && !replay.ready && !replay.watched;
    if (isReady && device.turns.size === 0) return null;
    const before = (node: Node) => (node.ready ? [] : inputsOf(node));
    const given = postorder(
      brought.filter((node) => node !== null),
      before,
    );
    const uses = new Set<object>([replays, ...changed]);
    for (const node of given) uses.add(turnKey(node));
    for (const source of sources) uses.add(source.kind === "state" ? source.state : source.node);
    return new CallTurn(device.turns, new Set([replays, ...changed]), uses, () => run(call));
  };
  /**
   * Does something with the plan for arguments, which stays as long as that takes; again where the
   * device is lost meanwhile.
   * @param run what of it comes before and behind other calls, which `work` starts; nothing if null.
   */
  const during = async <T, U>(
    given: Args,
    run: Act<Args, R, T> | null,
    work: (start: () => T | Promise<T>, call: Call<Args, R>) => U | Promise<U>,
    isLong = false,
  ): Promise<U> => {
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
    const own = call;
    const { replay } = own;
    const { device } = replay;
    let turn: CallTurn<T> | null = null;
    const start = () => turn?.take(replay.ready) ?? (run as Act<Args, R, T>)(own);
    try {
      for (;;) {
        const { losses } = device;
        try {
          if (run) turn ??= turnOf(own, run, isLong);
          if (opening) await opening;
          opening = null;
          if (device.recovering) await device.recovering;
          const made = work(start, own);
          return isPromise(made) ? await made : made;
        } catch (error) {
          if (!(await device.journal?.wasLost(losses, error))) throw await written(error);
        }
      }
    } finally {
      turn?.end();
      replays.end(own);
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
    const act = ({ replay, brought }: Call<Args, R>) => replay.run(brought);
    return during(args, act, (start, { replay: { device } }) => {
      const keep = (result = results[0]) => {
        results[0] = result;
        const room = device.room();
        return room || device.journal || breather.isDue ? rest(device, room, result) : result;
      };
      if (results.length > 0) return keep();
      const made = start();
      return isPromise(made) ? made.then(keep) : keep(made);
    });
  };
  const compiled = Object.assign(run, {
    prepare: (...args: Args) =>
      during(args, null, async (_, { replay }) => {
        await replay.ready;
        return replay.plan;
      }),
    profile: (...args: Args) => {
      const act = ({ replay, brought }: Call<Args, R>) => replay.profile(brought);
      return during(args, act, (start) => start(), true);
    },
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
