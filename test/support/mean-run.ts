import { add, mean, mul, type Tensor, tensor } from "../../src/index.ts";
import { Linear, type Module, Sequential } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";

export interface Points {
  readonly x: Tensor;
}

/** A model whose loss on a batch is the mean of x, and whose weight stays. */
export function meanRun() {
  const model = new Sequential(new Linear(1, 1, { seed: 1 }));
  const optimizer = new SGD(model.parameters(), { learningRate: 0 });
  const loss = (net: Module, { x }: Points) => {
    const [weight, bias] = net.parameters();
    return add(mean(x), mul(add(mean(weight), mean(bias)), 0));
  };
  return { model, optimizer, loss };
}

/** Batches of as many examples as are given values. */
export const points = (...batches: number[][]): Points[] =>
  batches.map((values) => ({ x: tensor(values.map((value) => [value])) }));
