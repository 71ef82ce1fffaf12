import { beforeAll, expect, test } from "vitest";
import { add, equal, mul, slice, type Tensor, tanh, tensor } from "../../src/index.ts";
import {
  ArcFace,
  ASoftmax,
  CenterLoss,
  CosFace,
  contrastive,
  crossEntropy,
  LSoftmax,
  type MarginHead,
  NormSoftmax,
  tripletMined,
} from "../../src/losses/index.ts";
import { rank1, spreadRatio } from "../../src/metrics/index.ts";
import { Linear, Module, Sequential } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { generator } from "../support/reference.ts";

beforeAll(() => testDevice());

const CLASSES = 3;
const SIZE = 30;
const STEPS = 120;

interface Batch {
  readonly inputs: Tensor;
  readonly labels: Tensor;
}

/** Points around three corners of a cube of six dimensions, wide enough to overlap. */
function data(seed: number): Batch {
  const next = generator(seed);
  const labels = Array.from({ length: SIZE }, (_, i) => i % CLASSES);
  const inputs = labels.map((label) =>
    Array.from({ length: 6 }, (_, f) => Number(f % CLASSES === label) + 1.6 * (next() - 0.5)),
  );
  return { inputs: tensor(inputs), labels: tensor(labels, { dtype: "i32" }) };
}

/** A loss of two features, which may own weights. */
abstract class Objective extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
  abstract loss(features: Tensor, labels: Tensor): Tensor;
}

class Headed extends Objective {
  constructor(readonly head: MarginHead) {
    super();
  }
  loss(features: Tensor, labels: Tensor): Tensor {
    return this.head.loss(features, labels);
  }
}

class Centered extends Objective {
  readonly head = new Linear(2, CLASSES, { seed: 3 });
  readonly centers = new CenterLoss(2, CLASSES);
  loss(features: Tensor, labels: Tensor): Tensor {
    const pull = this.centers.lossAndUpdate(features, labels);
    return add(crossEntropy(this.head.call(features), labels), mul(pull, 0.1));
  }
}

class Plain extends Objective {
  readonly head = new Linear(2, CLASSES, { seed: 3 });
  loss(features: Tensor, labels: Tensor): Tensor {
    return crossEntropy(this.head.call(features), labels);
  }
}

class Mined extends Objective {
  constructor(readonly mining: "all" | "hard" | "semi-hard") {
    super();
  }
  loss(features: Tensor, labels: Tensor): Tensor {
    return tripletMined(features, labels, { mining: this.mining, margin: 0.5 });
  }
}

class Paired extends Objective {
  loss(features: Tensor, labels: Tensor): Tensor {
    const half = SIZE / 2;
    const [a, b] = [[{ end: half }], [{ start: half - 1, end: SIZE - 1 }]];
    const same = equal(slice(labels, a), slice(labels, b));
    return contrastive(slice(features, a), slice(features, b), same, { margin: 2 });
  }
}

const head = { seed: 3, scale: 8 };
const norm = () => new Headed(new NormSoftmax(2, CLASSES, head));
const annealing = { start: 100, rate: 1, minimum: 0 };
const angle = (Head: typeof LSoftmax | typeof ASoftmax, margin: number) => () =>
  new Headed(new Head(2, CLASSES, { seed: 3, margin, annealing }));

/** Objectives, each with what it shall spread classes more than: the same without its margin. */
const OBJECTIVES: Record<string, readonly [make: () => Objective, without?: () => Objective]> = {
  NormSoftmax: [norm],
  CosFace: [() => new Headed(new CosFace(2, CLASSES, head)), norm],
  ArcFace: [() => new Headed(new ArcFace(2, CLASSES, head)), norm],
  LSoftmax: [angle(LSoftmax, 2), angle(LSoftmax, 1)],
  ASoftmax: [angle(ASoftmax, 4), angle(ASoftmax, 1)],
  "center loss": [() => new Centered(), () => new Plain()],
  contrastive: [() => new Paired()],
  "all triplets": [() => new Mined("all")],
  "hard triplets": [() => new Mined("hard")],
  "semi-hard triplets": [() => new Mined("semi-hard")],
};

/** Trains two features; gives the losses, the spread of classes and how many probes are known. */
async function train(objective: Objective) {
  const body = new Sequential(new Linear(6, 12, { seed: 1 }), tanh, new Linear(12, 2, { seed: 2 }));
  using model = new Sequential({ body, objective });
  const optimizer = new Adam(model.parameters(), { learningRate: 0.02 });
  const [given, probes] = [data(1), data(2)];
  const step = trainStep<Sequential, Batch>({
    model,
    optimizer,
    loss: (_, { inputs, labels }) => objective.loss(body.call(inputs), labels),
  });
  const spread = () =>
    spreadRatio(body.call(given.inputs), given.labels, {
      classes: CLASSES,
      normalize: true,
    }).item();
  const before = await spread();
  for (let i = 0; i < STEPS; i++) await step(given);
  const losses = (await step.read()).map(({ loss }) => loss);
  const [gallery, features] = [body.call(given.inputs), body.call(probes.inputs)];
  const known = await rank1(features, probes.labels, gallery, given.labels).item();
  step.dispose();
  return { losses, before, after: await spread(), known };
}

const average = (losses: readonly number[]) => losses.reduce((a, b) => a + b) / losses.length;

test.each(Object.entries(OBJECTIVES))(
  "two features learned by %s tell three classes apart",
  async (_, [make, without]) => {
    const trained = await train(make());
    expect(average(trained.losses.slice(-10))).toBeLessThan(
      average(trained.losses.slice(0, 10)) / 2,
    );
    expect(trained.after).toBeGreaterThan(2 * trained.before);
    expect(trained.known).toBeGreaterThan(0.8);
    if (without) expect(trained.after).toBeGreaterThan((await train(without())).after);
    expect(await train(make())).toEqual(trained);
  },
);
