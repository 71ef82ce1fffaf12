import { beforeAll, describe, expect, test } from "vitest";
import { dqnLoss, learnByDQN } from "../../examples/cartpole/dqn.ts";
import type { Progress } from "../../examples/cartpole/learner.ts";
import { accelerations, CartPoles, FAR, STEEP } from "../../examples/cartpole/physics.ts";
import { play, playGreedily } from "../../examples/cartpole/play.ts";
import { ActorCritic, learnByReinforce, reinforceLoss } from "../../examples/cartpole/reinforce.ts";
import { ReplayBuffer } from "../../examples/cartpole/replay-buffer.ts";
import { grad, mul, sub, type Tensor, tensor } from "../../src/index.ts";
import { Linear, Sequential } from "../../src/nn/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

describe("the physics", () => {
  test("solve the equations of motion of cart and pole", () => {
    // (M + m) ẍ + m l cos θ θ̈ = F + m l θ̇² sin θ and cos θ ẍ + 4/3 l θ̈ = g sin θ, by Cramer's rule.
    for (const [force, theta, turn] of [
      [10, 0.1, -0.5],
      [-10, -0.2, 2],
      [10, 1.2, 3],
    ]) {
      const [a, b, u] = [1.1, 0.05 * Math.cos(theta), force + 0.05 * turn ** 2 * Math.sin(theta)];
      const [c, d, v] = [Math.cos(theta), (4 / 3) * 0.5, 9.8 * Math.sin(theta)];
      const determinant = a * d - b * c;
      const [linear, angular] = accelerations(force, theta, turn);
      expect(linear).toBeCloseTo((u * d - b * v) / determinant, 12);
      expect(angular).toBeCloseTo((a * v - u * c) / determinant, 12);
    }
  });

  test("go by Euler's steps of 0.02 s from a start near the middle", () => {
    const carts = new CartPoles(2, 500);
    carts.reset(0, [0, 0, 0, 0]);
    carts.reset(1, [0.6, 0.1, 0.9, 0.3]);
    const before = [...carts.states];
    expect(before.slice(0, 4)).toEqual([-0.05, -0.05, -0.05, -0.05]);
    expect(carts.push(1, 1)).toEqual({ fell: false, ended: false });
    const [x, speed, theta, turn] = before.slice(4);
    const [linear, angular] = accelerations(10, theta, turn);
    const expected = [x + 0.02 * speed, speed + 0.02 * linear, theta + 0.02 * turn];
    expect([...carts.states.slice(4)]).toEqual([...expected, turn + 0.02 * angular]);
    expect([...carts.states.slice(0, 4)]).toEqual(before.slice(0, 4));
  });

  test("end an episode beyond 2.4 m, beyond 12 degrees and at the limit", () => {
    const carts = new CartPoles(1, 3);
    const outcome = (state: number[]) => {
      carts.reset(0, [0.5, 0.5, 0.5, 0.5]);
      carts.states.set(state);
      return carts.push(0, 0);
    };
    expect(outcome([FAR - 0.01, 1, 0, 0])).toEqual({ fell: true, ended: true });
    expect(outcome([-FAR + 0.01, 0, 0, 0])).toEqual({ fell: false, ended: false });
    expect(outcome([0, 0, -STEEP + 0.01, -1])).toEqual({ fell: true, ended: true });
    expect(outcome([0, 0, 0, 0])).toEqual({ fell: false, ended: false });
    expect(carts.push(0, 1)).toEqual({ fell: false, ended: false });
    expect(carts.push(0, 0)).toEqual({ fell: false, ended: true });
  });
});

test("episodes are played to their end, from starts that the seed gives", async () => {
  const seen: number[] = [];
  const right = async (states: Float32Array) => new Int32Array(states.length / 4).fill(1);
  const given = { episodes: 3, limit: 30, seed: 4 };
  const returns = await play(right, { ...given, onPush: ({ cart }) => seen.push(cart) });
  // Always pushed to the right, a pole falls within some ten pushes.
  for (const [cart, steps] of returns.entries()) {
    expect(steps).toBeGreaterThan(5);
    expect(steps).toBeLessThan(13);
    expect(seen.filter((other) => other === cart)).toHaveLength(steps);
  }
  expect(await play(right, given)).toEqual(returns);
});

test("a replay buffer keeps the newest and gives those that numbers name", async () => {
  const buffer = new ReplayBuffer(3);
  for (let i = 0; i < 5; i++) {
    const state = [i, 0, 0, 0];
    buffer.add({ state, action: i % 2, next: [i + 1, 0, 0, 0], fell: i === 3 });
  }
  expect(buffer.size).toBe(3);
  const { states, actions, next, goesOn } = buffer.sample([0, 0.5, 0.99]);
  const first = async (x: Tensor) => ((await x.toArray()) as number[][]).map(([y]) => y);
  expect(await first(states)).toEqual([3, 4, 2]);
  expect(await first(next)).toEqual([4, 5, 3]);
  expect(await actions.toArray()).toEqual([1, 0, 0]);
  expect(await goesOn.toArray()).toEqual([0, 1, 1]);
});

