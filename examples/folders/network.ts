import { foldIn, keyFromSeed } from "gradus";
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  heNormal,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
} from "gradus/nn";

/** The kinds of networks. */
export const NETWORKS = ["dense", "convolutional"] as const;
export type NetworkKind = (typeof NETWORKS)[number];

/** A network from pictures `[n, 3, size, size]` to a logit `[n, 1]`, of which sigmoid is the chance of the second class. */
export function network(kind: NetworkKind, size: number, seed: number): Sequential {
  let number = 0;
  const own = () => ({ key: foldIn(keyFromSeed(seed), number++) });
  if (kind === "dense") {
    return new Sequential(
      new Flatten(),
      new Linear(3 * size * size, 64, { weightInit: heNormal(), ...own() }),
      new ReLU(),
      new Dropout(0.2, own()),
      new Linear(64, 1, own()),
    );
  }
  const block = (inputs: number, outputs: number) => [
    new Conv2d(inputs, outputs, 3, { padding: 1, bias: false, ...own() }),
    new BatchNorm2d(outputs),
    new ReLU(),
    new MaxPool2d(2),
  ];
  return new Sequential(
    ...block(3, 8),
    ...block(8, 16),
    ...block(16, 32),
    new Flatten(),
    new Dropout(0.3, own()),
    new Linear(32 * Math.floor(size / 8) ** 2, 1, own()),
  );
}
