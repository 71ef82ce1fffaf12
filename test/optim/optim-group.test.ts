import { beforeAll, expect, test } from "vitest";
import {
  compile,
  type Device,
  evaluate,
  GradusError,
  Parameter,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import {
  Adam,
  AdamW,
  clipByGlobalNorm,
  exponentialDecay,
  OptimizerGroup,
  SGD,
} from "../../src/optim/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const START = { p: [1, -2], q: [3], r: [0.5, 4, -1] };

function parameters(): { p: Parameter; q: Parameter; r: Parameter } {
  const make = (name: keyof typeof START) => new Parameter(tensor(START[name]), { name });
  return { p: make("p"), q: make("q"), r: make("r") };
}

/** A loss that ties all parameters together. */
function lossOf({ p, q, r }: ReturnType<typeof parameters>): Tensor {
  return square(
    sum(p)
      .mul(q)
      .add(sum(square(r))),
  )
    .sum()
    .mul(0.01);
}

test("members of one kind change their parameters as one optimizer does", async () => {
  const [together, apart] = [parameters(), parameters()];
  using one = new Adam(Object.values(together), { learningRate: 0.1 });
  using group = new OptimizerGroup([
    new Adam([apart.p, apart.q], { learningRate: 0.1 }),
    new Adam([apart.r], { learningRate: 0.1 }),
  ]);
  expect(group.parameters).toEqual([apart.p, apart.q, apart.r]);
  for (let step = 0; step < 5; step++) {
    one.step(lossOf(together));
    group.step(lossOf(apart));
  }
  for (const name of ["p", "q", "r"] as const) {
    expectClose(await apart[name].data(), [...(await together[name].data())], 5);
  }
});

test("each member has its own kind, rate, decay and slots", async () => {
  const { p, q, r } = parameters();
  using group = new OptimizerGroup([
    new SGD([p], { learningRate: exponentialDecay(1, { decaySteps: 1, decayRate: 0.5 }) }),
    new SGD([q], { learningRate: 0.5, momentum: 0.5, weightDecay: 0.1 }),
    new AdamW([r], { learningRate: 0.1, weightDecay: 0 }),
  ]);
  expect([...group.state().keys()]).toEqual([
    "0.step",
    "1.step",
    "1.q.momentum",
    "2.step",
    "2.r.mean",
    "2.r.square",
  ]);
  const gradients = [tensor([1, 2]), tensor([1]), tensor([1, -1, 2])];
  group.apply(gradients);
  group.apply(gradients);
  expectClose(await p.data(), [1 - 1.5, -2 - 3]);
  // g = 1 + 0.1 q, v = g, q ← q − 0.5 v, then once more with v ← 0.5 v + g.
  const [v1, q1] = [1.3, 3 - 0.65];
  const v2 = 0.5 * v1 + 1 + 0.1 * q1;
  expectClose(await q.data(), [q1 - 0.5 * v2]);
  expectClose(await r.data(), [0.3, 4.2, -1.2], 4);
  expect(await group.state().get("2.step")?.item()).toBe(2);
});

test("a compiled step is one plan, and setting one member's rate is one write", async () => {
  const all = parameters();
  const slow = new SGD([all.p], { learningRate: 0.1 });
  using group = new OptimizerGroup([slow, new Adam([all.q, all.r], { learningRate: 0.1 })]);
  const step = compile(() => group.step(lossOf(all)));
  for (let i = 0; i < 3; i++) await step();
  const before = [...(await all.p.data())];
  const mark = device.counters.now;
  slow.learningRate = 0;
  for (let i = 0; i < 3; i++) await step();
  const { dispatches: _, submits: __, ...made } = device.counters.since(mark);
  const writes = device.kind === "webgpu" ? 1 : made.writes;
  const buffers = device.kind === "webgpu" ? 1 : 0; // which brings the number and is freed
  expect(made).toEqual({ buffers, bindGroups: 0, pipelines: 0, writes, reads: 0 });
  expect(step.plans).toHaveLength(1);
  expect([...(await all.p.data())]).toEqual(before);
});

test("the group clips all gradients together, before its members clip their own", async () => {
  const { p, q, r } = parameters();
  const learningRate = 1;
  const halve = (g: readonly Tensor[]) => g.map((x) => x.mul(0.5));
  using group = new OptimizerGroup(
    [new SGD([p], { learningRate }), new SGD([q, r], { learningRate, clip: halve })],
    { clip: (g) => clipByGlobalNorm(g, 1).gradients },
  );
  group.apply([tensor([2, 0]), tensor([1]), tensor([2, 0, 0])]);
  expectClose(await p.data(), [1 - 2 / 3, -2]);
  expectClose(await q.data(), [3 - 1 / 6]);
  expectClose(await r.data(), [0.5 - 1 / 3, 4, -1]);
});

test("a group is called by its members, and its step evaluates what else is asked for", async () => {
  const all = parameters();
  using group = new OptimizerGroup([
    new SGD([all.p], { learningRate: 0.1 }),
    new Adam([all.q, all.r], { learningRate: 0.1 }),
  ]);
  expect(group.kind).toBe("OptimizerGroup(SGD, Adam)");
  using loss = lossOf(all);
  using twice = loss.mul(2);
  group.step(loss, [twice]);
  expect(await twice.item()).toBe(2 * (await loss.item()));
  expect(() => group.step(sum(all.p))).toThrow('OptimizerGroup: loss does not depend on "q"');
});

test("a group keeps its list of members, and a compiled function takes it", async () => {
  const { p, q } = parameters();
  const members = [new SGD([p], { learningRate: 1 })];
  using group = new OptimizerGroup(members);
  members.push(new SGD([q], { learningRate: 1 }));
  expect(group.members).toHaveLength(1);
  const step = compile((optimizer: OptimizerGroup) => optimizer.step(sum(p)));
  for (let i = 0; i < 3; i++) await step(group);
  expect([...(await p.data())]).toEqual([-2, -5]);
  expect(step.plans).toHaveLength(1);
});

test("a group that leaves its block frees what its members hold", () => {
  const { p, q } = parameters();
  evaluate(p, q);
  const before = held(device);
  {
    using _group = new OptimizerGroup([
      new SGD([p], { learningRate: 1, momentum: 0.5 }),
      new Adam([q], { learningRate: 1 }),
    ]);
  }
  expect(held(device)).toBe(before);
});

test("wrong groups are rejected", () => {
  const { p, q } = parameters();
  using one = new SGD([p], { learningRate: 1 });
  using other = new SGD([q, p], { learningRate: 1 });
  const rejected: [() => unknown, string][] = [
    [() => new OptimizerGroup([]), "OptimizerGroup: no members; expected at least one optimizer"],
    [
      () => new OptimizerGroup([one, other]),
      'OptimizerGroup: "p" is given twice; expected each once',
    ],
    [
      () => new OptimizerGroup([other]).apply([tensor([1])]),
      "OptimizerGroup: 1 gradients; expected 2, one for each parameter",
    ],
  ];
  for (const [run, message] of rejected) expect(run).toThrow(new GradusError(message));
});

test("a group has the rate that all members have, and sets it where they have one", () => {
  const { p, q, r } = parameters();
  using head = new SGD([p], { learningRate: 0.1 });
  using body = new Adam([q, r], { learningRate: 0.1 });
  const group = new OptimizerGroup([head, body]);
  expect(group.learningRate).toBe(0.1);
  group.learningRate = 0.5;
  expect([group, head, body].map(({ learningRate }) => learningRate)).toEqual([0.5, 0.5, 0.5]);
  expect(() => {
    group.learningRate = -1;
  }).toThrow("SGD: learningRate -1; expected a finite number from 0");
  head.learningRate = 0.25;
  expect(group.learningRate).toBeUndefined();
  expect(() => {
    group.learningRate = 1;
  }).toThrow(
    "OptimizerGroup(SGD, Adam): learningRate 1 over 0.25, 0.5; expected one that all have. " +
      "Set that of each optimizer",
  );
  expect([head, body].map(({ learningRate }) => learningRate)).toEqual([0.25, 0.5]);
});
