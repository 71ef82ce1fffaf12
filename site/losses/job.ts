/** The slow start: two nets that differ in nothing but their loss. */
import { abs, grad, init, mean, reshape, sigmoid, square, sub, type Tensor, tensor } from "gradus";
import { binaryCrossEntropyWithLogits, meanSquaredError } from "gradus/losses";
import { Linear, Module, Sequential } from "gradus/nn";
import { SGD } from "gradus/optim";
import { trainJob } from "gradus/worker";
import { planeData } from "../shell/plane-data.ts";
import { answerQuestions } from "./sampler.ts";

const { points, labels } = planeData("clouds", 64, { seed: 3 });

answerQuestions(); // the page starts this script twice, and loads it once

export interface SlowStart {
  readonly rate: number;
  /** The bias of both outputs at the beginning. */
  readonly bias: number;
}

interface Batch {
  readonly x: Tensor;
  readonly t: Tensor;
}

// #region job
/** A net of one hidden layer, whose output begins saturated. */
function net(bias: number): { layers: Sequential; output: Linear } {
  const output = new Linear(4, 1, { seed: 2, biasInit: (shape) => tensor([bias], { shape }) });
  return { layers: new Sequential(new Linear(2, 4, { seed: 1 }), sigmoid, output), output };
}

class TwoNets extends Module {
  readonly squared: ReturnType<typeof net>;
  readonly entropy: ReturnType<typeof net>;

  constructor(bias: number) {
    super();
    this.squared = net(bias);
    this.entropy = net(bias);
  }

  override forward(x: Tensor): Tensor {
    return this.squared.layers.call(x);
  }
}

const squaredLoss = ({ squared }: TwoNets, { x, t }: Batch) =>
  meanSquaredError(sigmoid(squared.layers.call(x)), t);
const entropyLoss = ({ entropy }: TwoNets, { x, t }: Batch) =>
  binaryCrossEntropyWithLogits(entropy.layers.call(x), t);

/** How far the answers are from the targets, in the same measure for both. */
const error = (layers: Sequential, { x, t }: Batch) =>
  mean(square(sub(sigmoid(layers.call(x)), t)));
/** How hard a loss pulls at the bias of an output. */
const pull = (loss: Tensor, { bias }: Linear) => reshape(abs(grad(loss, [bias as Tensor])[0]), []);
const metrics = {
  squaredError: ({ squared }: TwoNets, batch: Batch) => error(squared.layers, batch),
  entropyError: ({ entropy }: TwoNets, batch: Batch) => error(entropy.layers, batch),
  squaredPull: (nets: TwoNets, batch: Batch) => pull(squaredLoss(nets, batch), nets.squared.output),
  entropyPull: (nets: TwoNets, batch: Batch) => pull(entropyLoss(nets, batch), nets.entropy.output),
};

export default trainJob(async ({ rate, bias }: SlowStart) => {
  await init();
  const model = new TwoNets(bias);
  const optimizer = new SGD(model.parameters(), { learningRate: rate });
  const batch = { x: tensor(points), t: tensor(labels.map((label) => [label])) };
  // Neither net sees the other: the gradient of the sum is that of each.
  const loss = (model: TwoNets, batch: Batch) =>
    squaredLoss(model, batch).add(entropyLoss(model, batch));
  const onEvent = () => new Promise<void>((go) => setTimeout(go, 14)); // slow enough to watch
  const loader = [batch];
  return { model, optimizer, loss, metrics, loader, epochs: 2000, metricsEvery: 8, onEvent };
});
// #endregion
