import { argmax, compile, keyFromSeed, type Tensor, tensor } from "gradus";
import type { Module } from "gradus/nn";
import { Draws } from "./draws.ts";
import { CartPoles, STATE } from "./physics.ts";

/** Chooses an action for each of some states `[n, 4]`. */
export type Policy = (states: Float32Array<ArrayBuffer>) => Promise<ArrayLike<number>>;

/** One push of a cart, the state that it was chosen by, and whether the pole then fell. */
export interface Push {
  readonly cart: number;
  readonly state: Float32Array;
  readonly action: number;
  readonly fell: boolean;
}

/** How episodes are played. */
export interface PlayOptions {
  readonly episodes: number;
  /** Steps after which an episode is ended. */
  readonly limit: number;
  /** Fixes where they begin. */
  readonly seed: number;
  readonly onPush?: (push: Push) => void;
}

/** Plays episodes side by side, each to its end, and gives the return of each: its steps. */
export async function play(
  policy: Policy,
  { episodes, limit, seed, onPush }: PlayOptions,
): Promise<number[]> {
  const carts = new CartPoles(episodes, limit);
  const draws = new Draws(keyFromSeed(seed));
  for (let cart = 0; cart < episodes; cart++) {
    await draws.prepare(STATE);
    carts.reset(cart, draws.take(STATE));
  }
  const returns = new Array<number>(episodes).fill(0);
  const open = new Set(returns.keys());
  while (open.size > 0) {
    // Carts whose episode is over are shown too, so that one plan serves all.
    const states = Float32Array.from(carts.states);
    const actions = await policy(states);
    for (const cart of open) {
      returns[cart]++;
      const { fell, ended } = carts.push(cart, actions[cart]);
      const state = states.subarray(cart * STATE, (cart + 1) * STATE);
      onPush?.({ cart, state, action: actions[cart], fell });
      if (ended) open.delete(cart);
    }
  }
  return returns;
}

/** Plays episodes by the action of the highest output, and gives their returns. */
export async function playGreedily(model: Module, options: PlayOptions): Promise<number[]> {
  const best = greedy(model);
  try {
    return await play(best.policy, options);
  } finally {
    best.dispose();
  }
}

/** The policy of the highest output, compiled. */
export function greedy(model: Module): { policy: Policy; dispose(): void } {
  const act = compile((states: Float32Array<ArrayBuffer>) => {
    const x: Tensor = tensor(states, { shape: [states.length / STATE, STATE] });
    return argmax(model.call(x), { axis: -1 });
  });
  const policy: Policy = async (states) => {
    using actions = await act(states);
    return actions.data();
  };
  return { policy, dispose: () => act.dispose() };
}

export function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}