test("REINFORCE's loss and its gradient are those of the formula", async () => {
  const model = new ActorCritic(3);
  const batch = {
    states: tensor([
      [0.1, -0.2, 0.3, 0.4],
      [0.5, 0.6, -0.7, 0.8],
      [9, 9, 9, 9],
    ]),
    actions: tensor([1, 0, 1], { dtype: "i32" }),
    returns: tensor([0.9, 0.2, 5]),
    weights: tensor([1, 1, 0]),
  };
  const logits = (await model.call(batch.states).toArray()) as number[][];
  const values = (await model.value(batch.states).toArray()) as number[];
  const ahead = [0.9 - values[0], 0.2 - values[1]];
  const meanSquare = (ahead[0] ** 2 + ahead[1] ** 2) / 2;
  const advantages = ahead.map((x) => x / Math.sqrt(meanSquare + 1e-8));
  const shares = logits.map(([a, b]) => [1 / (1 + Math.exp(b - a)), 1 / (1 + Math.exp(a - b))]);
  const surprise = [-Math.log(shares[0][1]), -Math.log(shares[1][0])];
  const policy = (advantages[0] * surprise[0] + advantages[1] * surprise[1]) / 2;
  const loss = reinforceLoss(model, batch);
  expect(await loss.item()).toBeCloseTo(policy + meanSquare, 5);

  const bias = (network: Sequential) => (network.layers[2] as Linear).bias;
  const given = [bias(model.policy), bias(model.baseline)].map((x) => x as NonNullable<typeof x>);
  const [ofPolicy, ofBaseline] = grad(loss, given);
  // ∂/∂z of A · −log softmax(z)ₐ is A (softmax(z) − e_a); the baseline's is −2 (G − b).
  const [left] = await ofPolicy.data();
  expect(left).toBeCloseTo(
    (advantages[0] * shares[0][0] + advantages[1] * (shares[1][0] - 1)) / 2,
    5,
  );
  expect((await ofBaseline.data())[0]).toBeCloseTo(-(ahead[0] + ahead[1]), 5);
  model.dispose();
});

test("the loss of deep Q-learning takes the follower's value of the best action", async () => {
  const table = (weights: number[][]) => {
    const layer = new Linear(4, 2, { bias: false, seed: 0 });
    layer.weight.assign(tensor(weights));
    return new Sequential(layer);
  };
  const model = table([
    [0.1, 0.4],
    [0, 0],
    [0.7, 0.2],
    [0, 0],
  ]);
  const target = table([
    [0.3, 0.6],
    [0, 0],
    [0.8, 0.9],
    [0, 0],
  ]);
  const batch = {
    states: tensor([
      [1, 0, 0, 0],
      [0, 0, 1, 0],
    ]),
    actions: tensor([1, 0], { dtype: "i32" }),
    next: tensor([
      [0, 0, 1, 0],
      [1, 0, 0, 0],
    ]),
    goesOn: tensor([1, 0]),
  };
  // Q(s, a) = 0.4 and 0.7; of the first's next state action 0 is the model's best, 0.8 the follower's.
  const errors = [0.4 - (0.01 + 0.99 * 0.8), 0.7 - 0.01];
  const loss = dqnLoss(model, target, batch);
  expect(await loss.item()).toBeCloseTo((errors[0] ** 2 + errors[1] ** 2) / 4, 5);
  const weight = (model.layers[0] as Linear).weight;
  const gradient = (await grad(loss, [weight])[0].toArray()) as number[][];
  expect(gradient[0][1]).toBeCloseTo(errors[0] / 2, 5);
  expect(gradient[2][0]).toBeCloseTo(errors[1] / 2, 5);
  for (const held of [model, target]) held.dispose();
});

describe("some steps", () => {
  const distance = async (a: Tensor, b: Tensor) => {
    const d = sub(a, b);
    return mul(d, d).sum().item();
  };

  test("of policy gradient change policy and baseline", async () => {
    const steps: number[] = [];
    const onProgress = ({ step, episodes, loss, meanReturn }: Progress) => {
      expect(episodes).toBe(16 * step);
      expect(Number.isFinite(loss)).toBe(true);
      expect(meanReturn).toBeGreaterThan(5);
      steps.push(step);
    };
    const model = await learnByReinforce({ steps: 2, limit: 100, seed: 1, onProgress });
    expect(steps).toEqual([1, 2]);
    const before = new ActorCritic(1);
    for (const [i, parameter] of model.parameters().entries()) {
      expect(await distance(parameter, before.parameters()[i])).toBeGreaterThan(0);
    }
    for (const held of [model, before]) held.dispose();
  }, 60_000);

  test("of deep Q-learning change the values, and the greedy policy can be played", async () => {
    const [early, late] = [
      await learnByDQN({ steps: 499, limit: 500, seed: 1 }),
      await learnByDQN({ steps: 510, limit: 500, seed: 1 }),
    ];
    for (const [i, parameter] of late.parameters().entries()) {
      expect(await distance(parameter, early.parameters()[i])).toBeGreaterThan(0);
    }
    const returns = await playGreedily(late, { episodes: 2, limit: 10, seed: 0 });
    expect(returns.every((steps) => steps > 5 && steps <= 10)).toBe(true);
    for (const held of [early, late]) held.dispose();
  }, 120_000);
});
