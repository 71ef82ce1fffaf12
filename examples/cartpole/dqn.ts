import {
  add,
  argmax,
  assignAll,
  div,
  expandDims,
  foldIn,
  keyFromSeed,
  lerp,
  mul,
  relu,
  squeeze,
  stopGradient,
  type Tensor,
  takeAlongAxis,
  tensor,
} from "gradus";
import { huber } from "gradus/losses";
import { heNormal, Linear, type Module, Sequential } from "gradus/nn";
import { Adam } from "gradus/optim";
import { trainStep } from "gradus/train";
import { Draws } from "./draws.ts";
import { goalOf, type LearningOptions } from "./learner.ts";
import { ACTIONS, CartPoles, FAR, STATE, STEEP } from "./physics.ts";
import { greedy, meanOf, playGreedily } from "./play.ts";
import { ReplayBuffer, type Transitions } from "./replay-buffer.ts";

/** γ, what a reward counts a step later. */
const DISCOUNT = 0.99;
const LEARNING_RATE = 0.001;
const HIDDEN = 128;
/** Pushes that the buffer holds, that are made before learning, and that a step learns from. */
const [HELD, FIRST, BATCH] = [50_000, 500, 64];
/** τ, how far the network that targets are computed with goes towards the one that learns. */
const FOLLOWS = 0.01;
/** ε, the share of pushes at random: from the first to the last along a line of so many pushes. */
const EXPLORATION = { first: 1, last: 0.05, pushes: 5000 };
/** Pushes between two trials, and their episodes. */
const TRIAL = { every: 1000, episodes: 100 };

/** What a state's numbers are measured in: the ends of the track, the steepest pole, and speeds. */
const UNITS = [FAR, 2, STEEP, 2];

/** A network of values Q(s, a), `[n, 2]`, of states `[n, 4]`. */
export function valueNetwork(seed: number): Sequential {
  const layer = (inputs: number, outputs: number, number: number) =>
    new Linear(inputs, outputs, {
      weightInit: heNormal(),
      key: foldIn(keyFromSeed(seed), number),
    });
  return new Sequential(
    (states: Tensor) => div(states, tensor(UNITS)),
    layer(STATE, HIDDEN, 0),
    relu,
    layer(HIDDEN, HIDDEN, 1),
    relu,
    layer(HIDDEN, ACTIONS, 2),
  );
}

/**
 * Computes Huber's loss of Q(s, a) against (1 − γ) r + γ Q⁻(s′, argmaxₐ′ Q(s′, a′)), without what follows
 * where the pole fell: values are in [0, 1]. Q⁻ is the network that follows. Sources: Mnih et al. 2015,
 * "Human-level control through deep reinforcement learning", algorithm 1; van Hasselt et al. 2016, "Deep
 * reinforcement learning with double Q-learning", eq. 4.
 */
export function dqnLoss(model: Module, target: Module, batch: Transitions): Tensor {
  const { states, actions, next, goesOn } = batch;
  const of = (values: Tensor, chosen: Tensor) =>
    squeeze(takeAlongAxis(values, expandDims(chosen, 1)), 1);
  const later = of(target.call(next), argmax(model.call(next), { axis: 1 }));
  const wanted = add(mul(mul(goesOn, later), DISCOUNT), 1 - DISCOUNT);
  return huber(of(model.call(states), actions), stopGradient(wanted));
}

/** Learns values by deep Q-learning, and gives the network; ends early when it is good enough. */
export async function learnByDQN(options: LearningOptions): Promise<Sequential> {
  const { steps, limit, seed, onProgress, signal } = options;
  const [model, target] = [valueNetwork(seed), valueNetwork(seed)];
  const [followers, leaders] = [target.parameters(), model.parameters()];
  const optimizer = new Adam(model.parameters(), { learningRate: LEARNING_RATE });
  const update = trainStep({
    model,
    optimizer,
    loss: (net, batch: Transitions) => dqnLoss(net, target, batch),
    // Lillicrap et al. 2016, "Continuous control with deep reinforcement learning", algorithm 1.
    after: () => assignAll(followers.map((to, i) => [to, lerp(to, leaders[i], FOLLOWS)])),
  });
  const best = greedy(model);
  const buffer = new ReplayBuffer(HELD);
  const draws = new Draws(foldIn(keyFromSeed(seed), 100));
  const cart = new CartPoles(1, limit);
  await draws.prepare(STATE);
  cart.reset(0, draws.take(STATE));
  let episodes = 0;
  for (let step = 1; step <= steps && !signal?.aborted; step++) {
    await draws.prepare(2 + STATE + BATCH);
    const state = Float32Array.from(cart.states);
    const isRandom = draws.next() < explorationAt(step);
    const action = isRandom ? Math.floor(draws.next() * ACTIONS) : (await best.policy(state))[0];
    const { fell, ended } = cart.push(0, action);
    buffer.add({ state, action, next: cart.states, fell });
    if (ended) {
      episodes++;
      cart.reset(0, draws.take(STATE));
    }
    if (step >= FIRST) {
      const batch = buffer.sample(draws.take(BATCH));
      await update(batch);
      for (const x of Object.values(batch)) x.dispose();
    }
    if (step % TRIAL.every !== 0) continue;
    const losses = (await update.read()).map(({ loss }) => loss);
    // Trials begin elsewhere than the episodes that are learnt from, and than those at the end.
    const trial = { episodes: TRIAL.episodes, limit, seed: seed * 1_000_003 + step };
    const meanReturn = meanOf(await playGreedily(model, trial));
    onProgress?.({ step, episodes, loss: meanOf(losses), meanReturn });
    if (meanReturn >= goalOf(limit)) break;
  }
  for (const held of [update, optimizer, best, target]) held.dispose();
  return model;
}

function explorationAt(step: number): number {
  const { first, last, pushes } = EXPLORATION;
  return first + (last - first) * Math.min(1, step / pushes);
}
