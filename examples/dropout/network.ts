import { foldIn, keyFromSeed, relu } from "gradus";
import { Dropout, heNormal, Linear, Sequential } from "gradus/nn";

/** The network 784-256-128-10: relu and dropout behind each hidden layer, logits out. */
export function dropoutNetwork(rate: number, seed: number): Sequential {
  const key = keyFromSeed(seed);
  const linear = (inputs: number, outputs: number, number: number) =>
    new Linear(inputs, outputs, { weightInit: heNormal(), key: foldIn(key, number) });
  const dropout = (number: number) => new Dropout(rate, { key: foldIn(key, number) });
  return new Sequential({
    hidden1: linear(784, 256, 0),
    relu1: relu,
    dropout1: dropout(1),
    hidden2: linear(256, 128, 2),
    relu2: relu,
    dropout2: dropout(3),
    output: linear(128, 10, 4),
  });
}
