import {
  add,
  categoricalAt,
  compile,
  div,
  foldIn,
  keyFromSeed,
  mul,
  rsqrt,
  square,
  squeeze,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "gradus";
import { crossEntropy } from "gradus/losses";
import { Linear, Module, Sequential } from "gradus/nn";
import { Adam } from "gradus/optim";
import { trainStep } from "gradus/train";
import { goalOf, type LearningOptions } from "./learner.ts";
import { ACTIONS, STATE } from "./physics.ts";
import { meanOf, type Policy, type Push, play } from "./play.ts";

/** Episodes that an update learns from. */
const EPISODES = 16;
/** Episodes whose mean return says whether it is enough. */
const RECENT = 100;
/** γ, what a reward counts a step later. */
const DISCOUNT = 0.99;
const LEARNING_RATE = 0.005;
const HIDDEN = 64;

/** A policy, logits `[n, 2]` of states `[n, 4]`, and beside it the baseline, `[n]`. */
export class ActorCritic extends Module {
  readonly policy: Sequential;
  readonly baseline: Sequential;

  constructor(seed: number) {
    super();
    const key = keyFromSeed(seed);
    const network = (outputs: number, number: number) =>
      new Sequential(
        new Linear(STATE, HIDDEN, { key: foldIn(key, number) }),
        tanh,
        new Linear(HIDDEN, outputs, { key: foldIn(key, number + 1) }),
      );
    this.policy = network(ACTIONS, 0);
    this.baseline = network(1, 2);
  }

  override forward(states: Tensor): Tensor {
    return this.policy.call(states);
  }

  value(states: Tensor): Tensor {
    return squeeze(this.baseline.call(states), -1);
  }
}

/** States `[n, 4]`, and of each the action, what was earned from then on, and 1, or 0 for none. */
export interface Experience {
  readonly states: Tensor;
  readonly actions: Tensor;
  readonly returns: Tensor;
  readonly weights: Tensor;
}

/**
 * Computes a loss with the gradient of REINFORCE with baseline, −(G − b(s)) ∇ log π(a|s), differences
 * scaled to a mean square of 1, and that of the baseline's (G − b(s))². Sources: Williams 1992, "Simple
 * statistical gradient-following algorithms for connectionist reinforcement learning"; Sutton & Barto
 * 2018, "Reinforcement Learning", section 13.4.
 */
export function reinforceLoss(model: ActorCritic, batch: Experience): Tensor {
  const { states, actions, returns, weights } = batch;
  const mean = (x: Tensor) => div(sum(mul(weights, x)), sum(weights));
  const ahead = sub(returns, model.value(states));
  const advantage = stopGradient(ahead);
  const scaled = mul(advantage, rsqrt(add(mean(square(advantage)), 1e-8)));
  const surprise = crossEntropy(model.call(states), actions, { reduction: "none" }); // −log π(a|s)
  return add(mean(mul(scaled, surprise)), mean(square(ahead)));
}

/** Learns a policy from whole episodes, played by it; ends early when it is good enough. */
export async function learnByReinforce(options: LearningOptions): Promise<ActorCritic> {
  const { steps, limit, seed, onProgress, signal } = options;
  const model = new ActorCritic(seed);
  const key = foldIn(keyFromSeed(seed), 100);
  const act = compile((states: Float32Array<ArrayBuffer>, number: Uint32Array<ArrayBuffer>) => {
    const logits = model.call(tensor(states, { shape: [states.length / STATE, STATE] }));
    return categoricalAt(tensor(number, { shape: [] }), logits, { key });
  });
  let pushes = 0;
  const policy: Policy = async (states) => {
    using actions = await act(states, Uint32Array.of(pushes++));
    return actions.data();
  };
  const optimizer = new Adam(model.parameters(), { learningRate: LEARNING_RATE });
  const update = trainStep({ model, optimizer, loss: reinforceLoss });
  const recent: number[] = [];
  for (let step = 1; step <= steps && !signal?.aborted; step++) {
    const pushed: Push[] = [];
    const onPush = (push: Push) => pushed.push(push);
    const episodeSeed = seed * 1_000_003 + step;
    recent.push(...(await play(policy, { episodes: EPISODES, limit, seed: episodeSeed, onPush })));
    recent.splice(0, recent.length - RECENT);
    const batch = experienceOf(pushed);
    await update(batch);
    const [{ loss }] = await update.read();
    for (const x of Object.values(batch)) x.dispose();
    const meanReturn = meanOf(recent);
    onProgress?.({ step, episodes: step * EPISODES, loss, meanReturn });
    if (recent.length === RECENT && meanReturn >= goalOf(limit)) break;
  }
  for (const held of [act, update, optimizer]) held.dispose();
  return model;
}

/** Lays episodes one below the other, rows up to a power of two, so that few plans are made. */
function experienceOf(pushed: readonly Push[]): Experience {
  const rows = 2 ** Math.ceil(Math.log2(pushed.length));
  const states = new Float32Array(rows * STATE);
  const [actions, returns, weights] = [
    new Int32Array(rows),
    new Float32Array(rows),
    new Float32Array(rows),
  ];
  const after = new Map<number, number>();
  for (let i = pushed.length - 1; i >= 0; i--) {
    const { cart, state, action } = pushed[i];
    // G = (1 − γ) Σ γᵏ, in [0, 1]
    const earned = 1 - DISCOUNT + DISCOUNT * (after.get(cart) ?? 0);
    after.set(cart, earned);
    states.set(state, i * STATE);
    [actions[i], returns[i], weights[i]] = [action, earned, 1];
  }
  return {
    states: tensor(states, { shape: [rows, STATE] }),
    actions: tensor(actions),
    returns: tensor(returns),
    weights: tensor(weights),
  };
}
